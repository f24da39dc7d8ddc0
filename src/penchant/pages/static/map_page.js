/** The page of the map: what is chosen, found, selected and shown, and the picture of it. */

import { HoverCard, chosenCard, listOf } from "./map_cards.js";
import { ITEM, USER, decode, labelOf, search } from "./map_data.js";
import { Legend } from "./map_legend.js";
import { colourings, looksOf, paletteOf } from "./map_looks.js";
import { Overlay } from "./map_overlay.js";
import { Selection, counted } from "./map_selection.js";
import { told } from "./map_service.js";
import { fillTables, listView } from "./map_tables.js";
import { by, count, element, figure, say } from "./map_words.js";
import { Points } from "./points.js";
import { boxOf } from "./points_view.js";
import { ask, settled, shownTheme } from "./shared.js";

const NEAR = 12;
/** Neighbours of a side that are shown. */
const FOUND = 50;
const CROWD = 20000;
/** So many points are seen through more. */

export class MapPage {
  /** @param {object} given the map's JSON @param {boolean} live is there a service? */
  constructor(given, live) {
    this.map = decode(given);
    this.live = live;
    this.chosen = -1;
    this.inside = null;
    this.stage = by("map-stage");
    const acts = {
      drawn: () => this.#drawn(),
      hover: (i, px, py) => this.#hover(i, px, py),
      pick: (i) => (i < 0 ? this.leave() : this.choose(i)),
      around: (points, line) => this.#around(points, line),
    };
    this.points = new Points(this.stage, this.map, acts, this.#painters());
    this.overlay = new Overlay(this.stage, this.map, this.points.painter.name === "canvas");
    this.card = new HoverCard(this.stage);
    this.legend = new Legend(by("map-legend"), this.map, (whole = true) => this.refresh(whole));
    const own = { choose: (i) => this.choose(i, true), leave: () => this.select(new Uint32Array(0)) };
    this.selection = new Selection(by("map-selected"), this.map, live, own);
    this.#offer();
    fillTables(this.map, (c) => this.#goToCluster(c));
    this.listSoon = settled(() => this.#list(), 250);
  }

  /** ?painter= chooses, for tests and measurements. */
  #painters() {
    const asked = new URLSearchParams(location.search).get("painter");
    return ["card", "gl", "cpu"].includes(asked) ? [asked, "cpu"] : undefined;
  }

  // ---------------------------------------------------------------- colours and sizes

  #offer() {
    const texts = { side: say("Item or user"), items: say("Items"), users: say("Users"), cluster: say("Cluster") };
    this.colours = colourings(this.map, texts);
    this.sizes = this.map.columns.filter((column) => column.kind === "number");
    by("map-colour").replaceChildren(...this.colours.map(({ name }, k) => element("option", { value: String(k) }, name)));
    const equal = element("option", { value: "" }, say("equal"));
    by("map-size").replaceChildren(equal, ...this.sizes.map(({ name }, k) => element("option", { value: String(k) }, name)));
    by("map-items-n").textContent = count(this.map.count[ITEM]);
    by("map-users-n").textContent = count(this.map.count[USER]);
    for (const id of ["map-colour", "map-size"]) by(id).disabled = false;
    this.colourBy(0);
  }

  /** @param {number} which of `colours` */
  colourBy(which) {
    this.legend.start(this.colours[which]);
    by("map-legend-name").textContent = this.colours[which].name;
    this.refresh();
  }

  get sides() {
    return [by("map-items").checked, by("map-users").checked];
  }

  /** Look again at everything that was asked for. @param {boolean} whole the legend too */
  refresh(whole = true) {
    const { colour, off, range } = this.legend;
    const size = this.sizes[by("map-size").value] ?? null;
    const { codes, sizes, layers } = looksOf(this.map, { colour, size, sides: this.sides, off, range, bright: this.#bright() });
    const palette = paletteOf(colour.kind, !this.onPaper && shownTheme() === "dark", this.map.n > CROWD);
    this.points.setLooks(codes, sizes, layers, palette, this.#ground());
    if (whole) this.legend.draw(palette, this.sides);
  }

  /** What is picked out: the ball, else the selection; null: nothing is. */
  #bright() {
    const { points } = this.selection;
    return this.inside ?? (points.length > 0 ? flags(this.map.n, points) : null);
  }

  #ground() {
    if (this.onPaper) return [255, 255, 255];
    return getComputedStyle(this.stage).backgroundColor.match(/\d+/g).slice(0, 3).map(Number);
  }

  /** Light or dark has changed; @param {boolean} onPaper it is for the printer, which draws what is there now */
  restyle(onPaper = false) {
    this.onPaper = onPaper;
    this.overlay.restyle(onPaper);
    this.refresh();
    if (onPaper) this.points.draw();
  }

  // ---------------------------------------------------------------- the picture

  #drawn() {
    this.overlay?.draw(this.points);
    if (by("map-view-part").open) this.listSoon();
  }

  #hover(i, px, py) {
    if (this.overlay.rings.hovered === i && i < 0) return;
    this.overlay.rings.hovered = i;
    this.stage.classList.toggle("on-point", i >= 0);
    const first = [this.legend.colour, this.sizes[by("map-size").value], ...this.map.columns];
    this.card.show(this.map, i, px, py, new Set(first.filter((column) => column && column.own !== "side")));
    this.overlay.draw(this.points);
  }

  #around(points, line) {
    this.overlay.line = points === null ? line : [];
    if (points !== null && points.length > 0) this.select(points);
    else this.overlay.draw(this.points);
  }

  #goToCluster(c) {
    const members = [];
    this.map.cluster.forEach((one, i) => one === c && members.push(i));
    this.points.go((view) => view.show(boxOf(this.map.x, this.map.y, members)));
    this.stage.focus();
  }

  /** List what is in view, if that list is open. */
  #list() {
    listView(this.map, this.points, (i) => this.choose(i, true));
  }

  // ---------------------------------------------------------------- found, chosen, selected

  /** Points by a text: a list, and rings. */
  find(text) {
    if (text === this.asked) return; // a list somebody is in stays
    this.asked = text;
    const { found, more } = search(this.map, text, FOUND);
    const number = more ? say("more than {n}", { n: FOUND }) : count(found.length);
    const said = text.trim() === "" ? "" : found.length > 0 ? say("Found: {n}", { n: number }) : say("Nothing found");
    by("map-found-said").textContent = said;
    by("map-found").hidden = said === "";
    by("map-found").replaceChildren(element("h2", {}, said), listOf(this.map, found, (i) => this.choose(i, true)));
    this.found = found;
    this.overlay.rings.found = found;
    this.overlay.draw(this.points);
  }

  /** Show a point's card; @param {boolean} go also go there */
  choose(i, go = false) {
    this.#unmark();
    this.chosen = this.overlay.rings.chosen = i;
    const acts = { live: this.live, near: () => this.near(i), ball: () => this.ball(i), leave: () => this.leave() };
    by("map-chosen").replaceChildren(...chosenCard(this.map, i, acts));
    by("map-chosen").hidden = false;
    const { x, y } = this.map;
    const half = 1 / Math.max(1, this.points.view.zoom, 8) / this.points.view.whole();
    if (go) this.points.go((view) => view.show(around(x[i], y[i], half * 250), 400));
    else this.overlay.draw(this.points);
    if (go) by("map-chosen-name").focus({ preventScroll: window.innerWidth > 900 });
    else by("map-said").textContent = labelOf(this.map, i);
  }

  /** Let go of what is chosen. */
  leave() {
    this.#unmark();
    this.chosen = this.overlay.rings.chosen = -1;
    by("map-chosen").hidden = true;
    this.overlay.draw(this.points);
  }

  #unmark() {
    by("map-near").hidden = true;
    this.overlay.rings.near = [];
    if (this.inside === null) return;
    this.inside = null;
    this.refresh(false);
  }

  /** @param {Uint32Array} points */
  select(points) {
    this.inside = null;
    this.selection.show(points);
    this.refresh(false);
    by("map-said").textContent = [ITEM, USER]
      .map((side) => [points.filter((i) => this.map.side[i] === side).length, side])
      .filter(([n]) => n > 0)
      .map(([n, side]) => counted(n, side))
      .join(", ");
  }

  // ---------------------------------------------------------------- neighbours and the ball

  /** The nearest of a point: by the model where there is one to ask, else in the picture. */
  async near(i) {
    const found = this.live ? await this.#asked(() => this.#related(i)) : this.#flat(i);
    if (found === null || this.chosen !== i) return;
    if (this.inside !== null) {
      this.inside = null;
      this.refresh(false);
    }
    const ends = new Map(found);
    const end = (j) => (ends.get(j) === null ? "" : say("distance {d}", { d: figure(ends.get(j)) }));
    const near = found.map(([j]) => j);
    this.overlay.rings.near = near;
    this.#panel(say("Nearest to {name}", { name: labelOf(this.map, i) }), listOf(this.map, near, (j) => this.choose(j, true), end));
    this.points.go((view) => view.show(boxOf(this.map.x, this.map.y, [i, ...near]), 400));
  }

  /** Pairs of point and distance; some who are near may be no points of the map. */
  async #related(i) {
    const own = this.map.side[i] === USER ? "user" : "item";
    const both = await Promise.all(["item", "user"].map((to) => ask("/v1/related", { [own]: this.map.ids[i], to, n: NEAR })));
    this.#sameModel(both[0]);
    const pairs = both.flatMap(({ related }, side) => related.map((one) => [this.map.at[side].get(String(one.id)), one.distance]));
    return pairs.filter(([j]) => j !== undefined && j !== i);
  }

  #flat(i) {
    const { x, y } = this.map;
    const found = this.points.grid.around(x[i], y[i], 2 * NEAR + 1, (j) => this.points.layers[j] > 0);
    return found.filter((j) => j !== i).map((j) => [j, null]);
  }

  /** The items of a user's ball are marked, or the users whose balls hold an item; all else is faint. */
  async ball(i) {
    const [own, other] = this.map.side[i] === USER ? ["user", ITEM] : ["item", USER];
    const answer = await this.#asked(() => ask("/v1/map/place", { [own]: this.map.ids[i] }));
    if (answer === null || this.chosen !== i || !this.#sameModel(answer)) return;
    const { inside } = answer;
    this.inside = flags(this.map.n, [i, ...inside]);
    this.refresh(false);
    const text = other === ITEM
      ? "{n} of {all} items are inside: those that this user would like. They are marked; everything else is faint."
      : "{n} of {all} users would like it: those whose balls hold it. They are marked; everything else is faint.";
    const numbers = { n: count(inside.length), all: count(this.map.count[other]) };
    const back = element("button", { type: "button", onclick: () => this.#unmark() }, say("Show everything again"));
    const heading = other === ITEM ? say("The ball of {name}", { name: labelOf(this.map, i) }) : say("Who would like {name}", { name: labelOf(this.map, i) });
    this.#panel(heading, element("p", {}, say(text, numbers)), element("p", {}, back));
  }

  #panel(heading, ...content) {
    by("map-near").replaceChildren(element("h2", { dir: "auto" }, heading), ...content);
    by("map-near").hidden = false;
    by("map-said").textContent = heading;
  }

  /** An answer, or null where there is none, which is said. */
  async #asked(question) {
    by("map-notice").hidden = true;
    try {
      return await question();
    } catch (error) {
      this.notice(told(error));
      return null;
    }
  }

  #sameModel(answer) {
    if (answer.model.version === this.map.model) return true;
    this.notice(say("This answer is of another model than the map. Load the page again for the map of the newest one."));
    return false;
  }

  notice(text) {
    by("map-notice").textContent = text;
    by("map-notice").hidden = false;
  }
}

function around(x, y, half) {
  return [x - half, y - half, x + half, y + half];
}

function flags(n, points) {
  const flagged = new Uint8Array(n);
  for (const i of points) flagged[i] = 1;
  return flagged;
}
