/** Where the picture is looked at: places of the map (y upwards) to CSS pixels of the stage (y downwards) and back. */

const DEEPEST = 4000;
/** The closest look, as a multiple of the whole picture's scale. */

export class View {
  /** @param {number[]} box of all points: [left, bottom, right, top] */
  constructor(box) {
    this.box = box;
    this.width = this.height = 1;
    this.fit();
  }

  /** Take the stage's size in CSS pixels; what is in its middle stays there. */
  resize(width, height) {
    const whole = this.whole();
    this.width = Math.max(1, width);
    this.height = Math.max(1, height);
    this.scale *= this.whole() / whole;
  }

  /** The scale at which everything is seen. */
  whole() {
    const [left, bottom, right, top] = this.box;
    const margin = 0.92;
    return Math.min((this.width * margin) / (right - left), (this.height * margin) / (top - bottom));
  }

  /** How much closer than the whole picture. */
  get zoom() {
    return this.scale / this.whole();
  }

  fit() {
    [this.x, this.y] = middle(this.box);
    this.scale = this.whole();
  }

  /** Look at a box, not closer than `closest` times the whole. */
  show(box, closest = 40) {
    [this.x, this.y] = middle(box);
    const width = Math.max(box[2] - box[0], 1e-9);
    const height = Math.max(box[3] - box[1], 1e-9);
    const scale = Math.min((this.width * 0.7) / width, (this.height * 0.7) / height);
    this.scale = this.#bounded(Math.min(scale, closest * this.whole()));
  }

  /** Move by pixels. */
  pan(dx, dy) {
    const [left, bottom, right, top] = this.box;
    this.x = clamp(this.x - dx / this.scale, left, right);
    this.y = clamp(this.y + dy / this.scale, bottom, top);
  }

  /** Go closer by a factor; what is under the pixel (px, py) stays there. */
  zoomAt(factor, px = this.width / 2, py = this.height / 2) {
    const [x, y] = this.toPlace(px, py);
    this.scale = this.#bounded(this.scale * factor);
    const [qx, qy] = this.toPixel(x, y);
    this.pan(px - qx, py - qy);
  }

  toPixel(x, y) {
    return [this.width / 2 + (x - this.x) * this.scale, this.height / 2 - (y - this.y) * this.scale];
  }

  toPlace(px, py) {
    return [this.x + (px - this.width / 2) / this.scale, this.y - (py - this.height / 2) / this.scale];
  }

  /** What is seen: [left, bottom, right, top] in places. */
  seen() {
    const [left, top] = this.toPlace(0, 0);
    const [right, bottom] = this.toPlace(this.width, this.height);
    return [left, bottom, right, top];
  }

  #bounded(scale) {
    return clamp(scale, this.whole() * 0.5, this.whole() * DEEPEST);
  }
}

/** The box of points, widened where all of them are at one place. */
export function boxOf(x, y, which = null) {
  let [left, bottom, right, top] = [Infinity, Infinity, -Infinity, -Infinity];
  const n = which === null ? x.length : which.length;
  for (let j = 0; j < n; j++) {
    const i = which === null ? j : which[j];
    if (!(Number.isFinite(x[i]) && Number.isFinite(y[i]))) continue;
    left = Math.min(left, x[i]);
    right = Math.max(right, x[i]);
    bottom = Math.min(bottom, y[i]);
    top = Math.max(top, y[i]);
  }
  if (left > right) return [-1, -1, 1, 1];
  const least = which === null ? Math.max(right - left, top - bottom) * 1e-3 || 1 : 0;
  const [wide, high] = [Math.max(0, least - (right - left)) / 2, Math.max(0, least - (top - bottom)) / 2];
  return [left - wide, bottom - high, right + wide, top + high];
}

export function clamp(value, low, high) {
  return Math.min(high, Math.max(low, value));
}

function middle([left, bottom, right, top]) {
  return [(left + right) / 2, (bottom + top) / 2];
}
