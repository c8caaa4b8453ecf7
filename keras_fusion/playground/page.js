"use strict";
// Names reach the page as text alone: nothing here writes HTML.
const at = id => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";
const MOST_CLASSES = 12;
let about, row = 0, off = new Set(), asked = 0;

function made(name, text, children = []) {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  element.append(...children);
  return element;
}

function drawn(name, attributes, children = []) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

async function get(path) {
  const answer = await fetch(path);
  const found = await answer.json();
  if (!answer.ok) throw new Error(found.error);
  return found;
}

// A value of a row, as playground/shown.py describes it.
const show = {
  text: value => made("span", value.text),
  picture: value => Object.assign(made("img"), {src: value.source, alt: "as the model takes it"}),
  sound: value => Object.assign(made("audio"), {src: value.source, controls: true}),
  numbers: value => strip(value.numbers),
};

function strip(numbers) {
  if (numbers.length < 5) return made("span", numbers.join(", "));
  const low = Math.min(0, ...numbers), high = Math.max(0, ...numbers), span = high - low || 1;
  const bars = numbers.map((n, i) => drawn("rect", {
    x: i + .1, width: .8, y: (high - Math.max(n, 0)) / span, height: Math.abs(n) / span}));
  const box = drawn("svg", {class: "strip", viewBox: `0 0 ${numbers.length} 1`,
    preserveAspectRatio: "none", role: "img",
    "aria-label": `${numbers.length} numbers from ${Math.min(...numbers)} to ${Math.max(...numbers)}`}, bars);
  return box;
}

function cell(value) { return value ? show[value.kind](value) : made("em", "missing"); }

function columns(seen) {
  if (seen.length === 1) return cell(seen[0].value);
  return made("dl", undefined, seen.flatMap(column => [
    made("dt", column.name), made("dd", undefined, [cell(column.value)])]));
}

// Bars between the two ends of a scale that holds zero; the rail is the whole scale.
function bars(place, entries, low = 0, high = 1) {
  const scale = x => 100 * (x - low) / (high - low);
  place.replaceChildren(...entries.map(({name, value, named}) => {
    const known = value ?? 0;
    const bar = drawn("rect", {y: 0, height: 10, x: scale(Math.min(known, 0)),
      width: scale(Math.max(known, 0)) - scale(Math.min(known, 0)),
      class: known < 0 ? "against" : "for"});
    const rail = drawn("svg", {class: "rail", viewBox: "0 0 100 10",
      preserveAspectRatio: "none", "aria-hidden": "true"}, [bar]);
    const text = value === null ? "–" : value.toFixed(3).replace("-", "−");
    const line = made("div", undefined, [made("span", name), rail, made("span", text)]);
    line.className = named ? "bar named" : "bar";
    line.firstChild.title = name;
    return line;
  }));
}

function likeliest(probabilities) {
  if (probabilities.length <= MOST_CLASSES) return probabilities;
  return [...probabilities].sort((a, b) => b.value - a.value).slice(0, MOST_CLASSES);
}

function named(values) {
  return values.map((value, m) => ({name: about.modalities[m], value}));
}

async function ask() {
  const mine = ++asked;
  at("contributions").ariaBusy = "true";
  const found = await get(`rows/${row}/answer?off=${[...off].join(",")}`);
  if (mine !== asked) return;  // a later question was asked meanwhile
  if (found.map) segmented(found);
  else if (found.probabilities) {
    for (const one of found.probabilities) one.named = one.name === found.named;
    bars(at("prediction"), likeliest(found.probabilities));
  }
  else {
    const number = made("span", found.number === null ? "–" : found.number.toPrecision(5));
    number.className = "number";
    at("prediction").replaceChildren(number);
  }
  at("uncertainty").textContent = found.uncertainty == null ? ""
    : `Uncertainty ${found.uncertainty.toFixed(2)}: 0 is certain, 1 is a guess` +
      (found.map ? ", the mean of all pixels." : ".");
  if (found.weights) bars(at("weights"), named(found.weights));
  else at("weights").textContent = "This model has none.";
  const part = await get(`rows/${row}/contributions?off=${[...off].join(",")}`);
  if (mine !== asked) return;
  if (part) contributions(part);
  else at("whole").textContent = "A map is many numbers, so it has no Shapley values.";
  at("contributions").ariaBusy = "false";
}

// The map of a segmentation, and which class has which color.
function segmented({map, colors}) {
  const picture = Object.assign(made("img"), {src: map, alt: "class of each pixel", className: "map"});
  const names = Object.entries(colors).map(([name, color]) => made("span", undefined, [
    drawn("svg", {class: "swatch", viewBox: "0 0 1 1", "aria-hidden": "true"},
      [drawn("rect", {width: 1, height: 1, fill: color})]), name]));
  const legend = names.length ? names : ["The brighter a pixel is, the likelier it is foreground."];
  at("prediction").replaceChildren(picture, made("p", undefined, legend));
  at("prediction").lastChild.className = "words legend";
}

// Shapley values: on one scale, zero is at the same place in every bar.
function contributions({of, values, base}) {
  if (base === null || values.includes(null)) {
    at("whole").textContent = "The answer of the model is no number.";
    return at("contributions").replaceChildren();
  }
  const whole = values.reduce((sum, x) => sum + x, base);
  const what = of === null ? "the number" : `the probability of ${of}`;
  at("whole").textContent = `Shapley values: from ${base.toFixed(3)} with no modality ` +
    `to ${whole.toFixed(3)}, ${what}. Zero is in the middle.`;
  const most = of === null ? Math.max(...values.map(Math.abs)) || 1 : 1;
  bars(at("contributions"), named(values), -most, most);
}

async function choose(number) {
  row = number;
  off = new Set();
  at("row").value = String(row);
  at("before").disabled = row === 0;
  at("after").disabled = row === about.rows.length - 1;
  const found = await get(`rows/${row}`);
  if (row !== number) return;
  at("modalities").replaceChildren(...about.modalities.map((name, m) => {
    const there = found.present[m];
    const box = Object.assign(made("input"), {type: "checkbox", checked: there, disabled: !there});
    const legend = made("legend", undefined, [made("label", undefined, [box, ` ${name}`])]);
    const field = made("fieldset", undefined,
      [legend, there ? columns(found.seen[m]) : made("em", "absent in this row")]);
    box.onchange = () => {
      if (box.checked) off.delete(m); else off.add(m);
      field.classList.toggle("off", !box.checked);
      guarded(ask)();
    };
    return field;
  }));
  await ask();
}

const guarded = action => async (...given) => {
  try { await action(...given); at("error").textContent = ""; }
  catch (error) { at("error").textContent = `The model gave no answer: ${error.message}`; }
};

guarded(async () => {
  about = await get("about");
  document.title = at("title").textContent = about.title;
  at("notes").textContent = about.notes.join(" ");
  at("row").append(...about.rows.map((name, i) =>
    Object.assign(made("option", name), {value: String(i)})));
  at("row").onchange = () => guarded(choose)(Number(at("row").value));
  at("before").onclick = () => guarded(choose)(row - 1);
  at("after").onclick = () => guarded(choose)(row + 1);
  await choose(0);
})();
