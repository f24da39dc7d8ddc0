/** What hands do on the stage: drag, wheel, pinch, click, hover, and drawing a line around points. */

const CLICK = 5;
/** Pixels that a click may move. */

export class Gestures {
  /**
   * @param {HTMLElement} stage
   * @param {object} told pan(dx, dy), zoom(factor, px, py), click(px, py, event), hover(px, py | null), leave(),
   *   drawn(line, finished): corners of a line around points, in pixels
   */
  constructor(stage, told) {
    this.stage = stage;
    this.told = told;
    this.mode = "pan";
    this.down = new Map();
    this.line = null;
    this.moved = 0;
    for (const [kind, act] of [
      ["pointerdown", this.#press],
      ["pointermove", this.#move],
      ["pointerup", this.#lift],
      ["pointercancel", this.#cancel],
      ["pointerleave", () => told.leave()],
    ]) {
      stage.addEventListener(kind, act.bind(this));
    }
    stage.addEventListener("wheel", this.#wheel.bind(this), { passive: false });
  }

  /** "pan", "lasso" or "box". */
  setMode(mode) {
    this.mode = mode;
    this.cancel();
  }

  /** Give up the line that is being drawn. */
  cancel() {
    if (this.line !== null) this.told.drawn([], false);
    this.line = null;
  }

  get moving() {
    return this.down.size > 0 && this.line === null;
  }

  #at(event) {
    const box = this.stage.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  #press(event) {
    if (event.button !== 0) return;
    this.stage.setPointerCapture(event.pointerId);
    const at = this.#at(event);
    this.down.set(event.pointerId, at);
    this.moved = this.down.size > 1 ? Infinity : 0;
    const drawing = this.down.size === 1 && (this.mode !== "pan" || event.shiftKey);
    if (!drawing) this.cancel();
    else this.line = [at];
    this.told.leave();
  }

  #move(event) {
    const at = this.#at(event);
    const last = this.down.get(event.pointerId);
    if (last === undefined) {
      if (event.pointerType !== "touch") this.told.hover(...at);
      return;
    }
    const [dx, dy] = [at[0] - last[0], at[1] - last[1]];
    this.moved += Math.hypot(dx, dy);
    if (this.line !== null) this.#draw(at);
    else if (this.down.size === 1) this.told.pan(dx, dy);
    else this.#pinch(event.pointerId, last, at);
    this.down.set(event.pointerId, at);
  }

  #draw(at) {
    this.line = this.mode === "box" ? [this.line[0], at] : [...this.line, at];
    this.told.drawn(this.#closed(), false);
  }

  #closed() {
    if (this.mode !== "box" || this.line.length < 2) return this.line;
    const [[a, b], [c, d]] = this.line;
    return [[a, b], [c, b], [c, d], [a, d]];
  }

  #pinch(id, last, at) {
    const other = [...this.down].find(([one]) => one !== id)[1];
    const before = Math.hypot(last[0] - other[0], last[1] - other[1]);
    const after = Math.hypot(at[0] - other[0], at[1] - other[1]);
    this.told.pan((at[0] - last[0]) / 2, (at[1] - last[1]) / 2);
    if (before > 1) this.told.zoom(after / before, (at[0] + other[0]) / 2, (at[1] + other[1]) / 2);
  }

  #lift(event) {
    if (!this.down.delete(event.pointerId)) return;
    const line = this.line === null ? [] : this.#closed();
    this.line = null;
    if (this.moved < CLICK) this.told.click(...this.#at(event), event);
    if (line.length > 0) this.told.drawn(this.moved < CLICK ? [] : line, this.moved >= CLICK);
    this.told.rest();
  }

  #cancel(event) {
    this.down.delete(event.pointerId);
    this.cancel();
    this.told.rest();
  }

  #wheel(event) {
    event.preventDefault();
    const pixels = event.deltaY * [1, 33, 400][event.deltaMode];
    this.told.zoom(Math.exp(-Math.min(240, Math.max(-240, pixels)) * (event.ctrlKey ? 0.01 : 0.0022)), ...this.#at(event));
  }
}
