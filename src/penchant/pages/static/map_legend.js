/** The legend: what colours mean, how many points have each, and which of them are shown. */

import { STEPS, codeOfWord, countWords, css } from "./map_looks.js";
import { amount, count, element, say } from "./map_words.js";
import { clamp } from "./points_view.js";

const AT_ONCE = 30;
/** Entries that are listed before somebody asks for more. */

export class Legend {
  /** @param {HTMLElement} place @param {object} map @param {() => void} changed what is shown is another */
  constructor(place, map, changed) {
    this.place = place;
    this.map = map;
    this.changed = changed;
  }

  /** Begin with a column: everything is shown. */
  start(colour) {
    this.colour = colour;
    this.off = new Set();
    this.range = null;
    this.listed = AT_ONCE;
  }

  /** @param {Uint8Array} palette @param {boolean[]} sides that are shown */
  draw(palette, sides) {
    [this.palette, this.sides] = [palette, sides];
    const focused = this.place.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
    this.place.replaceChildren(...(this.colour.kind === "number" ? this.#scale() : this.#entries()));
    if (focused !== undefined) this.place.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  }

  #entries() {
    const { colour, off } = this;
    const counts = countWords(this.map, colour, this.sides);
    const codes = colour.words.map((_, code) => code).filter((code) => counts[code] > 0 || off.has(code));
    const rows = codes.slice(0, this.listed).map((code) => this.#entry(code, colour.words[code], counts[code]));
    if (counts[colour.words.length] > 0) rows.push(this.#entry(-1, none(colour), counts[colour.words.length]));
    const more = codes.length - this.listed;
    return [
      this.#all([...codes, -1]),
      element("ul", { class: "map-legend" }, ...rows),
      more > 0 ? this.#button("more", say("{n} more", { n: count(more) }), () => (this.listed += 200)) : "",
    ];
  }

  #all(codes) {
    return element(
      "p",
      { class: "inline" },
      this.#button("all", say("All"), () => this.off.clear()),
      this.#button("none", say("None"), () => codes.forEach((code) => this.off.add(code))),
    );
  }

  #button(key, text, act) {
    const own = { type: "button", class: "small", "data-key": key, onclick: () => this.#do(act) };
    return element("button", own, text);
  }

  #do(act) {
    act();
    this.changed();
  }

  #entry(code, word, number) {
    const swatch = element("span", { class: "swatch", "aria-hidden": "true" });
    if (this.colour.own === "side" && code === 1) swatch.classList.add("diamond");
    swatch.style.background = css(this.palette, codeOfWord(code, this.colour.cycle));
    const shown = !this.off.has(code);
    const toggle = () => this.#do(() => (shown ? this.off.add(code) : this.off.delete(code)));
    const own = { type: "button", "aria-pressed": String(shown), "data-key": `word ${code}`, onclick: toggle };
    const name = element("span", { class: "word", dir: "auto" }, word);
    return element("li", {}, element("button", own, swatch, name, element("span", { class: "number" }, count(number))));
  }

  #scale() {
    const { colour, palette } = this;
    const bar = element("div", { class: "scale", "aria-hidden": "true" });
    const stops = [0, 0.2, 0.4, 0.6, 0.8, 1].map((part) => css(palette, 1 + Math.round(part * (STEPS - 1))));
    bar.style.background = `linear-gradient(to right, ${stops.join(", ")})`;
    const ends = [[colour.low, colour.below ? "≤ " : ""], [colour.high, colour.above ? "≥ " : ""]];
    const said = ends.map(([end, sign]) => element("span", {}, sign + amount(end, colour.unit)));
    const missing = this.#missing();
    return [
      bar,
      element("p", { class: "ends" }, ...said),
      this.#end(0, say("from")),
      this.#end(1, say("to")),
      missing > 0 ? element("p", { class: "soft" }, say("{n} without a value", { n: count(missing) })) : "",
    ];
  }

  #missing() {
    let missing = 0;
    for (let i = 0; i < this.map.n; i++) missing += this.sides[this.map.side[i]] && Number.isNaN(this.colour.values[i]);
    return missing;
  }

  /** A slider for an end of the numbers that are shown. */
  #end(which, name) {
    const { low, high, unit } = this.colour;
    const range = (this.range ?? [low, high]).map((end) => clamp(end, low, high));
    const shown = element("output", {}, amount(range[which], unit));
    const own = { type: "range", min: "0", max: String(STEPS), step: "1", "data-key": `end ${which}` };
    const input = element("input", own);
    input.value = String(Math.round((STEPS * (range[which] - low)) / (high - low || 1)));
    input.addEventListener("input", () => {
      const step = Number(input.value);
      // at its ends the scale takes in what lies beyond
      const value = step === 0 ? -Infinity : step === STEPS ? Infinity : low + ((high - low) * step) / STEPS;
      const next = [...(this.range ?? [-Infinity, Infinity])];
      next[which] = which === 0 ? Math.min(value, next[1]) : Math.max(value, next[0]);
      this.range = next.some(Number.isFinite) ? next : null;
      shown.textContent = amount(clamp(next[which], low, high), unit);
      this.changed(false);
    });
    return element("label", { class: "end" }, element("span", {}, name), input, shown);
  }
}

function none(colour) {
  return colour.own === "cluster" ? say("in no cluster") : say("without a value");
}
