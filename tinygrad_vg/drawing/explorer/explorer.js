// The page that `explore` writes: it recomputes the graph, steps through the two passes, and shows the products.
// There is no derivative in here. The data hold the recorded backward pass as steps of the same forward operations.
"use strict";
(() => {
const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);

// ------------------------------------------------------------------------------------------------- the operations

const sigmoid = (z) => { const e = Math.exp(-Math.abs(z)); return (z < 0 ? e : 1) / (1 + e); };
const remainder = (x, y) => { const r = x % y; return r !== 0 && (r < 0) !== (y < 0) ? r + y : r === 0 ? (y < 0 ? -0 : 0) : r; };
function floorDivide(x, y) {
  if (y === 0) return x / y;
  const rest = x % y;
  return Math.round((x - rest) / y) - (rest !== 0 && (y < 0) !== (rest < 0) ? 1 : 0);
}
const power = (x, y) => (x === 1 || y === 0 ? 1 : x === -1 && Math.abs(y) === Infinity ? 1 : Math.pow(x, y));
const rint = (x) => { const f = Math.floor(x), d = x - f; return d < 0.5 || (d === 0.5 && f % 2 === 0) ? f : f + 1; };
const logaddexp = (x, y) => (x === y ? x + Math.LN2 : Math.max(x, y) + Math.log1p(Math.exp(-Math.abs(x - y))));
const softplus = (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

// One forward a row of the derivative table. Python reads the names from here, to know what the page can compute.
const FORWARD = {
  absolute: Math.abs,
  add: (x, y) => x + y,
  affine: (x, w, b) => x * w + b,
  arccos: Math.acos,
  arccosh: Math.acosh,
  arcsin: Math.asin,
  arcsinh: Math.asinh,
  arctan: Math.atan,
  arctan2: Math.atan2,
  arctanh: Math.atanh,
  cbrt: Math.cbrt,
  ceil: Math.ceil,
  cos: Math.cos,
  cosh: Math.cosh,
  cross_entropy: (z, y) => softplus((1 - 2 * y) * z),
  divide: (x, y) => x / y,
  equal: (x, y) => +(x === y),
  exp: Math.exp,
  exp2: (x) => Math.pow(2, x),
  expm1: Math.expm1,
  fabs: Math.abs,
  floor: Math.floor,
  floor_divide: floorDivide,
  greater: (x, y) => +(x > y),
  greater_equal: (x, y) => +(x >= y),
  hypot: Math.hypot,
  isfinite: (x) => +Number.isFinite(x),
  isinf: (x) => +(Math.abs(x) === Infinity),
  isnan: (x) => +Number.isNaN(x),
  less: (x, y) => +(x < y),
  less_equal: (x, y) => +(x <= y),
  log: Math.log,
  log10: Math.log10,
  log1p: Math.log1p,
  log2: Math.log2,
  logaddexp,
  logical_and: (x, y) => +(x !== 0 && y !== 0),
  logical_not: (x) => +(x === 0),
  logical_or: (x, y) => +(x !== 0 || y !== 0),
  logical_xor: (x, y) => +((x !== 0) !== (y !== 0)),
  maximum: Math.max,
  minimum: Math.min,
  multiply: (x, y) => x * y,
  negative: (x) => -x,
  norm: (x) => Math.sqrt(x * x),
  not_equal: (x, y) => +(x !== y),
  power,
  quadratic: (a, y) => 0.5 * (a - y) * (a - y),
  reciprocal: (x) => 1 / x,
  relu: (x) => (x <= 0 ? 0 : x),
  remainder,
  rint,
  sigmoid,
  sign: Math.sign,
  signbit: (x) => +(x < 0 || Object.is(x, -0)),
  sin: Math.sin,
  sinh: Math.sinh,
  softplus,
  sqrt: Math.sqrt,
  square: (x) => x * x,
  subtract: (x, y) => x - y,
  tan: Math.tan,
  tanh: Math.tanh,
  trunc: Math.trunc,
  where: (c, x, y) => (c !== 0 ? x : y),
};

// slots: constants (the variables among them), then one for the result of each step [operation, argument, …]
const base = data.constants.length;
const slots = new Float64Array(base + data.steps.length);
data.constants.forEach((x, i) => { slots[i] = Number(x); }); // "Infinity" and "NaN" come as texts

function compute() {
  data.steps.forEach(([op, ...args], i) => { slots[base + i] = FORWARD[data.operations[op]](...args.map((a) => slots[a])); });
}

const { cards } = data;
const wires = data.wires.map(([from, to, words, flow, local = -1, second = ""]) => ({
  from, to, words, symbol: words.replace(/^×/, ""), flow: flow === null ? null : Number(flow), local, second,
}));
for (const path of Object.values(data.chains).flatMap((chain) => chain.paths)) {
  path.text ??= path.terms.map((t) => data.terms[t][0]).join(" · ");
}
const value = (i) => (cards[i].value < 0 ? null : slots[cards[i].value]);
const grad = (i) => (cards[i].grad < 0 ? null : slots[cards[i].grad]);
const local = (k) => (wires[k].local < 0 ? null : slots[wires[k].local]);
const flow = (k) => (wires[k].local < 0 || cards[wires[k].to].grad < 0 ? wires[k].flow : grad(wires[k].to) * local(k));
const into = cards.map((_, i) => wires.flatMap((w, k) => (w.to === i ? [k] : [])));
const out = cards.map((_, i) => wires.flatMap((w, k) => (w.from === i ? [k] : [])));
const partial = (a, b) => `∂${a}/∂${b}`;

// ----------------------------------------------------------------------------------------------- numbers and colours

// Four significant digits, scientific below 1e-3 and from 1e5 up, a real minus sign: as in Python, half to even.
function format(x) {
  if (Number.isNaN(x)) return "NaN";
  if (!Number.isFinite(x)) return x > 0 ? "∞" : "−∞";
  if (Number.isInteger(x) && Math.abs(x) < 1e5) return String(x).replace("-", "−");
  let [digits, exponent] = x.toExponential(3).split("e");
  const exact = x.toExponential(40).split("e")[0].replace("-", "");
  if (/^\d\.\d{3}50*$/.test(exact) && Number(exact[4]) % 2 === 0) digits = (x < 0 ? "-" : "") + exact.slice(0, 5);
  const n = Number(exponent);
  const rounded = Number(`${digits}e${exponent}`);
  const trim = (s) => (s.includes(".") ? s.replace(/\.?0+$/, "") : s);
  const text = n >= -3 && n < 5 ? trim(rounded.toFixed(Math.max(3 - n, 0))) : `${trim(digits)}e${n}`;
  return text.replaceAll("-", "−");
}

// The scale of theme.py: thin and pale where little is left, vermillion above 1.
function scaleOf(products) {
  const logs = products.filter((p) => p && Number.isFinite(p)).map((p) => Math.log10(Math.abs(p)));
  const low = Math.min(-3, ...logs), high = Math.max(0, ...logs);
  const size = (p) => {
    if (!p || !Number.isFinite(p)) return p ? 2 : 0;
    const log = Math.log10(Math.abs(p));
    return log <= 0 ? 1 - log / low : 1 + log / high;
  };
  return {
    line(p) {
      const s = size(p);
      if (s > 1) return ["hot", 4.5 + 1.3 * (s - 1)];
      const k = [0.02, 0.34, 0.67, 0.84, 1].findIndex((top) => s <= top + 1e-9);
      return [`r${k < 0 ? 4 : k}`, 1.2 + 3.2 * s];
    },
    bar(p, length) {
      if (!p || !Number.isFinite(p)) return p ? length : 0;
      return Math.max(4, Math.round((length * (Math.log10(Math.abs(p)) - low)) / (high - low)));
    },
  };
}

// --------------------------------------------------------------------------------------------------------- the state

const forwards = cards.flatMap((_, i) => (into[i].length ? [i] : []));
const backwards = forwards.filter((i) => into[i].some((k) => wires[k].flow !== null)).reverse();
const end = forwards.length + backwards.length;
const root = cards.findIndex((c) => c.root);
const state = { step: end, by: data.opening, path: 0, chosen: null, looked: null };

const hasValue = (i) => !into[i].length || forwards.indexOf(i) < state.step;
const passed = (i) => backwards.includes(i) && backwards.indexOf(i) < state.step - forwards.length;
const live = (i) => out[i].filter((k) => wires[k].flow !== null);
const current = () => {
  const { step } = state;
  if (step === 0 || step === end) return null;
  return step <= forwards.length ? forwards[step - 1] : backwards[step - forwards.length - 1];
};

// What is known of a gradient at this step: [number or null, whether it is all of it].
function gradientNow(i) {
  if (state.step === end) return [grad(i), true];
  if (i === root) return state.step > forwards.length ? [grad(i), true] : [null, false];
  const done = live(i).filter((k) => passed(wires[k].to));
  const whole = done.length > 0 && done.length === live(i).length;
  return whole ? [grad(i), true] : [done.length ? done.reduce((sum, k) => sum + flow(k), 0) : null, false];
}

const pathsOf = (by) => (by === null || !data.chains[by] ? [] : data.chains[by].paths);
const chosenPath = () => pathsOf(state.by)[state.path] ?? null;

// The terms of a path from the root backwards: [text, value, product of all up to here].
function products(path) {
  let product = 1;
  return path.terms.map((t) => data.terms[t]).reverse().map(([text, edges, fixedValue, fixedProduct]) => {
    if (fixedValue !== undefined) return [text, Number(fixedValue), Number(fixedProduct)];
    const term = edges.reduce((p, k) => p * local(k), 1);
    product *= term;
    return [text, term, product];
  });
}

// ---------------------------------------------------------------------------------------------------- what is drawn

const make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, x] of Object.entries(attributes)) element.setAttribute(name, x);
  element.append(...children);
  return element;
};
const SVG = "http://www.w3.org/2000/svg";
const groups = cards.map((_, i) => byId(`n${i}`));
const values = groups.map((g) => [...g.querySelectorAll(".v")]);
const lines = wires.map((_, k) => {
  const lane = byId(`e${k}`), label = byId(`l${k}`);
  return { lane, label, back: lane.querySelector(".bw"), second: label?.querySelector(".w") };
});

function setText(element, text) {
  element.textContent = text;
  if (text.length > 9) { // −1.234e−10 is longer than there is room for
    element.setAttribute("textLength", "66.9");
    element.setAttribute("lengthAdjust", "spacingAndGlyphs");
  } else element.removeAttribute("textLength");
}

function drawCard(i) {
  const card = cards[i], [g, whole] = gradientNow(i);
  card.rows.forEach(([, slot, backward, text], r) => {
    const element = values[i][r];
    element.classList.toggle("part", backward && !whole && g !== null);
    if (!backward && !hasValue(i)) element.textContent = "·";
    else if (backward && g === null && !(whole && slot < 0)) element.textContent = state.step === end ? text : "·";
    else if (slot < 0) element.textContent = text;
    else setText(element, format(backward ? g : slots[slot]));
  });
  const group = groups[i];
  group.classList.toggle("now", current() === i);
  group.classList.toggle("mark", state.by === i);
  group.classList.toggle("chosen", state.chosen === i);
  group.setAttribute("aria-pressed", String(state.chosen === i));
  const told = card.rows.map(([label], r) => `${label} ${values[i][r].textContent}`).join(", ");
  group.setAttribute("aria-label", `${card.name} ${card.note}, ${told}`);
}

function drawWires(scale) {
  const path = chosenPath();
  const marked = path && new Set(path.terms.flatMap((t) => data.terms[t][1]));
  lines.forEach(({ lane, label, back, second }, k) => {
    const carried = flow(k);
    const [colour, width] = carried && (!marked || marked.has(k)) ? scale.line(carried) : ["off", 1];
    const todo = wires[k].flow !== null && !passed(wires[k].to);
    lane.setAttribute("class", `e ${colour}${todo ? " todo" : ""}`);
    label?.setAttribute("class", `l ${colour}${todo ? " todo" : ""}`);
    back?.setAttribute("stroke-width", width.toFixed(2));
    if (second && wires[k].local >= 0) second.textContent = `= ${format(local(k))}`;
  });
}

function drawHeading() {
  const chain = data.chains[state.by];
  byId("formula").textContent = chain
    ? chain.paths.length === 1 && !chain.others ? `${chain.name} = ${chain.paths[0].text}` : chain.name + chain.tail
    : data.heading;
}

function drawProduct(scale) {
  const chain = data.chains[state.by], path = chosenPath();
  byId("product").hidden = !Object.keys(data.chains).length;
  byId("table").hidden = !path?.terms.length;
  if (!chain) {
    byId("sum").textContent = "";
    return;
  }
  const total = grad(state.by);
  let sum = total === null ? chain.sum : `${chain.name} = ${format(total)}`;
  if (total !== null && (chain.paths.length > 1 || chain.others)) {
    const each = chain.paths.map((p) => products(p).at(-1)[2]);
    const rest = total - each.reduce((a, b) => a + b, 0);
    const sums = each.map(format);
    if (chain.others) sums.push(`${format(rest)} (the others)`);
    sum += `, the sum over ${chain.counted} paths: ${sums.join(" + ").replaceAll("+ −", "− ")}`;
  }
  byId("sum").textContent = [sum, ...(chain.cuts ?? [])].join("; ");
  const rows = path ? products(path) : [];
  byId("terms").replaceChildren(...rows.map(([text, term, product]) => {
    const bar = document.createElementNS(SVG, "svg");
    bar.setAttribute("viewBox", "0 0 130 11");
    bar.setAttribute("preserveAspectRatio", "none");
    bar.setAttribute("aria-hidden", "true");
    const rect = document.createElementNS(SVG, "rect");
    rect.setAttribute("class", scale.line(product)[0]);
    rect.setAttribute("width", String(scale.bar(product, 130)));
    rect.setAttribute("height", "11");
    rect.setAttribute("rx", "2");
    bar.append(rect);
    const cells = [text, format(term), format(product)].map((s) => make("td", {}, s));
    return make("tr", {}, ...cells, make("td", {}, bar));
  }));
}

function drawDetails() {
  const i = state.looked ?? state.chosen;
  byId("details").hidden = i === null;
  if (i === null) return;
  const card = cards[i], rows = [], [g, whole] = gradientNow(i);
  const name = partial(data.root, card.name);
  if (card.value >= 0) rows.push(["value", hasValue(i) ? format(value(i)) : "not computed yet"]);
  if (card.grad >= 0) rows.push([`gradient ${name}`, g === null ? "not computed yet" : format(g) + (whole ? "" : ", so far")]);
  else if (card.value >= 0) rows.push([`gradient ${name}`, "—"]);
  rows.push(...card.told);
  for (const k of into[i]) {
    const w = wires[k], source = cards[w.from].name;
    if (w.flow === null) rows.push([`from ${source}`, w.words ? `no gradient passes ${w.words}` : "a constant"]);
    else if (w.local >= 0) {
      const symbol = w.symbol === "1" || w.symbol.startsWith("∂") ? "" : ` = ${w.symbol}`;
      rows.push([`local ${partial(card.name, source)}${symbol}`, format(local(k))]);
    } else rows.push([`to ${source}: ${w.words}`, w.second]);
  }
  for (const k of live(i)) {
    const w = wires[k], target = cards[w.to].name;
    if (!passed(w.to)) continue;
    if (w.local >= 0 && cards[w.to].grad >= 0) {
      rows.push([`from ${target}: grad × local`, `${format(grad(w.to))} × ${format(local(k))} = ${format(flow(k))}`]);
    } else rows.push([`from ${target}: ${w.words}`, w.second]);
  }
  byId("details-title").textContent = `${card.name} ${card.note}`;
  byId("facts").replaceChildren(...rows.map(([label, text]) => make("tr", {}, make("th", { scope: "row" }, label), make("td", {}, text))));
}

function drawStatus() {
  const { step } = state, i = current();
  let text = "";
  if (!end) text = "nothing was computed here";
  else if (step === 0) text = "start: only the variables are known";
  else if (step === end) text = "end: both passes are done";
  else if (step <= forwards.length) {
    const result = value(i) === null ? "" : ` = ${format(value(i))}`;
    text = `forward ${step}/${forwards.length}: ${cards[i].name} ${cards[i].note}${result}`;
  } else {
    const given = [...new Set(into[i].filter((k) => wires[k].flow !== null).map((k) => wires[k].from))].map((j) => {
      const [g, whole] = gradientNow(j);
      return partial(data.root, cards[j].name) + (g === null ? "" : ` = ${format(g)}${whole ? "" : " so far"}`);
    });
    const more = given.length > 3 ? `, and ${given.length - 3} more` : "";
    text = `backward ${step - forwards.length}/${backwards.length}, from ${cards[i].name}: ${given.slice(0, 3).join(", ")}${more}`;
  }
  if (byId("status").textContent !== text) byId("status").textContent = text;
  for (const id of ["first", "back"]) byId(id).disabled = step === 0;
  for (const id of ["step", "last"]) byId(id).disabled = step === end;
}

function drawTable() {
  [...byId("cards").rows].forEach((row, i) => {
    [value(i), grad(i)].forEach((x, c) => {
      if (x === null) return;
      const cell = row.cells[2 + c].firstElementChild;
      cell.setAttribute("value", String(x)); // in full
      cell.textContent = format(x);
    });
  });
}

function draw() {
  const path = chosenPath();
  const scale = scaleOf([...wires.map((_, k) => flow(k)), ...(path ? products(path).map((p) => p[2]) : [])]);
  cards.forEach((_, i) => drawCard(i));
  drawWires(scale);
  drawHeading();
  drawProduct(scale);
  drawDetails();
  drawStatus();
  drawTable();
}

// ------------------------------------------------------------------------------------------------ steps and choices

function go(step) {
  state.step = Math.max(0, Math.min(end, step));
  const i = current();
  if (i !== null) state.chosen = i;
  draw();
  if (i !== null) reveal(i);
}

// Scroll the picture sideways, never the page.
function reveal(i) {
  const frame = byId("picture"), box = groups[i].getBoundingClientRect(), seen = frame.getBoundingClientRect();
  if (box.left < seen.left + 20 || box.right > seen.right - 20) {
    frame.scrollLeft += (box.left + box.right - seen.left - seen.right) / 2;
  }
}

function choose(i) {
  state.chosen = i;
  if (data.chains[i]) follow(i);
  else draw();
}

function follow(by) {
  state.by = by;
  state.path = 0;
  listPaths();
  draw();
}

function listPaths() {
  const choices = byId("choices");
  const by = make("select", { id: "by" }, make("option", { value: "" }, "no path"));
  Object.entries(data.chains).forEach(([i, chain]) => by.append(make("option", { value: i }, chain.name)));
  by.value = state.by === null ? "" : String(state.by);
  by.addEventListener("change", () => { follow(by.value === "" ? null : Number(by.value)); byId("by").focus(); });
  choices.replaceChildren(make("label", {}, "of", by));
  const paths = pathsOf(state.by);
  if (paths.length > 1) {
    const which = make("select", { id: "path" }, ...paths.map((p, k) => make("option", { value: k }, `${k + 1}: ${p.text}`)));
    which.addEventListener("change", () => { state.path = Number(which.value); draw(); });
    choices.append(make("label", {}, "path", which));
  }
}

// Only one card is a tab stop; up and down go from card to card.
let stop = 0;
function tabStop(i) {
  groups[stop].setAttribute("tabindex", "-1");
  stop = i;
  groups[stop].setAttribute("tabindex", "0");
}

function onKey(event) {
  if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest("input, select, summary")) return;
  const inside = event.target.closest(".n");
  const moves = { ArrowDown: stop + 1, ArrowUp: stop - 1, Home: 0, End: cards.length - 1 };
  if (event.key === "ArrowRight") go(state.step + 1);
  else if (event.key === "ArrowLeft") go(state.step - 1);
  else if (inside && event.key in moves) {
    tabStop(Math.max(0, Math.min(cards.length - 1, moves[event.key])));
    groups[stop].focus();
    reveal(stop);
  } else if (inside && (event.key === "Enter" || event.key === " ")) choose(groups.indexOf(inside));
  else return;
  event.preventDefault();
}

function startCards() {
  const board = byId("board");
  board.setAttribute("role", "group");
  groups.forEach((g, i) => {
    g.setAttribute("role", "button");
    g.setAttribute("tabindex", i ? "-1" : "0");
    g.addEventListener("click", () => { tabStop(i); choose(i); });
    g.addEventListener("focus", () => { tabStop(i); state.looked = i; drawDetails(); });
    g.addEventListener("blur", () => { state.looked = null; drawDetails(); });
    g.addEventListener("pointerenter", (event) => { if (event.pointerType === "mouse") { state.looked = i; drawDetails(); } });
    g.addEventListener("pointerleave", () => { state.looked = null; drawDetails(); });
  });
}

// ------------------------------------------------------------------------------------------------ variables to move

const sliders = [];

function startSliders() {
  byId("parameters").hidden = false;
  if (data.why) {
    byId("sliders").replaceChildren(make("p", {}, `No sliders here: ${data.why}.`));
    return;
  }
  data.leaves.forEach(([i, slot], k) => {
    const name = cards[i].name;
    const range = make("input", { type: "range", id: `range${k}`, step: "any" });
    const exact = make("input", { type: "number", id: `exact${k}`, step: "any", "aria-label": `${name}, as a number` });
    const label = make("label", { for: `range${k}`, title: name }, name);
    range.addEventListener("input", () => move([[k, range.valueAsNumber]]));
    exact.addEventListener("change", () => { if (exact.value !== "") move([[k, exact.valueAsNumber]]); else showSlider(k); });
    byId("sliders").append(label, range, exact);
    sliders.push({ slot, range, exact, recorded: slots[slot] });
    showSlider(k);
  });
  startPresets();
}

// A slider reaches from −5 to 5, and farther where its variable is.
function showSlider(k) {
  const { slot, range, exact } = sliders[k], x = slots[slot];
  if (!(Number(range.max) >= Math.abs(x)) || !range.min) {
    let reach = 5;
    while (reach < Math.abs(x)) reach *= 2;
    range.min = String(-reach);
    range.max = String(reach);
  }
  range.value = String(x);
  range.setAttribute("aria-valuetext", format(x));
  if (document.activeElement !== exact || exact.valueAsNumber !== x) exact.value = String(Number(x.toPrecision(6)) === x ? x : Number(x.toPrecision(5)));
}

function move(changes) {
  for (const [k, x] of changes) slots[sliders[k].slot] = x;
  compute();
  for (const [k] of changes) showSlider(k);
  draw();
}

// Two numbers from N(0,1), by Box and Muller's method; one is used.
const normal = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());

// Every weight w, and every bias such that its neuron's z is 0: neuron by neuron, since each changes the next.
function centre(w) {
  for (const [z, bias, weights] of data.neurons) {
    for (const k of weights) slots[sliders[k].slot] = w;
    for (let again = 0; again < 2; again++) {
      compute();
      slots[sliders[bias].slot] -= slots[z];
    }
  }
  move(sliders.map(({ slot }, k) => [k, slots[slot]]));
}

function startPresets() {
  const preset = (text, tip, action) => {
    const button = make("button", { type: "button", title: tip }, text);
    button.addEventListener("click", action);
    byId("presets").append(button);
  };
  preset("as recorded", "every variable as it was", () => move(sliders.map(({ recorded }, k) => [k, recorded])));
  preset(data.neurons.length ? "w, b ~ N(0,1)" : "draw from N(0,1)", "at random, anew at each click; an input stays", () => move(data.draw.map((k) => [k, normal()])));
  if (!data.neurons.length) return;
  preset(`best case for ${data.slope} (z=0)`, `weights 1, and biases such that every z is 0, where ${data.slope} is largest`, () => centre(1));
  preset("large w, z≈0: explode", `weights 100, and biases such that every z is 0: every factor w${data.slope} is far above 1`, () => centre(100));
}

// ------------------------------------------------------------------------------------------------------------- start

function startBar() {
  byId("still").hidden = true;
  byId("bar").hidden = byId("theme").hidden = false;
  byId("first").addEventListener("click", () => go(0));
  byId("back").addEventListener("click", () => go(state.step - 1));
  byId("step").addEventListener("click", () => go(state.step + 1));
  byId("last").addEventListener("click", () => go(end));
  byId("theme").addEventListener("click", () => {
    const { theme } = document.documentElement.dataset;
    const dark = theme === "auto" ? matchMedia("(prefers-color-scheme: dark)").matches : theme === "dark";
    document.documentElement.dataset.theme = dark ? "light" : "dark";
  });
  document.addEventListener("keydown", onKey);
}

compute();
state.chosen = state.by ?? (cards.length ? root : null);
startBar();
startCards();
startSliders();
if (Object.keys(data.chains).length) listPaths();
draw();
})();
