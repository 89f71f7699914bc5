// Places the nodes of a directed graph in layers, edges pointing down (Sugiyama, Tagawa and Toda, 1981).
//
// In: nodes with `w` and `h`, edges as pairs of node numbers. Out: for each node `x`, `y` (its upper left corner), for
// each edge the points that it passes through, and the size of the whole. Layers come from longest paths, the order in
// a layer from barycentres, the places in it from `placement.js`.

const GAP = { node: 22, layer: 38, route: 12 };
const SWEEPS = 14;
const LONG = 4;

function layered(nodes, edges) {
  const graph = withoutCycles(nodes.length, edges);
  const rank = ranksOf(nodes.length, graph);
  const { items, layers, routes } = withRoutes(nodes, graph, rank);
  orderLayers(items, layers);
  placeItems(items, layers);
  return finished(nodes, edges, items, layers, routes);
}

// The edges without loops and doubles, those that would close a cycle turned around.
function withoutCycles(count, edges) {
  const next = Array.from({ length: count }, () => []);
  edges.forEach(([from, to], index) => from !== to && next[from].push([to, index]));
  const state = new Uint8Array(count);
  const turned = new Set();
  for (let start = 0; start < count; start++) {
    if (state[start]) continue;
    const stack = [[start, 0]];
    state[start] = 1;
    while (stack.length) {
      const top = stack[stack.length - 1];
      const [node, place] = top;
      if (place === next[node].length) {
        state[node] = 2;
        stack.pop();
        continue;
      }
      top[1]++;
      const [to, index] = next[node][place];
      if (state[to] === 1) turned.add(index);
      else if (state[to] === 0) {
        state[to] = 1;
        stack.push([to, 0]);
      }
    }
  }
  const list = [];
  edges.forEach(([from, to], index) => {
    if (from === to) return;
    list.push(turned.has(index) ? { from: to, to: from, index, turned: true } : { from, to, index, turned: false });
  });
  return list;
}

// Longest paths from the sources; then whatever can moves down to those that use it, so that edges are short.
function ranksOf(count, graph) {
  const out = Array.from({ length: count }, () => []);
  const waiting = new Int32Array(count);
  const hasInput = new Uint8Array(count);
  for (const { from, to } of graph) {
    out[from].push(to);
    waiting[to]++;
    hasInput[to] = 1;
  }
  const rank = new Int32Array(count);
  const order = [];
  for (let node = 0; node < count; node++) if (!waiting[node]) order.push(node);
  for (let place = 0; place < order.length; place++) {
    for (const to of out[order[place]]) {
      rank[to] = Math.max(rank[to], rank[order[place]] + 1);
      if (--waiting[to] === 0) order.push(to);
    }
  }
  for (const node of order.reverse()) {
    if (!hasInput[node] && out[node].length) rank[node] = Math.min(...out[node].map((to) => rank[to])) - 1;
  }
  return rank;
}

// Nodes and, for edges over several layers, a bend in each layer between.
function withRoutes(nodes, graph, rank) {
  const items = nodes.map((node, id) => ({ w: node.w, h: node.h, rank: rank[id], up: [], down: [] }));
  const routes = new Map();
  const bends = new Map(); // long edges of one origin share their bends
  const link = (a, b) => {
    items[a].down.push(b);
    items[b].up.push(a);
  };
  for (const { from, to, index, turned } of graph) {
    const route = [from];
    for (let layer = rank[from] + 1; layer < rank[to]; layer++) {
      const isLong = rank[to] - rank[from] > LONG;
      const key = isLong ? `${from}/${layer}` : `${from}/${layer}/${to}`;
      if (!bends.has(key)) {
        bends.set(key, items.length);
        items.push({ w: GAP.route, h: 0, rank: layer, up: [], down: [], isBend: true });
        link(route[route.length - 1], items.length - 1);
      }
      route.push(bends.get(key));
    }
    link(route[route.length - 1], to);
    route.push(to);
    routes.set(index, turned ? route.reverse() : route);
  }
  const layers = [];
  items.forEach((item, id) => (layers[item.rank] ??= []).push(id));
  for (let layer = 0; layer < layers.length; layer++) layers[layer] ??= [];
  return { items, layers, routes };
}

function orderLayers(items, layers) {
  const number = (layer) => layer.forEach((id, place) => (items[id].place = place));
  layers.forEach(number);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const isDown = sweep % 2 === 0;
    const sequence = isDown ? layers : [...layers].reverse();
    for (const layer of sequence) {
      for (const id of layer) {
        const others = isDown ? items[id].up : items[id].down;
        const sum = others.reduce((total, other) => total + items[other].place, 0);
        items[id].weight = others.length ? sum / others.length : items[id].place;
      }
      layer.sort((a, b) => items[a].weight - items[b].weight || items[a].place - items[b].place);
      number(layer);
    }
  }
}

function finished(nodes, edges, items, layers, routes) {
  let y = 0;
  for (const layer of layers) {
    const height = Math.max(0, ...layer.map((id) => items[id].h));
    for (const id of layer) items[id].cy = y + height / 2;
    y += height + GAP.layer;
  }
  const left = items.length ? Math.min(...items.map((item) => item.cx - item.w / 2)) : 0;
  const right = items.length ? Math.max(...items.map((item) => item.cx + item.w / 2)) : 0;
  const points = edges.map((_, index) => (routes.get(index) ?? []).map((id) => [items[id].cx - left, items[id].cy]));
  return {
    nodes: nodes.map((node, id) => ({ x: items[id].cx - node.w / 2 - left, y: items[id].cy - node.h / 2 })),
    edges: points,
    w: right - left,
    h: Math.max(0, y - GAP.layer),
  };
}
