// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The p11prof authors
// The charts: percentile curves, histograms, timelines, what threads and sizes change.

// ---- latencies of a group ----

function curvePoints(group) {
  return group.curve.map(([beyond, ns, supported]) => ({x: 1 / beyond, y: Math.max(ns, 1), supported}));
}

function curveSet(group, label, index, chosen) {
  const data = curvePoints(group);
  return lineSet(label, data, index, {pointRadius: 0, borderWidth: chosen ? 3 : 1.25, borderDash: [],
    order: chosen ? 0 : 1, segment: {borderDash: (context) =>
      data[context.p1DataIndex].supported ? undefined : [3, 4]}});
}

function curveConfig(curves) {
  const most = Math.max(...curves.map((curve) => curve.group.curve[curve.group.curve.length - 1])
    .map((point) => 1 / point[0]), 10);
  return {type: "line",
    data: {datasets: curves.map((curve, index) =>
      curveSet(curve.group, curve.label, index, index === 0))},
    options: chartOptions({
      x: axis("percentile", {type: "logarithmic", min: 1, max: most,
        afterBuildTicks: (scale) => { scale.ticks = percentTicks(most); },
        ticks: {autoSkip: false, callback(value) { return percentLabel(value, this.chart.width, most); }}}),
      y: logAxis("", formatRound),
    }, (item) => item.dataset.label + ": " + (item.raw.supported ? "" : "~") + formatNs(item.raw.y),
    (items) => (items.length ? "up to " + percentText(items[0].raw.x) : "")),
  };
}

function makeCurve(curves) {
  const group = curves[0].group;
  return makeFigure({
    title: "Percentiles: " + curves[0].label,
    alternative: "Half take " + formatNs(group.p50_ns) + " or less, 99 % " + formatNs(group.p99_ns) +
      ", the longest " + formatNs(group.max_ns) + ".",
    config: () => curveConfig(curves),
    headings: ["percentile", "duration", "ns"],
    rows: () => group.curve.map(([beyond, ns, supported]) =>
      [percentText(1 / beyond), (supported ? "" : "~") + formatNs(ns), String(ns)]),
  });
}

const MARKS = [["p50", "p50_ns"], ["p90", "p90_ns"], ["p99", "p99_ns"], ["max", "max_ns"]];

// Lines at percentiles.
function marksPlugin(group) {
  return {id: "marks", afterDatasetsDraw(chart) {
    const {ctx, chartArea, scales} = chart;
    ctx.save();
    ctx.font = "11px system-ui, sans-serif";
    let free = -Infinity;
    for (const [name, column] of MARKS) {
      const x = scales.x.getPixelForValue(Math.max(group[column], 1));
      ctx.strokeStyle = ctx.fillStyle = colour("ink");
      ctx.setLineDash([2, 3]);
      ctx.beginPath();
      ctx.moveTo(x, chartArea.top);
      ctx.lineTo(x, chartArea.bottom);
      ctx.stroke();
      ctx.textAlign = x > chartArea.right - 16 ? "right" : "center";
      if (x >= free) ctx.fillText(name, x, chartArea.top - 5);
      if (x >= free) free = x + 32;
    }
    ctx.restore();
  }};
}

function binText(group, index) {
  return formatRound(group.edges[index]) + " \u2013 " + formatRound(group.edges[index + 1]);
}

// A scale of logarithms has no 0.
const NO_COUNT = 0.5;
const HEIGHT = "count, as if bins were of one width";

// Edges are round numbers, so bins are not of one width: areas, not heights, are to be compared.
function histogramHeights(group) {
  const edges = group.edges.map((edge) => Math.log(Math.max(edge, 1)));
  const mean = (edges[edges.length - 1] - edges[0]) / group.counts.length;
  return group.counts.map((count, index) => {
    const width = edges[index + 1] - edges[index];
    return width > 0 ? count * mean / width : count;
  });
}

function histogramPoints(group, ofLogs) {
  const bottom = ofLogs ? NO_COUNT : 0;
  const start = Math.max(group.edges[0], 1);
  return [{x: start, y: bottom}, ...histogramHeights(group).map((height, index) =>
    ({x: Math.max(group.edges[index], 1), y: Math.max(height, bottom), bin: index})),
  {x: Math.max(group.edges[group.counts.length], start + 1), y: bottom}];
}

function histogramLabel(group, bin) {
  if (bin === undefined) return "";
  const all = group.counts.reduce((sum, count) => sum + count, 0);
  return binText(group, bin) + ": " + formatCount(group.counts[bin]) + " (" +
    formatShare(group.counts[bin] / all) + ")";
}

function histogramConfig(group, ofLogs) {
  const data = histogramPoints(group, ofLogs);
  const options = chartOptions({
    x: logAxis("", formatRound, {min: data[0].x, max: data[data.length - 1].x}),
    y: ofLogs ? logAxis(HEIGHT, formatCount, {min: NO_COUNT}) : zeroAxis(HEIGHT, formatCount),
  }, (item) => histogramLabel(group, item.raw.bin), () => "");
  options.layout = {padding: {top: 16}};
  options.plugins.legend.display = false;
  return {type: "line", data: {datasets: [{label: "count", data, stepped: true, fill: "start",
    borderColor: colour("series-0"), backgroundColor: colour("bar"), borderWidth: 1.5,
    pointRadius: 0, pointHitRadius: 12}]}, options, plugins: [marksPlugin(group)]};
}

function makeHistogram(group, label, ofLogs) {
  const most = group.counts.indexOf(Math.max(...group.counts));
  return makeFigure({
    title: "Histogram: " + label,
    alternative: "Most durations are from " + binText(group, most) + ": " + group.counts[most] + ".",
    config: () => histogramConfig(group, ofLogs),
    headings: ["from \u2013 below", "count"],
    rows: () => group.counts.map((count, index) => [binText(group, index), formatCount(count)]),
  });
}

// ---- time ----

// Rows of a table of the data as objects.
function objectsOf(table) {
  return table.rows.map((row) => objectOf(table.columns, row));
}

function pointsOf(steps, column, least) {
  return steps.map((step) => ({x: step.start_ns + step.duration_ns / 2,
    y: step[column] === null ? NaN : Math.max(step[column], least)}));
}

function timeAxis(steps) {
  const last = steps[steps.length - 1];
  return axis("since the run's start", {type: "linear", min: steps[0].start_ns,
    max: last.start_ns + last.duration_ns,
    afterBuildTicks: (scale) => { scale.ticks = timeTicks(scale.min, scale.max); },
    ticks: {autoSkip: true, callback: (value) => formatTick(value)}});
}

function stepTitle(steps) {
  return (items) => (items.length ? "from " + formatMoment(steps[items[0].dataIndex].start_ns) : "");
}

function latencyConfig(steps) {
  const sets = [["p50", "p50_ns"], ["p99", "p99_ns"], ["max", "max_ns"]].map(([label, column], index) =>
    lineSet(label, pointsOf(steps, column, 1), index, {borderWidth: index === 2 ? 1 : 2}));
  return {type: "line", data: {datasets: sets}, options: Object.assign(chartOptions(
    {x: timeAxis(steps), y: logAxis("", formatRound)},
    (item) => item.dataset.label + ": " + formatNs(item.raw.y), stepTitle(steps)),
  {interaction: {mode: "index", intersect: false}})};
}

function rateConfig(steps) {
  const failed = steps.some((step) => step.error_count > 0);
  const sets = [lineSet("calls/s", pointsOf(steps, "ops_per_s", 0), 0, {fill: "origin",
    backgroundColor: colour("bar"), yAxisID: "y"})];
  const scales = {x: timeAxis(steps), y: zeroAxis("calls/s", formatRate)};
  if (failed) {
    sets.push(lineSet("errors", pointsOf(steps, "error_count", 0), 4, {borderDash: [], stepped: "middle",
      yAxisID: "errors", borderWidth: 1.5}));
    scales.errors = zeroAxis("errors", formatCount, {position: "right", grid: {drawOnChartArea: false},
      ticks: {precision: 0, maxTicksLimit: 5}});
  }
  return {type: "line", data: {datasets: sets}, options: Object.assign(chartOptions(scales,
    (item) => item.dataset.label + ": " + formatRate(item.raw.y), stepTitle(steps)),
  {interaction: {mode: "index", intersect: false}})};
}

function makeTimelineFigure(steps, title, alternative, config, columns) {
  return makeFigure({title, alternative, config, headings: ["start", ...columns.map((column) => column[1])],
    rows: () => steps.map((step) => [formatMoment(step.start_ns),
      ...columns.map(([name, , unit]) => showValue(unit, step[name]))])});
}

// suffix: of titles. Logs of other tools have no durations.
function makeTimeline(timeline, suffix) {
  const steps = objectsOf(timeline);
  const sum = (column) => steps.reduce((total, step) => total + step[column], 0);
  const figures = [makeTimelineFigure(steps, "Calls and errors over time" + suffix,
    formatCount(sum("count")) + " calls, " + formatCount(sum("error_count")) + " errors.",
    () => rateConfig(steps), [["count", "calls", "count"], ["error_count", "errors", "count"],
      ["ops_per_s", "calls/s", "rate"], ["in_flight", "in flight", "rate"]])];
  if (steps.some((step) => step.p50_ns !== null)) {
    figures.unshift(makeTimelineFigure(steps, "Latency over time, in steps of " +
      formatRound(steps[0].duration_ns) + suffix, "p50, p99 and the longest of " + steps.length +
      " steps.", () => latencyConfig(steps), [["p50_ns", "p50", "ns"], ["p99_ns", "p99", "ns"],
      ["max_ns", "max", "ns"]]));
  }
  return figures;
}

// ---- what threads and sizes change ----

const LINES_MOST = 12;

// Lines of results that differ in x only: [{label, points: [result with x]}], those with two points.
function scalingLines(results, x, labelOf) {
  const lines = new Map();
  for (const result of results) {
    const at = x(result);
    if (at === null || result.ops_per_s === null) continue;
    const label = labelOf(result);
    if (!lines.has(label)) lines.set(label, {label, points: []});
    lines.get(label).points.push(Object.assign({at}, result));
  }
  for (const line of lines.values()) line.points.sort((a, b) => a.at - b.at);
  return [...lines.values()].filter((line) => new Set(line.points.map((point) => point.at)).size > 1);
}

function scalingConfig(lines, spec) {
  const sets = lines.map((line, index) => lineSet(line.label, line.points
    .map((point) => ({x: point.at, y: plainValue(point[spec.column])}))
    .filter((point) => point.y !== null && point.y > 0), index, {pointRadius: 3}));
  const values = flat(sets, (set) => set.data.map((point) => point.y));
  const wide = Math.max(...values) > 20 * Math.min(...values);
  const places = [...new Set(flat(lines, (line) => line.points.map((point) => point.at)))]
    .sort((a, b) => a - b);
  const ofBytes = spec.unit === "byte_rate" ? {afterBuildTicks: (scale) => {
    scale.ticks = binaryTicks(scale.min, scale.max);
  }} : {};
  return {type: "line", data: {datasets: sets}, options: chartOptions({
    x: axis(spec.xTitle, {type: "logarithmic", min: places[0], max: places[places.length - 1],
      afterBuildTicks: (scale) => { scale.ticks = places.map((value) => ({value})); },
      ticks: {autoSkip: true, callback: (value) => spec.xFormat(value)}}),
    y: wide ? logAxis("", spec.format, ofBytes) : zeroAxis("", spec.format),
  }, (item) => item.dataset.label + ": " + spec.format(item.raw.y),
  (items) => (items.length ? spec.xFormat(items[0].raw.x) + " " + spec.xTitle : ""))};
}

function makeScaling(lines, spec) {
  const shown = lines.slice(0, LINES_MOST);
  const rest = lines.length - shown.length;
  return makeFigure({title: spec.title + (rest > 0 ? " (" + rest + " more tests are in the table)" : ""),
    alternative: shown.map((line) => line.label).join(", ") + ".",
    config: () => scalingConfig(shown, spec), headings: ["test", spec.xTitle, spec.title],
    rows: () => flat(shown, (line) => line.points.map((point) =>
      [line.label, spec.xFormat(point.at), showValue(spec.unit, point[spec.column])]))});
}
