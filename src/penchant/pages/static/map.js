/** Starts the page of the map: gets the map, then lets hands and keys at it. */

import { MapPage } from "./map_page.js";
import { askMap, told, waitingText } from "./map_service.js";
import { by, say } from "./map_words.js";
import { settled, valuesOfPage } from "./shared.js";

const STEP = 60;
/** Pixels that an arrow key moves the map. */

async function start() {
  const place = by("map");
  const live = place.dataset.live;
  try {
    const given = valuesOfPage("map-data") ?? (await askMap(live, place.dataset.state, waiting));
    if (given.n === 0) return state(say("There is nothing to draw: the model knows no users and no items."));
    const page = new MapPage(given, live !== undefined);
    by("map-state").hidden = true;
    place.dataset.ready = page.points.painter.name;
    wire(page);
    begin(page, place.dataset);
    window.penchantMap = page; // for whoever looks at the page by its console, and for tests
  } catch (error) {
    state(error.status === undefined ? say("The map cannot be shown: {why}", { why: error.message }) : told(error));
    by("map-retry").hidden = live === undefined;
    by("map-retry").onclick = () => {
      by("map-retry").hidden = true;
      start();
    };
  }
}

function state(text) {
  by("map-state").hidden = false;
  by("map-state-text").textContent = text;
  by("map-progress").hidden = true;
}

/** Say what one waits for; go on after so many seconds, or when somebody wants it now. */
function waiting(error, seconds) {
  state(waitingText(error, seconds));
  const { progress } = error;
  by("map-progress").hidden = progress === undefined;
  if (typeof progress === "number") by("map-progress").value = progress;
  const retry = by("map-retry");
  retry.hidden = progress !== undefined;
  return new Promise((done) => {
    const go = () => {
      retry.hidden = true;
      done();
    };
    retry.onclick = go;
    setTimeout(go, 1000 * seconds);
  });
}

/** The point that the address names. */
function begin(page, { chosenSide, chosenId }) {
  if (!chosenId) return;
  const i = page.map.at[chosenSide === "user" ? 1 : 0].get(chosenId);
  if (i === undefined) page.notice(say("{name} is not on the map.", { name: chosenId }));
  else page.choose(i, true);
}

function wire(page) {
  by("map-colour").addEventListener("change", (event) => page.colourBy(Number(event.target.value)));
  for (const id of ["map-size", "map-items", "map-users"]) by(id).addEventListener("change", () => page.refresh());
  by("map-names").addEventListener("change", (event) => {
    page.overlay.names = event.target.checked;
    page.points.redraw();
  });
  const find = by("map-q");
  find.addEventListener("input", settled(() => page.find(find.value)));
  find.addEventListener("keydown", (event) => findKey(page, event));
  for (const button of document.querySelectorAll(".map-tools button")) {
    button.addEventListener("click", () => use(page, button));
  }
  page.stage.addEventListener("keydown", (event) => stageKey(page, event));
  document.addEventListener("keydown", (event) => event.key === "Escape" && letGo(page));
  by("map-view-part").addEventListener("toggle", () => page.listSoon());
  addEventListener("beforeprint", () => page.restyle(true));
  addEventListener("afterprint", () => page.restyle());
  document.documentElement.addEventListener("penchant:theme", () => page.restyle());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => page.restyle());
}

function findKey(page, event) {
  if (event.key === "Enter") {
    page.find(event.target.value);
    if (page.found.length > 0) page.choose(page.found[0], true);
  } else if (event.key === "ArrowDown") {
    event.preventDefault();
    page.find(event.target.value);
    by("map-found").querySelector("button")?.focus();
  }
}

function use(page, button) {
  const { mode, zoom } = button.dataset;
  if (mode !== undefined) {
    page.points.gestures.setMode(mode);
    page.stage.dataset.mode = mode;
    for (const other of document.querySelectorAll("[data-mode][aria-pressed]")) {
      other.setAttribute("aria-pressed", String(other === button));
    }
  } else {
    page.points.go((view) => (zoom === "0" ? view.fit() : view.zoomAt(Number(zoom))));
  }
}

function stageKey(page, event) {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const { points } = page;
  const acts = {
    ArrowLeft: () => points.pan(STEP, 0),
    ArrowRight: () => points.pan(-STEP, 0),
    ArrowUp: () => points.pan(0, STEP),
    ArrowDown: () => points.pan(0, -STEP),
    "+": () => points.zoom(1.3),
    "=": () => points.zoom(1.3),
    "-": () => points.zoom(1 / 1.3),
    0: () => points.go((view) => view.fit()),
    Enter: () => {
      const [i] = points.inView(1).nearest;
      if (i !== undefined) page.choose(i);
    },
  };
  if (!(event.key in acts)) return;
  event.preventDefault();
  acts[event.key]();
}

/** Esc: first the line that is being drawn, then what is chosen, then what is selected. */
function letGo(page) {
  if (page.points.gestures.line !== null) page.points.gestures.cancel();
  else if (page.chosen >= 0) page.leave();
  else if (page.selection.points.length > 0) page.select(new Uint32Array(0));
  else if (by("map-q").value !== "") page.find((by("map-q").value = ""));
}

start();
