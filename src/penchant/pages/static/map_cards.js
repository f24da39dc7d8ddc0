/** Cards about points: the small one at the pointer, the one of the chosen point, lists of points. */

import { ITEM, USER, isOf, labelOf, valueOf } from "./map_data.js";
import { element, say } from "./map_words.js";

const SAID = 4;
/** Values on the card at the pointer. */
const SIDE_NAMES = () => [say("item"), say("user")];

/** Name, id and values of a point, at the pointer. */
export class HoverCard {
  constructor(stage) {
    this.stage = stage;
    this.card = element("div", { class: "map-hover", "aria-hidden": "true", hidden: true });
    stage.append(this.card);
  }

  /** @param {number} i point; -1: none @param {Iterable<object>} columns the first of which are said */
  show(map, i, px, py, columns) {
    this.card.hidden = i < 0;
    if (i < 0) return;
    this.card.replaceChildren(
      element("strong", { dir: "auto" }, labelOf(map, i)),
      element("span", { class: "soft" }, whoOf(map, i)),
      ...[...columns].filter((column) => isOf(column, map.side[i])).slice(0, SAID).map((column) => line(column, i)),
    );
    const [width, height] = [this.card.offsetWidth, this.card.offsetHeight];
    const left = px + 16 + width > this.stage.clientWidth ? px - 16 - width : px + 16;
    const top = Math.min(py + 12, this.stage.clientHeight - height - 4);
    this.card.style.transform = `translate(${Math.max(4, left)}px, ${Math.max(4, top)}px)`;
  }
}

function line(column, i) {
  const value = valueOf(column, i) ?? "–";
  return element("span", { dir: "auto" }, element("span", { class: "soft" }, `${column.name}: `), value);
}

/** "item 42". */
export function whoOf(map, i) {
  const name = SIDE_NAMES()[map.side[i]];
  return labelOf(map, i) === String(map.ids[i]) ? name : `${name} ${map.ids[i]}`;
}

/** The page of a point. */
export function pageOf(map, i) {
  const path = map.side[i] === USER ? "/user" : "/item";
  return `${path}?${new URLSearchParams({ id: String(map.ids[i]) })}`;
}

/**
 * The card of the chosen point.
 *
 * @param {object} acts near(), ball(), leave(); live: is there a service to ask?
 */
export function chosenCard(map, i, { live, near, ball, leave }) {
  const cluster = map.clusters[map.cluster[i]];
  const facts = map.columns.filter((column) => isOf(column, map.side[i])).map((column) => [column, valueOf(column, i)]);
  const rows = facts.filter(([, value]) => value !== null).map(([column, value]) => fact(column.name, value));
  if (cluster) rows.unshift(fact(say("cluster"), cluster.name));
  const button = (text, act, kind = "") => element("button", { type: "button", class: kind, onclick: act }, text);
  const name = element("span", { dir: "auto" }, labelOf(map, i));
  return [
    element("div", { class: "map-card-head" },
      element("h2", { id: "map-chosen-name", tabindex: "-1" }, name, " ", element("small", { class: "id" }, whoOf(map, i))),
      element("button", { type: "button", class: "close", "aria-label": say("Let go"), title: say("Let go"), onclick: leave }, "×"),
    ),
    element("dl", { class: "facts" }, ...rows.flat()),
    element("p", { class: "inline" },
      live ? element("a", { class: "button main", href: pageOf(map, i) }, map.side[i] === USER ? say("What this user likes") : say("Whom this item is for")) : null,
      button(live ? say("Nearest") : say("Nearest in the picture"), near),
      live ? button(map.side[i] === USER ? say("Show the ball") : say("Show who would like it"), ball) : null,
    ),
  ];
}

function fact(name, value) {
  return [element("dt", { dir: "auto" }, name), element("dd", { dir: "auto" }, value)];
}

/**
 * Points as a list of buttons.
 *
 * @param {number[]} points @param {(i: number) => void} choose @param {(i: number) => string} [end] what is said at the end
 */
export function listOf(map, points, choose, end = () => "") {
  const rows = points.map((i) => {
    const mark = element("span", { class: map.side[i] === ITEM ? "mark" : "mark diamond", "aria-hidden": "true" });
    const name = element("span", { class: "word", dir: "auto" }, labelOf(map, i));
    const who = element("span", { class: "number" }, end(i) || whoOf(map, i));
    return element("li", {}, element("button", { type: "button", onclick: () => choose(i) }, mark, name, who));
  });
  const list = element("ol", { class: "map-list" }, ...rows);
  list.addEventListener("keydown", (event) => step(list, event));
  return list;
}

/** Up and down go from one entry to the next. */
function step(list, event) {
  const buttons = [...list.querySelectorAll("button")];
  const at = buttons.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
  if (at < 0 || to === undefined || !buttons[to]) return;
  event.preventDefault();
  buttons[to].focus();
}
