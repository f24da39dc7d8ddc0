/**
 * Which points are near a place: a grid of cells, each with the points in it (in one array, cell after cell).
 *
 * Points of a cell are in an order without a pattern. Drawn in this order, neighbours share memory, which makes a picture
 * drawn without a graphics card twice as fast, and of two kinds of points none lies on top of the other everywhere.
 */

const IN_A_CELL = 4;

export class Grid {
  /** @param {Float32Array} x @param {Float32Array} y @param {number[]} box of all of them */
  constructor(x, y, box) {
    const n = x.length;
    this.px = x;
    this.py = y;
    this.box = box;
    const [width, height] = [box[2] - box[0], box[3] - box[1]];
    const side = Math.sqrt((width * height * IN_A_CELL) / Math.max(1, n)) || 1;
    this.columns = Math.min(1024, Math.max(1, Math.ceil(width / side)));
    this.rows = Math.min(1024, Math.max(1, Math.ceil(height / side)));
    this.cell = Math.max(width / this.columns, height / this.rows);
    this.starts = new Uint32Array(this.columns * this.rows + 1);
    const cells = new Int32Array(n);
    for (let i = 0; i < n; i++) {
      cells[i] = Number.isFinite(x[i]) && Number.isFinite(y[i]) ? this.#row(y[i]) * this.columns + this.#column(x[i]) : -1;
      if (cells[i] >= 0) this.starts[cells[i] + 1]++;
    }
    for (let c = 0; c < this.columns * this.rows; c++) this.starts[c + 1] += this.starts[c];
    const next = this.starts.slice();
    this.members = new Uint32Array(this.starts.at(-1));
    for (const i of mixed(n)) if (cells[i] >= 0) this.members[next[cells[i]]++] = i;
  }

  #column(x) {
    return bounded(Math.floor((x - this.box[0]) / this.cell), this.columns);
  }

  #row(y) {
    return bounded(Math.floor((y - this.box[1]) / this.cell), this.rows);
  }

  /** Call `visit` with each point of the cells that meet a box. */
  each([left, bottom, right, top], visit) {
    const [from, to] = [this.#column(left), this.#column(right)];
    for (let row = this.#row(bottom), last = this.#row(top); row <= last; row++) {
      const end = this.starts[row * this.columns + to + 1];
      for (let k = this.starts[row * this.columns + from]; k < end; k++) visit(this.members[k]);
    }
  }

  /** The point nearest to a place within a radius, of those that `kept` says yes to; -1: none. */
  nearest(x, y, radius, kept = () => true) {
    let [best, least] = [-1, radius * radius];
    this.each([x - radius, y - radius, x + radius, y + radius], (i) => {
      const apart = (this.px[i] - x) ** 2 + (this.py[i] - y) ** 2;
      if (apart <= least && kept(i)) [best, least] = [i, apart];
    });
    return best;
  }

  /** The n points nearest to a place, the nearest first. */
  around(x, y, n, kept = () => true) {
    const whole = Math.max(this.box[2] - this.box[0], this.box[3] - this.box[1]) * 2;
    for (let radius = this.cell * 2; ; radius *= 2) {
      const found = [];
      this.each([x - radius, y - radius, x + radius, y + radius], (i) => {
        const apart = (this.px[i] - x) ** 2 + (this.py[i] - y) ** 2;
        if (apart <= radius * radius && kept(i)) found.push([apart, i]);
      });
      if (found.length >= n || radius > whole) {
        return found.sort((a, b) => a[0] - b[0]).slice(0, n).map(([, i]) => i);
      }
    }
  }

  /** The points within a closed line of places [[x, y], …], by the even-odd rule. */
  within(line, kept = () => true) {
    const xs = line.map(([x]) => x);
    const ys = line.map(([, y]) => y);
    const found = [];
    this.each([Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)], (i) => {
      if (kept(i) && inside(xs, ys, this.px[i], this.py[i])) found.push(i);
    });
    return Uint32Array.from(found).sort();
  }
}

/** Is a place within a closed line? Counts the edges that a ray to the right crosses. */
export function inside(xs, ys, x, y) {
  let odd = false;
  for (let a = 0, b = xs.length - 1; a < xs.length; b = a++) {
    if (ys[a] > y !== ys[b] > y && x < ((xs[b] - xs[a]) * (y - ys[a])) / (ys[b] - ys[a]) + xs[a]) odd = !odd;
  }
  return odd;
}

function bounded(value, count) {
  return Math.min(count - 1, Math.max(0, value));
}

function mixed(n) {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  let state = 1;
  for (let i = n - 1; i > 0; i--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const j = state % (i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
