// Fields of a form that need a script: sliders beside numbers and days, values that are searched for among thousands.

import { ask, settled, wordsOfPage } from "./shared.js";

const STEPS = 200;
const DAY = 86_400_000;
const text = wordsOfPage();

/** Give every slider and every searched field of a form its life. */
export function enliven(form) {
  for (const slide of form.querySelectorAll("input.slide")) new Slide(slide);
  for (const place of form.querySelectorAll("[data-choices]")) searched(place);
  for (const none of form.querySelectorAll("input[name^='none.']")) excluding(none);
}

/** A slider and the field that it fills in; each follows the other. */
class Slide {
  constructor(slide) {
    this.slide = slide;
    this.of = document.getElementById(slide.dataset.of);
    this.scale = scaleOf(slide.dataset, this.of.type);
    if (!this.scale) return;
    slide.min = "0";
    slide.max = String(this.scale.steps);
    slide.step = "1";
    slide.hidden = false;
    this.read();
    slide.addEventListener("input", () => {
      this.of.value = this.scale.value(Number(slide.value));
      this.tell();
      this.of.dispatchEvent(new Event("change", { bubbles: true }));
      this.of.form.dispatchEvent(new CustomEvent("penchant:moved"));
    });
    this.of.addEventListener("input", () => this.read());
  }

  /** The slider goes where the field says. */
  read() {
    const place = this.scale.place(this.of.value);
    this.slide.classList.toggle("unset", place === null);
    this.slide.value = String(place ?? Math.round(this.scale.steps / 2));
    this.tell();
  }

  tell() {
    this.slide.classList.toggle("unset", this.of.value === "");
    const said = this.of.value === "" ? text("not known") : `${this.of.value} ${this.slide.dataset.unit}`.trim();
    this.slide.setAttribute("aria-valuetext", said);
  }
}

/** Steps of a slider to values and back; null where there is nothing to move. */
function scaleOf(data, type) {
  if (type === "date" || type === "datetime-local") return timeScale(Date.parse(utc(data.low)), Date.parse(utc(data.high)), type);
  const low = Number(data.low);
  const high = Number(data.high);
  if (!(high > low)) return null;
  if (data.marks) return markScale(data.marks.split(" ").map(Number));
  const whole = "whole" in data;
  const steps = whole && high - low <= 400 ? high - low : STEPS;
  const step = (high - low) / steps;
  const digits = whole ? 0 : Math.max(0, Math.min(9, 1 - Math.floor(Math.log10(step))));
  return {
    steps,
    value: (at) => String(Number((low + at * step).toFixed(digits))),
    place: (given) => placed((numberOf(given) - low) / step, steps),
  };
}

function markScale(marks) {
  return {
    steps: marks.length - 1,
    value: (at) => String(marks[at]),
    place: (given) => {
      const wanted = numberOf(given);
      if (Number.isNaN(wanted)) return null;
      const found = marks.findIndex((one) => one >= wanted);
      return found < 0 ? marks.length - 1 : found;
    },
  };
}

function timeScale(low, high, type) {
  if (!(high > low)) return null;
  const steps = type === "date" ? Math.min(4000, Math.round((high - low) / DAY)) : STEPS;
  const length = type === "date" ? 10 : 16;
  return {
    steps,
    value: (at) => new Date(low + ((high - low) * at) / steps).toISOString().slice(0, length),
    place: (given) => placed((steps * (Date.parse(utc(given)) - low)) / (high - low), steps),
  };
}

const utc = (time) => (time.length > 10 ? `${time}Z` : time);
const numberOf = (given) => (given.trim() === "" ? Number.NaN : Number(given.trim().replace(",", ".")));
const placed = (at, steps) => (Number.isNaN(at) ? null : Math.min(steps, Math.max(0, Math.round(at))));

/** Values that match what is typed, of a field with too many of them to list. */
function searched(place) {
  const list = place.querySelector("datalist");
  const add = place.querySelector(".add");
  const input = add ? add.querySelector("input") : place.querySelector("input[list]");
  if (!list || !input) return;
  const look = settled(async () => {
    const q = input.value.trim();
    try {
      const { found } = await ask(`${place.dataset.choices}&${new URLSearchParams({ q })}`);
      if (q !== input.value.trim()) return;
      list.replaceChildren(
        ...found.map((value) => {
          const option = document.createElement("option");
          option.value = value;
          return option;
        }),
      );
    } catch {
      // without suggestions the field can still be filled in
    }
  });
  input.addEventListener("input", look);
  if (add) adding(add, input);
}

/** What was found goes into the list of a field. */
function adding(add, input) {
  const area = document.getElementById(input.dataset.add);
  add.hidden = false;
  const put = () => {
    const value = input.value.trim();
    if (!value) return;
    const split = input.dataset.split === "," ? ", " : "\n";
    const there = area.value.trim().replace(/,$/, "");
    area.value = there ? there + split + value : value;
    input.value = "";
    area.dispatchEvent(new Event("input", { bubbles: true }));
  };
  add.querySelector("button").addEventListener("click", put);
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    put();
  });
}

/** "None of them" and some of them exclude one another. */
function excluding(none) {
  const place = none.closest("[data-field]");
  place.addEventListener("input", (event) => {
    if (event.target === none) {
      if (!none.checked) return;
      for (const one of place.querySelectorAll("input[type=checkbox]")) if (one !== none) one.checked = false;
      for (const one of place.querySelectorAll("textarea")) one.value = "";
    } else if (event.target.checked || event.target.matches("textarea")) none.checked = false;
  }, true);
}
