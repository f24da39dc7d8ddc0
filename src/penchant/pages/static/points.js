/**
 * Many points in one picture, that can be moved, zoomed and asked which point is where.
 *
 * Which painter: WebGL2 where a graphics card draws; else the 2-D canvas. Without a card, headless Chromium computed for
 * a picture of 100,000 points of 886 x 580 pixels 0.015 s by our canvas, 0.16 s by our WebGL2 (SwiftShader), 0.11 s
 * by regl-scatterplot and 0.52 s by plotly's scattergl; a shader's work for each of so many small points costs more there
 * than blending the dozen pixels of each in a typed array (benchmarks/explorer.py, case "map 100k").
 */

import { CpuPainter } from "./points_cpu.js";
import { GlPainter } from "./points_gl.js";
import { Gestures } from "./points_gestures.js";
import { Grid } from "./points_grid.js";
import { View, boxOf, clamp } from "./points_view.js";

export const PLAIN = 16;
/** The size code of a point as large as most. */
export const DIAMOND = 128;
/** Added to a size code: the point is a diamond. */

const REACH = 9;
/** Pixels from a point within which it is meant. */
const PAINTERS = {
  card: (canvas) => new GlPainter(canvas),
  gl: (canvas) => new GlPainter(canvas, true),
  cpu: (canvas) => new CpuPainter(canvas),
};

export class Points {
  /**
   * @param {HTMLElement} stage in which a canvas is put, below what it holds
   * @param {{x: Float32Array, y: Float32Array}} places
   * @param {object} told drawn(view), hover(point, px, py), pick(point, event), around(points, line)
   * @param {string[]} painters in the order in which they are tried
   */
  constructor(stage, { x, y }, told, painters = ["card", "cpu"]) {
    this.stage = stage;
    this.told = told;
    this.painters = painters;
    this.n = x.length;
    this.x = x;
    this.y = y;
    this.places = new Float32Array(2 * this.n);
    for (let i = 0; i < this.n; i++) {
      this.places[2 * i] = x[i];
      this.places[2 * i + 1] = y[i];
    }
    const box = boxOf(x, y);
    this.view = new View(box);
    this.grid = new Grid(x, y, box);
    this.layers = new Uint8Array(this.n).fill(2);
    this.ground = [255, 255, 255];
    this.#setUp();
    this.gestures = new Gestures(stage, this.#hands());
    new ResizeObserver(() => this.#resize()).observe(stage);
    this.#resize();
  }

  #setUp() {
    this.canvas?.remove();
    this.canvas = null;
    while (this.canvas === null) {
      const canvas = document.createElement("canvas");
      canvas.setAttribute("aria-hidden", "true");
      try {
        this.painter = PAINTERS[this.painters[0]](canvas);
        this.canvas = canvas;
      } catch (error) {
        this.painters = this.painters.slice(1);
        if (this.painters.length === 0) throw error;
      }
    }
    this.stage.prepend(this.canvas);
    this.painter.setPlaces(this.places);
    // a card that lets go of the page comes back or does not: the canvas without a card goes on at once
    this.canvas.addEventListener("webglcontextlost", (event) => {
      event.preventDefault();
      this.painters = ["cpu"];
      this.#setUp();
      if (this.looks) this.painter.setLooks(this.looks, this.order, this.palette);
      this.#resize();
    });
  }

  #hands() {
    return {
      pan: (dx, dy) => this.pan(dx, dy),
      zoom: (factor, px, py) => this.zoom(factor, px, py),
      click: (px, py, event) => this.told.pick(this.at(px, py, event.pointerType === "touch" ? 2 : 1), event),
      hover: (px, py) => this.told.hover(this.at(px, py), px, py),
      leave: () => this.told.hover(-1, 0, 0),
      rest: () => this.redraw(),
      drawn: (line, finished) => {
        const places = line.map(([px, py]) => this.view.toPlace(px, py));
        const found = finished ? this.grid.within(places, (i) => this.layers[i] > 0) : null;
        this.told.around(found, line);
      },
    };
  }

  /**
   * How each point looks.
   *
   * @param {Uint8Array} codes of colours @param {Uint8Array} sizes in sixteenths of the plain radius, and `DIAMOND`
   * @param {Uint8Array} layers 0: not shown; higher ones are drawn later
   * @param {Uint8Array} palette 256 colours, r g b a each
   */
  setLooks(codes, sizes, layers, palette, ground) {
    this.layers = layers;
    this.palette = palette;
    this.ground = ground;
    this.looks = new Uint8Array(2 * this.n);
    const counts = new Uint32Array(256);
    for (let i = 0; i < this.n; i++) {
      this.looks[2 * i] = codes[i];
      this.looks[2 * i + 1] = sizes[i];
      counts[layers[i]]++;
    }
    this.shown = this.n - counts[0];
    this.order = new Uint32Array(this.shown);
    const places = startsOf(counts);
    for (const i of this.grid.members) if (layers[i] > 0) this.order[places[layers[i]]++] = i;
    this.painter.setLooks(this.looks, this.order, palette);
    this.redraw();
  }

  /** Pixels of the radius of a plain point: some of the picture is left free, and points grow when one goes closer. */
  get radius() {
    const { width, height, zoom } = this.view;
    const alone = Math.sqrt((0.3 * width * height) / (Math.PI * Math.max(1, this.shown)));
    return Math.min(7, clamp(alone, 1.3, 4.5) * clamp(zoom, 0.6, 60) ** 0.42);
  }

  redraw() {
    this.wanted ??= requestAnimationFrame(() => {
      this.wanted = undefined;
      this.draw();
    });
  }

  /** Draw now. */
  draw() {
    if (!this.looks || this.canvas.width === 0) return;
    this.painter.draw(this.view, this.ratio, (this.radius * this.ratio) / PLAIN, this.ground);
    this.told.drawn(this.view);
  }

  #resize() {
    const { clientWidth, clientHeight } = this.stage;
    this.ratio = Math.min(3, window.devicePixelRatio || 1);
    this.view.resize(clientWidth, clientHeight);
    this.canvas.width = Math.round(clientWidth * this.ratio);
    this.canvas.height = Math.round(clientHeight * this.ratio);
    this.draw();
  }

  /** The shown point that is meant by a pixel; -1: none. */
  at(px, py, broad = 1) {
    const reach = (Math.max(REACH, this.radius * 1.5) * broad) / this.view.scale;
    return this.grid.nearest(...this.view.toPlace(px, py), reach, (i) => this.layers[i] > 0);
  }

  pan(dx, dy) {
    this.view.pan(dx, dy);
    this.redraw();
  }

  zoom(factor, px, py) {
    this.view.zoomAt(factor, px, py);
    this.redraw();
  }

  /** Go where `look` takes the view, in a quarter of a second where motion is liked. */
  go(look) {
    const from = [this.view.x, this.view.y, Math.log(this.view.scale)];
    look(this.view);
    const to = [this.view.x, this.view.y, Math.log(this.view.scale)];
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return this.redraw();
    const began = performance.now();
    const own = (this.going = {});
    const step = (now) => {
      if (this.going !== own) return;
      const part = clamp((now - began) / 260, 0, 1);
      const eased = part * part * (3 - 2 * part);
      [this.view.x, this.view.y] = [0, 1].map((j) => from[j] + (to[j] - from[j]) * eased);
      this.view.scale = Math.exp(from[2] + (to[2] - from[2]) * eased);
      this.draw();
      if (part < 1) requestAnimationFrame(step);
    };
    step(began);
  }

  /** The shown points that are seen now, at most n, those nearest to the middle first. */
  inView(n) {
    const [left, bottom, right, top] = this.view.seen();
    let count = 0;
    this.grid.each([left, bottom, right, top], (i) => {
      const seen = this.x[i] >= left && this.x[i] <= right && this.y[i] >= bottom && this.y[i] <= top;
      count += seen && this.layers[i] > 0;
    });
    return { count, nearest: this.grid.around(this.view.x, this.view.y, Math.min(n, count), (i) => this.layers[i] > 0) };
  }
}

/** Where each layer starts in the order; what is not shown is not in it. */
function startsOf(counts) {
  const starts = new Uint32Array(256);
  for (let layer = 2; layer < 256; layer++) starts[layer] = starts[layer - 1] + counts[layer - 1];
  return starts;
}
