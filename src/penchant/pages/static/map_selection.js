/** The panel of a selection: how many, what sets them apart, their portrait as a group, their ids as a file. */

import { ITEM, USER, csv, traits } from "./map_data.js";
import { listOf } from "./map_cards.js";
import { askPage, told } from "./map_service.js";
import { count, element, percent, say } from "./map_words.js";

const LISTED = 100;
/** Points that are listed. */
export const GROUP = 1000;
/** Members that are put to the service at most: of more, so many evenly chosen. */

export class Selection {
  /** @param {HTMLElement} place @param {object} map @param {boolean} live
   *  @param {object} acts choose(point), leave() */
  constructor(place, map, live, acts) {
    Object.assign(this, { place, map, live, acts });
    this.points = new Uint32Array(0);
  }

  /** @param {Uint32Array} points */
  show(points) {
    this.points = points;
    this.place.hidden = points.length === 0;
    if (points.length === 0) return;
    const sides = [ITEM, USER].map((side) => Array.from(points).filter((i) => this.map.side[i] === side));
    this.place.replaceChildren(
      this.#head(sides),
      ...sides.flatMap((members, side) => (members.length > 0 ? this.#part(members, side) : [])),
      this.#list(),
    );
  }

  #head(sides) {
    const texts = sides.map((members, side) => (members.length > 0 ? counted(members.length, side) : null));
    const leave = { type: "button", class: "close", "aria-label": say("Let go"), title: say("Let go"), onclick: this.acts.leave };
    return element("div", { class: "map-card-head" },
      element("h2", {}, say("Selected: {what}", { what: texts.filter((text) => text).join(", ") })),
      element("button", leave, "×"));
  }

  /** What the members of a side are, and their portrait where there is a service. */
  #part(members, side) {
    const found = traits(this.map, members, side);
    const rows = found.map((one) => element("li", {},
      element("span", { class: "word", dir: "auto" }, `${one.column}: ${one.value}`),
      element("span", { class: "number" }, `${percent(one.share)} `, element("span", { class: "soft" }, say("against {share}", { share: percent(one.elsewhere) })))));
    const heading = side === USER ? say("What sets these users apart") : say("What sets these items apart");
    return [
      ...(rows.length > 0 ? [element("h3", {}, heading), element("ul", { class: "map-traits" }, ...rows)] : []),
      ...(this.live ? this.#group(members, side) : []),
    ];
  }

  #group(members, side) {
    const place = element("div", { class: "map-group", "aria-live": "polite" });
    const text = side === USER ? say("What they like together") : say("Whom they are for together");
    const button = element("button", { type: "button", class: "main" }, text);
    button.addEventListener("click", () => this.#portrait(members, side, place, button));
    return [element("p", {}, button), place];
  }

  async #portrait(members, side, place, button) {
    const asked = evenly(members, GROUP);
    const name = side === USER ? "user" : "item";
    button.disabled = true;
    place.replaceChildren(element("p", { class: "soft" }, say("Asking the model …")));
    try {
      const html = await askPage("/map/group", { side: name, members: asked.map((i) => this.map.ids[i]) });
      place.innerHTML = html; // made and escaped by our own server
      if (asked.length < members.length) {
        const text = say("Of {n} selected, {asked} evenly chosen ones were put to the model.", { n: count(members.length), asked: count(asked.length) });
        place.prepend(element("p", { class: "soft" }, text));
      }
    } catch (error) {
      place.replaceChildren(element("p", { class: "notice warn" }, told(error)));
    } finally {
      button.disabled = false;
    }
  }

  #list() {
    const ids = element("button", { type: "button", onclick: () => this.#save() }, say("Save the ids as a file"));
    const shown = Array.from(this.points.subarray(0, LISTED));
    const rest = this.points.length - shown.length;
    return element("div", {},
      element("p", {}, ids),
      element("details", {},
        element("summary", {}, say("List")),
        listOf(this.map, shown, this.acts.choose),
        rest > 0 ? element("p", { class: "soft" }, say("and {n} more, in the file", { n: count(rest) })) : null));
  }

  #save() {
    const address = URL.createObjectURL(new Blob([csv(this.map, this.points)], { type: "text/csv;charset=utf-8" }));
    const link = element("a", { href: address, download: "selection.csv" });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
  }
}

/** "3 users". */
export function counted(n, side) {
  if (side === USER) return n === 1 ? say("1 user") : say("{n} users", { n: count(n) });
  return n === 1 ? say("1 item") : say("{n} items", { n: count(n) });
}

/** At most so many of some, evenly chosen. */
function evenly(points, most) {
  if (points.length <= most) return points;
  return Array.from({ length: most }, (_, k) => points[Math.floor((k * points.length) / most)]);
}
