// Forms whose answer follows while somebody fills them in: one question at a time, always about the newest state, asked
// again when the service was busy or away. The answer is a piece of the page that the service makes.

import { passes, send, wordsOfPage } from "./shared.js";

const MORE_MS = 250;
/** So long after the last step the slower part of the answer is asked for. */
const SAID_MS = 700;
/** So long after the last step it is read out. */
const PATIENCE_S = 30;
const LONGEST_LINK = 6000;

const text = wordsOfPage();

/** HTML that the service makes of a form. */
async function askForm(path, body, signal) {
  const headers = { "content-type": "application/x-www-form-urlencoded", accept: "text/html, application/problem+json;q=0.9" };
  return send(path, { method: "POST", headers, body, signal });
}

/** Follows one form. */
export class Follower {
  #form;
  #place;
  #state;
  #timer = 0;
  #again = 0;
  #asked = null;
  #wanted = false;
  #failures = 0;
  #version;

  /** form: with data-answer, the path to ask. place: what holds the answer. */
  constructor(form, place) {
    this.#form = form;
    this.#place = place;
    this.#state = form.querySelector("[data-state]");
    this.#version = place.querySelector("[data-notes]").dataset.version;
    form.querySelector("[data-show]").hidden = true;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.want(0);
    });
    form.addEventListener("input", (event) => {
      if (event.target.name) this.want(event.target.matches("[type=text], [type=search], textarea") ? 120 : 0);
    });
    this.#offerLink();
    this.#place.addEventListener("click", (event) => this.#reach(event));
  }

  /** Ask about the form as it is, in so many milliseconds unless something else comes. */
  want(milliseconds = 0) {
    clearTimeout(this.#timer);
    clearTimeout(this.#again);
    this.#asked?.controller?.abort(); // of what only said more about an older state
    this.#wanted = true;
    this.#began ??= performance.now();
    if (milliseconds) this.#timer = setTimeout(() => this.#run(false), milliseconds);
    else this.#run(false);
  }

  #began = undefined;

  async #run(more) {
    if (this.#asked) return; // when that has come, the newest state is asked about
    const body = new URLSearchParams(new FormData(this.#form)).toString();
    const controller = more ? new AbortController() : null;
    this.#asked = { controller };
    if (!more) this.#wanted = false;
    let html = null;
    try {
      html = await askForm(this.#path(more), body, controller?.signal);
      this.#failures = 0;
    } catch (error) {
      if (error.name !== "AbortError") this.#fail(error, more);
    }
    this.#asked = null;
    if (html !== null) this.#show(html, more);
    if (this.#wanted) {
      clearTimeout(this.#timer);
      this.#run(false);
    }
  }

  #path(more) {
    const reach = this.#form.elements.namedItem("reach")?.value ?? "";
    return `${this.#form.dataset.answer}?${new URLSearchParams({ reach, more: more ? "1" : "0" })}`;
  }

  #show(html, more) {
    const made = document.createElement("template");
    made.innerHTML = html;
    const notes = made.content.querySelector("[data-notes]");
    const wrong = this.#note(notes);
    if (wrong) {
      this.#say(text("Correct what is marked; until then the last answer stays."));
      this.#began = undefined;
      return;
    }
    this.#say("");
    this.#swap(made.content);
    this.#follow();
    this.#moveTo(this.#link(notes.dataset.query));
    if (notes.dataset.version !== this.#version) this.#say(text("Another model is served now. Load the page again to see all of it."));
    if (more) return;
    if (this.#began !== undefined) performance.measure("penchant:step", { start: this.#began, end: performance.now() });
    this.#began = undefined;
    if (this.#wanted) return;
    this.#timer = setTimeout(() => this.#run(true), MORE_MS);
    clearTimeout(this.#saying);
    this.#saying = setTimeout(() => this.#readOut(), SAID_MS);
  }

  #saying = 0;

  get #summary() {
    return this.#place.querySelector("[data-summary]")?.textContent.replace(/\s+/g, " ").trim() ?? "";
  }

  #readOut() {
    this.#form.querySelector("[data-said]").textContent = this.#summary;
  }

  /** On narrow screens the answer is below the form: its gist stays in sight. */
  #follow() {
    const place = this.#form.querySelector("[data-follows]");
    place.textContent = this.#summary;
    place.hidden = place.textContent === "";
  }

  /** A new answer in the place of the old one; what was unfolded stays so, what has the focus keeps it. */
  #swap(content) {
    const folds = (root) => [...root.querySelectorAll("details")];
    const open = folds(this.#place).map((one) => one.open);
    folds(content).forEach((one, at) => {
      one.open = open[at] ?? false;
    });
    const focusable = "a[href], button, input, summary, [tabindex]";
    const held = [...this.#place.querySelectorAll(focusable)].indexOf(document.activeElement);
    this.#place.replaceChildren(content);
    if (held >= 0) this.#place.querySelectorAll(focusable)[held]?.focus({ preventScroll: true });
  }

  /** What is said at each field; is anything wrong? */
  #note(notes) {
    let wrong = false;
    for (const note of notes?.querySelectorAll("[data-for]") ?? []) {
      const place = document.getElementById(`${note.dataset.for}-note`);
      place.replaceChildren(...note.cloneNode(true).childNodes);
      const bad = "wrong" in note.dataset;
      wrong ||= bad;
      this.#mark(place, bad);
    }
    return wrong;
  }

  #mark(place, bad) {
    for (const one of place.closest("[data-field]").querySelectorAll("input:not([type=range], [type=hidden]), textarea, select"))
      if (bad) one.setAttribute("aria-invalid", "true");
      else one.removeAttribute("aria-invalid");
  }

  // ------------------------------------------------------------------ when there is no answer

  #fail(error, more) {
    this.#began = undefined;
    if (!passes(error)) {
      this.#blame(error);
      return;
    }
    this.#failures += 1;
    const seconds = Math.min(PATIENCE_S, error.retryAfter || 2 ** Math.min(this.#failures - 1, 5));
    const said = error.status === undefined ? "The service does not answer. Next try in {n} s." : "The service is busy. Next try in {n} s.";
    const now = document.createElement("button");
    now.type = "button";
    now.textContent = text("Try again now");
    now.addEventListener("click", () => this.want(0));
    this.#say(text(said, { n: seconds }), now);
    this.#wanted = false;
    clearTimeout(this.#again);
    this.#again = setTimeout(() => (more ? this.#run(true) : this.want(0)), 1000 * seconds);
  }

  /** What asking again does not help: said at its fields where it names some, else at the end of the form. */
  #blame(error) {
    if (error.status === 401 || error.status === 403) {
      const link = document.createElement("a");
      link.href = `/login?${new URLSearchParams({ next: location.pathname + location.search })}`;
      link.textContent = text("This needs a key: log in again.");
      this.#say("", link);
      return;
    }
    const rest = [];
    for (const { field, message } of error.problem?.errors ?? []) {
      const name = field.replace(/^\//, "").replaceAll("~1", "/").replaceAll("~0", "~");
      const place = [...this.#form.querySelectorAll("[data-field]")].find((one) => one.dataset.field === name)?.querySelector(".note");
      if (!place) rest.push(message);
      else {
        place.textContent = message;
        this.#mark(place, true);
      }
    }
    this.#say(text("The answer was: {why}", { why: rest.join("; ") || error.message }));
  }

  #say(said, ...more) {
    this.#state.replaceChildren(...(said ? [said, " "] : []), ...more);
  }

  // ------------------------------------------------------------------ links

  /** The address of the page, and the links to it in another language and as JSON, say what is filled in. */
  #moveTo(link) {
    history.replaceState(null, "", link);
    const here = new URL(link, location.href);
    for (const one of document.querySelectorAll("a[hreflang]")) {
      const query = new URLSearchParams(here.search);
      query.set("lang", new URL(one.href).searchParams.get("lang"));
      one.href = `${here.pathname}?${query}`;
    }
    const twin = document.querySelector(`.bottom a[href^="${here.pathname}.json"]`);
    if (twin) twin.href = `${here.pathname}.json${here.search}`;
  }

  #link(query) {
    const given = new URLSearchParams(query);
    const reach = this.#form.elements.namedItem("reach");
    if (reach && reach.value !== reach.defaultValue) given.set("reach", reach.value);
    const link = `${this.#form.getAttribute("action")}${given.size ? `?${given}` : ""}`;
    return link.length > LONGEST_LINK ? location.pathname + location.search : link;
  }

  #offerLink() {
    const button = this.#form.querySelector("[data-share]");
    const place = this.#form.querySelector("[data-link]");
    button.hidden = false;
    button.addEventListener("click", async () => {
      const query = this.#place.querySelector("[data-notes]").dataset.query;
      if (query.length > LONGEST_LINK) {
        this.#say(text("This is too long for a link."));
        return;
      }
      const link = place.querySelector("input");
      link.value = location.href;
      place.hidden = false;
      link.select();
      try {
        await navigator.clipboard.writeText(link.value);
        this.#say(text("Copied."));
      } catch {
        link.focus(); // it is selected, to be copied by hand
      }
    });
  }

  /** Another reach of the ranges, without leaving what was filled in. */
  #reach(event) {
    const link = event.target.closest("[data-reach]");
    if (!link) return;
    event.preventDefault();
    this.#form.elements.namedItem("reach").value = link.dataset.reach;
    if (this.#asked) this.want(0);
    else this.#run(true);
  }
}

/** The form of the page, followed. */
export function followPage() {
  const form = document.getElementById("form");
  const follower = new Follower(form, document.getElementById("answer"));
  form.addEventListener("penchant:moved", () => follower.want(0)); // a slider, which is no field of the form
}
