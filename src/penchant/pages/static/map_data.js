/** The map as it came (the form penchant.map/1) in arrays, and what can be asked of it without a service. */

import { amount } from "./map_words.js";

export const ITEM = 0;
export const USER = 1;
const TAIL = 0.02;
/** Share of the numbers beyond each end of a scale. */
const FORM = "penchant.map/1";

/** @throws where it is no map of our form */
export function decode(given) {
  if (given?.form !== FORM) throw new Error(`${FORM} expected`);
  const map = {
    ...given,
    x: numbers(given.x, Float32Array),
    y: numbers(given.y, Float32Array),
    side: numbers(given.side, Uint8Array),
    cluster: numbers(given.cluster, Int16Array),
    columns: given.columns.map(columnOf),
  };
  map.at = placesOf(map);
  map.count = [0, 0];
  for (const side of map.side) map.count[side]++;
  return map;
}

function columnOf(column) {
  if (column.kind !== "number") return { ...column, values: numbers(column.values, Int16Array) };
  const values = numbers(column.values, Float32Array);
  return { ...column, values, ...scaleOf(values, column) };
}

/** Where a scale of colours or sizes begins and ends: a few far out would leave one colour for all the others.
 *  `below` and `above`: is there something beyond? */
function scaleOf(values, { low, high }) {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort();
  const [first, last] = [sorted[Math.floor(TAIL * sorted.length)], sorted[Math.ceil((1 - TAIL) * sorted.length) - 1]];
  return last > first ? { low: first, high: last, below: low < first, above: high > last } : { low, high };
}

/** Base64 of little-endian numbers. */
function numbers(text, Kind) {
  const bytes = Uint8Array.fromBase64?.(text) ?? Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  return new Kind(bytes.buffer, 0, bytes.length / Kind.BYTES_PER_ELEMENT);
}

/** Ids to points, side by side, as text: ids may be numbers or text, and one side's may be the other's too. */
function placesOf({ ids, side }) {
  const at = [new Map(), new Map()];
  ids.forEach((id, i) => at[side[i]].set(String(id), i));
  return at;
}

/** What a point is called. */
export function labelOf(map, i) {
  return map.labels[i] ?? String(map.ids[i]);
}

/** Its value in a column, for people; null where there is none. */
export function valueOf(column, i) {
  const value = column.values[i];
  if (column.kind === "number") return Number.isNaN(value) ? null : amount(value, column.unit);
  return value < 0 ? null : column.words[value];
}

/** Does a column say something of a side? */
export function isOf(column, side) {
  return column.side === "both" || column.side === (side === USER ? "user" : "item");
}

/**
 * Points by a text: the one with just this id first, then ids and labels that begin with it, then those that hold it.
 *
 * @returns {{found: number[], more: boolean}} at most `most`
 */
export function search(map, text, most = 50) {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return { found: [], more: false };
  const ranked = [[], [], [], []];
  map.lower ??= map.ids.map((id, i) => [String(id).toLowerCase(), map.labels[i]?.toLowerCase() ?? ""]);
  for (let i = 0; i < map.n; i++) {
    const [id, label] = map.lower[i];
    if (id === wanted) ranked[0].push(i);
    else if (label === wanted) ranked[1].push(i);
    else if (id.startsWith(wanted) || label.startsWith(wanted)) ranked[2].push(i);
    else if (id.includes(wanted) || label.includes(wanted)) ranked[3].push(i);
  }
  const all = ranked.flat();
  return { found: all.slice(0, most), more: all.length > most };
}

/**
 * What sets some points apart from all of their side: the words of columns whose share is raised most, and numbers whose
 * mean lies farthest out.
 *
 * @returns {{column: string, value: string, share: number, elsewhere: number}[]}
 */
export function traits(map, points, side, most = 6) {
  const found = [];
  for (const column of map.columns) {
    if (column.kind !== "category" || !isOf(column, side)) continue;
    const [here, all] = [tally(column, points), tallyAll(map, column, side)];
    column.words.forEach((word, code) => {
      const [share, elsewhere] = [here.counts[code] / Math.max(1, here.n), all.counts[code] / Math.max(1, all.n)];
      if (share - elsewhere > 0.02) found.push({ column: column.name, value: word, share, elsewhere });
    });
  }
  return found.sort((a, b) => b.share - b.elsewhere - (a.share - a.elsewhere)).slice(0, most);
}

function tally(column, points) {
  const counts = new Uint32Array(column.words.length);
  let n = 0;
  for (const i of points) {
    const code = column.values[i];
    if (code >= 0) {
      counts[code]++;
      n++;
    }
  }
  return { counts, n };
}

function tallyAll(map, column, side) {
  column.tallies ??= [null, null];
  column.tallies[side] ??= tally(column, sideOf(map, side));
  return column.tallies[side];
}

/** The points of a side. */
export function sideOf(map, side) {
  map.sides ??= [null, null];
  map.sides[side] ??= Uint32Array.from({ length: map.n }, (_, i) => i).filter((i) => map.side[i] === side);
  return map.sides[side];
}

/** Lines of a file for spreadsheets. A text that one would take for a formula gets an apostrophe before it. */
export function csv(map, points) {
  const cell = (value) => {
    const text = String(value ?? "");
    const safe = /^[=+\-@\t\r]/.test(text) && !/^-?\d+(\.\d+)?$/.test(text) ? `'${text}` : text;
    return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  const rows = Array.from(points, (i) => [map.side[i] === USER ? "user" : "item", map.ids[i], labelOf(map, i)]);
  return `\ufeffside,id,label\r\n${rows.map((row) => row.map(cell).join(",")).join("\r\n")}\r\n`;
}
