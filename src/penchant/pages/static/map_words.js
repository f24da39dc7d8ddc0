/** Texts and numbers of the map's page; texts come from the page in its language, under their English form. */

import { wordsOfPage } from "./shared.js";

const THIN = "\u202f";

/** A text with its values in the places of {names}. */
export const say = wordsOfPage();

/** A whole number, its thousands apart. */
export function count(number) {
  return String(Math.round(number)).replace(/\B(?=(\d{3})+$)/g, THIN);
}

/** A number with about so many digits that count. */
export function figure(number, digits = 3) {
  if (!Number.isFinite(number)) return "–";
  if (Number.isInteger(number) && Math.abs(number) < 1e9) return number < 0 ? `−${count(-number)}` : count(number);
  const size = Math.abs(number);
  const text = size >= 1e6 || size < 1e-3 ? number.toExponential(digits - 1) : trimmed(number, digits);
  return text.replace("-", "−");
}

/** A number of a column with its unit; years are no amounts. */
export function amount(number, unit) {
  if (unit === "year" && Number.isFinite(number)) return number.toFixed(0);
  return figure(number) + (unit ? ` ${unit}` : "");
}

export function percent(share) {
  if (share > 0 && share < 0.005) return `< 1${THIN}%`;
  return `${Math.round(100 * share)}${THIN}%`;
}

function trimmed(number, digits) {
  const whole = Math.max(1, Math.floor(Math.log10(Math.abs(number))) + 1);
  return number.toFixed(Math.max(0, digits - whole));
}

/** An element with attributes and children; texts are texts, never HTML. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** The element of the page with an id. */
export const by = (id) => document.getElementById(id);
