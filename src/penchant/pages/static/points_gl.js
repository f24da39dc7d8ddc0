/**
 * Draws points by WebGL2: one draw call, discs and diamonds cut out of point sprites in the fragment shader.
 *
 * Colours are a texture of 256 texels, so a change of colour or of a filter uploads two bytes a point, not the points.
 */

const VERTEX = `#version 300 es
layout(location = 0) in vec2 place;
layout(location = 1) in uvec2 look;
uniform vec4 frame;
uniform float unit;
uniform float least;
uniform sampler2D palette;
flat out vec4 tint;
flat out float radius;
flat out uint kind;
void main() {
  gl_Position = vec4(place * frame.xy + frame.zw, 0.0, 1.0);
  radius = max(least, float(look.y & 127u) * unit);
  kind = look.y >> 7;
  gl_PointSize = 2.0 * radius + 2.0;
  tint = texelFetch(palette, ivec2(int(look.x), 0), 0);
}`;

const FRAGMENT = `#version 300 es
precision mediump float;
flat in vec4 tint;
flat in float radius;
flat in uint kind;
out vec4 colour;
void main() {
  vec2 from = abs(gl_PointCoord - 0.5) * (2.0 * radius + 2.0);
  float away = kind == 1u ? (from.x + from.y) * 0.8 : length(from);
  float alpha = tint.a * clamp(radius + 0.5 - away, 0.0, 1.0);
  colour = vec4(tint.rgb * alpha, alpha);
}`;

/** Is WebGL computed by the processor? Not every browser says so by `failIfMajorPerformanceCaveat`. */
function isSoftware(gl) {
  const info = gl.getExtension("WEBGL_debug_renderer_info");
  const name = String(gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
  return /swiftshader|llvmpipe|softpipe|software|basic render/i.test(name);
}

export class GlPainter {
  /** @param {HTMLCanvasElement} canvas @param {boolean} software also where no graphics card draws
   *  @throws where there is no WebGL2 */
  constructor(canvas, software = false) {
    const options = { alpha: false, antialias: false, depth: false, failIfMajorPerformanceCaveat: !software };
    this.gl = canvas.getContext("webgl2", options);
    if (this.gl === null) throw new Error("no WebGL2");
    if (!software && isSoftware(this.gl)) {
      this.gl.getExtension("WEBGL_lose_context")?.loseContext();
      throw new Error("no graphics card");
    }
    this.canvas = canvas;
    this.name = "WebGL2";
    this.#prepare();
  }

  #prepare() {
    const gl = this.gl;
    const program = gl.createProgram();
    for (const [kind, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program) ?? "shaders");
    gl.useProgram(program);
    this.at = Object.fromEntries(["frame", "unit", "least"].map((name) => [name, gl.getUniformLocation(program, name)]));
    [this.places, this.looks, this.order] = [gl.createBuffer(), gl.createBuffer(), gl.createBuffer()];
    gl.bindBuffer(gl.ARRAY_BUFFER, this.places);
    gl.enableVertexAttribArray(0);
    gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 0, 0);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.looks);
    gl.enableVertexAttribArray(1);
    gl.vertexAttribIPointer(1, 2, gl.UNSIGNED_BYTE, 0, 0);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.order);
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
    for (const side of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, side, gl.NEAREST);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    this.widest = gl.getParameter(gl.ALIASED_POINT_SIZE_RANGE)[1];
  }

  /** Places, interleaved x, y. */
  setPlaces(places) {
    this.gl.bindBuffer(this.gl.ARRAY_BUFFER, this.places);
    this.gl.bufferData(this.gl.ARRAY_BUFFER, places, this.gl.STATIC_DRAW);
  }

  /** Colour code and size of each point, interleaved, and which of them are drawn, in order. */
  setLooks(looks, order, palette) {
    const gl = this.gl;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.looks);
    gl.bufferData(gl.ARRAY_BUFFER, looks, gl.DYNAMIC_DRAW);
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, order, gl.DYNAMIC_DRAW);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, 256, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, palette);
    this.count = order.length;
  }

  /** @param {number} unit device pixels of a radius of one @param {number[]} ground r, g, b in [0, 255] */
  draw(view, ratio, unit, ground) {
    const gl = this.gl;
    const { width, height } = this.canvas;
    const [sx, sy] = [(2 * view.scale * ratio) / width, (2 * view.scale * ratio) / height];
    gl.viewport(0, 0, width, height);
    gl.clearColor(ground[0] / 255, ground[1] / 255, ground[2] / 255, 1);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.uniform4f(this.at.frame, sx, sy, -view.x * sx, -view.y * sy);
    gl.uniform1f(this.at.unit, unit);
    gl.uniform1f(this.at.least, 0.6 * Math.min(1.5, ratio));
    gl.drawElements(gl.POINTS, this.count, gl.UNSIGNED_INT, 0);
  }

  /** Wait until what was drawn is drawn: for measuring. */
  finish() {
    this.gl.readPixels(0, 0, 1, 1, this.gl.RGBA, this.gl.UNSIGNED_BYTE, new Uint8Array(4));
  }
}
