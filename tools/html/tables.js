// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The p11prof authors
// Tables that sort and filter.

const ROWS_SHOWN = 25;
const ROWS_FOR_FILTER = 4;
const DOUBTFUL = "fewer than 10 durations lie beyond this percentile";
const LONG_COLUMNS = ["meaning", "reason", "module_path", "differences", "rule", "also"];

// Columns that say nothing where all rows have that value.
const DULL = {wrong_count: 0, processes: 1, lost_count: 0};

// A table of the data with its columns: [{name, at, heading, unit, meaning}].
function columnsOf(table, about, hidden) {
  return table.columns.map((name, at) => Object.assign({name, at}, about[name])).filter((column) =>
    !hidden.includes(column.name) && table.rows.some((row) => {
      const value = plainValue(row[column.at]);
      return value !== null && value !== DULL[column.name];
    }));
}

function isNumber(column) {
  return column.unit !== "text";
}

// Unknown values come last, whatever the direction.
function compareRows(a, b, column, direction) {
  const first = plainValue(a[column.at]);
  const second = plainValue(b[column.at]);
  if (first === null || second === null) return (first === null) - (second === null);
  const order = isNumber(column) ? first - second : String(first).localeCompare(String(second));
  return direction === "ascending" ? order : -order;
}

function rowText(row, columns) {
  return columns.map((column) => showValue(column.unit, row[column.at])).join(" ").toLowerCase();
}

function filterRows(rows, columns, words) {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  return rows.filter((row) => {
    const text = wanted.length ? rowText(row, columns) : "";
    return wanted.every((word) => text.includes(word));
  });
}

function titleOf(column, value) {
  const plain = plainValue(value);
  if (plain === null) return null;
  return [FORMATS[column.unit].exact(plain), Array.isArray(value) ? DOUBTFUL : null]
    .filter(Boolean).join("; ") || null;
}

function makeCell(column, value) {
  const classes = [isNumber(column) ? "number" : "", plainValue(value) === null ? "unknown" : "",
    column.name === "share" ? "share" : "", LONG_COLUMNS.includes(column.name) ? "long" : "",
    /^(error|wrong|lost)_count$/.test(column.name) && plainValue(value) > 0 ? "bad-text" : ""];
  const cell = element("td", {class: classes.filter(Boolean).join(" ") || null,
    title: titleOf(column, value)}, showValue(column.unit, value));
  if (column.name === "share") {
    cell.style.setProperty("--part", 100 * Math.min(1, plainValue(value) || 0) + "%");
  }
  return cell;
}

// The first cell with a text picks the row, where that shows something.
function makePick(cell, pick, row) {
  const button = element("button", {type: "button", class: "pick",
    title: "Show its latencies below"}, cell.textContent);
  button.addEventListener("click", () => pick.choose(row));
  cell.replaceChildren(button);
}

function makeRow(state, row) {
  const made = element("tr", {});
  for (const column of state.columns) made.append(makeCell(column, row[column.at]));
  if (state.pick && state.pick.known(row)) {
    makePick(made.children[state.columns.findIndex((column) => !isNumber(column))], state.pick, row);
    made.classList.toggle("chosen", state.pick.chosen(row));
  }
  return made;
}

function drawRows(state) {
  const found = filterRows(state.rows, state.columns, state.words);
  if (state.sort) found.sort((a, b) => compareRows(a, b, state.sort, state.direction));
  const shown = state.all ? found : found.slice(0, ROWS_SHOWN);
  state.body.replaceChildren(...shown.map((row) => makeRow(state, row)));
  state.more.hidden = shown.length === found.length;
  state.more.textContent = "Show all " + found.length + " rows";
  state.status.textContent = state.words ? found.length + " of " + state.rows.length + " rows" : "";
}

function sortBy(state, column, heading) {
  const other = state.direction === "ascending" ? "descending" : "ascending";
  state.direction = state.sort === column ? other : isNumber(column) ? "descending" : "ascending";
  state.sort = column;
  for (const one of heading.parentNode.children) one.setAttribute("aria-sort", "none");
  heading.setAttribute("aria-sort", state.direction);
  drawRows(state);
}

function makeHeading(state, column) {
  const button = element("button", {type: "button", title: column.meaning || null}, column.heading);
  const heading = element("th", {scope: "col", "aria-sort": "none",
    class: isNumber(column) ? "number" : null}, button);
  button.addEventListener("click", () => sortBy(state, column, heading));
  return heading;
}

function makeFilter(state, title) {
  const field = element("input", {type: "search", placeholder: "Filter", "aria-label":
    "Filter the rows of " + title});
  field.addEventListener("input", () => {
    state.words = field.value;
    drawRows(state);
  });
  return field;
}

function leftOut(count, what) {
  return count > 0 ? element("p", {class: "quiet"}, "\u2026 " + formatCount(count) + " more " + what +
    (count === 1 ? "" : "s") + " left out to keep this file small; p11prof report --top 0 shows all.")
    : null;
}

// A section with a table. pick: {known(row), choose(row), chosen(row)} or nothing. The element has
// redraw() for when what is chosen changes.
function makeTable(table, about, {hidden = [], pick = null, notes = []} = {}) {
  const state = {rows: table.rows, columns: columnsOf(table, about, hidden), pick, words: "",
    sort: null, direction: null, all: table.rows.length <= ROWS_SHOWN + 5,
    body: element("tbody"), status: element("span", {class: "quiet", role: "status"}),
    more: element("button", {type: "button", class: "more"})};
  state.more.addEventListener("click", () => {
    state.all = true;
    drawRows(state);
  });
  const head = element("tr", {}, ...state.columns.map((column) => makeHeading(state, column)));
  const section = element("section", {id: "table-" + table.id},
    element("div", {class: "bar"}, element("h2", {}, table.title), state.status,
      table.rows.length >= ROWS_FOR_FILTER ? makeFilter(state, table.title) : null),
    element("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": table.title},
      element("table", {}, element("thead", {}, head), state.body)),
    state.more, ...notes.map((note) => element("p", {class: "quiet"}, note)),
    leftOut(table.left_out, "row"));
  section.redraw = () => drawRows(state);
  drawRows(state);
  return section;
}

// Numbers behind a chart, made when somebody wants them.
function makeNumbers(headings, rows) {
  const details = element("details", {}, element("summary", {}, "Numbers"));
  details.addEventListener("toggle", () => {
    if (!details.open || details.children.length > 1) return;
    details.append(element("div", {class: "scroll", tabindex: "0", role: "region",
      "aria-label": "Numbers"}, element("table", {},
      element("thead", {}, element("tr", {}, ...headings.map((text) =>
        element("th", {scope: "col"}, text)))),
      element("tbody", {}, ...rows().map((row) => element("tr", {}, ...row.map((text) =>
        element("td", {}, text))))))));
  });
  return details;
}
