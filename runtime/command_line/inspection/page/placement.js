// Gives the items of ordered layers their horizontal places.
//
// In: items with widths, `up` and `down` neighbours, in layers. Out: `cx` of each. Layer after layer, downwards and
// upwards in turn, the items go where their neighbours want them, as near as that can be without overlapping: a problem
// of least squares whose answer is found by pooling those that would overlap (Ayer and others, 1955). Lines between
// nodes, and between the bends of one long line, are worth more than others (Gansner and others, 1993).

const PLACING_SWEEPS = 30;
const STRAIGHTNESS = { nodes: 16, bends: 8, mixed: 1 };
const ALONE = 0.5;

const gapOf = (item) => (item.isBend ? GAP.route : GAP.node);

function placeItems(items, layers) {
  for (const layer of layers) {
    let x = 0;
    for (const id of layer) {
      items[id].cx = x + items[id].w / 2;
      x += items[id].w + gapOf(items[id]);
    }
  }
  for (let sweep = 0; sweep < PLACING_SWEEPS; sweep++) {
    const isDown = sweep % 2 === 0;
    for (const layer of isDown ? layers : [...layers].reverse()) settle(items, layer, isDown);
  }
}

function settle(items, layer, isDown) {
  const blocks = [];
  let offset = 0;
  for (const id of layer) {
    const item = items[id];
    const { place, weight } = wish(items, item, isDown);
    item.offset = offset + item.w / 2;
    offset += item.w + gapOf(item);
    let block = { sum: (place - item.offset) * weight, weight, ids: [id] };
    while (blocks.length && mean(blocks[blocks.length - 1]) > mean(block)) block = pooled(blocks.pop(), block);
    blocks.push(block);
  }
  for (const block of blocks) for (const id of block.ids) items[id].cx = mean(block) + items[id].offset;
}

const mean = (block) => block.sum / block.weight;

const pooled = (a, b) => ({ sum: a.sum + b.sum, weight: a.weight + b.weight, ids: a.ids.concat(b.ids) });

// Where an item would stand if it were alone in its layer, and how much that matters.
function wish(items, item, isDown) {
  const near = isDown ? item.up : item.down;
  const others = near.length ? near : isDown ? item.down : item.up;
  let [sum, weight] = [0, 0];
  for (const other of others) {
    const pull = straightness(item, items[other]);
    sum += pull * items[other].cx;
    weight += pull;
  }
  return { place: weight ? sum / weight : item.cx, weight: near.length ? weight : ALONE };
}

function straightness(a, b) {
  if (a.isBend && b.isBend) return STRAIGHTNESS.bends;
  return a.isBend || b.isBend ? STRAIGHTNESS.mixed : STRAIGHTNESS.nodes;
}
