//! `--history`: reads to the end of the input, and writes what the lines count with the log's own times.

use crate::advise::worker::Advisor;
use crate::calendar::Date;
use crate::catalogue;
use crate::clock;
use crate::count::Counter;
use crate::count::ledger::{Ledger, Places};
use crate::count::totals::Outcome;
use crate::fixed_point::FixedPoint;
use crate::generations::fold::Bounds;
use crate::generations::state::State;
use crate::history::WINDOW_SECONDS;
use crate::history::blocks::BlockWriter;
use crate::history::recorder::{Digest, Recorded, Recorder, Recording};
use crate::history::samples::{self, Scrape, Writer, Written};
use crate::history::script;
use crate::history::text::{Files, Form, TextWriter, WindowFile};
use crate::input::OnTerminate;
use crate::input::follow;
use crate::limits;
use crate::log::{self, log_info, log_warning};
use crate::modes::progress::{ProgressLine, WindowsLeft};
use crate::modes::shared::{
    Counting, Failure, Input, Stopped, install_signals, join, leave_out_distinct, print, read, system,
    wait_for_advice,
};
use crate::modes::start;
use crate::options::{HistoryFormat, Options};
use crate::os::{Signal, UserRights};
use crate::report::figures;
use crate::self_metrics::SelfMetrics;
use crate::snapshot::collect;
use crate::snapshot::page::Page;
use crate::timeline::Stretch;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};

/// Prometheus' newest block may be up to so old, and takes no blocks from outside.
const HEAD_SECONDS: u64 = 3 * 3600;

pub fn run(mut options: Options) -> Result<(), Failure> {
    let signals = install_signals()?;
    leave_out_distinct(&mut options, "--history");
    let self_metrics = Arc::<SelfMetrics>::default();
    let rights = start::drop_root(&options)?;
    let target = Target::open(&options)?;
    let (advisor, reporter) = Advisor::new();
    // What is left in a directory of state is gone on from.
    let goes_on = options.state_dir.is_some();
    let mode = if goes_on { follow::Mode::UpToNow } else { follow::Mode::ToTheEnd };
    let input = Input::of_report(&options, mode, &self_metrics)?;
    let (done, recorded) = mpsc::channel();
    let recorder = Recorder::new(options.history_step, clock::now_seconds(), &target.spill_directory());
    let observer = Box::new(Recording { recorder, done });
    let scrape = Scrape { job: options.history_job.clone(), instance: options.history_instance.clone() };
    let seed = options.state_dir.clone().map(|directory| Seed {
        directory,
        bounds: start::bounds_of(&options),
        rights,
    });
    let counter = Counter::observed(options, reporter, Some(observer)).map_err(Failure::Usage)?;
    let counting = Counting::start(counter, Vec::new, &self_metrics)?;
    let progress = ProgressLine::start(&input, &self_metrics);
    if read(input, &signals, None, counting.chunks, || OnTerminate::EndAtOnce)? == Stopped::BySignal {
        drop(progress);
        return Err(Failure::System(
            "interrupted before the end of the input: nothing is written".to_owned(),
        ));
    }
    let mut ledger = join(counting.thread)?;
    drop(progress);
    wait_for_advice(&advisor, Stopped::AtTheEnd, &signals);
    let recorder: Recorder =
        recorded.recv().map_err(|_| Failure::Broken("the counting thread has ended early".to_owned()))?;
    let failed = |e: io::Error| {
        target.clear();
        system(&format!("write the history to {}", target.name()), &e)
    };
    let recorded = recorder.close(&ledger).map_err(failed)?;
    let written = {
        let left = Arc::<WindowsLeft>::default();
        let _progress = ProgressLine::of_writing(&left);
        let mut on_window = |many| {
            left.set(many);
            let is_wanted = signals.pending().is_none_or(|signal| signal == Signal::Hangup);
            if is_wanted { Ok(()) } else { Err(io::Error::other("interrupted")) }
        };
        target.write(&recorded, &ledger, &scrape, &mut on_window).map_err(failed)?
    };
    tell_left_out(&ledger, &recorded, &written);
    if written.spans.is_empty() {
        return Err(Failure::Broken("no line has a time, so there is no history".to_owned()));
    }
    target.finish(&recorded, &written)?;
    match seed {
        Some(seed) => seed.leave(&recorded, &written, &mut ledger, &self_metrics),
        None => Ok(()),
    }
}

/// Where the history goes.
enum Target {
    Stdout,
    Directory { path: PathBuf, format: HistoryFormat },
}

impl Target {
    fn open(options: &Options) -> Result<Target, Failure> {
        let name = &options.history;
        if name == "-" {
            return Ok(Target::Stdout);
        }
        let path = PathBuf::from(name);
        std::fs::create_dir_all(&path).map_err(|e| system(&format!("make the directory {name}"), &e))?;
        match ours(&path).map_err(|e| system(&format!("read the directory {name}"), &e))?.first() {
            None => Ok(Target::Directory { path, format: options.history_format }),
            Some(file) => Err(Failure::Usage(format!(
                "--history: {} is there already, of another history; name an empty directory",
                file.display()
            ))),
        }
    }

    /// Half a history would look like a whole one.
    fn clear(&self) {
        let Target::Directory { path, .. } = self else { return };
        for path in ours(path).unwrap_or_default() {
            let _ = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
        }
    }

    fn name(&self) -> String {
        match self {
            Target::Stdout => "stdout".to_owned(),
            Target::Directory { path, .. } => path.display().to_string(),
        }
    }

    fn spill_directory(&self) -> PathBuf {
        match self {
            Target::Stdout => std::env::temp_dir(),
            Target::Directory { path, .. } => path.clone(),
        }
    }

    fn write(
        &self,
        recorded: &Recorded,
        ledger: &Ledger,
        scrape: &Scrape,
        on_window: &mut dyn FnMut(u64) -> io::Result<()>,
    ) -> io::Result<Written> {
        let mut writer: Box<dyn Writer> = match self {
            Target::Stdout => Box::new(TextWriter::new(Form::Milliseconds, scrape, Box::new(Stream))),
            Target::Directory { path, format: HistoryFormat::OpenMetrics } => {
                Box::new(TextWriter::new(Form::OpenMetrics, scrape, Box::new(Compressed(path.clone()))))
            }
            Target::Directory { path, format: HistoryFormat::Blocks } => {
                Box::new(BlockWriter::new(path.join(script::BLOCKS), scrape))
            }
        };
        samples::write(recorded, ledger, &mut *writer, on_window)
    }

    /// The script comes last: where it stands, the history is complete.
    fn finish(&self, recorded: &Recorded, written: &Written) -> Result<(), Failure> {
        let summary = summary(recorded, written);
        let Target::Directory { path, format } = self else {
            log_info(format!("{summary} of text"));
            return Ok(());
        };
        let script = path.join(script::NAME);
        let (text, what, with, then) = match format {
            HistoryFormat::OpenMetrics => {
                let first = path.join(script::file_of(first_window(written)));
                (script::for_text(), "text", "its own promtool and ", by_promtool(&first, written))
            }
            HistoryFormat::Blocks => {
                let then =
                    "which moves the blocks there; a running Prometheus shows them within a minute or two";
                (script::for_blocks(), "blocks", "", then.to_owned())
            }
        };
        std::fs::write(&script, text).map_err(|e| system(&format!("write {}", script.display()), &e))?;
        print(&format!(
            "{summary} of {what}\n\nTo put them into Prometheus, with {with}its directory of data:\n\n    \
             sh {} /var/lib/prometheus/metrics2\n\n{then}\n",
            shell_word(&script),
        ))
    }
}

/// What is in a directory that can be of a history.
fn ours(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(directory)?.flatten();
    let ours = entries.filter(|entry| entry.file_name().to_str().is_some_and(script::is_ours));
    Ok(ours.map(|entry| entry.path()).collect())
}

/// From here on it is told that there is another way.
const PROMTOOL_LONG_SECONDS: f64 = 60.0;

fn by_promtool(first: &Path, written: &Written) -> String {
    let seconds = promtool_seconds(written);
    let quick = match seconds > PROMTOOL_LONG_SECONDS {
        true => {
            "\n\nWith --history.format blocks the blocks are written here, in seconds, and no promtool is needed."
        }
        false => "",
    };
    format!(
        "which takes promtool some {} of a core, and does for each file:\n\n    \
         gzip -dc {} > FILE\n    promtool tsdb create-blocks-from openmetrics FILE BLOCKS{quick}",
        figures::long(seconds),
        shell_word(first),
    )
}

/// What promtool 2.42 took on the machine of docs/cost.md: for a sample, and to start and make a block.
const PROMTOOL_SAMPLE_SECONDS: f64 = 4e-6;
const PROMTOOL_BLOCK_SECONDS: f64 = 0.08;

fn promtool_seconds(written: &Written) -> f64 {
    let seconds =
        written.samples as f64 * PROMTOOL_SAMPLE_SECONDS + written.windows as f64 * PROMTOOL_BLOCK_SECONDS;
    seconds.ceil()
}

/// All windows one after the other.
struct Stream;

impl Files for Stream {
    fn open(&mut self, _window: u64) -> io::Result<Box<dyn WindowFile>> {
        Ok(Box::new(io::stdout()))
    }
}

/// In a directory.
struct Compressed(PathBuf);

impl Files for Compressed {
    fn open(&mut self, window: u64) -> io::Result<Box<dyn WindowFile>> {
        let path = self.0.join(script::file_of(window));
        let file = OpenOptions::new().write(true).create_new(true).open(path)?;
        Ok(Box::new(GzEncoder::new(BufWriter::new(file), Compression::fast())))
    }
}

impl WindowFile for io::Stdout {
    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.flush()
    }
}

/// A thirtieth of the text, which repeats its labels for each sample.
impl WindowFile for GzEncoder<BufWriter<File>> {
    fn finish(self: Box<Self>) -> io::Result<()> {
        GzEncoder::finish(*self)?.flush()
    }
}

fn first_window(written: &Written) -> u64 {
    let first = written.spans.first().map_or(0, |(first, _)| *first);
    first.saturating_sub(written.step) / WINDOW_SECONDS
}

fn shell_word(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"/._-+:,@%".contains(&b));
    if is_plain { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

fn date(second: u64) -> Date {
    Date::of(second)
}

fn requests(many: u64) -> String {
    figures::counted(many, "request", "requests")
}

fn summary(recorded: &Recorded, written: &Written) -> String {
    let lines: u64 =
        recorded.windows.values().sum::<u64>() - written.far.iter().map(|it| it.lines).sum::<u64>();
    let (first, last) = (written.spans.first(), written.spans.last());
    let (Some((first, _)), Some((_, last))) = (first, last) else { return String::new() };
    let windows = figures::counted(written.windows, "window", "windows");
    format!(
        "{} from {} to {}: {} samples of {} series, every {} s, in {windows} of two hours, {}",
        requests(lines),
        date(first.saturating_sub(written.step)),
        date(*last),
        figures::count(written.samples),
        figures::count(written.series),
        written.step,
        figures::bytes(written.bytes as f64),
    )
}

/// Says what of the lines is not in the history.
fn tell_left_out(ledger: &Ledger, recorded: &Recorded, written: &Written) {
    let not_counted: Vec<String> =
        [Outcome::Excluded, Outcome::Malformed, Outcome::Oversized, Outcome::Foreign]
            .into_iter()
            .filter(|outcome| ledger.totals.of(*outcome) > 0)
            .map(|outcome| format!("{} {}", ledger.totals.of(outcome), Outcome::NAMES[outcome as usize]))
            .collect();
    if !not_counted.is_empty() {
        log_warning(format!("not in the history are lines that are no requests: {}", not_counted.join(", ")));
    }
    let unplaced = recorded.unplaced;
    if unplaced.timeless > 0 {
        let many = requests(unplaced.timeless);
        log_warning(format!("not in the history: {many} without a time, or with one without a zone"));
    }
    if unplaced.impossible > 0 {
        let many = requests(unplaced.impossible);
        log_warning(format!("not in the history: {many} with a time that is still to come or before 1970"));
    }
    for Stretch { from, to, lines } in &written.far {
        let [from, to] = [from, to].map(|second| date(u64::try_from(*second).unwrap_or(0)));
        log_warning(format!(
            "not in the history: {} from {from} to {to}, far from all others: a clock was wrong, or they are of \
             another log; read these alone for a history of their own",
            requests(*lines)
        ));
    }
    for pair in written.spans.windows(2) {
        let (to, from) = (date(pair[0].1), date(pair[1].0.saturating_sub(written.step)));
        log_warning(format!("no line is from between {to} and {from}, so nothing is written for this time"));
    }
    if recorded.spilled_runs > 0 {
        let many = recorded.spilled_runs;
        log_info(format!("what did not fit in memory went through {many} files without names, 28 MB each"));
    }
    let last = written.spans.last().map_or(0, |(_, last)| *last);
    if last + HEAD_SECONDS > clock::now_seconds() {
        log_warning(
            "the last lines are younger than three hours, for which Prometheus takes no blocks; import the history \
             three hours from now, or leave out the newest file",
        );
    }
}

/// The totals, as a dead generation leaves them.
struct Seed {
    directory: PathBuf,
    bounds: Bounds,
    rights: UserRights,
}

impl Seed {
    fn leave(
        self,
        recorded: &Recorded,
        written: &Written,
        ledger: &mut Ledger,
        self_metrics: &Arc<SelfMetrics>,
    ) -> Result<(), Failure> {
        let shown = self.directory.display().to_string();
        let failed = |e: &io::Error| Failure::System(format!("--state-dir: {}", log::reason(e)));
        let state = State::new(&self.directory, self.bounds, &self.rights, self_metrics.clone());
        state.begin().map_err(|e| failed(&e))?;
        if let Some(why) = why_not(&state, recorded.digest) {
            state.finish(&Page::default(), &Places::new()).map_err(|e| failed(&e))?;
            return Err(Failure::System(format!("--state-dir: nothing is left in {shown}: {why}")));
        }
        let page = page(written, ledger, self_metrics);
        let mut places = Places::clone(&ledger.places);
        let (mark, what) = (mark(recorded.digest), format!("0\t{}", summary(recorded, written)));
        places.insert(Arc::from(mark), Some(what));
        state.finish(&page, &places).map_err(|e| failed(&e))?;
        log_info(format!(
            "the totals are in {shown}; the counters of an exporter that starts with it go on from there"
        ));
        Ok(())
    }
}

/// The key under which it is noted which logs are in the counts.
fn mark(digest: Digest) -> String {
    format!("{MARK}{digest}")
}

const MARK: &str = "history ";

/// Counters that exist must not jump, and no line may be counted twice.
fn why_not(state: &State, digest: Digest) -> Option<String> {
    let kept = state.kept_by_others();
    if kept.contains_key(&mark(digest)) {
        return Some("these very lines are in its counts already".to_owned());
    }
    if state.has_peers() {
        return Some(
            "an exporter with this directory is running, and its counters would jump; stop it first"
                .to_owned(),
        );
    }
    if let Some(summary) = kept.iter().find(|(key, _)| key.starts_with(MARK)).map(|(_, text)| text) {
        let summary = summary.trim_start_matches("0\t");
        return Some(format!("another history is in its counts ({summary}); read all logs in one run"));
    }
    let has_counts = state.merged(Page::default()).families.contains_key(catalogue::REQUESTS.name);
    has_counts.then(|| {
        "it has counts already, which would jump by the history's; use a new directory, for the exporter too".to_owned()
    })
}

/// What the exporter's page says of the server at the end of the history.
fn page(written: &Written, ledger: &mut Ledger, self_metrics: &SelfMetrics) -> Page {
    written.totals.put_into(ledger);
    let (first, last) = (written.spans.first(), written.spans.last());
    let (first, last) = (first.map_or(0, |(first, _)| *first), last.map_or(0, |(_, last)| *last));
    ledger.totals.last_request = i64::try_from(last * 1_000_000_000).ok();
    let mut page = collect::page(ledger, self_metrics, clock::now_seconds(), &mut collect::Kept::default());
    let is_of_server = |name: &str| name.starts_with("httpd_") && !name.starts_with("httpd_exporter_");
    page.families.retain(|name, _| is_of_server(name));
    let since = FixedPoint::whole(first);
    for series in page.families.values_mut().flat_map(|family| &mut family.series) {
        series.created = series.created.map(|_| since);
    }
    debug_assert!(page.series() <= 20 * limits::SERIES_MAX.max(ledger.rows.len()));
    page
}
