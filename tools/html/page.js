// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The p11prof authors
// The page: a run at a time, made of the data in the file.

const data = JSON.parse(document.getElementById("data").textContent);
const main = document.getElementById("main");

// Columns that tell the groups of each table's latencies apart.
const IDENTITY = {
  results: ["run_id", "load"],
  operations: ["operation", "mechanism", "key_type", "key_bits"],
  functions: ["function", "mechanism"],
};

const CURVES_BESIDE = 5;
const ENOUGH_TO_SHOW = 20;

function tableOf(section, id) {
  return section.tables.find((table) => table.id === id);
}

function joined(parts) {
  return parts.filter((part) => part !== null && part !== undefined && part !== "").join(" ");
}

function threadsText(result) {
  const processes = result.processes > 1 ? " \u00d7 " + result.processes + " processes" : "";
  return result.threads > 1 || processes ? "threads: " + result.threads + processes : null;
}

function sizeText(result) {
  return result.data_bytes === null ? null : formatBytes(result.data_bytes);
}

function mixText(result) {
  return result.mix > 0 ? "in a mix" : null;
}

function groupLabel(of, group) {
  if (of === "results") {
    return [group.test, sizeText(group), threadsText(group)].filter(Boolean).join(", ");
  }
  if (of === "operations") {
    return joined([group.operation, group.mechanism, group.key_type, group.key_bits]);
  }
  return joined([group.function, group.mechanism, group.kind === "call" ? null : "(" + group.kind + ")"]);
}

function keyOf(of, values) {
  return JSON.stringify([of, ...IDENTITY[of].map((name) => plainValue(values[name]))]);
}

// Groups that have latencies: [{of, key, label, group}].
function choicesOf(section) {
  return flat(section.distributions, ({of, groups}) => groups
    .filter((group) => group.curve.length > 0)
    .map((group) => ({of, group, label: groupLabel(of, group),
      key: of === "functions" && group.kind !== "call" ? JSON.stringify([of, group.function,
        group.mechanism, group.kind]) : keyOf(of, group)})));
}

// ---- head ----

function lostCount(section) {
  return objectsOf(tableOf(section, "runs")).reduce((sum, run) => sum + run.lost_count, 0);
}

function makeBanners(section) {
  const lost = lostCount(section);
  const banners = [];
  if (lost > 0) {
    banners.push(element("p", {class: "banner bad", role: "note"},
      element("strong", {}, formatCount(lost) + " calls were lost"),
      "They were counted, but have no duration or result: what stands below is of the others."));
  }
  const problems = notesOf(section, "Errors and wrong results");
  if (problems.length) {
    banners.push(element("div", {class: "banner bad", role: "note"},
      element("strong", {}, "Errors and wrong results"), makeNotes(problems)));
  }
  for (const note of notesOf(section, "").filter((text) => !text.startsWith("~"))) {
    banners.push(element("p", {class: "banner note", role: "note"}, note));
  }
  return banners;
}

function makeFacts(section) {
  return element("section", {id: "facts"}, element("dl", {class: "facts"},
    ...section.facts.map(([name, text]) =>
      element("div", {}, element("dt", {}, name), element("dd", {}, text)))));
}

// ---- sentences ----

function notesOf(section, heading) {
  return section.notes.filter((note) => note[0] === heading).map((note) => note[1]);
}

function makeNotes(notes) {
  return element("ul", {class: "notes"}, ...notes.map((note) => element("li", {}, note)));
}

// Those of sections that are no table here: threads, sizes, mixes.
function makeOtherNotes(section) {
  const taken = ["", "Errors and wrong results", ...section.tables.map((table) => table.title)];
  const headings = [...new Set(section.notes.map((note) => note[0]))]
    .filter((heading) => !taken.includes(heading) && !heading.startsWith("Skipped tests"));
  if (headings.length === 0) return null;
  return element("section", {id: "notes"}, element("h2", {}, "Notes"),
    element("div", {class: "sentences"}, ...headings.map((heading) => element("p", {},
      element("strong", {}, heading), element("br"), notesOf(section, heading).join("; ")))),
    leftOut(section.notes_left_out, "line"));
}

// ---- latencies ----

function modesText(group) {
  if (group.modes.length < 2) return null;
  return group.modes.length + " modes: " + group.modes.map((mode) =>
    formatNs(mode.peak_ns) + " (" + formatShare(mode.share) + ")").join(", ");
}

function outliersText(group) {
  const {count, beyond_ns: beyond, share} = group.outliers;
  return count > 0 ? "outliers, longer than " + formatNs(beyond) + ": " + formatCount(count) + " (" +
    formatShare(share) + ")" : null;
}

function slowestText(group) {
  const worst = group.outliers.worst || [];
  return worst.length ? "slowest: " + worst.map((one) => formatNs(one.duration_ns) + " at " +
    formatMoment(one.start_ns) + " (pid " + one.pid + ", thread " + one.thread_id + ")").join("; ") : null;
}

function aboutGroup({of, group}) {
  const what = of === "functions" ? "calls" : "operations";
  return [formatCount(group.count) + " " + what + ", errors: " + formatCount(group.error_count),
    "percentiles: " + (group.percentiles === "exact" ? "exact" : "from histograms (within 0.5 %)"),
    modesText(group), outliersText(group), slowestText(group)].filter(Boolean);
}

function makeChooser(choices, choose) {
  const names = {results: "Results", operations: "Operations", functions: "Calls"};
  const select = element("select", {id: "group"}, ...Object.keys(names).map((of) => {
    const own = choices.filter((choice) => choice.of === of);
    return own.length ? element("optgroup", {label: names[of]}, ...own.map((choice) =>
      element("option", {value: choice.key}, choice.label))) : null;
  }).filter(Boolean));
  select.addEventListener("change", () => choose(select.value));
  return select;
}

function drawLatencies(state) {
  const chosen = state.choices.find((choice) => choice.key === state.key);
  const beside = state.choices.filter((choice) => choice.of === chosen.of && choice !== chosen)
    .slice(0, CURVES_BESIDE);
  state.select.value = state.key;
  state.charts.replaceChildren(makeCurve([chosen, ...beside]),
    makeHistogram(chosen.group, chosen.label, state.ofLogs.checked));
  state.about.replaceChildren(...aboutGroup(chosen).map((text) => element("li", {}, text)));
  drawCharts(false);
}

// state.choose(key) shows a group, and marks its row in the tables.
function makeLatencies(section) {
  const choices = choicesOf(section);
  const first = choices.find((choice) => choice.group.count >= ENOUGH_TO_SHOW) || choices[0];
  const state = {choices, key: first ? first.key : null, tables: [],
    ofLogs: element("input", {type: "checkbox", id: "logs"}),
    charts: element("div", {class: "charts"}), about: element("ul", {class: "notes quiet"})};
  state.choose = (key) => {
    state.key = key;
    drawLatencies(state);
    for (const table of state.tables) table.redraw();
  };
  state.select = makeChooser(choices, state.choose);
  state.ofLogs.addEventListener("change", () => drawLatencies(state));
  const left = section.distributions.reduce((sum, one) => sum + one.left_out, 0);
  state.section = choices.length ? element("section", {id: "latencies"},
    element("div", {class: "bar"}, element("h2", {}, "Latencies"),
      element("label", {}, state.ofLogs, "counts on a log scale"),
      element("label", {}, "of ", state.select)),
    state.charts, state.about, element("p", {class: "quiet"},
      "Dashed, or marked with ~: " + DOUBTFUL + "."), leftOut(left, "group")) : null;
  return state;
}

function makePicker(table, latencies) {
  const keys = new Set(latencies.choices.map((choice) => choice.key));
  const key = (row) => keyOf(table.id, objectOf(table.columns, row));
  return {
    known: (row) => keys.has(key(row)),
    chosen: (row) => latencies.key === key(row),
    choose: (row) => {
      latencies.choose(key(row));
      latencies.section.scrollIntoView({block: "nearest"});
      latencies.select.focus({preventScroll: true});
    },
  };
}

// ---- tables ----

function makeTables(section, ids, latencies) {
  const several = tableOf(section, "runs").rows.length > 1;
  return ids.map((id) => tableOf(section, id)).filter((table) => table.rows.length > 0).map((table) => {
    const made = makeTable(table, data.columns, {hidden: several ? [] : ["run_id"],
      notes: notesOf(section, table.title),
      pick: IDENTITY[table.id] ? makePicker(table, latencies) : null});
    if (IDENTITY[table.id]) latencies.tables.push(made);
    return made;
  });
}

// ---- scaling ----

function scalingFigures(section) {
  const results = objectsOf(tableOf(section, "results"));
  const several = tableOf(section, "runs").rows.length > 1;
  const run = (result) => (several ? "run " + result.run_id : null);
  const threads = scalingLines(results, (result) => result.threads * result.processes,
    (result) => [result.test, sizeText(result), mixText(result), run(result)].filter(Boolean).join(", "));
  const sizes = scalingLines(results, (result) => result.data_bytes || null,
    (result) => [result.test, threadsText(result), mixText(result), run(result)].filter(Boolean)
      .join(", "));
  const rates = scalingLines(results, (result) => result.rate || null,
    (result) => [result.test, sizeText(result), threadsText(result), mixText(result), run(result)]
      .filter(Boolean).join(", "));
  const byRate = {xTitle: "operations/s wanted", xFormat: formatRate};
  const byThreads = {xTitle: "threads", xFormat: String};
  const bySize = {xTitle: "bytes of data", xFormat: formatBytes};
  const rate = {column: "ops_per_s", unit: "rate", format: formatRate};
  const p99 = {column: "p99_ns", unit: "ns", format: formatNs};
  const bytes = {column: "bytes_per_s", unit: "byte_rate", format: FORMATS.byte_rate.show};
  const figure = (lines, ...specs) =>
    (lines.length ? [makeScaling(lines, Object.assign({}, ...specs))] : []);
  return [
    ...figure(threads, {title: "Operations/s by threads"}, byThreads, rate),
    ...figure(threads, {title: "p99 by threads"}, byThreads, p99),
    ...figure(rates, {title: "Operations/s by rate"}, byRate, rate),
    ...figure(rates, {title: "p99 by rate"}, byRate, p99),
    ...figure(sizes, {title: "Data/s by size"}, bySize, bytes),
    ...figure(sizes, {title: "p99 by size"}, bySize, p99),
  ];
}

function makeScalingSection(section) {
  const figures = scalingFigures(section);
  return figures.length ? element("section", {id: "scaling"}, element("h2", {}, "Threads, rates and sizes"),
    element("div", {class: "charts"}, ...figures)) : null;
}

// ---- time ----

function makeTimelines(section) {
  const timelines = section.timelines.filter((timeline) => timeline.rows.length > 0);
  const runs = tableOf(section, "runs").rows.length;
  if (timelines.length === 0) return null;
  const figures = flat(timelines, (timeline) =>
    makeTimeline(timeline, runs > 1 ? ", run " + timeline.run_id : ""));
  return element("section", {id: "time"}, element("h2", {}, "Over time"),
    element("div", {class: "charts"}, ...figures),
    timelines.some((timeline) => timeline.source === "windows") ? element("p", {class: "quiet"},
      "From windows of time: single calls are not kept.") : null,
    leftOut(runs - section.timelines.length, "run"));
}

// ---- all ----

function makeNav(parts) {
  return element("nav", {"aria-label": "Parts of the report"}, ...parts.map((part) =>
    element("a", {href: "#" + part.id}, part.querySelector("h2").textContent)));
}

function showSection(section) {
  const latencies = makeLatencies(section);
  const first = makeTables(section, ["ramp", "results", "functions"], latencies);
  const rest = makeTables(section, ["operations", "errors", "losses", "in_flight", "others",
    "startup", "threads", "skipped", "processes"], latencies);
  const parts = [...makeInsights(section, ["advice"]), ...first, makeScalingSection(section),
    latencies.section, makeTimelines(section), ...rest,
    ...makeInsights(section, ["concurrency", "latency", "history"]),
    makeOtherNotes(section)].filter(Boolean);
  document.title = section.title + " \u2013 p11prof";
  main.replaceChildren(element("h1", {}, section.title), ...makeBanners(section), makeFacts(section),
    ...(parts.length > 2 ? [makeNav(parts)] : []), ...parts);
  if (latencies.key) latencies.choose(latencies.key);
  drawCharts(false);
}

function makeRunChoice() {
  const select = document.getElementById("run");
  data.sections.forEach((section, index) =>
    select.append(element("option", {value: String(index)}, section.title)));
  select.addEventListener("change", () => showSection(data.sections[Number(select.value)]));
  document.getElementById("run-choice").hidden = data.sections.length < 2;
}

makeRunChoice();
showSection(data.sections[0]);
document.getElementById("foot").textContent = "Written by p11prof " + data.version +
  ". Times are in the module; hover over a value for what it exactly is.";
for (const query of ["(prefers-color-scheme: dark)", "print"]) {
  matchMedia(query).addEventListener("change", () => drawCharts(true));
}
