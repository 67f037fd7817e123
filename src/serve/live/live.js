// Shows what the server keeps of the last hour, asked for every few seconds, as figures, charts and tables.
//
// Label values and lines come from strangers and are shown as text, never as markup; the Content-Security-Policy makes
// the browser refuse anything else. They are never the names of properties.

const SOURCE = "live.json";
const PERIOD = 5000; // milliseconds between two fetches, which is how often the server looks
const FIRST_PERIOD = 1000; // the same while the server looks more often, at its start
const FIRST_POINTS = 10;
const PATIENCE = 10000; // milliseconds until a fetch has failed, Prometheus's default
const STALE = 300; // seconds after which the newest line is remarkable
const FEW = 8; // rows of a table before all are asked for
const MANY = 500; // rows that are drawn at most

/** What the reasons of malformed lines mean. */
const REASONS = new Map([
  ["empty", "there is nothing in the line"],
  ["literal", "fixed text of the format is not there"],
  ["value", "a value is not of its kind"],
  ["trailing", "there is more behind the end of the format"],
  ["truncated", "the line ends before the format does"],
  ["json", "it is no JSON object"],
  ["missing", "the JSON object has no status"],
]);

// ---- Numbers as people read them ---------------------------------------------------------------

const NONE = "\u2013";

/** Three digits that count. */
function number(value) {
  if (!Number.isFinite(value)) return NONE;
  if (value === 0) return "0";
  const digits = Math.max(0, Math.min(4, 2 - Math.floor(Math.log10(Math.abs(value)))));
  return value.toLocaleString("en", { maximumFractionDigits: digits, useGrouping: value >= 1e4 });
}

/** Scales a value by the first unit that it is not small in. */
const scaled = (units) => (value) => {
  if (!Number.isFinite(value)) return NONE;
  const [size, unit] = units.find(([size]) => value >= size * 0.9995) ?? units.at(-1);
  return `${number(value / size)}\u202f${unit}`;
};

/** Of a second where there is one in it, else of a minute or an hour. */
function rate(value) {
  if (!Number.isFinite(value)) return NONE;
  if (value >= 0.9995) return `${number(value)}/s`;
  if (value === 0) return "0";
  return value >= 0.9995 / 60 ? `${number(value * 60)} a minute` : `${number(value * 3600)} an hour`;
}
/** For a scale or a column. */
const short = (text) => text.replace(" a minute", "/min").replace(" an hour", "/h");
const percent = (value) => (Number.isFinite(value) ? `${number(value * 100)}\u202f%` : NONE);
const seconds = scaled([[1, "s"], [1e-3, "ms"], [1e-6, "\u00b5s"]]);
/** At the last bound of the buckets it may be any longer one, and in the first bucket any shorter one. */
function duration(value) {
  const bounds = data?.bounds ?? [];
  if (value === null || !Number.isFinite(value) || bounds.length === 0) return NONE;
  if (value >= bounds.at(-1)) return `${seconds(bounds.at(-1))} or more`;
  return value <= bounds[0] ? `<\u202f${seconds(bounds[0])}` : seconds(value);
}
const volume = scaled([[1e12, "TB"], [1e9, "GB"], [1e6, "MB"], [1e3, "kB"], [1, "B"]]);
const bytes = (value) => (Number.isFinite(value) ? `${volume(value)}/s` : NONE);
const whole = (value) => value.toLocaleString("en");
const moment = (time) => new Date(time).toISOString();
const clock = (time) => `${moment(time).slice(11, 19)} UTC`;
const utc = (time) => `${moment(time).slice(0, 19).replace("T", " ")} UTC`;

function ago(value) {
  if (value < 120) return `${Math.round(value)} s ago`;
  if (value < 7200) return `${Math.round(value / 60)} min ago`;
  return value < 172800 ? `${Math.round(value / 3600)} h ago` : `${Math.round(value / 86400)} days ago`;
}

/** A round number with a round half, a little more than the value. */
function roundedUp(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10, 15].map((step) => step * power).find((step) => step >= value * 1.02);
}

// ---- What the server has said ------------------------------------------------------------------

let data = null; // the last answer
let points = []; // of the charts
let span = 600; // seconds that the charts show
let cursor = null; // milliseconds before now, or null
let paused = false;
let lostAt = 0; // since when there is no answer, or 0
let timer = 0;
let asking = false;

/** Counts `[seconds, other, 1xx ... 5xx, sent, received, 50 %, 95 %, 99 %]` as rates; without counts it is a gap. */
function ratesOf([length, other, c1, c2, c3, c4, c5, sent, received, p50, p95, p99], time) {
  if (other === undefined || !(length > 0)) return { time, length: length ?? 0, gap: true };
  const all = other + c1 + c2 + c3 + c4 + c5;
  const timed = (value) => (value === null ? NaN : Math.max(value, data.bounds[0] ?? 0));
  return {
    time, length, gap: false, all: all / length,
    other: other / length, "1xx": c1 / length, "2xx": c2 / length, "3xx": c3 / length, "4xx": c4 / length,
    "5xx": c5 / length, errors: c5 / all, refused: c4 / all,
    sent: data.has_sent ? sent / length : NaN, received: data.has_received ? received / length : NaN,
    p50: timed(p50), p95: timed(p95), p99: timed(p99),
  };
}

/** The points of the span: fine ones, or coarse ones and behind them the fine ones that are newer. */
function pointsOf(answer) {
  const read = (list) => list.map(([time, counts]) => ratesOf(counts, time));
  if (span <= 600) return read(answer.fine);
  const last = answer.coarse.at(-1)?.[0] ?? 0;
  return read([...answer.coarse, ...answer.fine.filter(([time]) => time > last)]);
}

function take(answer) {
  data = answer;
  points = pointsOf(data);
  lostAt = 0;
  facts(data.fine.at(-1)?.[0] ?? data.now); // of the moment of the look
  tables();
  rejected();
  draw();
}

/** Whether what is shown is of an earlier moment than the reader's. */
const isOld = () => paused || lostAt > 0;

// ---- The way to the server ---------------------------------------------------------------------

async function ask() {
  if (asking || paused || document.hidden) return;
  asking = true;
  clearTimeout(timer);
  try {
    const response = await fetch(SOURCE, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
    if (!response.ok) throw new Error(`status ${response.status}`);
    const answer = await response.json();
    // A page that was paused meanwhile stands still.
    if (!paused) take(answer);
  } catch (error) {
    if (!paused) {
      lostAt ||= Date.now();
      age();
    }
    console.info(`httpd_exporter: no figures: ${error}`);
  }
  asking = false;
  state();
  timer = setTimeout(ask, (data?.fine.length ?? 0) < FIRST_POINTS && !lostAt ? FIRST_PERIOD : PERIOD);
}

/** Figures that are no longer of now do not say so. */
function age() {
  if (data) facts(NaN);
  draw();
}

function state() {
  const why = data?.why_not_ready ?? "";
  const short = why.split(":", 1)[0]; // the rest of it stands under Readiness
  const running = why ? short[0].toUpperCase() + short.slice(1) : "Live";
  const words = paused ? "Paused" : lostAt ? `No answer since ${clock(lostAt)}` : running;
  if (byId("state").textContent !== words) show("state", words); // else it would be read aloud each time
  document.body.classList.toggle("is-live", !isOld() && !why);
  document.body.classList.toggle("is-unready", !isOld() && why !== "");
  document.body.classList.toggle("is-lost", !paused && lostAt > 0);
}

// ---- Text and tables ---------------------------------------------------------------------------

const byId = (id) => document.getElementById(id);
const show = (id, text) => (byId(id).textContent = text);

function make(name, properties, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children); // strings become text nodes
  return element;
}

/** A stranger's text cannot turn around the words beside it, and what would hide or turn its own has a number. */
function foreign(text) {
  const code = (character) => `\\u{${character.codePointAt(0).toString(16)}}`;
  const visible = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, code);
  return make("bdi", { textContent: text === "" ? "(empty)" : visible });
}

/** Without a `now` nothing is said to be so long ago. */
function facts(now) {
  const { format, newest, why_not_ready: why, lines, malformed } = data;
  const [name, text, envelope] = format ?? [];
  const around = envelope && envelope !== "none" ? `, in ${envelope}` : "";
  show("format", format ? `${name}: ${text}${around}` : "not chosen yet");
  show("since", utc(data.since * 1000));
  const lag = newest === null ? NaN : Math.max(0, now / 1000 - newest);
  const at = newest === null ? "none yet" : utc(newest * 1000);
  show("lag", Number.isNaN(lag) ? at : `${ago(lag)} (${at})`);
  byId("lag").classList.toggle("bad", lag > STALE);
  byId("ready").classList.toggle("bad", Boolean(why));
  show("ready", why ? `not ready: ${why}` : "ready");
  show("read", whole(Object.values(lines).reduce((sum, count) => sum + count, 0)));
  for (const outcome of ["malformed", "foreign"]) show(outcome, whole(lines[outcome] ?? 0));
  const rows = Object.entries(malformed).sort(([, a], [, b]) => b - a).map(([reason, count]) =>
    make("tr", {}, make("th", { scope: "row" }, reasonOf(reason)), make("td", {}, whole(count))));
  const heads = ["Why malformed", "in all"].map((text) => make("th", { scope: "col" }, text));
  const table = make("table", {}, make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...rows));
  byId("reasons").replaceChildren(...(rows.length ? [table] : []));
}

const reasonOf = (reason) => (REASONS.has(reason) ? `${reason}: ${REASONS.get(reason)}` : reason);

/** The newest lines that do not fit, the last one first, and what the program said of such lines. */
function rejected() {
  byId("rejected").hidden = data.rejected.length === 0 && data.advice.length === 0;
  const lines = data.rejected.toReversed().map(({ number, reason, line }) =>
    make("li", {}, `Line ${whole(number)}, ${reasonOf(reason)}`, make("code", {}, foreign(line))));
  byId("rejected-lines").replaceChildren(...lines);
  byId("advice").replaceChildren(...data.advice.map((text) => make("li", {}, foreign(text))));
}

/** A row of a table is `[name, requests, errors, 95 %]` in all, and the same three of the last minute. */
const COLUMNS = [
  {
    words: () => "Requests", of: (row) => row.requests,
    text: (row, length) => (length ? short(rate(row.requests / length)) : whole(row.requests)),
  },
  {
    words: () => "5xx", of: (row) => row.errors / row.requests || 0,
    text: (row) => percent(row.errors / row.requests),
  },
  {
    words: () => "95\u202f%", of: (row) => row.slow ?? -1, text: (row) => duration(row.slow),
    needs: () => data.bounds.length > 0,
  },
];

const TABLES = [
  { id: "vhosts", label: "vhost", title: "Virtual hosts", what: "Host" },
  { id: "routes", label: "route", title: "Routes", what: "Route" },
  { id: "clients", label: "client", title: "Kinds of clients", what: "Client" },
].map((table) => ({ ...table, filter: "", sort: 0, up: false, all: false, lately: null }));

function buildTable(table) {
  table.input = make("input", { type: "search", placeholder: "Filter", ariaLabel: `Filter: ${table.title}` });
  table.input.addEventListener("input", () => change(table, { filter: table.input.value.toLowerCase() }));
  const button = (text, lately) => {
    const element = make("button", { type: "button" }, text);
    element.addEventListener("click", () => change(table, { lately }));
    return element;
  };
  table.buttons = [button("last minute", true), button("in all", false)];
  table.place = make("div", { className: "rows" });
  table.more = make("button", { type: "button", className: "more" });
  table.more.addEventListener("click", () => change(table, { all: !table.all }));
  const choice = make("div", { className: "choice" }, ...table.buttons);
  choice.setAttribute("role", "group");
  const head = make("div", { className: "bar" }, make("h2", {}, table.title), table.input, choice);
  table.card = make("section", { id: table.id, hidden: true }, head, table.place, table.more);
  byId("tables").append(table.card);
}

function change(table, changes) {
  Object.assign(table, changes);
  tables();
}

function tables() {
  if (!data) return;
  for (const table of TABLES) {
    const known = Object.hasOwn(data.tables, table.label) ? data.tables[table.label] : null;
    table.card.hidden = known === null;
    if (known) fill(table, known);
  }
}

/** The busiest few rows, or all of them that fit the filter, in the order that was chosen; the rest is one row. */
function fill(table, { rows, rest, seconds: length }) {
  const isBusy = rows.some(([, , , , lately]) => lately > 0);
  const lately = table.lately ?? isBusy;
  table.buttons.forEach((button, place) => button.setAttribute("aria-pressed", String(lately === (place === 0))));
  table.buttons[0].textContent = length > 0 ? `last ${Math.round(length)} s` : "last minute";
  const shaped = rows.map(([name, requests, errors, slow, ...minute]) =>
    lately ? { name, requests: minute[0], errors: minute[1], slow: minute[2] } : { name, requests, errors, slow });
  const found = shaped.filter(({ name }) => name.toLowerCase().includes(table.filter));
  const column = COLUMNS[table.sort];
  found.sort((a, b) => (table.up ? 1 : -1) * (column.of(a) - column.of(b)));
  const shown = found.slice(0, table.all || table.filter ? MANY : FEW);
  const others = found.slice(shown.length);
  const columns = COLUMNS.filter(({ needs }) => !needs || needs());
  const cells = (row) => columns.map(({ text }) => make("td", {}, text(row, lately ? length || 1 : 0)));
  const body = shown.map((row) => {
    const name = foreign(row.name);
    name.title = name.textContent;
    return make("tr", {}, make("th", { scope: "row" }, name), ...cells(row));
  });
  if (others.length + rest > 0) {
    const sum = (key) => others.reduce((sum, row) => sum + row[key], 0);
    const row = { requests: sum("requests"), errors: sum("errors"), slow: null };
    const words = `${whole(others.length + rest)} others`;
    body.push(make("tr", { className: "rest" }, make("th", { scope: "row" }, words), ...cells(row)));
  }
  const heads = columns.map(({ words }, place) => heading(table, words(), place));
  const head = make("tr", {}, make("th", { scope: "col" }, table.what), ...heads);
  const caption = make("caption", { className: "unseen" }, table.title);
  const top = table.place.scrollTop;
  const active = table.place.contains(document.activeElement) ? document.activeElement.dataset.place : undefined;
  table.place.replaceChildren(make("table", {}, caption, make("thead", {}, head), make("tbody", {}, ...body)));
  table.place.scrollTop = top;
  if (active !== undefined) table.place.querySelector(`[data-place="${Number(active)}"]`)?.focus();
  table.input.hidden = rows.length <= FEW;
  table.more.hidden = rows.length + rest <= FEW || table.filter !== "";
  table.more.textContent = table.all ? "Fewer" : `All ${whole(rows.length + rest)}`;
}

function heading(table, words, place) {
  const isSorted = table.sort === place;
  const arrow = isSorted ? (table.up ? "\u2009\u25b4" : "\u2009\u25be") : "";
  const button = make("button", { type: "button" }, words + arrow);
  button.dataset.place = place;
  button.addEventListener("click", () => change(table, { sort: place, up: isSorted && !table.up }));
  const head = make("th", { scope: "col" }, button);
  if (isSorted) head.setAttribute("aria-sort", table.up ? "ascending" : "descending");
  return head;
}

// ---- Charts ------------------------------------------------------------------------------------

const HEIGHT = 150;
const LEFT = 72;
const RIGHT = 6;
const TOP = 8;
const BOTTOM = 20;

const NATIVE_ALONE = "Durations are in native histograms alone (--histograms native), which this page does not read.";

/** `keys` are properties of a point and words of the legend; an optional one is hidden while it is 0. */
const CHARTS = [
  {
    id: "requests", title: "Requests", unit: rate, stacked: true, least: 1 / 30, figure: "all", words: "",
    keys: ["1xx", "2xx", "3xx", "4xx", "5xx", "other"].map((name) => [name, name, name === "1xx" || name === "other"]),
    inAll: (all) => `${whole(all.count)} in all${all.classes ? ": " : ""}${all.classes}`,
  },
  {
    id: "errors", title: "Errors", unit: percent, least: 0.01, figure: "errors", words: "of requests failed (5xx)",
    keys: [["errors", "5xx"], ["refused", "4xx"]],
    inAll: (all) => (all.count ? `${percent(all.errors)} in all: ${whole(all.failed)} of ${whole(all.count)}` : ""),
  },
  {
    id: "duration", title: "Duration", unit: seconds, exact: duration, least: 0.001,
    figure: "p95", words: "95th percentile",
    keys: [["p50", "median"], ["p95", "95\u202f%"], ["p99", "99\u202f%"]],
    has: () => data.bounds.length > 0 || (data.has_durations && totals().count === 0), // none has come yet
    missing: "This format logs no duration. Apache's %D or nginx's $request_time would add it.",
    inAll: (all) => (all.count ? `${duration(all.p95)} in all` : ""),
  },
  {
    id: "bytes", title: "Bytes", unit: bytes, least: 1000, figure: "sent", words: "sent",
    keys: [["sent", "sent"], ["received", "received", true]],
    has: () => data.has_sent,
    missing: "This format logs no bytes. Apache's %O or nginx's $bytes_sent would add them.",
    inAll: (all) => `${volume(all.bytes)} in all`,
  },
];

function svg(name, attributes, text) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

/** Builds a card once; `draw` fills it. */
function build(chart) {
  chart.moment = make("span", { className: "moment" });
  chart.value = make("span", { id: chart.id });
  chart.total = make("p", { id: `${chart.id}-all`, className: "total" });
  chart.svg = svg("svg", {
    class: "chart", tabindex: 0, role: "slider", "aria-label": `${chart.title}: moment to read`,
    "aria-orientation": "horizontal", "aria-valuemax": 0,
  });
  chart.entries = chart.keys.map(([key, words]) => {
    const value = make("dd", { id: `${chart.id}-${key}` });
    return { key, value, row: make("div", { className: `s-${key}` }, make("dt", {}, words), value) };
  });
  chart.legend = make("dl", { className: "legend" }, ...chart.entries.map(({ row }) => row));
  chart.note = make("p", { className: "none", hidden: true });
  const figure = make("p", { className: "figure" }, chart.value, make("small", {}, chart.words));
  chart.parts = [figure, chart.total, chart.svg, chart.legend];
  const caption = make("figcaption", {}, make("h2", {}, chart.title), chart.moment);
  byId("charts").append(make("figure", {}, caption, ...chart.parts, chart.note));
  chart.svg.addEventListener("pointermove", (event) => pointAt(chart, event));
  chart.svg.addEventListener("pointerleave", () => move(null));
  chart.svg.addEventListener("blur", () => move(null));
  chart.svg.addEventListener("keydown", walk);
}

/** What the figures are of: the point nearest to the cursor, or the last minute. */
function current() {
  if (!data) return undefined;
  if (cursor === null) return ratesOf(data.minute, data.now);
  const wanted = data.now - cursor;
  return points.filter(({ gap }) => !gap).reduce((best, point) =>
    best && Math.abs(best.time - wanted) <= Math.abs(point.time - wanted) ? best : point, undefined);
}

function totals() {
  const [, other, c1, c2, c3, c4, c5, sent, , , p95] = data.total;
  const count = other + c1 + c2 + c3 + c4 + c5;
  const named = [["1xx", c1], ["2xx", c2], ["3xx", c3], ["4xx", c4], ["5xx", c5], ["other", other]];
  const classes = named.filter(([, some]) => some > 0).map(([name, some]) => `${whole(some)} ${name}`).join(", ");
  return { count, classes, failed: c5, errors: c5 / count, bytes: sent, p95 };
}

function draw() {
  const shown = current();
  for (const id of [600, 3600]) byId(`span-${id}`).setAttribute("aria-pressed", String(span === id));
  for (const chart of CHARTS) {
    const missing = Boolean(chart.has && data && !chart.has());
    for (const part of chart.parts) part.toggleAttribute("hidden", missing);
    chart.note.hidden = !missing;
    if (missing) {
      const why = chart.id === "duration" && data.has_durations ? NATIVE_ALONE : chart.missing;
      chart.note.textContent = data.format ? why : "The format is not chosen yet: no line has fitted.";
      continue;
    }
    chart.value.textContent = amount(chart, shown?.[chart.figure]);
    chart.total.textContent = data ? chart.inAll(totals()) : "";
    chart.moment.textContent = cursor === null || !shown ? "" : clock(shown.time);
    const present = chart.keys.filter(([key, , optional]) => !optional || points.some((at) => at[key] > 0));
    for (const { key, value, row } of chart.entries) {
      value.textContent = amount(chart, shown?.[key]);
      row.hidden = !present.some(([other]) => other === key);
    }
    const words = present.map(([key, label]) => `${label} ${amount(chart, shown?.[key])}`).join(", ");
    chart.svg.setAttribute("aria-valuetext", shown ? `${clock(shown.time)}: ${words}` : "no figures yet");
    chart.svg.setAttribute("aria-valuemin", -span);
    chart.svg.setAttribute("aria-valuenow", cursor === null ? 0 : -Math.round(cursor / 1000));
    if (data && chart.svg.clientWidth > 0) plot(chart, present.map(([key]) => key), shown);
  }
}

/** A figure of a chart, while `unit` alone is for its scale. */
const amount = (chart, value) => (chart.exact ?? chart.unit)(value ?? NaN);

function plot(chart, keys, shown) {
  const width = chart.svg.clientWidth;
  const height = HEIGHT - TOP - BOTTOM;
  const reach = span * 1000;
  const seen = points.filter((point) => data.now - point.time <= reach);
  const values = seen.flatMap((point) => (chart.stacked ? [point.all] : keys.map((key) => point[key])));
  const top = roundedUp(Math.max(chart.least, ...values.filter(Number.isFinite)));
  const x = (when) => LEFT + (width - LEFT - RIGHT) * (1 - (data.now - when) / reach);
  const y = (value) => TOP + height * (1 - value / top);
  const parts = [0, top / 2, top].flatMap((value) => [
    svg("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value) }),
    svg("text", { x: LEFT - 8, y: y(value) + 4, "text-anchor": "end" }, value ? short(chart.unit(value)) : "0"),
  ]);
  const [left, right] = isOld() ? [clock(data.now - reach), clock(data.now)] : [`${span / 60} min ago`, "now"];
  parts.push(svg("text", { x: LEFT, y: HEIGHT - 4 }, left));
  parts.push(svg("text", { x: width - RIGHT, y: HEIGHT - 4, "text-anchor": "end" }, right));
  parts.push(...(chart.stacked ? areas(keys, seen, x, y) : keys.map((key) => line(key, seen, x, y))));
  if (cursor !== null && shown) {
    const place = x(shown.time);
    parts.push(svg("line", { class: "cursor", x1: place, x2: place, y1: TOP, y2: TOP + height }));
  }
  chart.svg.replaceChildren(...parts);
}

/** Whether nothing is missing between two points. */
const follows = (point, before) =>
  before !== undefined && !before.gap && point.time - point.length * 1000 <= before.time + 2000;

/** A line, lifted where there is nothing to draw. */
function line(key, seen, x, y) {
  let path = "";
  seen.forEach((point, place) => {
    if (!Number.isFinite(point[key])) return;
    const spot = `${x(point.time).toFixed(1)} ${y(point[key]).toFixed(1)}`;
    const before = seen[place - 1];
    path += follows(point, before) && Number.isFinite(before[key]) ? `L${spot}` : `M${spot}h0.01`;
  });
  return svg("path", { class: `line s-${key}`, d: path });
}

/** Areas stacked in the order of the keys, each unbroken run of points a shape of its own. */
function areas(keys, seen, x, y) {
  const runs = [];
  seen.forEach((point, place) => {
    if (point.gap) return;
    if (!follows(point, seen[place - 1])) runs.push([{ when: point.time - point.length * 1000, point, base: 0 }]);
    runs.at(-1).push({ when: point.time, point, base: 0 });
  });
  const place = ({ when, base }) => `${x(Math.max(when, data.now - span * 1000)).toFixed(1)} ${y(base).toFixed(1)}`;
  return keys.map((key) => {
    const shapes = runs.map((run) => {
      const under = run.map(place);
      for (const step of run) step.base += step.point[key];
      const over = run.map(place);
      return `M${over.join("L")}L${under.reverse().join("L")}Z`;
    });
    return svg("path", { class: `area s-${key}`, d: shapes.join("") });
  });
}

// ---- Hands -------------------------------------------------------------------------------------

function move(to) {
  cursor = to === null ? null : Math.min(Math.max(0, to), span * 1000);
  draw();
}

function pointAt(chart, event) {
  const box = chart.svg.getBoundingClientRect();
  const share = (event.clientX - box.left - LEFT) / (box.width - LEFT - RIGHT);
  move((1 - share) * span * 1000);
}

function walk(event) {
  const step = span * 20; // a fiftieth of what is shown
  const steps = {
    ArrowLeft: step, ArrowDown: step, PageDown: 5 * step,
    ArrowRight: -step, ArrowUp: -step, PageUp: -5 * step,
  };
  if (Object.hasOwn(steps, event.key)) move((cursor ?? 0) + steps[event.key]);
  else if (event.key === "Home") move(span * 1000);
  else if (event.key === "End") move(0);
  else if (event.key === "Escape") move(null);
  else return;
  event.preventDefault();
}

for (const seconds of [600, 3600]) {
  byId(`span-${seconds}`).addEventListener("click", () => {
    span = seconds;
    cursor = null;
    if (data) points = pointsOf(data);
    draw();
  });
}
byId("pause").addEventListener("click", () => {
  paused = !paused;
  show("pause", paused ? "Resume" : "Pause");
  if (paused) age();
  state();
  ask();
});
document.addEventListener("visibilitychange", ask);
addEventListener("resize", draw);

CHARTS.forEach(build);
TABLES.forEach(buildTable);
for (const id of ["live", "controls"]) byId(id).hidden = false;
for (const element of document.querySelectorAll(".scripted")) element.hidden = false;
draw();
ask();
