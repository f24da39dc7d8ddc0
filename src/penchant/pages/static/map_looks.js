/** How points look: the colour, size and layer of each, by the columns that were chosen and by what is picked out. */

import { ITEM, USER } from "./map_data.js";
import { DIAMOND, PLAIN } from "./points.js";
import { clamp } from "./points_view.js";

/** Hues that differ most for all kinds of colour vision (found by search: least distance in OKLab under Machado's
 *  simulations, 2009, doi:10.1109/TVCG.2009.113; the first eight differ more), each with a contrast of 3 to the ground. */
const HUES = {
  light: ["#256ba6", "#db6306", "#13a289", "#a83b57", "#9969f4", "#3b3e15", "#5f105f", "#292aad", "#276206", "#af85c9", "#663e7d"],
  dark: ["#66b8ef", "#f3d348", "#f6899f", "#8ba415", "#b0488a", "#48f0eb", "#527605", "#1384d6", "#aefcac", "#c26c70", "#e6af69"],
};
/** From low to high, away from the ground: a part of viridis (Smith and van der Walt 2015, CC0). */
const SCALES = {
  light: ["#7ec850", "#2fb47c", "#1f968b", "#2d708e", "#404688", "#440f5c"],
  dark: ["#46528b", "#30698e", "#22868c", "#2fb07e", "#8fd744", "#fde725"],
};
export const STEPS = 100;
/** Steps of the scale of numbers. */
const OTHER = 101;
const NONE = 0;
const DIM = 128;
/** Added to a code: the same colour, faint. */

/** Colour of a category: the most frequent have hues of their own, the rest share one. @returns {number} of the palette */
export function codeOfWord(code, cycle = false) {
  if (code < 0) return NONE;
  const hues = HUES.light.length;
  return code < hues || cycle ? 1 + (code % hues) : OTHER;
}

/** Colour of a number: its place between low and high. */
export function codeOfNumber(value, low, high) {
  if (Number.isNaN(value)) return NONE;
  return 1 + Math.round((STEPS - 1) * (high > low ? clamp((value - low) / (high - low), 0, 1) : 0.5));
}

/** 256 colours, r g b a each, for a column's kind and a theme; `crowd`: many points, which are seen through more. */
export function paletteOf(kind, dark, crowd) {
  const theme = dark ? "dark" : "light";
  const palette = new Uint8Array(1024);
  const put = (code, [r, g, b], alpha = 1) => {
    palette.set([r, g, b, 255 * alpha * (crowd ? 0.78 : 0.88)], 4 * code);
    palette.set([r, g, b, 255 * (crowd ? 0.05 : 0.16)], 4 * (code + DIM));
  };
  put(NONE, dark ? [120, 132, 140] : [150, 160, 168], 0.55);
  put(OTHER, dark ? [134, 146, 154] : [116, 128, 136], 0.8);
  if (kind === "number") for (let step = 0; step < STEPS; step++) put(1 + step, along(SCALES[theme], step / (STEPS - 1)));
  else HUES[theme].forEach((hue, code) => put(1 + code, rgb(hue)));
  return palette;
}

/** A code's colour for the style of an element. */
export function css(palette, code) {
  return `rgb(${palette[4 * code]} ${palette[4 * code + 1]} ${palette[4 * code + 2]})`;
}

function along(anchors, part) {
  const place = part * (anchors.length - 1);
  const left = Math.min(anchors.length - 2, Math.floor(place));
  const [a, b] = [rgb(anchors[left]), rgb(anchors[left + 1])];
  return a.map((value, j) => value + (b[j] - value) * (place - left));
}

function rgb(hex) {
  const value = parseInt(hex.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/**
 * What colours are taken from: a column of the map, or one that every map has.
 *
 * @param {object} texts items, users, alone (of no cluster)
 */
export function colourings(map, texts) {
  const sides = { name: texts.side, side: "both", kind: "category", values: map.side, words: [texts.items, texts.users], own: "side" };
  return [...(map.clusters.length > 1 ? [bySize(map, texts.cluster)] : []), sides, ...map.columns];
}

/** Clusters as a column whose words are the largest first, so that neighbours in the legend differ in colour. */
function bySize(map, name) {
  const largest = map.clusters.map((_, c) => c).sort((a, b) => map.clusters[b].size - map.clusters[a].size);
  const rank = new Int16Array(largest.length);
  largest.forEach((c, place) => (rank[c] = place));
  const words = largest.map((c) => map.clusters[c].name);
  const values = map.cluster.map((c) => (c < 0 ? -1 : rank[c]));
  return { name, side: "both", kind: "category", values, words, own: "cluster", cycle: true };
}

/**
 * Codes, sizes and layers of all points.
 *
 * @param {object} asked colour and size: columns (size may be null); sides: which are shown; off: codes of the colour's
 *   words that are not; range: [low, high] of the colour's numbers that are; bright: null or 1 where a point is picked out
 */
export function looksOf(map, { colour, size, sides, off, range, bright }) {
  const n = map.n;
  const looks = { codes: new Uint8Array(n), sizes: new Uint8Array(n), layers: new Uint8Array(n) };
  const few = map.count[USER] > 0 && map.count[ITEM] > 0;
  for (let i = 0; i < n; i++) {
    const side = map.side[i];
    const value = colour.values[i];
    looks.codes[i] = colour.kind === "number" ? codeOfNumber(value, colour.low, colour.high) : codeOfWord(value, colour.cycle);
    looks.sizes[i] = (size === null ? PLAIN : sizeOf(size, size.values[i])) + (few && side === USER ? DIAMOND : 0);
    const there = sides[side] && (colour.kind === "number" ? isWithin(value, range) : !off.has(value));
    if (there) looks.layers[i] = bright !== null && !bright[i] ? 1 : looks.codes[i] === NONE ? 2 : 3;
    if (looks.layers[i] === 1) looks.codes[i] |= DIM;
  }
  return looks;
}

function isWithin(value, range) {
  return range === null || (value >= range[0] && value <= range[1]);
}

/** Sixteenths of the plain radius: areas grow with the number. */
function sizeOf(column, value) {
  if (column.kind !== "number") return PLAIN;
  if (Number.isNaN(value)) return 8;
  const part = column.high > column.low ? clamp((value - column.low) / (column.high - column.low), 0, 1) : 0.5;
  return Math.round(PLAIN * Math.sqrt(0.35 + 6 * part));
}

/** How many points of the shown sides each word has; the last of the array: without one. */
export function countWords(map, colour, sides) {
  const counts = new Uint32Array(colour.words.length + 1);
  for (let i = 0; i < map.n; i++) {
    if (!sides[map.side[i]]) continue;
    const code = colour.values[i];
    counts[code < 0 ? colour.words.length : code]++;
  }
  return counts;
}
