//! Limits of the whole program, each with its unit and its reason. Those of a single room stand where they are used:
//! at the head of the file, and in `serve/http/limits.rs` for the server. Nothing grows without a bound.

use std::time::Duration;

// --- input ---

/// A line longer than this is passed through the tee whole and counted as `oversized`. Apache's longest line
/// is about 100 KB (100 header fields of 8190 bytes, each byte escaped to four), so ten times that is never a
/// real one.
pub const LINE_BYTES_MAX: usize = 1 << 20;

/// What the pipe on stdin is enlarged to: the most an unprivileged process may ask for (fs.pipe-max-size).
pub const PIPE_BYTES: usize = 1 << 20;

/// What the receive buffer of a datagram socket on stdin is enlarged to: 13,000 datagrams of 200 bytes.
pub const RECEIVE_BUFFER_BYTES: usize = 8 << 20;

/// The largest datagram: a Unix socket's, as large as the sender's buffer (net.core.wmem_default); those of UDP
/// have 65,507 bytes.
pub const DATAGRAM_BYTES_MAX: usize = 212_992;

/// The least room a buffer has for one read.
pub const CHUNK_BYTES: usize = 1 << 18;

/// Buffers in use at once, the one being filled and the one being counted included; this bounds the memory of
/// the input to CHUNKS_MAX * (LINE_BYTES_MAX + CHUNK_BYTES), and to CHUNKS_MAX * CHUNK_BYTES while lines are
/// short.
pub const CHUNKS_MAX: usize = 8;

/// What waits for the tee at most: minutes of a usual log while a disk hangs.
pub const TEE_QUEUE_BYTES_MAX: usize = 8 << 20;

/// What the tee is given at once: a disk that takes longer than half a second for it has stalled.
pub const TEE_PIECE_BYTES: usize = 1 << 18;

/// How long lines may coalesce in a nearly empty pipe before they are read: waking for every line is what a
/// trickle costs. Figures on the page stay fresher than 50 ms, and 20 ms of Apache at full speed do not fill
/// the pipe.
pub const COALESCE_MAX: Duration = Duration::from_millis(20);

// --- asking for the ledger ---

/// How long a scrape waits for the counting thread: it is busy for one chunk at a time, which takes
/// milliseconds.
pub const LEDGER_PATIENCE: Duration = Duration::from_secs(5);

/// The largest size that is counted, an exbibyte: no response has so many bytes. A larger one in the log is counted as
/// this, so that one invalid line cannot bring a counter to its end.
pub const SIZE_BYTES_MAX: u64 = 1 << 60;

/// Time stamps further ahead of our clock than this are ignored: the clock that made them was wrong.
pub const CLOCK_AHEAD_MAX: Duration = Duration::from_secs(60);

// --- labels and series ---

/// Labels that `--label` may add; with ours (method, status_code, vhost, route) they fill a key of 24 bytes.
pub const USER_LABELS_MAX: usize = 8;

/// Series of requests and bytes in one process. Two or three metrics with 10,000 series each are 4 MB of text, far
/// below the 16 MiB at which scrapers begin to refuse a page. What does not fit is counted under `other`.
pub const SERIES_MAX: usize = 10_000;

/// Series of histograms: each is some 60 samples, so 1,000 of them are 10 MB of text. Without chosen buckets each is a
/// sum and a count in text, and some hundred bytes in protobuf.
pub const HISTOGRAM_SERIES_MAX: usize = 1_000;
pub const NATIVE_SERIES_MAX: usize = 10_000;

pub fn histogram_series_max(has_chosen_buckets: bool) -> usize {
    if has_chosen_buckets { HISTOGRAM_SERIES_MAX } else { NATIVE_SERIES_MAX }
}

/// Text that a row of requests, and one of the histograms, may have on the page on average. Strangers choose values
/// as long as they like (up to 256 bytes each): where rows are longer than this, there are fewer of them, and so the
/// page stays below SERIES_MAX and HISTOGRAM_SERIES_MAX (or NATIVE_SERIES_MAX) times this, 16 MB.
pub const SERIES_TEXT_BYTES: usize = 600;
pub const HISTOGRAM_TEXT_BYTES: usize = 10_000;
pub const NATIVE_TEXT_BYTES: usize = 1_600;

/// Series that are on the page before a line has come: a handful of routes or values for each of the statuses that
/// every server answers sooner or later. Each brings its histograms, so more would be wide pages of nothing.
pub const ZEROES_MAX: usize = 128;

/// Lines that teach the routes before they are counted, where nobody reads a page meanwhile: a week of a small site.
pub const ROUTE_SAMPLE_BYTES: usize = 8 << 20;

/// Virtual hosts by the server's own names: its configuration bounds them, this only bounds the memory.
pub const VHOSTS_MAX: usize = 4096;

/// Objectives of `--slo`, and sets of label values that each of them is counted by.
pub const SLOS_MAX: usize = 16;
pub const SLO_ROWS_MAX: usize = 1_000;

/// Names of `--distinct`, and sketches of different values in a window: of a name and a virtual host each, those of the
/// names' rest included. With 16 KiB each they are at most 1 MiB for a window, of which there are four.
pub const DISTINCTS_MAX: usize = 8;
pub const DISTINCT_ROWS_MAX: usize = 64;

/// Buckets of one histogram: more would be wide pages and no better answers.
pub const BUCKETS_MAX: usize = 64;

/// Buckets of one native histogram that may be filled: twenty doublings in eighths, which Prometheus' own libraries
/// allow as well.
pub const NATIVE_BUCKETS_MAX: usize = 160;

// --- the format ---

/// Lines that `--format auto` looks at to choose a preset, and the most bytes of them that are held back for it.
pub const DETECT_LINES_MAX: usize = 100;
pub const DETECT_BYTES_MAX: usize = 1 << 20;

/// The longest line that is read by every preset to choose one, which takes some 10 ms; and how many bytes of longer
/// ones are, where the format is none of the others.
pub const DETECT_LINE_BYTES_MAX: usize = 4 << 10;
pub const DETECT_LONG_BYTES_MAX: usize = 128 << 10;

/// How long the first lines are held back for detection, so that a quiet server is on the page too.
pub const DETECT_WAIT_MAX: Duration = Duration::from_millis(500);

/// Lines after which it is judged whether more than half of them do not fit.
pub const FIT_WINDOW_LINES: u64 = 100;

/// How long after the first line that does not fit it is said that none does: a quiet server may take days to log
/// enough lines to be judged by their share.
pub const MISFIT_WAIT_MAX: Duration = Duration::from_secs(10);

/// The first lines of the log, which are checked for doubtful values. A single odd line is not reported.
pub const FIRST_LINES_CHECKED: usize = 20;

/// How much of a line a message shows.
pub const SHOWN_LINE_CHARS: usize = 300;

// --- advice ---

/// Lines that are kept for the advice on what would make them fit, the longest of them, and the bytes of all.
pub const SAMPLE_LINES_MAX: usize = 100;
pub const SAMPLE_LINE_BYTES_MAX: usize = 2048;
pub const SAMPLE_BYTES_MAX: usize = 64 << 10;

/// Reports that wait for the advice thread. There is one for each reason why lines do not fit and two for the whole
/// log, so none is dropped; if there were more, they would be dropped rather than waited for.
pub const REPORTS_MAX: usize = 16;

/// What one piece of advice may read, over all formats that are tried.
pub const ADVICE_BYTES_MAX: usize = 16 << 20;

/// What one piece of advice may take of a processor: a line that does not fit may be read many times over.
pub const ADVICE_CPU_MAX: Duration = Duration::from_secs(2);

/// How long the last advice is waited for at the end of input, where the program serves.
pub const ADVICE_WAIT_MAX: Duration = Duration::from_secs(10);

// --- health ---

/// How long `--health-check` waits for all answers: engines of containers kill a check after 30 seconds, and kubelets
/// after one, unless told otherwise. A machine that needs longer is one to be told of.
pub const HEALTH_WAIT_MAX: Duration = Duration::from_secs(5);

// --- state ---

/// The largest state file that is read or written: the series of `--max-series 1000000` as lines.
pub const STATE_BYTES_MAX: u64 = 512 << 20;
