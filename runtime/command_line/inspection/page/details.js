// The panel on the right: everything about what is chosen, with ways from there to its neighbours.

function facts(entries) {
  const shown = entries.filter(([, value]) => value != null && value !== "");
  return element("dl", { class: "facts" }, shown.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, value))));
}

function section(title, ...content) {
  return content.flat().length ? [element("h3", {}, title), ...content.flat()] : [];
}

function badge(number) {
  return element("span", { class: "badge", style: `--hue:${hueOf(number)}` }, String(number + 1));
}

function source(code) {
  const block = element("pre");
  for (const part of code.split(/(#[^\n]*|\b(?:def|for|in|range|if|else|elif|return|while|and|or|not|yield|program)\b)/)) {
    if (part.startsWith("#")) block.append(element("span", { class: "remark" }, part));
    else if (/^[a-z]+$/.test(part) && part.length < 8) block.append(element("span", { class: "keyword" }, part));
    else block.append(part);
  }
  return block;
}

function detailsOf(model, key, choose) {
  if (key === null) return overview(model, choose);
  if (key[0] === "s" && !key.startsWith("scope:")) return stepDetails(model, Number(key.slice(1)), choose);
  if (key[0] === "o") return operationDetails(model, Number(key.slice(1)), choose);
  if (key[0] === "i") return sourceDetails(model, model.sources.find((each) => each.id === key), choose);
  return key[0] === "r" ? resultDetails(model, model.results[Number(key.slice(1))], choose) : overview(model, choose);
}

const link = (text, action) => element("a", { onclick: action }, text);

function stepLink(model, number, choose) {
  return element("li", {}, badge(number), link(stepTitle(model, model.steps[number]), () => choose(`s${number}`)));
}

function operationLink(model, number, choose) {
  const operation = model.operations[number];
  return element("li", {}, link(operation.name, () => choose(`o${number}`)), element("span", { class: "end" }, operation.type));
}

// What a value comes from: a step, or an input, variable or constant.
function makerLink(model, from, choose) {
  if (from[0] === "s") return [badge(Number(from.slice(1))), link(stepTitle(model, model.steps[Number(from.slice(1))]), () => choose(from))];
  const maker = model.sources.find((each) => each.id === from);
  return [maker ? link(maker.name, () => choose(from)) : element("span", {}, from)];
}

function overview(model, choose) {
  const { summary, memory } = model;
  const list = (entries) => element("ul", {}, entries.map((each) =>
    element("li", {}, element("span", {}, each.name), element("span", { class: "end" }, each.operation ?? `${each.dtype}${shapeText(each.shape)}`))));
  const types = Object.entries(summary.graph.types);
  const table = element("table", {}, types.slice(0, 14).map(([name, count]) => element("tr", {}, element("td", {}, name), element("td", {}, String(count)))));
  return [
    element("h2", {}, "The whole model"),
    element("p", { class: "under" }, "Click a kernel, an operation or a value to see what it is."),
    facts([
      ["arena", bytesText(memory.arena)], ["constants", bytesText(memory.constants)], ["variables", bytesText(memory.variables)],
      ["different kernels", String(summary.program.kernels)],
    ]),
    ...section("Inputs", list(summary.inputs)),
    ...section("Outputs", list(summary.outputs)),
    ...section("Computed on the host", summary.program.on_host.map((each) => element("p", { class: "warning" }, `${each.operations.join(", ")}: ${each.reason}`))),
    ...section("Operations by type", table, types.length > 14 ? element("p", { class: "under" }, `and ${types.length - 14} other types`) : []),
  ];
}

const shapeText = (shape) => (shape === null ? "[...]" : `[${shape.map((size) => size ?? "?").join(", ")}]`);

function stepDetails(model, number, choose) {
  const step = model.steps[number];
  const total = model.steps.reduce((sum, each) => sum + (each.ms ?? 0), 0);
  const bytes = METRICS.bytes.of(step);
  const rate = (amount, unit) => (step.ms > 0 && amount > 0 ? `${digits(amount / step.ms / 1e6)} ${unit}` : null);
  const users = model.steps.flatMap((each, place) => (each.inputs.some((input) => input.from === `s${number}`) ? [place] : []));
  return [
    element("h2", {}, badge(number), ` ${stepTitle(model, step)}`),
    element("p", { class: "under mono" }, step.kernels.join(" ") || "computed on the host"),
    step.host ? element("p", { class: "warning" }, `This step runs on the host: ${step.host}`) : null,
    facts([
      ["time", step.ms == null ? null : `${timeText(step.ms)} (${digits((100 * step.ms) / total)} %)`], ["loops", step.kind],
      ["work, scalar operations", step.work == null ? null : countText(step.work)], ["operations per second", rate(step.work, "G/s")],
      ["read", bytesText(step.read)], ["written", bytesText(step.written)],
      ["bytes per second", rate(bytes, "GB/s")], ["operations per byte", step.work && bytes ? digits(step.work / bytes) : null],
    ]),
    ...section(step.operations.length > 1 ? `${step.operations.length} operations in one kernel` : "Operation", element("ul", {}, step.operations.map((each) => operationLink(model, each, choose)))),
    ...section("Reads", element("ul", {}, step.inputs.map((each) => element("li", {}, makerLink(model, each.from, choose), element("span", { class: "end" }, each.type))))),
    ...section("Writes", element("ul", {}, step.outputs.map((each) => element("li", {}, element("span", { class: "mono" }, each.value), element("span", {}, each.type), element("span", { class: "end" }, `${each.home}${each.fetched ? ", fetched" : ""}`))))),
    ...section("Used by", users.length ? element("ul", {}, users.map((each) => stepLink(model, each, choose))) : []),
    ...section("Program", source(step.text)),
    ...step.kernels.flatMap((name) => section(`Kernel ${name.slice(-16)}`, source(model.kernels[name]))),
  ].filter((each) => each !== null);
}

function operationDetails(model, number, choose) {
  const operation = model.operations[number];
  const users = model.operations.flatMap((each, place) => (each.inputs.includes(number) ? [place] : []));
  const steps = operation.steps.map((each) => stepLink(model, each, choose));
  const nothing = "No kernel computes it: it was folded into a constant, merged with an equal one, or only says where data live.";
  return [
    element("h2", {}, operation.name),
    element("p", { class: "under" }, [operation.type, operation.line && `made at ${operation.line}`].filter(Boolean).join(", ")),
    ...section("Computed in", steps.length ? element("ul", {}, steps) : element("p", { class: "under" }, nothing)),
    ...section("Gives", element("ul", {}, operation.outputs.map((type) => element("li", { class: "mono" }, type)))),
    ...section("Takes", operation.inputs.length ? element("ul", {}, operation.inputs.map((each) => operationLink(model, each, choose))) : []),
    ...section("After", operation.after.length ? element("ul", {}, operation.after.map((each) => operationLink(model, each, choose))) : []),
    ...section("Used by", users.length ? element("ul", {}, users.map((each) => operationLink(model, each, choose))) : []),
    ...section("Attributes", operation.attributes ? element("p", { class: "mono" }, operation.attributes) : []),
  ];
}

function sourceDetails(model, value, choose) {
  const users = model.steps.flatMap((each, place) => (each.inputs.some((input) => input.from === value.id) ? [place] : []));
  return [
    element("h2", {}, value.name),
    element("p", { class: "under" }, value.kind),
    facts([["type", value.type], ["size", bytesText(value.bytes)]]),
    ...section("Used by", element("ul", {}, users.map((each) => stepLink(model, each, choose)))),
  ];
}

function resultDetails(model, result, choose) {
  return [
    element("h2", {}, result.name),
    element("p", { class: "under" }, result.kind === "output" ? "output" : "new value of a variable"),
    facts([["type", result.type]]),
    ...section("Comes from", element("ul", {}, element("li", {}, makerLink(model, result.from, choose)))),
  ];
}
