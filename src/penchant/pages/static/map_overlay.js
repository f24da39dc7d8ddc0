/** What is drawn over the points: names of clusters that do not cover each other, rings, the line around a selection. */

const FONT = "600 13px";
const GAP = 4;

export class Overlay {
  /** @param {HTMLElement} stage @param {object} map @param {boolean} software is there no graphics card to draw it? */
  constructor(stage, map, software) {
    this.map = map;
    this.canvas = document.createElement("canvas");
    this.canvas.setAttribute("aria-hidden", "true");
    stage.querySelector("canvas").after(this.canvas);
    this.context = this.canvas.getContext("2d", { willReadFrequently: software });
    this.line = [];
    this.rings = { chosen: -1, hovered: -1, found: [], near: [] };
    this.names = true;
    this.software = software;
    this.largest = map.clusters.map((_, c) => c).sort((a, b) => map.clusters[b].size - map.clusters[a].size);
    this.restyle();
  }

  /** Take colours and font from the page's style, or dark ones for white paper. */
  restyle(onPaper = false) {
    const style = getComputedStyle(this.canvas.parentElement);
    const [ink, paper, liked, line] = ["--ink", "--paper", "--liked", "--disliked"].map((name) => style.getPropertyValue(name));
    this.stamps = new Map();
    Object.assign(this, { ink, paper, liked, accent: line, font: `${FONT} ${style.fontFamily}` });
    if (onPaper) Object.assign(this, { ink: "#000", paper: "#fff" });
  }

  draw(points) {
    const { canvas, context } = this;
    const { view } = points;
    const [width, height] = [Math.round(view.width * points.ratio), Math.round(view.height * points.ratio)];
    if (canvas.width !== width || canvas.height !== height) {
      [canvas.width, canvas.height] = [width, height];
      this.tools = toolsOf(canvas);
    }
    context.setTransform(points.ratio, 0, 0, points.ratio, 0, 0);
    context.clearRect(0, 0, view.width, view.height);
    this.#rings(points);
    if (this.names) this.#names(view, points.ratio);
    if (this.line.length > 1) this.#around();
  }

  #rings(points) {
    const { found, near, chosen, hovered } = this.rings;
    for (const i of found) this.#ring(points, i, this.ink, 1.25, 2);
    for (const i of near) this.#ring(points, i, this.liked, 1.75, 2.5);
    if (hovered >= 0) this.#ring(points, hovered, this.ink, 2, 2.5);
    if (chosen >= 0) {
      this.#ring(points, chosen, this.accent, 3, 4.5);
      this.#ring(points, chosen, this.accent, 1.25, 10);
    }
  }

  #ring(points, i, colour, width, away) {
    const [px, py] = points.view.toPixel(points.x[i], points.y[i]);
    if (px < -20 || py < -20 || px > points.view.width + 20 || py > points.view.height + 20) return;
    const { context } = this;
    const radius = points.radius * Math.sqrt((points.looks[2 * i + 1] & 127) / 16) + away;
    context.beginPath();
    context.arc(px, py, radius, 0, 2 * Math.PI);
    context.strokeStyle = this.paper;
    context.lineWidth = width + 2;
    context.stroke();
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.stroke();
  }

  /** The largest clusters first; a name that would cover another or leave the stage waits until one goes closer. */
  #names(view, ratio) {
    const taken = [this.tools];
    for (const c of this.largest) {
      const { x, y, name } = this.map.clusters[c];
      const [px, py] = view.toPixel(x, y);
      if (px < 0 || py < 0 || px > view.width || py > view.height) continue;
      const { stamp, half, tall } = this.#stamp(c, name, ratio);
      const at = Math.min(view.width - half, Math.max(half, px));
      const box = [at - half, py - tall, at + half, py + tall];
      if (box[1] < 0 || box[3] > view.height || taken.some((other) => meet(box, other))) continue;
      taken.push(box);
      this.context.drawImage(stamp, box[0], box[1], 2 * half, 2 * tall);
    }
  }

  /** A name as a picture, made once: text with a rim takes long to draw. */
  #stamp(c, name, ratio) {
    if (this.ratio !== ratio) [this.ratio, this.stamps] = [ratio, new Map()];
    if (!this.stamps.has(c)) this.stamps.set(c, this.#drawn(linesOf(name), ratio));
    return this.stamps.get(c);
  }

  #drawn(lines, ratio) {
    const stamp = document.createElement("canvas");
    const context = stamp.getContext("2d", { willReadFrequently: this.software });
    context.font = this.font;
    const half = Math.ceil(Math.max(...lines.map((line) => context.measureText(line).width)) / 2) + GAP;
    const tall = lines.length * 8 + GAP;
    [stamp.width, stamp.height] = [Math.ceil(2 * half * ratio), Math.ceil(2 * tall * ratio)];
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    Object.assign(context, { font: this.font, textAlign: "center", textBaseline: "middle", lineJoin: "round", lineWidth: 4 });
    [context.strokeStyle, context.fillStyle] = [this.paper, this.ink];
    lines.forEach((line, row) => {
      const at = tall + (row - (lines.length - 1) / 2) * 16;
      context.globalAlpha = 0.9;
      context.strokeText(line, half, at);
      context.globalAlpha = 1;
      context.fillText(line, half, at);
    });
    return { stamp, half, tall };
  }

  #around() {
    const { context } = this;
    context.beginPath();
    this.line.forEach(([px, py], k) => (k === 0 ? context.moveTo(px, py) : context.lineTo(px, py)));
    context.closePath();
    context.fillStyle = this.liked;
    context.globalAlpha = 0.12;
    context.fill();
    context.globalAlpha = 1;
    context.strokeStyle = this.liked;
    context.lineWidth = 1.5;
    context.setLineDash([5, 4]);
    context.stroke();
    context.setLineDash([]);
  }
}

/** A name in at most two lines, cut where it is long. */
export function linesOf(name, most = 24) {
  const signs = (text) => (Array.from(text).length > most ? `${Array.from(text).slice(0, most - 1).join("")}…` : text);
  const parts = name.split(" · ");
  if (Array.from(name).length <= most || parts.length < 2) return [signs(name)];
  const half = Math.ceil(parts.length / 2);
  return [signs(parts.slice(0, half).join(" · ")), signs(parts.slice(half).join(" · "))];
}

/** Where the buttons are that lie over the stage. */
function toolsOf(canvas) {
  const [stage, tools] = [canvas, document.querySelector(".map-tools")].map((one) => one.getBoundingClientRect());
  return [tools.left - stage.left, tools.top - stage.top, tools.right - stage.left, tools.bottom - stage.top];
}

function meet(a, b) {
  return a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
}
