// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The p11prof authors
// Advice, concurrency, latency taken apart, and the trend over earlier runs.

const CALLS_READ = "Advice, concurrency, latency and trend read calls once more. They are not looked for " +
  "unasked in more than 200 000: p11prof report --sections advice,concurrency,latency,history.";

// ---- charts ----

// Lines of values over the order of runs: one for each subject and metric.
function trendLines(table) {
  const rows = objectsOf(table);
  const order = [...new Set(rows.map((row) => row.run_id))];
  const lines = new Map();
  for (const row of rows) {
    const label = row.subject + " " + row.metric.replace(/_ns$/, "");
    if (!lines.has(label)) lines.set(label, {label, points: []});
    if (row.value_ns > 0) {
      lines.get(label).points.push({x: order.indexOf(row.run_id), y: row.value_ns, row});
    }
  }
  return {order, lines: [...lines.values()].filter((line) => line.points.length > 1)};
}

// Where a new level began.
function changesPlugin(order, changes) {
  const places = [...new Set(changes.map((change) => order.indexOf(change.run_id)))];
  return {id: "changes", afterDatasetsDraw(chart) {
    const {ctx, chartArea, scales} = chart;
    ctx.save();
    ctx.strokeStyle = colour("ink");
    ctx.setLineDash([2, 3]);
    for (const place of places) {
      const x = scales.x.getPixelForValue(place);
      ctx.beginPath();
      ctx.moveTo(x, chartArea.top);
      ctx.lineTo(x, chartArea.bottom);
      ctx.stroke();
    }
    ctx.restore();
  }};
}

function trendConfig({order, lines}, changes) {
  const title = (items) => {
    const row = items.length ? items[0].raw.row : null;
    return row ? joined(["run", row.run_id, row.name, row.started_at]) : "";
  };
  return {type: "line", data: {datasets: lines.map((line, index) =>
    lineSet(line.label, line.points, index, {pointRadius: 3}))},
  options: chartOptions({
    x: axis("runs, the oldest first", {type: "linear", min: 0, max: order.length - 1,
      ticks: {precision: 0, callback: (at) => (order[at] === undefined ? "" : order[at])}}),
    y: logAxis("", formatRound),
  }, (item) => item.dataset.label + ": " + formatNs(item.raw.y), title),
  plugins: [changesPlugin(order, changes)]};
}

function trendFigures(tables) {
  if (!tables.trend) return [];
  const trend = trendLines(tables.trend);
  const changes = tables.changes ? objectsOf(tables.changes) : [];
  if (trend.lines.length === 0) return [];
  return [makeFigure({title: "Over earlier runs",
    alternative: trend.order.length + " runs; new levels: " + changes.length + ".",
    config: () => trendConfig(trend, changes), headings: null, rows: null})];
}

// Mean and most calls in flight, by slices of time.
function flightConfig(steps) {
  const sets = [lineSet("mean", pointsOf(steps, "in_flight", 0), 0),
    lineSet("most", pointsOf(steps, "most_in_flight", 0), 1)];
  return {type: "line", data: {datasets: sets}, options: chartOptions(
    {x: timeAxis(steps), y: zeroAxis("calls in flight", formatRate)},
    (item) => item.dataset.label + ": " + formatRate(item.raw.y), stepTitle(steps))};
}

function flightFigures(tables) {
  if (!tables.over_time || tables.over_time.rows.length < 2) return [];
  const steps = objectsOf(tables.over_time).map((step) =>
    Object.assign({duration_ns: step.time_ns}, step));
  return [makeFigure({title: "Calls in flight over time",
    alternative: "At most " + Math.max(...steps.map((step) => step.most_in_flight)) + ".",
    config: () => flightConfig(steps), headings: null, rows: null})];
}

// Speed-up by calls in flight; what is served freely follows the diagonal.
function speedUpConfig(steps, most) {
  const processes = [...new Set(steps.map((step) => step.process_id))];
  const sets = processes.map((process, index) => lineSet(
    processes.length > 1 ? "process " + process : "speed-up",
    steps.filter((step) => step.process_id === process)
      .map((step) => ({x: step.in_flight, y: plainValue(step.speed_up)})), index, {pointRadius: 3}));
  sets.push(lineSet("served freely", [{x: 1, y: 1}, {x: most, y: most}], 5,
    {borderWidth: 1, pointRadius: 0}));
  return {type: "line", data: {datasets: sets}, options: chartOptions(
    {x: axis("calls in flight", {type: "linear", min: 1, ticks: {precision: 0}}),
      y: zeroAxis("times as many as one after another", formatRate)},
    (item) => item.dataset.label + ": " + formatRate(item.raw.y),
    (items) => (items.length ? items[0].raw.x + " in flight" : ""))};
}

function speedUpFigures(tables) {
  if (!tables.steps || tables.steps.rows.length < 2) return [];
  const steps = objectsOf(tables.steps);
  const most = Math.max(...steps.map((step) => step.in_flight));
  return [makeFigure({title: "Speed-up by calls in flight", alternative: "Up to " + most + " in flight.",
    config: () => speedUpConfig(steps, most), headings: null, rows: null})];
}

// ---- advice ----

function findingFact(name, text) {
  return text === null ? null : element("div", {}, element("dt", {}, name), element("dd", {}, text));
}

function nsText(value) {
  const plain = plainValue(value);
  return plain === null || plain < 0 ? null : formatNs(plain);
}

function makeFinding(finding) {
  const share = plainValue(finding.share);
  const cost = nsText(finding.cost_ns);
  return element("article", {class: "finding"},
    element("h3", {}, finding.title + (finding.subject ? ": " + finding.subject : "")),
    element("dl", {class: "facts"},
      findingFact("cost", cost && cost + (share > 0 ? ", " + formatShare(share) : "")),
      findingFact("could be saved", nsText(finding.saving_ns)),
      findingFact("called by", finding.caller || null)),
    element("p", {}, finding.evidence),
    finding.estimate ? element("p", {class: "quiet"}, finding.estimate) : null,
    finding.advice ? element("p", {}, element("strong", {}, "What to change: "), finding.advice) : null);
}

// ---- all ----

function insightTable(insight, table, several) {
  const shown = table.shown.split(" ");
  const hidden = table.columns.filter((name) => !shown.includes(name) ||
    (name === "run_id" && !several && insight.name !== "history"));
  const named = Object.assign({}, table,
    {id: insight.name + "-" + table.id, title: table.title || insight.title});
  return makeTable(named, data.columns, {hidden});
}

function makeInsight(insight, several) {
  const tables = {};
  for (const table of insight.tables) if (table.rows.length > 0) tables[table.id] = table;
  const figures = [...trendFigures(tables), ...flightFigures(tables), ...speedUpFigures(tables)];
  const findings = tables.findings ? objectsOf(tables.findings) : [];
  const made = Object.values(tables).filter((table) => table.id !== "findings")
    .map((table) => insightTable(insight, table, several));
  return element("section", {id: insight.name}, element("h2", {}, insight.title),
    insight.sentences.length ? makeNotes(insight.sentences) : null, ...findings.map(makeFinding),
    figures.length ? element("div", {class: "charts"}, ...figures) : null, ...made);
}

function makeInsights(section, names) {
  const several = tableOf(section, "runs").rows.length > 1;
  const made = section.insights.filter((insight) => names.includes(insight.name))
    .map((insight) => makeInsight(insight, several));
  if (section.uninspected_count > 0 && names.includes("concurrency")) {
    made.push(element("section", {id: "insights"}, element("h2", {}, "Insights"),
      element("p", {class: "quiet"}, CALLS_READ)));
  }
  return made;
}
