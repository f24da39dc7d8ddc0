/** The map as tables: its clusters, the points in view, its quality. */

import { listOf } from "./map_cards.js";
import { by, count, element, percent, say } from "./map_words.js";

const LISTED = 100;
const METHODS = { tsne: "t-SNE", umap: "UMAP", pca: "PCA" };

/** @param {(cluster: number) => void} go what a cluster's name does */
export function fillTables(map, go) {
  fillQuality(map);
  const largest = map.clusters.map((cluster, c) => [cluster, c]).sort((a, b) => b[0].size - a[0].size);
  by("map-clusters").replaceChildren(...largest.map(([cluster, c]) => row(cluster, () => go(c))));
  by("map-clusters-part").hidden = largest.length === 0;
}

function row(cluster, go) {
  const name = element("button", { type: "button", class: "plain", dir: "auto", onclick: go }, cluster.name);
  const traits = cluster.traits.map((one) => `${one.column}: ${one.value} ${against(one)}`.trim());
  return element("tr", {},
    element("th", { scope: "row" }, name),
    element("td", { class: "number" }, count(cluster.size)),
    element("td", { dir: "auto" }, traits.join("; ")));
}

function against({ share, elsewhere }) {
  if (typeof share !== "number" || typeof elsewhere !== "number") return "";
  return `(${percent(share)} ${say("against {share}", { share: percent(elsewhere) })})`;
}

function fillQuality({ quality, method, model, notes = [] }) {
  const share = (value) => (typeof value === "number" ? value.toFixed(3) : "–");
  by("map-trust").textContent = share(quality.trustworthiness);
  by("map-kept").textContent = typeof quality.knn_preservation === "number" ? percent(quality.knn_preservation) : "–";
  by("map-kept-of").textContent += ` (${say("of {k} neighbours, measured on {n} points", { k: quality.k, n: count(quality.sampled) })})`;
  by("map-method").textContent = METHODS[method] ?? method;
  by("map-model").textContent = model ? say("model {version}", { version: String(model).slice(0, 12) }) : "";
  by("map-notes").replaceChildren(...notes.map((note) => element("li", { lang: "en" }, note)));
  by("map-notes").hidden = notes.length === 0;
}

/** What is in view, as a list of buttons. */
export function listView(map, points, choose) {
  const { count: seen, nearest } = points.inView(LISTED);
  const values = { n: count(seen), all: count(points.shown) };
  const text = "{n} of {all} points are in view; those nearest to the middle are listed.";
  by("map-view-said").textContent = seen > 0 ? say(text, values) : say("Nothing is in view.");
  by("map-view").replaceChildren(listOf(map, nearest, choose, (i) => map.clusters[map.cluster[i]]?.name ?? ""));
}
