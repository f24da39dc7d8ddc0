// What the modules of several pages need: the texts of the page, its theme, requests to the service.

const THEME = "penchant_theme";

/** The texts that a page brings for its script: English to its language, with values for {names}. */
export function wordsOfPage(id = "words") {
  const texts = valuesOfPage(id) ?? {};
  return (text, values = {}) =>
    (texts[text] ?? text).replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** The JSON of an element of the page; null where there is none. */
export function valuesOfPage(id) {
  const block = document.getElementById(id);
  return block ? JSON.parse(block.textContent) : null;
}

/** light or dark, as it is shown now. */
export function shownTheme() {
  const chosen = document.documentElement.dataset.theme;
  if (chosen) return chosen;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

/** Show a theme and keep it: in the cookie for the server, in localStorage for pages that are files.
    Listeners of "penchant:theme" on <html> hear of it. */
export function setTheme(theme) {
  const root = document.documentElement;
  root.dataset.theme = theme;
  try {
    document.cookie = `${THEME}=${theme}; path=/; max-age=31536000; samesite=lax`;
    localStorage.setItem(THEME, theme);
  } catch {
    // neither may be allowed; then it holds for this page
  }
  root.dispatchEvent(new CustomEvent("penchant:theme", { detail: theme }));
}

/** A colour of penchant.css as it is now, e.g. colour("--liked"). */
export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** Ask the service: GET without a body, POST with one. Gives JSON; an Error has the problem's words and its status. */
export async function ask(path, body, options = {}) {
  const sent =
    body === undefined
      ? options
      : { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body), ...options };
  return read(await send(path, sent)) ?? {};
}

/** What the service says, as text; an Error has the problem, its words, its status, and when to ask again. */
export async function send(path, options) {
  const answer = await fetch(path, options);
  const said = await answer.text();
  if (answer.ok) return said;
  const problem = read(said);
  const error = new Error(problem?.detail ?? answer.statusText);
  error.status = answer.status;
  error.retryAfter = Number(answer.headers.get("retry-after") ?? 0);
  error.problem = problem;
  throw error;
}

function read(json) {
  try {
    return JSON.parse(json);
  } catch {
    return null; // a page, or nothing: its status says enough
  }
}

/** Is it an error after which asking again may help: the service is away, or busy? */
export const passes = (error) =>
  error.status === undefined ? error instanceof TypeError : [429, 502, 503, 504].includes(error.status);

/** Wait until nothing came for so many milliseconds, then do it with what came last. */
export function settled(work, milliseconds = 150) {
  let waiting = 0;
  return (...given) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => work(...given), milliseconds);
  };
}
