/**
 * Draws points without a graphics card: each is a small stamp, blended into an array that is put on a 2-D canvas.
 *
 * A stamp is a list of pixels with their coverage, made once for each size, shape and place between pixels (quarters).
 * The array has a margin as wide as the largest stamp, so no stamp needs clipping.
 */

const MARGIN = 20;
const PARTS = 4;
/** Places between two pixels. */
const RADII = 2;
/** Radii of stamps a pixel: half a pixel apart. */

export class CpuPainter {
  /** @param {HTMLCanvasElement} canvas @throws where there is no 2-D canvas */
  constructor(canvas) {
    this.context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
    if (this.context === null) throw new Error("no 2-D canvas");
    this.canvas = canvas;
    this.name = "canvas";
    this.stride = 0;
    this.stamps = new Map();
  }

  setPlaces(places) {
    this.places = places;
  }

  setLooks(looks, order, palette) {
    this.looks = looks;
    this.order = order;
    this.tints = new Int32Array(256);
    this.alphas = new Uint16Array(256);
    for (let code = 0; code < 256; code++) {
      const [r, g, b, a] = palette.subarray(4 * code, 4 * code + 4);
      this.tints[code] = (255 << 24) | (b << 16) | (g << 8) | r;
      this.alphas[code] = Math.round((a * 256) / 255);
    }
  }

  draw(view, ratio, unit, ground) {
    this.#prepare();
    this.pixels.fill((255 << 24) | (ground[2] << 16) | (ground[1] << 8) | ground[0]);
    const { width, height } = this.canvas;
    const scale = view.scale * ratio;
    const [left, top] = [width / 2 - view.x * scale, height / 2 + view.y * scale];
    const stamps = this.#sizes(unit, 0.6 * Math.min(1.5, ratio));
    const { places, looks, order, pixels, stride, tints, alphas } = this;
    const edge = MARGIN - 2;
    for (let k = 0, n = order.length; k < n; k++) {
      const i = order[k] << 1;
      const px = places[i] * scale + left;
      const py = top - places[i + 1] * scale;
      if (!(px > -edge && py > -edge && px < width + edge && py < height + edge)) continue;
      const code = looks[i];
      const [fx, fy] = [(px + MARGIN) | 0, (py + MARGIN) | 0];
      const part = ((((py + MARGIN - fy) * PARTS) | 0) * PARTS) + (((px + MARGIN - fx) * PARTS) | 0);
      const stamp = stamps[looks[i + 1]][part];
      blend(pixels, fy * stride + fx, stamp, tints[code], alphas[code]);
    }
    this.context.putImageData(this.image, -MARGIN, -MARGIN);
  }

  /** Pixels as large as the canvas, and the margin. */
  #prepare() {
    const [width, height] = [this.canvas.width + 2 * MARGIN, this.canvas.height + 2 * MARGIN];
    if (this.stride === width && this.rows === height) return;
    [this.stride, this.rows] = [width, height];
    this.image = this.context.createImageData(width, height);
    this.pixels = new Int32Array(this.image.data.buffer);
    this.stamps.clear();
  }

  /** The stamps of each code of a size (the highest bit: a diamond). */
  #sizes(unit, least) {
    const sizes = [];
    for (let size = 0; size < 256; size++) {
      const radius = Math.min(MARGIN - 4, Math.max(least, (size & 127) * unit));
      sizes.push(this.#stamp(Math.max(1, Math.round(radius * RADII)), size >> 7));
    }
    return sizes;
  }

  #stamp(radius, kind) {
    const key = radius * 2 + kind;
    if (!this.stamps.has(key)) {
      const parts = Array.from({ length: PARTS * PARTS }, (_, part) => {
        const [x, y] = [((part % PARTS) + 0.5) / PARTS, (Math.floor(part / PARTS) + 0.5) / PARTS];
        return stampOf(radius / RADII, kind, x, y, this.stride);
      });
      this.stamps.set(key, parts);
    }
    return this.stamps.get(key);
  }

  /** It is drawn when `draw` returns. */
  finish() {
    this.context.getImageData(0, 0, 1, 1);
  }
}

/** The pixels that a disc or a diamond at (x, y) within a pixel covers: way from that pixel and coverage of 256 in turn. */
function stampOf(radius, kind, x, y, stride) {
  const pixels = [];
  const reach = Math.ceil(radius * 1.3 + 1);
  for (let row = -reach; row <= reach; row++) {
    for (let column = -reach; column <= reach; column++) {
      const [dx, dy] = [Math.abs(column + 0.5 - x), Math.abs(row + 0.5 - y)];
      const away = kind === 1 ? (dx + dy) * 0.8 : Math.hypot(dx, dy);
      const cover = Math.round(256 * Math.min(1, Math.max(0, radius + 0.5 - away)));
      if (cover > 12) pixels.push(row * stride + column, cover);
    }
  }
  return Int32Array.from(pixels);
}

/** Lay a colour over pixels; red and blue are computed together, 16 bits apart. */
function blend(pixels, base, stamp, tint, alpha) {
  const [redBlue, green] = [tint & 0xff00ff, tint & 0xff00];
  for (let k = 0, n = stamp.length; k < n; k += 2) {
    const at = base + stamp[k];
    const a = (stamp[k + 1] * alpha) >> 8;
    const under = pixels[at];
    const rest = 256 - a;
    const rb = (Math.imul(redBlue, a) + Math.imul(under & 0xff00ff, rest)) >>> 8;
    const g = (Math.imul(green, a) + Math.imul(under & 0xff00, rest)) >>> 8;
    pixels[at] = -16777216 | (rb & 0xff00ff) | (g & 0xff00);
  }
}
