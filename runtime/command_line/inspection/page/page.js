// The page as a whole: what is chosen and shown, and the controls that change it.

const model = JSON.parse(document.getElementById("data").textContent);
const find = (id) => document.getElementById(id);
const VIEWS = { kernels: "Kernels", operations: "Operations", memory: "Memory" };
const HINTS = {
  kernels: "A box is a kernel: the operations that were fused into it. Data flow down.",
  operations: "A colour is a kernel. Click a scope to open it, its title to close it.",
  memory: "Columns are steps, rows parts of the arena; a block is a value, for as long as it is needed.",
};
const NOWHERE = { x: 0, y: Infinity, w: 0 };
const ROOM_AT_FIRST = 32;
const SOURCES_AT_FIRST = 14;

const root = scopeTree(model.operations);
const hasGraph = model.operations.some((operation) => operation.type);
const isTimed = model.steps.some((step) => step.ms != null);
const state = {
  view: "kernels",
  chosen: null,
  metric: isTimed ? "ms" : "work",
  largest: 1,
  sources: model.sources.length <= SOURCES_AT_FIRST,
  open: firstScopes(root, ROOM_AT_FIRST),
  root,
};
const drawing = new Drawing(find("canvas"));
let picture = null;

function draw(isNew) {
  state.largest = Math.max(1e-12, ...model.steps.map((step) => METRICS[state.metric].of(step) ?? 0));
  const draws = { kernels: kernelsPicture, operations: operationsPicture, memory: memoryPicture };
  picture = draws[state.view](model, state);
  drawing.show(picture.parts, picture.size);
  if (isNew) drawing.start([...picture.places.values()].reduce((a, b) => (b.y < a.y ? b : a), NOWHERE));
  for (const tab of find("tabs").children) tab.setAttribute("aria-selected", String(tab.dataset.view === state.view));
  find("sources-switch").hidden = state.view !== "kernels";
  find("expand").hidden = find("collapse").hidden = state.view !== "operations";
  find("hint").textContent = HINTS[state.view];
  listSteps();
  mark();
}

// --- choosing

function choose(key) {
  state.chosen = key;
  if (key !== null) showIn(key);
  mark();
  find("details").replaceChildren(...detailsOf(model, key, choose));
  find("details").scrollTop = 0;
  const at = picture.places.get(key);
  if (at) drawing.reveal(at.x + at.w / 2, at.y + at.h / 2);
}

// Goes to the view that can show a thing, and opens the scopes that it is in.
function showIn(key) {
  const isOperation = key[0] === "o" && hasGraph;
  const isKernel = !isOperation && !key.startsWith("scope:");
  const wanted = isOperation ? "operations" : isKernel && state.view === "operations" && key[0] !== "s" ? "kernels" : state.view;
  let changed = wanted !== state.view;
  state.view = wanted;
  if (isOperation) {
    const { name } = model.operations[Number(key.slice(1))];
    for (let end = name.indexOf("/"); end > 0; end = name.indexOf("/", end + 1)) {
      const path = name.slice(0, end);
      if (allScopes(root).has(path) && !state.open.has(path)) {
        state.open.add(path);
        changed = true;
      }
    }
    if (allScopes(root).has(name)) state.open.add(name);
  }
  if (key[0] === "i" && !picture.places.has(key) && !state.sources) {
    state.sources = find("sources").checked = true;
    changed = true;
  }
  if (changed) draw(true);
}

// Shows what is chosen, its neighbours, and in the operations' view whatever the same kernel computes.
function mark() {
  const chosen = state.chosen;
  const near = new Set();
  for (const edge of drawing.content.querySelectorAll(".edge")) {
    const isLit = chosen !== null && (edge.dataset.from === chosen || edge.dataset.to === chosen);
    edge.classList.toggle("lit", isLit);
    if (isLit) near.add(edge.dataset.from).add(edge.dataset.to);
  }
  const steps = stepsOf(chosen);
  for (const node of drawing.content.querySelectorAll(".node")) {
    node.classList.toggle("chosen", node.dataset.key === chosen);
    node.classList.toggle("near", near.has(node.dataset.key));
    const own = node.dataset.steps ? node.dataset.steps.split(" ") : [];
    node.classList.toggle("same", own.some((step) => steps.includes(step)));
  }
  drawing.root.classList.toggle("faded", chosen !== null && (near.size > 0 || steps.length > 0));
  for (const row of find("steps").children) {
    row.classList.toggle("chosen", row.dataset.key === chosen);
    row.classList.toggle("near", chosen !== null && chosen[0] === "o" && steps.includes(row.dataset.key.slice(1)));
  }
}

function stepsOf(key) {
  if (key === null) return [];
  if (key[0] === "o") return model.operations[Number(key.slice(1))].steps.map(String);
  return key[0] === "s" && !key.startsWith("scope:") ? [key.slice(1)] : [];
}

// --- the list

function listSteps() {
  const metric = METRICS[state.metric];
  const order = model.steps.map((step, number) => ({ step, number, amount: metric.of(step) }));
  if (find("sorted").checked) order.sort((a, b) => (b.amount ?? -1) - (a.amount ?? -1));
  find("steps").replaceChildren(...order.map(({ step, number, amount }) =>
    element("li", { "data-key": `s${number}`, style: `--hue:${hueOf(number)}`, title: stepPlace(model, step), onclick: () => choose(`s${number}`) },
      badge(number),
      element("span", { class: "name" }, stepTitle(model, step)),
      element("span", { class: "amount" }, amount == null ? "" : metric.text(amount)),
      element("span", { class: "bar" }, element("i", { style: `width:${(100 * (amount ?? 0)) / state.largest}%` })))));
  filterList();
}

function filterList() {
  const wanted = find("search").value.trim().toLowerCase();
  for (const row of find("steps").children) {
    const step = model.steps[Number(row.dataset.key.slice(1))];
    const words = [stepTitle(model, step), ...step.kernels, ...step.operations.map((number) => model.operations[number].name)];
    row.classList.toggle("hidden", wanted !== "" && !words.some((word) => word.toLowerCase().includes(wanted)));
  }
}

// --- controls

function tiles() {
  const { summary, memory } = model;
  const total = model.steps.reduce((sum, step) => sum + (step.ms ?? 0), 0);
  const entries = [
    ...(hasGraph ? [["operations", String(summary.graph.operations)]] : []), ["kernels run", String(summary.program.steps)],
    ["variables", bytesText(memory.variables)], ["arena", bytesText(memory.arena)],
    ...(isTimed ? [["one run", timeText(total)]] : []),
  ];
  find("tiles").replaceChildren(...entries.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, value))));
}

function setUp() {
  find("title").textContent = model.title;
  const sizes = Object.entries(model.sizes).map(([name, number]) => `${name} = ${number}`).join(", ");
  const times = isTimed ? `median times of ${model.runs} runs` : "not timed";
  find("subtitle").textContent = [model.target, sizes && `sizes ${sizes}`, times].filter(Boolean).join(" · ");
  tiles();
  for (const [view, label] of Object.entries(VIEWS)) {
    if (view === "operations" && !hasGraph) continue;
    find("tabs").append(element("button", { type: "button", role: "tab", "data-view": view, onclick: () => { state.view = view; draw(true); } }, label));
  }
  for (const [name, metric] of Object.entries(METRICS)) {
    if (name !== "ms" || isTimed) find("metric").append(element("option", { value: name }, metric.label));
  }
  find("metric").value = state.metric;
  find("metric").addEventListener("change", (event) => { state.metric = event.target.value; draw(false); });
  find("sorted").addEventListener("change", () => { listSteps(); mark(); });
  find("sources").checked = state.sources;
  find("sources").addEventListener("change", (event) => { state.sources = event.target.checked; draw(true); });
  find("expand").addEventListener("click", () => { state.open = allScopes(root); draw(true); });
  find("collapse").addEventListener("click", () => { state.open = new Set(); draw(true); });
  find("search").addEventListener("input", filterList);
  find("search").addEventListener("keydown", (event) => event.key === "Enter" && chooseFound());
  find("zoom").addEventListener("click", (event) => {
    const action = event.target.dataset.zoom;
    if (action === "fit") drawing.fit();
    else if (action) drawing.zoomInMiddle(action === "in" ? 1.25 : 0.8);
  });
  find("theme").addEventListener("click", () => {
    const isDark = getComputedStyle(document.documentElement).colorScheme.includes("dark");
    document.documentElement.dataset.theme = isDark ? "light" : "dark";
  });
  document.addEventListener("keydown", (event) => event.key === "Escape" && choose(null));
  drawing.onClick(clicked);
}

function clicked(event) {
  const closed = event.target.dataset?.close;
  const node = event.target.closest(".node");
  if (closed !== undefined) {
    state.open.delete(closed);
    draw(false);
  } else if (node?.dataset.open !== undefined) {
    state.open.add(node.dataset.open);
    draw(false);
  } else choose(node ? node.dataset.key : null);
}

function chooseFound() {
  const wanted = find("search").value.trim().toLowerCase();
  const number = model.operations.findIndex((operation) => operation.name.toLowerCase().includes(wanted));
  if (wanted && number >= 0) choose(`o${number}`);
}

setUp();
draw(true);
choose(null);
