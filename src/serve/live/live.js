// Turns the page of metrics, fetched every few seconds like any scraper does, into the figures, charts and
// tables of the page at `/`. All history is kept here; the server knows of none of it.
//
// Label values come from strangers and are shown as text, never as markup; the Content-Security-Policy makes
// the browser refuse anything else.

import {
  CLASSES, DURATION, DURATIONS, FORMAT, LINES, MALFORMED, NEWEST, READY, RECEIVED, REQUESTS, SENT, START,
  Slice, newest, read,
} from "./figures.js";

const PERIOD = 2000; // milliseconds between two fetches
const PERIOD_MAX = 5000; // the same for pages that take long
const PATIENCE = 10000; // milliseconds until a fetch has failed, Prometheus's default
const GAP = 12000; // milliseconds without an answer after which a line is not drawn on
const WINDOW = 10; // seconds that a figure and a point of a chart are of
const MINUTE = 60; // seconds that the tables are of
const SPANS = [60, 120, 300, 600]; // seconds that the charts may show: they widen as history grows
const BUSIEST = 8; // rows of a table
const STALE = 300; // seconds after which the newest line is remarkable

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
const rate = (value) => (Number.isFinite(value) ? `${number(value)}/s` : NONE);
const percent = (value) => (Number.isFinite(value) ? `${number(value * 100)}\u202f%` : NONE);
const seconds = scaled([[1, "s"], [1e-3, "ms"], [1e-6, "\u00b5s"]]);
/** At the last bound of the buckets it may be any longer one, and in the first bucket any shorter one. */
const duration = (value) => {
  const side = value === lastBound ? "\u2265\u202f" : value <= firstBound ? "<\u202f" : "";
  return side + seconds(known(value));
};
/** No less than the first bound, below which the buckets tell nothing. */
const known = (value) => (value < firstBound ? firstBound : value);
const bytes = scaled([[1e12, "TB/s"], [1e9, "GB/s"], [1e6, "MB/s"], [1e3, "kB/s"], [1, "B/s"]]);
const whole = (value) => value.toLocaleString("en");
const clock = (time) => new Date(time).toLocaleTimeString("en-GB");
const utc = (time) => new Date(time).toISOString().slice(0, 19).replace("T", " ") + " UTC";

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

// ---- What is kept ------------------------------------------------------------------------------

let samples = new Map(); // of the last page
let families = new Map(); // the same, by the name of the metric
let firstBound = NaN; // of the histogram
let lastBound = NaN;
let at = 0; // when it came, on the clock that never jumps
let time = 0; // the same, on the clock on the wall
let slices = []; // of the last minute
let points = []; // of the charts
let cursor = null; // milliseconds before the newest point, or null
let paused = false;
let lostAt = 0; // since when there is no answer, or 0
let timer = 0;
let asking = false;

function point(slice, broken) {
  const { total } = slice;
  const values = { time, broken, all: total.all / slice.seconds };
  for (const [name, count] of total.classes) values[name] = count / slice.seconds;
  values.errors = total.share("5xx");
  values.refused = total.share("4xx");
  for (const percentile of [50, 95, 99]) values["p" + percentile] = known(total.quantile(percentile / 100));
  values.sent = has(SENT) ? total.sent / slice.seconds : NaN;
  values.received = has(RECEIVED) ? total.received / slice.seconds : NaN;
  return values;
}

/** Whether what is shown is of an earlier moment than the reader's. */
const isOld = () => paused || lostAt > 0;

const of = (name) => families.get(name) ?? [];
const has = (name) => families.has(name);
const only = (name) => of(name)[0]?.value;

function take(text, arrived, date) {
  const before = { samples, at, time, start: only(START) };
  samples = read(text, before.samples);
  families = new Map();
  for (const sample of samples.values()) {
    if (!has(sample.name)) families.set(sample.name, []);
    of(sample.name).push(sample);
  }
  const bounds = of(DURATION).map(({ labels }) => Number(labels.get("le"))).filter(Number.isFinite);
  firstBound = bounds.reduce((first, bound) => (bound >= first ? first : bound), NaN);
  lastBound = bounds.reduce((last, bound) => (bound <= last ? last : bound), NaN);
  at = arrived;
  time = Date.now();
  // A page of another process has no past in common with ours, and an average over a pause looks like news.
  if (before.start === only(START) && Math.abs(time - before.time) < GAP) {
    slices = newest([...slices, Slice.between(before.samples, samples, (at - before.at) / 1000)], MINUTE);
    points.push(point(Slice.sum(newest(slices, WINDOW)), slices.length === 1));
    points = points.filter((point) => time - point.time <= SPANS.at(-1) * 1000 + GAP);
  } else {
    slices = [];
  }
  if (before.start !== undefined && before.start !== only(START)) show("since", utc(only(START) * 1000));
  lostAt = 0;
  facts(Number.isNaN(date) ? time : date);
  tables(Slice.sum(slices));
  draw();
}

// ---- The way to the server ---------------------------------------------------------------------

async function ask() {
  if (asking || paused || document.hidden) return;
  asking = true;
  clearTimeout(timer);
  const asked = performance.now();
  try {
    const response = await fetch(document.body.dataset.telemetry, {
      cache: "no-store",
      headers: { Accept: "text/plain;version=0.0.4" },
      signal: AbortSignal.timeout(PATIENCE),
    });
    const arrived = performance.now();
    if (!response.ok) throw new Error(`status ${response.status}`);
    take(await response.text(), arrived, Date.parse(response.headers.get("Date")));
  } catch (error) {
    lostAt ||= Date.now();
    age();
    console.info(`httpd_exporter: no figures: ${error}`);
  }
  asking = false;
  state();
  // A page that takes long to make and to read is asked for less often; the first rate is worth a hurry.
  const pause = Math.min(PERIOD_MAX, Math.max(PERIOD, 10 * (performance.now() - asked)));
  timer = setTimeout(ask, slices.length === 0 && !lostAt ? PERIOD / 2 : pause);
}

/** Figures that are no longer of now do not say so. */
function age() {
  if (samples.size) facts(NaN);
  draw();
}

function state() {
  const why = whyNotReady();
  const running = why ? why[0].toUpperCase() + why.slice(1) : "Live";
  const words = paused ? "Paused" : lostAt ? `No answer since ${clock(lostAt)}` : running;
  if (byId("state").textContent !== words) show("state", words); // else it would be read aloud each time
  document.body.classList.toggle("is-live", !isOld() && !why);
  document.body.classList.toggle("is-unready", !isOld() && why !== "");
  document.body.classList.toggle("is-lost", !paused && lostAt > 0);
}

/** What /-/ready says, told from the metrics: its answer would be an error in the browser's console. */
function whyNotReady() {
  if (only(READY) !== 0) return "";
  const malformed = slices.some((slice) => [...slice.malformed.values()].some((count) => count > 0));
  // Counts of earlier processes are kept, so that lines on the page need not be of this one.
  const isIdle = linesRead() === 0 || (!malformed && only(NEWEST) < only(START));
  if (isIdle) return "no line has been read yet";
  return has(FORMAT) ? "most lines do not fit the format" : "the lines fit none of the presets";
}

const linesRead = () => of(LINES).reduce((sum, { value }) => sum + value, 0);

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
  const number = (character) => `\\u{${character.codePointAt(0).toString(16)}}`;
  const visible = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, number);
  return make("bdi", { textContent: text === "" ? "(empty)" : visible });
}

/** Without a `now` nothing is said to be so long ago. */
function facts(now) {
  const format = of(FORMAT)[0]?.labels;
  show("format", format ? `${format.get("format")}: ${format.get("text")}` : "not chosen yet");
  const newest = only(NEWEST);
  const lag = Math.max(0, now / 1000 - newest);
  const moment = newest === undefined ? "none yet" : utc(newest * 1000);
  show("lag", Number.isNaN(lag) ? moment : `${ago(lag)} (${moment})`);
  byId("lag").classList.toggle("bad", lag > STALE);
  const why = whyNotReady();
  byId("ready").classList.toggle("bad", why !== "");
  show("ready", why ? `not ready: ${why}` : "ready");
  show("read", whole(linesRead()));
  for (const outcome of ["malformed", "foreign"]) {
    const lines = of(LINES).find(({ labels }) => labels.get("outcome") === outcome);
    show(outcome, whole(lines?.value ?? 0));
  }
}

function table(caption, heads, rows) {
  const head = make("tr", {}, ...heads.map((text) => make("th", { scope: "col" }, text)));
  const body = rows.map(([first, ...rest]) =>
    make("tr", {}, make("th", { scope: "row" }, first), ...rest.map((text) => make("td", {}, text))));
  const title = make("caption", { className: "unseen" }, caption);
  return make("table", {}, title, make("thead", {}, head), make("tbody", {}, ...body));
}

function tables(minute) {
  for (const [id, label, what] of [["vhosts", "vhost", "Host"], ["routes", "route", "Route"],
    ["clients", "client", "Client"]]) {
    const place = byId(id);
    place.hidden = !of(REQUESTS)[0]?.labels.has(label);
    place.querySelector("table")?.remove();
    if (place.hidden) continue;
    const busiest = [...minute.by.get(label)].sort(([, a], [, b]) => b.all - a.all).slice(0, BUSIEST);
    const rows = busiest.map(([value, tally]) => {
      const text = foreign(value);
      text.title = text.textContent;
      const cells = [text, rate(tally.all / minute.seconds), percent(tally.share("5xx"))];
      return has(DURATION) ? [...cells, duration(tally.quantile(0.95))] : cells;
    });
    const heads = [what, "Requests", "5xx", ...(has(DURATION) ? ["95\u202f%"] : [])];
    place.append(table(`${place.textContent}, last minute`, heads, rows));
  }
  const reasons = of(MALFORMED).filter(({ value }) => value > 0).sort((a, b) => b.value - a.value);
  const rows = reasons.map(({ labels, value }) => {
    const reason = labels.get("reason");
    const cell = make("span", {}, foreign(reason), REASONS.has(reason) ? `: ${REASONS.get(reason)}` : "");
    return [cell, whole(value), whole(minute.malformed.get(reason) ?? 0)];
  });
  const heads = ["Why malformed", "in all", "1 min"];
  byId("reasons").replaceChildren(...(rows.length ? [table("Malformed lines", heads, rows)] : []));
}

// ---- Charts ------------------------------------------------------------------------------------

const HEIGHT = 150;
const LEFT = 58;
const RIGHT = 6;
const TOP = 8;
const BOTTOM = 20;

const NATIVE_ALONE = "Durations are in native histograms alone (--histograms native), which this page does not read.";

/** `keys` are properties of a point and words of the legend; an optional one is hidden while it is 0. */
const CHARTS = [
  {
    id: "requests", title: "Requests", unit: rate, stacked: true, least: 1,
    figure: "all", words: "by status class",
    keys: CLASSES.map((name) => [name, name, name === "1xx" || name === "other"]),
  },
  {
    id: "errors", title: "Errors", unit: percent, least: 0.01,
    figure: "errors", words: "of requests failed (5xx)",
    keys: [["errors", "5xx"], ["refused", "4xx"]],
  },
  {
    id: "duration", title: "Duration", unit: seconds, exact: duration, least: 0.001,
    figure: "p95", words: "or less for 95\u202f% of requests",
    keys: [["p50", "median"], ["p95", "95\u202f%"], ["p99", "99\u202f%"]],
    needs: DURATION,
    missing: "This format logs no duration. Apache's %D or nginx's $request_time would add it.",
  },
  {
    id: "bytes", title: "Bytes", unit: bytes, least: 1000,
    figure: "sent", words: "sent",
    keys: [["sent", "sent"], ["received", "received", true]],
    needs: SENT,
    missing: "This format logs no bytes. Apache's %O or nginx's $bytes_sent would add them.",
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
  chart.parts = [figure, chart.svg, chart.legend];
  const caption = make("figcaption", {}, make("h2", {}, chart.title), chart.moment);
  byId("charts").append(make("figure", {}, caption, ...chart.parts, chart.note));
  chart.svg.addEventListener("pointermove", (event) => pointAt(chart, event));
  chart.svg.addEventListener("pointerleave", () => move(null));
  chart.svg.addEventListener("blur", () => move(null));
  chart.svg.addEventListener("keydown", walk);
}

/** Seconds that the charts reach back now. */
function span() {
  const age = points.length ? (time - points[0].time) / 1000 : 0;
  return SPANS.find((span) => span >= age) ?? SPANS.at(-1);
}

/** The point that the figures are of: the one nearest to the cursor, or the newest. */
function current() {
  if (cursor === null) return slices.length ? points.at(-1) : undefined;
  const wanted = time - cursor;
  return points.reduce((best, point) =>
    best && Math.abs(best.time - wanted) <= Math.abs(point.time - wanted) ? best : point, undefined);
}

function draw() {
  const shown = current();
  for (const chart of CHARTS) {
    const isKnown = has(REQUESTS) || (samples.size > 0 && !has(FORMAT));
    const missing = chart.needs !== undefined && isKnown && !has(chart.needs);
    for (const part of chart.parts) part.toggleAttribute("hidden", missing);
    chart.note.hidden = !missing;
    const why = chart.needs === DURATION && has(DURATIONS) ? NATIVE_ALONE : chart.missing;
    chart.note.textContent = has(FORMAT) ? why : "The format is not chosen yet: no line has fitted.";
    if (missing) continue;
    chart.value.textContent = amount(chart, shown?.[chart.figure]);
    chart.moment.textContent = cursor === null || !shown ? "" : clock(shown.time);
    const present = chart.keys.filter(([key, , optional]) => !optional || points.some((at) => at[key] > 0));
    for (const { key, value, row } of chart.entries) {
      value.textContent = amount(chart, shown?.[key]);
      row.hidden = !present.some(([other]) => other === key);
    }
    const words = present.map(([key, label]) => `${label} ${amount(chart, shown?.[key])}`).join(", ");
    chart.svg.setAttribute("aria-valuetext", shown ? `${clock(shown.time)}: ${words}` : "no figures yet");
    chart.svg.setAttribute("aria-valuemin", -span());
    chart.svg.setAttribute("aria-valuenow", cursor === null ? 0 : -Math.round(cursor / 1000));
    if (chart.svg.clientWidth > 0) plot(chart, present.map(([key]) => key), shown);
  }
}

/** A figure of a chart, while `unit` alone is for its scale. */
const amount = (chart, value) => (chart.exact ?? chart.unit)(value);

function plot(chart, keys, shown) {
  const width = chart.svg.clientWidth;
  const height = HEIGHT - TOP - BOTTOM;
  const reach = span() * 1000;
  const seen = points.filter((point) => time - point.time <= reach);
  const values = seen.flatMap((point) => (chart.stacked ? [point.all] : keys.map((key) => point[key])));
  const top = roundedUp(Math.max(chart.least, ...values.filter(Number.isFinite)));
  const x = (when) => LEFT + (width - LEFT - RIGHT) * (1 - (time - when) / reach);
  const y = (value) => TOP + height * (1 - value / top);
  const parts = [0, top / 2, top].flatMap((value) => [
    svg("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value) }),
    svg("text", { x: LEFT - 8, y: y(value) + 4, "text-anchor": "end" }, value ? chart.unit(value) : "0"),
  ]);
  const back = reach > 60000 ? `${reach / 60000} min ago` : `${reach / 1000} s ago`;
  const [left, right] = isOld() ? [clock(time - reach), clock(time)] : [back, "now"];
  parts.push(svg("text", { x: LEFT, y: HEIGHT - 4 }, left));
  parts.push(svg("text", { x: width - RIGHT, y: HEIGHT - 4, "text-anchor": "end" }, right));
  parts.push(...(chart.stacked ? areas(keys, seen, x, y) : keys.map((key) => line(key, seen, x, y))));
  if (cursor !== null && shown) {
    const place = x(shown.time);
    parts.push(svg("line", { class: "cursor", x1: place, x2: place, y1: TOP, y2: TOP + height }));
  }
  chart.svg.replaceChildren(...parts);
}

/** A line, lifted where history is broken and where there is nothing to draw. */
function line(key, seen, x, y) {
  let path = "";
  let down = false;
  for (const point of seen) {
    if (Number.isFinite(point[key])) {
      const place = `${x(point.time).toFixed(1)} ${y(point[key]).toFixed(1)}`;
      path += down && !point.broken ? `L${place}` : `M${place}h0.01`;
    }
    down = Number.isFinite(point[key]);
  }
  return svg("path", { class: `line s-${key}`, d: path });
}

/** Areas stacked in the order of the keys, each unbroken run of points a shape of its own. */
function areas(keys, seen, x, y) {
  const runs = [];
  for (const point of seen) {
    if (point.broken || runs.length === 0) runs.push([]);
    runs.at(-1).push({ when: point.time, point, base: 0 });
  }
  return keys.map((key) => {
    const shapes = runs.map((run) => {
      const under = run.map(({ when, base }) => `${x(when).toFixed(1)} ${y(base).toFixed(1)}`);
      for (const step of run) step.base += step.point[key];
      const over = run.map(({ when, base }) => `${x(when).toFixed(1)} ${y(base).toFixed(1)}`);
      return `M${over.join("L")}L${under.reverse().join("L")}Z`;
    });
    return svg("path", { class: `area s-${key}`, d: shapes.join("") });
  });
}

// ---- Hands -------------------------------------------------------------------------------------

function move(to) {
  cursor = to === null ? null : Math.min(Math.max(0, to), span() * 1000);
  draw();
}

function pointAt(chart, event) {
  const box = chart.svg.getBoundingClientRect();
  const share = (event.clientX - box.left - LEFT) / (box.width - LEFT - RIGHT);
  move((1 - share) * span() * 1000);
}

function walk(event) {
  const step = span() * 20; // a fiftieth of what is shown
  const steps = {
    ArrowLeft: step, ArrowDown: step, PageDown: 5 * step,
    ArrowRight: -step, ArrowUp: -step, PageUp: -5 * step,
  };
  if (Object.hasOwn(steps, event.key)) move((cursor ?? 0) + steps[event.key]);
  else if (event.key === "Home") move(span() * 1000);
  else if (event.key === "End") move(0);
  else if (event.key === "Escape") move(null);
  else return;
  event.preventDefault();
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
for (const id of ["live", "controls"]) byId(id).hidden = false;
for (const element of document.querySelectorAll(".scripted")) element.hidden = false;
draw();
ask();
