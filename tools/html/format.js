// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The p11prof authors
// Quantities as people read them, and elements of the page. Texts of others only ever become text.

// element("p", {class: "quiet"}, "text", element(…)): strings become text nodes.
function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value);
  }
  for (const child of children) {
    if (child !== null && child !== undefined) made.append(child);
  }
  return made;
}

// The arrays that a function makes of the elements, one after the other.
function flat(elements, make) {
  return [].concat(...elements.map(make));
}

// {name: value} of names and values that stand in the same places.
function objectOf(names, values) {
  const object = {};
  names.forEach((name, at) => { object[name] = values[at]; });
  return object;
}

// Three digits.
function threeDigits(value) {
  return value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0);
}

// scales: [unit, size, the next one from here on].
function scaled(value, scales) {
  const scale = scales.find((one) => value < one[2]);
  return threeDigits(value / scale[1]) + " " + scale[0];
}

const TIME_SCALES = [
  ["us", 1e3, 999.5e3], ["ms", 1e6, 999.5e6], ["s", 1e9, 59.95e9], ["m", 60e9, 3597e9],
  ["h", 3600e9, Infinity],
];
const BYTE_SCALES = [
  ["KB", 1024, 999.5 * 1024], ["MB", 1024 ** 2, 999.5 * 1024 ** 2],
  ["GB", 1024 ** 3, 999.5 * 1024 ** 3], ["TB", 1024 ** 4, Infinity],
];

function formatNs(ns) {
  return ns < 1000 ? Math.round(ns) + " ns" : scaled(ns, TIME_SCALES);
}

function formatBytes(bytes) {
  return bytes < 1024 ? Math.round(bytes) + " B" : scaled(bytes, BYTE_SCALES);
}

function formatCount(count) {
  return count.toLocaleString("en-US").replace(/,/g, "\u202f");
}

function formatRate(rate) {
  if (rate >= 99.95) return formatCount(Math.round(rate));
  return rate >= 0.995 ? threeDigits(rate) : String(Number(rate.toPrecision(3)));
}

function formatShare(share) {
  const percent = 100 * share;
  return percent > 0 && percent < 0.1 ? "<0.1 %" : percent.toFixed(1) + " %";
}

function formatMoment(ns) {
  return (ns / 1e9).toFixed(6) + " s";
}

// A round duration, as axes have them: "1.5 ms".
function formatRound(ns) {
  const scale = [["ns", 1], ["us", 1e3], ["ms", 1e6], ["s", 1e9]]
    .filter((one) => ns >= one[1]).pop() || ["ns", 1];
  return Number((ns / scale[1]).toPrecision(4)) + " " + scale[0];
}

// A time since the start: "1.5 s", "2:30 m", "1:05:00 h".
function formatTick(ns) {
  const seconds = Math.round(ns / 1e9);
  const two = (number) => String(number).padStart(2, "0");
  if (ns < 60e9) return ns === 0 ? "0" : formatRound(ns);
  if (ns < 3600e9) return Math.floor(seconds / 60) + ":" + two(seconds % 60) + " m";
  return Math.floor(seconds / 3600) + ":" + two(Math.floor(seconds / 60) % 60) + " h";
}

// By the unit of a column: how it is shown, and what it exactly is.
const FORMATS = {
  ns: {show: formatNs, exact: (value) => value + " ns"},
  moment: {show: formatMoment, exact: (value) => value + " ns"},
  bytes: {show: formatBytes, exact: (value) => value + " bytes"},
  byte_rate: {show: (value) => formatBytes(value) + "/s", exact: (value) => value + " bytes/s"},
  count: {show: formatCount, exact: (value) => String(value)},
  rate: {show: formatRate, exact: (value) => value + "/s"},
  share: {show: formatShare, exact: (value) => String(value)},
  id: {show: String, exact: () => null},
  text: {show: String, exact: () => null},
};

// A value of a table: in an array of its own it is doubtful.
function plainValue(value) {
  return Array.isArray(value) ? value[0] : value;
}

function showValue(unit, value) {
  const plain = plainValue(value);
  if (plain === null || plain === undefined) return "\u2013";
  return (Array.isArray(value) ? "~" : "") + FORMATS[unit].show(plain);
}
