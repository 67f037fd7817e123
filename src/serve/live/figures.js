// Turns pages of metrics into what happened between them: the Prometheus text format 0.0.4 in, tallies out.
// It knows no page of HTML. Quantiles are interpolated as Prometheus's histogram_quantile does.
//
// What stands in labels comes from strangers. It is kept in Maps and never becomes the name of a property.

// ---- Reading a page ----------------------------------------------------------------------------

export const REQUESTS = "httpd_requests_total";
export const SENT = "httpd_bytes_sent_total";
export const RECEIVED = "httpd_bytes_received_total";
export const DURATION = "httpd_request_duration_seconds_bucket";
export const DURATIONS = "httpd_request_duration_seconds_count";
export const MALFORMED = "httpd_exporter_malformed_lines_total";
export const LINES = "httpd_exporter_lines_total";
export const NEWEST = "httpd_last_request_timestamp_seconds";
export const READY = "httpd_exporter_ready";
export const FORMAT = "httpd_exporter_format_info";
export const START = "process_start_time_seconds";
const ADDED_UP = new Set([REQUESTS, SENT, RECEIVED, DURATION]);
const WANTED = new Set([...ADDED_UP, DURATIONS, MALFORMED, LINES, NEWEST, READY, FORMAT, START]);

/** The labels of a series as it is written, unescaped. */
function labelsOf(series) {
  const labels = new Map();
  for (const [, name, value] of series.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\[^])*)"/g)) {
    labels.set(name, value.replace(/\\([^])/g, (_, escaped) => (escaped === "n" ? "\n" : escaped)));
  }
  return labels;
}

/** The wanted samples of a page, by their series as written. Labels are read once and handed on. */
export function read(text, before) {
  const samples = new Map();
  for (const line of text.split("\n")) {
    const brace = line.indexOf("{");
    const name = line.slice(0, brace < 0 ? line.indexOf(" ") : brace);
    if (!WANTED.has(name)) continue;
    // No value holds a brace, so that the last one ends the labels, whatever they hold.
    const end = brace < 0 ? name.length : line.lastIndexOf("}") + 1;
    const series = line.slice(0, end);
    const value = Number(line.slice(end).trim().split(" ", 1)[0]);
    const labels = before.get(series)?.labels ?? labelsOf(series.slice(name.length));
    samples.set(series, { name, value, labels });
  }
  return samples;
}

// ---- What happened between two pages -----------------------------------------------------------

export const CLASSES = ["1xx", "2xx", "3xx", "4xx", "5xx", "other"];

/** What was counted in some time, of everything or of one value of a label. */
export class Tally {
  all = 0;
  sent = 0;
  received = 0;
  classes = new Map(CLASSES.map((name) => [name, 0]));
  buckets = new Map(); // by the text of `le`, cumulative

  enter({ name, labels }, count) {
    if (name === REQUESTS) {
      const code = labels.get("status_code") ?? "";
      this.all += count;
      raise(this.classes, /^[1-5]\d\d$/.test(code) ? code[0] + "xx" : "other", count);
    } else if (name === SENT) this.sent += count;
    else if (name === RECEIVED) this.received += count;
    else raise(this.buckets, labels.get("le"), count);
  }

  add(other) {
    this.all += other.all;
    this.sent += other.sent;
    this.received += other.received;
    for (const [name, count] of other.classes) raise(this.classes, name, count);
    for (const [bound, count] of other.buckets) raise(this.buckets, bound, count);
  }

  share(name) {
    return this.classes.get(name) / this.all;
  }

  /** As histogram_quantile: linear within a bucket; beyond the last bound that bound; NaN of nothing. */
  quantile(q) {
    const upper = (bound) => (bound === "+Inf" ? Infinity : Number(bound));
    const buckets = [...this.buckets].map(([bound, count]) => [upper(bound), count]);
    buckets.sort((a, b) => a[0] - b[0]);
    if (buckets.length < 2 || buckets.at(-1)[1] === 0) return NaN;
    const rank = q * buckets.at(-1)[1];
    const place = buckets.findIndex(([, count]) => count >= rank);
    const [bound, count] = buckets[place];
    if (bound === Infinity) return buckets[place - 1][0];
    const [start, below] = place > 0 ? buckets[place - 1] : [0, 0];
    return count === below ? bound : start + ((bound - start) * (rank - below)) / (count - below);
  }
}

const raise = (map, key, count) => map.set(key, (map.get(key) ?? 0) + count);

/** A tally of everything and one of each value of some labels. */
export class Slice {
  seconds = 0;
  total = new Tally();
  by = new Map([["vhost", new Map()], ["route", new Map()], ["client", new Map()]]);
  malformed = new Map();

  static between(before, after, seconds) {
    const slice = new Slice();
    slice.seconds = seconds;
    for (const [series, sample] of after) {
      const old = before.get(series);
      // A counter that fell was set back to 0 in between, and a new series began at 0.
      const count = old && old.value <= sample.value ? sample.value - old.value : sample.value;
      if (sample.name === MALFORMED) raise(slice.malformed, sample.labels.get("reason"), count);
      if (!ADDED_UP.has(sample.name)) continue;
      slice.total.enter(sample, count);
      for (const [label, tallies] of slice.by) {
        if (sample.labels.has(label)) tallyOf(tallies, sample.labels.get(label)).enter(sample, count);
      }
    }
    // Of thousands of hosts few are busy, and only those are kept for a minute.
    for (const tallies of slice.by.values()) {
      for (const [value, tally] of tallies) if (tally.all === 0) tallies.delete(value);
    }
    return slice;
  }

  static sum(slices) {
    const sum = new Slice();
    for (const slice of slices) {
      sum.seconds += slice.seconds;
      sum.total.add(slice.total);
      for (const [reason, count] of slice.malformed) raise(sum.malformed, reason, count);
      for (const [label, tallies] of slice.by) {
        for (const [value, tally] of tallies) tallyOf(sum.by.get(label), value).add(tally);
      }
    }
    return sum;
  }
}

function tallyOf(tallies, value) {
  if (!tallies.has(value)) tallies.set(value, new Tally());
  return tallies.get(value);
}

/** The newest slices that make up so many seconds, or all there are. */
export function newest(slices, seconds) {
  let first = slices.length;
  for (let sum = 0; first > 0 && sum < seconds - 0.5; first--) sum += slices[first - 1].seconds;
  return slices.slice(first);
}
