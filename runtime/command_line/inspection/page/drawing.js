// Small tools: elements, texts that fit, numbers for people, and a drawing that can be moved and magnified.

const SVG = "http://www.w3.org/2000/svg";

function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children.filter((child) => child != null));
  return node;
}

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "onclick") node.addEventListener("click", value);
    else node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((child) => child != null));
  return node;
}

const pen = document.createElement("canvas").getContext("2d");
const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';

function textWidth(text, size, weight = 400) {
  pen.font = `${weight} ${size}px ${FONT}`;
  return pen.measureText(text).width;
}

// The text, shortened to a width; `keepsEnd` cuts at the beginning, as suits names with scopes.
function fitted(text, width, size, weight = 400, keepsEnd = false) {
  if (textWidth(text, size, weight) <= width) return text;
  let low = 0;
  let high = text.length;
  const cut = (count) => (keepsEnd ? `…${text.slice(text.length - count)}` : `${text.slice(0, count)}…`);
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (textWidth(cut(middle), size, weight) <= width) low = middle;
    else high = middle - 1;
  }
  return cut(low);
}

const digits = (number) => (number >= 100 ? number.toFixed(0) : Number(number.toPrecision(3)).toString());

function bytesText(number) {
  if (number == null) return "depends on data";
  for (const unit of ["B", "KiB", "MiB", "GiB"]) {
    if (number < 1024 || unit === "GiB") return `${digits(number)} ${unit}`;
    number /= 1024;
  }
}

function countText(number) {
  if (number == null) return "–";
  for (const unit of ["", " k", " M", " G"]) {
    if (number < 1000 || unit === " G") return `${digits(number)}${unit}`;
    number /= 1000;
  }
}

function timeText(milliseconds) {
  if (milliseconds == null) return "–";
  if (milliseconds < 1) return `${digits(milliseconds * 1000)} µs`;
  return milliseconds < 1000 ? `${digits(milliseconds)} ms` : `${digits(milliseconds / 1000)} s`;
}

const hueOf = (step) => (215 + step * 137.508) % 360;

// A line through points, leaving and arriving vertically.
function curve(points) {
  let path = `M${points[0][0]},${points[0][1]}`;
  for (let k = 1; k < points.length; k++) {
    const [x0, y0] = points[k - 1];
    const [x1, y1] = points[k];
    const bend = y1 >= y0 ? (y1 - y0) / 2 : Math.min(120, 30 + Math.abs(y1 - y0) / 3);
    path += `C${x0},${y0 + bend} ${x1},${y1 - bend} ${x1},${y1}`;
  }
  return path;
}

// A drawing in the middle of the page that follows the pointer and the wheel.
class Drawing {
  constructor(host) {
    this.root = svg("svg", { role: "img" });
    this.content = svg("g");
    this.root.append(this.content);
    host.prepend(this.root);
    this.size = { w: 1, h: 1 };
    this.listen();
  }

  listen() {
    let start = null;
    this.root.addEventListener("pointerdown", (event) => (start = { x: event.clientX, y: event.clientY, at: { ...this.at } }));
    window.addEventListener("pointermove", (event) => {
      if (!start) return;
      const [dx, dy] = [event.clientX - start.x, event.clientY - start.y];
      if (Math.hypot(dx, dy) > 4) this.root.classList.add("dragging");
      this.move({ ...start.at, x: start.at.x + dx, y: start.at.y + dy });
    });
    window.addEventListener("pointerup", () => {
      start = null;
      setTimeout(() => this.root.classList.remove("dragging"));
    });
    this.root.addEventListener("wheel", (event) => {
      event.preventDefault();
      const box = this.root.getBoundingClientRect();
      this.zoom(Math.exp(-event.deltaY * 0.0015), event.clientX - box.left, event.clientY - box.top);
    }, { passive: false });
  }

  // A click, unless the pointer has dragged the drawing.
  onClick(action) {
    this.root.addEventListener("click", (event) => !this.root.classList.contains("dragging") && action(event));
  }

  show(parts, size) {
    this.content.replaceChildren(...parts);
    this.size = size;
  }

  fit() {
    const box = this.root.getBoundingClientRect();
    const margin = 28;
    const whole = Math.min((box.width - 2 * margin) / this.size.w, (box.height - 2 * margin) / this.size.h);
    const scale = Math.min(1.15, Math.max(whole, 0.12));
    this.move({ scale, x: (box.width - this.size.w * scale) / 2, y: Math.max(margin, (box.height - this.size.h * scale) / 2) });
  }

  // All of it, or, at a size that can be read, the part around `focus`.
  start(focus) {
    this.fit();
    if (this.at.scale >= 0.5) return;
    const box = this.root.getBoundingClientRect();
    const scale = 0.75;
    const isNarrow = this.size.w * scale < box.width - 56;
    const middle = isNarrow ? this.size.w / 2 : focus.x + focus.w / 2;
    this.move({ scale, x: box.width / 2 - middle * scale, y: Math.min(28, 90 - focus.y * scale) });
  }

  zoom(factor, x, y) {
    const scale = Math.min(4, Math.max(0.05, this.at.scale * factor));
    const ratio = scale / this.at.scale;
    this.move({ scale, x: x - (x - this.at.x) * ratio, y: y - (y - this.at.y) * ratio });
  }

  zoomInMiddle(factor) {
    const box = this.root.getBoundingClientRect();
    this.zoom(factor, box.width / 2, box.height / 2);
  }

  // Moves a place of the drawing into view if it is outside.
  reveal(x, y) {
    const box = this.root.getBoundingClientRect();
    const [left, top] = [x * this.at.scale + this.at.x, y * this.at.scale + this.at.y];
    const isInside = left > 40 && top > 40 && left < box.width - 40 && top < box.height - 40;
    if (!isInside) this.move({ ...this.at, x: box.width / 2 - x * this.at.scale, y: box.height / 2 - y * this.at.scale });
  }

  move(at) {
    this.at = at;
    this.content.setAttribute("transform", `translate(${at.x},${at.y}) scale(${at.scale})`);
  }
}
