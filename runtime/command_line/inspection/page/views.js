// The three pictures: kernels and what flows between them, the user's operations by name scope, and the arena over time.
//
// Each returns what to draw, its size, and for each thing in it where it is. Things have keys: `s4` is a step, `i7` a
// source of values, `r0` a result, `o12` an operation, and `scope:a/b` a name scope.

const CARD = { w: 204, h: 50 };
const PILL = { h: 26 };
const FAR = 450;
const METRICS = {
  ms: { label: "time", of: (step) => step.ms, text: timeText },
  work: { label: "work (operations)", of: (step) => step.work, text: countText },
  bytes: { label: "bytes moved", of: (step) => step.read == null || step.written == null ? null : step.read + step.written, text: bytesText },
};

// What a step is called: the types of its operations, and the scope that they share if few others are in it.
function stepTitle(model, step) {
  const types = step.operations.map((number) => model.operations[number].type).filter((type) => type);
  const words = types.length ? types : step.words;
  return words.filter((word, place) => word !== words[place - 1]).join(" · ");
}

function stepPlace(model, step) {
  const names = step.operations.map((number) => model.operations[number].name);
  if (!names.length) return step.kernels.join(" ");
  if (names.length === 1) return names[0];
  const parts = names.map((name) => name.split("/"));
  const shared = [];
  for (let k = 0; parts.every((each) => each.length > k + 1 && each[k] === parts[0][k]); k++) shared.push(parts[0][k]);
  const scope = `${shared.join("/")}/`;
  const inside = model.operations.filter((each) => each.name.startsWith(scope)).length;
  return shared.length && inside <= 3 * names.length + 12 ? scope : names[names.length - 1];
}

// --- kernels

function kernelsPicture(model, state) {
  const nodes = [];
  const numbers = new Map();
  const add = (key, node) => numbers.set(key, nodes.push({ key, ...node }) - 1);
  const isShown = (source) => source.kind === "input" || state.sources;
  const used = new Set(model.steps.flatMap((step) => step.inputs.map((each) => each.from)));
  model.results.forEach((result) => used.add(result.from));
  for (const source of model.sources) {
    if (isShown(source) && used.has(source.id)) add(source.id, { source, ...pillSize(source.name) });
  }
  model.steps.forEach((step, number) => add(`s${number}`, { step, number, ...CARD }));
  model.results.forEach((result, number) => {
    if (result.kind === "output" || state.sources) add(`r${number}`, { result, ...pillSize(result.name) });
  });
  const edges = [];
  const labels = [];
  const connect = (from, to, label) => {
    if (!numbers.has(from) || !numbers.has(to)) return;
    edges.push([numbers.get(from), numbers.get(to)]);
    labels.push(label);
  };
  model.steps.forEach((step, number) => step.inputs.forEach((each) => connect(each.from, `s${number}`, each.type)));
  model.results.forEach((result, number) => connect(result.from, `r${number}`, result.type));
  const placed = layered(nodes, edges);
  const places = new Map(nodes.map((node, k) => [node.key, { ...node, ...placed.nodes[k] }]));
  const lines = edges.map(([from, to], k) => edgeLine(places.get(nodes[from].key), places.get(nodes[to].key), placed.edges[k], labels[k]));
  const drawn = nodes.map((node) => {
    const at = places.get(node.key);
    if (node.step) return stepCard(model, state, node.step, node.number, at);
    return node.source ? sourcePill(node.source, at) : resultPill(node.result, at);
  });
  return { parts: [svg("g", {}, ...lines), svg("g", {}, ...drawn)], size: placed, places };
}

const pillSize = (name) => ({ w: Math.min(200, Math.max(70, textWidth(name, 12) + 26)), h: PILL.h });

function edgeLine(from, to, points, label, extra = "") {
  const inner = points.slice(1, -1);
  const ends = [[from.x + from.w / 2, from.y + from.h], ...inner, [to.x + to.w / 2, to.y]];
  const far = to.y - from.y > FAR ? "far" : "";
  const line = svg("path", { class: `edge ${extra} ${far}`, d: curve(ends), "data-from": from.key, "data-to": to.key });
  if (label) line.append(svg("title", {}, label));
  return line;
}

function stepCard(model, state, step, number, at) {
  const metric = METRICS[state.metric];
  const amount = metric.of(step);
  const amountText = amount == null ? "" : metric.text(amount);
  const room = at.w - 26 - textWidth(amountText, 11);
  const share = amount == null ? 0 : amount / state.largest;
  return svg("g", { class: `node step${step.host ? " host" : ""}`, "data-key": `s${number}`, transform: `translate(${at.x},${at.y})`, style: `--hue:${hueOf(number)}` },
    svg("title", {}, `${stepTitle(model, step)}\n${step.operations.map((each) => model.operations[each].name).join("\n")}`),
    svg("rect", { class: "card", width: at.w, height: at.h, rx: 9 }),
    svg("text", { class: "title", x: 12, y: 19 }, fitted(stepTitle(model, step), room, 12, 600)),
    svg("text", { class: "amount", x: at.w - 10, y: 19, "text-anchor": "end" }, amountText),
    svg("text", { class: "sub", x: 12, y: 35 }, `${number + 1}  ${fitted(stepPlace(model, step), at.w - 42, 11, 400, true)}`),
    svg("rect", { class: "track", x: 12, y: at.h - 8, width: at.w - 24, height: 3, rx: 1.5 }),
    svg("rect", { class: "level", x: 12, y: at.h - 8, width: Math.max(share > 0 ? 2 : 0, (at.w - 24) * share), height: 3, rx: 1.5 }));
}

function sourcePill(source, at) {
  return pill(`source ${source.kind}`, source.id, source.name, `${source.kind} ${source.name}\n${source.type}`, at);
}

const resultPill = (result, at) =>
  pill(`result ${result.kind}`, at.key, result.name, `${result.kind === "output" ? "output" : "new value of"} ${result.name}\n${result.type}`, at);

function pill(kind, key, name, title, at) {
  return svg("g", { class: `node ${kind}`, "data-key": key, transform: `translate(${at.x},${at.y})` },
    svg("title", {}, title),
    svg("rect", { class: "card", width: at.w, height: at.h, rx: at.h / 2 }),
    svg("text", { x: at.w / 2, y: 17, "text-anchor": "middle" }, fitted(name, at.w - 20, 12, 400, true)));
}

// --- operations

// The tree of name scopes; a scope that holds a single operation is that operation.
function scopeTree(operations) {
  const root = { path: "", children: new Map(), own: [], all: [] };
  const isScope = new Set();
  for (const { name } of operations) {
    for (let end = name.indexOf("/"); end > 0; end = name.indexOf("/", end + 1)) isScope.add(name.slice(0, end));
  }
  operations.forEach((operation, number) => {
    const parts = operation.name.split("/");
    const scopes = isScope.has(operation.name) ? parts : parts.slice(0, -1);
    let scope = root;
    scope.all.push(number);
    for (const part of scopes) {
      if (!scope.children.has(part)) {
        const path = scope.path ? `${scope.path}/${part}` : part;
        scope.children.set(part, { path, children: new Map(), own: [], all: [], above: scope });
      }
      scope = scope.children.get(part);
      scope.all.push(number);
    }
    scope.own.push(number);
  });
  return root;
}

// The scopes to open at first: as many as leave a picture that can be taken in.
function firstScopes(root, room) {
  const open = new Set();
  const waiting = [root];
  let shown = visibleCount(root);
  while (waiting.length) {
    waiting.sort((a, b) => depthOf(a) - depthOf(b) || a.all.length - b.all.length);
    const scope = waiting.shift();
    if (scope !== root) {
      const more = visibleCount(scope) - 1;
      if (shown + more > room) continue;
      shown += more;
      open.add(scope.path);
    }
    for (const child of scope.children.values()) if (child.all.length > 1) waiting.push(child);
  }
  return open;
}

const depthOf = (scope) => scope.path.split("/").length;
const visibleCount = (scope) => scope.own.length + scope.children.size;

function allScopes(scope, found = new Set()) {
  for (const child of scope.children.values()) {
    if (child.all.length > 1) found.add(child.path);
    allScopes(child, found);
  }
  return found;
}

function operationsPicture(model, state) {
  const flow = dataEdges(model.operations);
  const inner = scopeLayout(model, state, state.root, flow);
  const boxes = [];
  const places = new Map();
  const routed = [];
  collect(inner, 0, 0, boxes, places, routed);
  const owner = new Map();
  for (const [key, place] of places) place.members.forEach((number) => owner.set(number, key));
  const lines = visibleEdges(flow, owner).map(({ from, to, isControl, count }) => {
    const route = routed.find((each) => each.from === from && each.to === to);
    const points = route ? route.points : [0, 0];
    const label = count > 1 ? `${count} edges` : "";
    return edgeLine(places.get(from), places.get(to), points, label, isControl ? "control" : "");
  });
  const nodes = [...places.values()].map((place) => (place.scope ? scopeCard(model, place) : operationCard(model, place)));
  return { parts: [svg("g", {}, ...boxes), svg("g", {}, ...lines), svg("g", {}, ...nodes)], size: inner, places };
}

function dataEdges(operations) {
  const edges = [];
  operations.forEach((operation, to) => {
    operation.inputs.forEach((from) => edges.push({ from, to, isControl: false }));
    operation.after.forEach((from) => edges.push({ from, to, isControl: true }));
  });
  return edges;
}

// A scope's operations and scopes, those that are open laid out inside.
function scopeLayout(model, state, scope, flow) {
  const items = scope.own.map((number) => ({ key: `o${number}`, members: [number], ...operationSize(model, scope, number) }));
  for (const child of scope.children.values()) {
    if (child.all.length === 1) {
      const number = child.all[0];
      items.push({ key: `o${number}`, members: [number], ...operationSize(model, scope, number) });
    } else if (state.open.has(child.path)) {
      const inner = scopeLayout(model, state, child, flow);
      items.push({ key: `scope:${child.path}`, members: child.all, scope: child, inner, w: Math.max(inner.w + 32, 120), h: inner.h + 48 });
    } else {
      const name = child.path.slice(scope.path ? scope.path.length + 1 : 0);
      items.push({ key: `scope:${child.path}`, members: child.all, scope: child, name, w: Math.min(210, Math.max(110, textWidth(name, 12, 600) + 66)), h: 38 });
    }
  }
  const owner = new Map();
  items.forEach((item, place) => item.members.forEach((number) => owner.set(number, place)));
  const pairs = new Map();
  for (const { from, to } of flow) {
    const [a, b] = [owner.get(from), owner.get(to)];
    if (a !== undefined && b !== undefined && a !== b) pairs.set(`${a}/${b}`, [a, b]);
  }
  const edges = [...pairs.values()];
  const placed = layered(items, edges);
  const routes = edges.map(([a, b], k) => ({ from: items[a].key, to: items[b].key, points: placed.edges[k] }));
  return { items: items.map((item, k) => ({ ...item, ...placed.nodes[k] })), routes, w: placed.w, h: placed.h };
}

function operationSize(model, scope, number) {
  const operation = model.operations[number];
  const name = operation.name === scope.path ? `(${operation.name.split("/").pop()})` : operation.name.slice(scope.path ? scope.path.length + 1 : 0);
  const wide = Math.max(textWidth(name, 12, 600), textWidth(operation.type, 11));
  return { name, w: Math.min(190, Math.max(80, wide + 24)), h: 38 };
}

// Turns places inside scopes into places in the drawing; draws the frames of open scopes.
function collect(layout, dx, dy, boxes, places, routed) {
  for (const route of layout.routes) routed.push({ ...route, points: route.points.map(([x, y]) => [x + dx, y + dy]) });
  for (const item of layout.items) {
    const at = { ...item, x: item.x + dx, y: item.y + dy };
    if (!item.inner) {
      places.set(item.key, at);
      continue;
    }
    const title = item.scope.path.split("/").pop();
    boxes.push(svg("rect", { class: "box", x: at.x, y: at.y, width: at.w, height: at.h, rx: 12 }));
    boxes.push(svg("text", { class: "box-title", "data-close": item.scope.path, x: at.x + 14, y: at.y + 19 }, `− ${fitted(title, at.w - 40, 12, 600)}`));
    collect(item.inner, at.x + (at.w - item.inner.w) / 2, at.y + 32, boxes, places, routed);
  }
}

function visibleEdges(flow, owner) {
  const found = new Map();
  for (const { from, to, isControl } of flow) {
    const [a, b] = [owner.get(from), owner.get(to)];
    if (a === b || a === undefined || b === undefined) continue;
    const known = found.get(`${a}>${b}`);
    if (known) {
      known.count++;
      known.isControl &&= isControl;
    } else found.set(`${a}>${b}`, { from: a, to: b, isControl, count: 1 });
  }
  return [...found.values()];
}

function operationCard(model, at) {
  const operation = model.operations[at.members[0]];
  const step = operation.steps[0];
  const look = step === undefined ? { class: "node operation free" } : { class: "node operation", style: `--hue:${hueOf(step)}` };
  return svg("g", { ...look, "data-key": at.key, "data-steps": operation.steps.join(" "), transform: `translate(${at.x},${at.y})` },
    svg("title", {}, `${operation.name}\n${operation.type}\n${operation.outputs.join(", ")}`),
    svg("rect", { class: "card", width: at.w, height: at.h, rx: 8 }),
    svg("text", { class: "title", x: at.w / 2, y: 16, "text-anchor": "middle" }, fitted(at.name, at.w - 16, 12, 600, true)),
    svg("text", { class: "sub", x: at.w / 2, y: 30, "text-anchor": "middle" }, fitted(operation.type, at.w - 16, 11)));
}

// A closed scope: its name, the number of operations, and the colours of the kernels that compute them.
function scopeCard(model, at) {
  const steps = [...new Set(at.members.flatMap((number) => model.operations[number].steps))].sort((a, b) => a - b);
  const width = at.w - 20;
  const colours = steps.slice(0, 40).map((step, place, all) =>
    svg("rect", { class: "level", style: `--hue:${hueOf(step)}`, x: 10 + (width * place) / all.length, y: at.h - 9, width: Math.max(1, width / all.length - 1.5), height: 4, rx: 2 }));
  return svg("g", { class: "node scope", "data-key": at.key, "data-open": at.scope.path, "data-steps": steps.join(" "), transform: `translate(${at.x},${at.y})` },
    svg("title", {}, `${at.scope.path}\n${at.members.length} operations in ${steps.length} kernels; click to open`),
    svg("rect", { class: "card", x: 3, y: 3, width: at.w, height: at.h, rx: 10, opacity: 0.5 }),
    svg("rect", { class: "card", width: at.w, height: at.h, rx: 10 }),
    svg("text", { class: "title", x: 12, y: 20 }, `+ ${fitted(at.name, at.w - 62, 12, 600)}`),
    svg("text", { class: "sub", x: at.w - 12, y: 20, "text-anchor": "end" }, String(at.members.length)),
    ...colours);
}

// --- memory

// One row for each slot of the arena, one column for each step; a block is a value, from where it is made to its last use.
function memoryPicture(model) {
  const { slots, lives } = model.memory;
  const [left, top, row] = [120, 34, 34];
  const column = Math.min(64, Math.max(14, 900 / Math.max(1, model.steps.length)));
  const width = left + column * model.steps.length;
  const places = new Map();
  const every = Math.ceil(26 / column);
  const parts = model.steps.flatMap((_, number) => (number % every ? [] : [
    svg("text", { class: "axis", x: left + (number + 0.5) * column, y: top - 12, "text-anchor": "middle" }, String(number + 1)),
  ]));
  slots.forEach((size, slot) => {
    const y = top + slot * row;
    parts.push(svg("line", { class: "rule", x1: left, x2: width, y1: y + row - 3, y2: y + row - 3 }));
    parts.push(svg("text", { class: "axis", x: left - 12, y: y + 20, "text-anchor": "end" }, `slot ${slot} · ${bytesText(size)}`));
  });
  for (const life of lives) {
    const at = { x: left + life.from * column + 1, y: top + life.slot * row + 2, w: (life.to - life.from + 1) * column - 2, h: row - 9 };
    places.set(`s${life.from}`, at);
    parts.push(svg("g", { class: "node", "data-key": `s${life.from}`, transform: `translate(${at.x},${at.y})`, style: `--hue:${hueOf(life.from)}` },
      svg("title", {}, `${life.value} : ${life.type}\n${bytesText(life.bytes)}, from step ${life.from + 1} to ${life.to + 1}`),
      svg("rect", { class: "card", width: at.w, height: at.h, rx: 6 }),
      svg("text", { x: at.w / 2, y: 17, "text-anchor": "middle" }, at.w > 44 ? fitted(`${life.value} ${bytesText(life.bytes)}`, at.w - 8, 12) : "")));
  }
  const taken = new Set(lives.map((life) => life.slot));
  slots.forEach((_, slot) => taken.has(slot) || parts.push(svg("text", { class: "axis", x: left + 6, y: top + slot * row + 20 }, "room that kernels work in")));
  if (!slots.length) parts.push(svg("text", { class: "axis", x: left, y: top + 20 }, "No value lives in the arena."));
  return { parts, size: { w: Math.max(width, 300), h: top + Math.max(1, slots.length) * row }, places };
}
