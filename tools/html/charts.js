// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The p11prof authors
// What all charts have in common: colours, axes, figures, and when they are drawn.

const SERIES = 6;
const POINTS_WITH_MARKS = 80;
const DASHES = [[], [6, 3], [2, 2], [8, 3, 2, 3], [10, 4], [1, 3]];

const drawn = []; // {canvas, config, chart}: all figures of the page; chart null: not drawn yet

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
}

function seriesColour(index) {
  return colour("series-" + index % SERIES);
}

// 1, 2, 5 times powers of ten, or only the powers where those are many.
function logTicks(min, max) {
  const decades = Math.log10(max / min);
  const steps = decades > 5 ? [1] : decades > 2.5 ? [1, 3] : decades > 0.7 ? [1, 2, 5]
    : [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9];
  const ticks = [];
  for (let power = Math.floor(Math.log10(min)); power <= Math.ceil(Math.log10(max)); power++) {
    for (const step of steps) {
      const value = step * 10 ** power;
      if (value >= min * 0.999 && value <= max * 1.001) ticks.push({value});
    }
  }
  return ticks;
}

const TIME_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400];

function timeStep(length) {
  const wanted = length / 1e9 / 8;
  const seconds = TIME_STEPS.find((step) => step >= wanted);
  if (wanted >= 0.5 && seconds) return seconds * 1e9;
  const power = 10 ** Math.floor(Math.log10(wanted));
  return 1e9 * power * [1, 2, 5, 10].find((step) => step * power >= wanted);
}

function timeTicks(min, max) {
  const step = timeStep(max - min);
  const ticks = [];
  for (let at = Math.ceil(min / step) * step; at <= max; at += step) ticks.push({value: at});
  return ticks;
}

// Percentiles on a scale of 1 / (share beyond).
function percentTicks(max) {
  const ticks = [{value: 1}, {value: 2}];
  for (let value = 10; value <= max * 1.001; value *= 10) ticks.push({value});
  return ticks;
}

function percentText(value) {
  const beyond = 1 / value;
  const digits = Math.max(0, Math.ceil(-Math.log10(beyond) - 2 - 1e-9));
  return (100 * (1 - beyond)).toFixed(digits) + " %";
}

// Labels that have room.
function percentLabel(value, width, max) {
  const crowded = width / Math.log10(max) < 110;
  if (value === 1) return "min";
  return (value === 2 && crowded) || (crowded && value > 1e4 && value < max / 10) ? "" : percentText(value);
}

// Powers of two, as sizes have them.
function binaryTicks(min, max) {
  const step = Math.max(1, Math.ceil(Math.log2(max / min) / 8));
  const ticks = [];
  for (let power = Math.ceil(Math.log2(min)); 2 ** power <= max; power += step) {
    ticks.push({value: 2 ** power});
  }
  return ticks;
}

function axis(title, extra) {
  return Object.assign({
    title: {display: Boolean(title), text: title, color: colour("quiet")},
    grid: {color: colour("line"), borderColor: colour("line"), tickColor: colour("line")},
  }, extra, {ticks: Object.assign({color: colour("quiet"), maxRotation: 0}, extra && extra.ticks)});
}

function logAxis(title, format, extra) {
  return axis(title, Object.assign({type: "logarithmic",
    afterBuildTicks: (scale) => { scale.ticks = logTicks(scale.min, scale.max); },
    ticks: {autoSkip: true, autoSkipPadding: 8, callback: (value) => format(value)}}, extra));
}

function zeroAxis(title, format, extra) {
  return axis(title, Object.assign({beginAtZero: true, ticks: {maxTicksLimit: 7,
    callback: (value) => format(value)}}, extra));
}

function chartOptions(scales, label, title) {
  return {
    animation: false, responsive: true, maintainAspectRatio: false, parsing: false, normalized: true,
    interaction: {mode: "nearest", axis: "x", intersect: false},
    plugins: {
      legend: {labels: {color: colour("ink"), usePointStyle: true, pointStyle: "line"}},
      tooltip: {callbacks: {label, title}},
    },
    scales,
  };
}

// A point without a neighbour is no line.
function isAlone(data, at) {
  const gap = (point) => !point || Number.isNaN(point.y);
  return gap(data[at - 1]) && gap(data[at + 1]);
}

function lineSet(label, data, index, extra) {
  const marks = data.length <= POINTS_WITH_MARKS;
  return Object.assign({label, data, borderColor: seriesColour(index),
    backgroundColor: seriesColour(index), borderWidth: 2,
    borderDash: DASHES[(index + Math.floor(index / SERIES)) % DASHES.length],
    pointRadius: (context) => (marks || isAlone(data, context.dataIndex) ? 2 : 0), pointHoverRadius: 4, pointHitRadius: 8}, extra);
}

// A figure whose chart is drawn anew when colours change. config() makes what Chart wants; what is
// in sight of assistive technology are `alternative` and the numbers.
function makeFigure({title, alternative, config, headings, rows}) {
  const canvas = element("canvas", {role: "img", "aria-label": title + ". " + alternative});
  const figure = element("figure", {}, element("figcaption", {}, title),
    element("div", {class: "canvas"}, canvas), headings ? makeNumbers(headings, rows) : null);
  drawn.push({canvas, config, chart: null});
  return figure;
}

// Charts of elements that have left the page go, others are drawn.
function drawCharts(again) {
  for (let i = drawn.length - 1; i >= 0; i--) {
    const one = drawn[i];
    const gone = !one.canvas.isConnected;
    if (one.chart && (again || gone)) {
      one.chart.destroy();
      one.chart = null;
    }
    if (gone) drawn.splice(i, 1);
    else if (!one.chart) one.chart = new Chart(one.canvas, one.config());
  }
}
