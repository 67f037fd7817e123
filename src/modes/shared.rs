//! What the modes share: why they fail, the counting thread, the reading of stdin, printing.

use crate::advise::worker::Advisor;
use crate::count::ledger::{LabelSet, Ledger};
use crate::count::{Counter, SnapshotHandle};
use crate::input::files::Files;
use crate::input::follow::{self, Follower, Kept};
use crate::input::tee::Tee;
use crate::input::{ChunkSender, End, OnTerminate};
use crate::log;
use crate::log::log_warning;
use crate::options::Options;
use crate::os::SignalPipe;
use crate::self_metrics::SelfMetrics;
use crate::{count, input, os};
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

/// Why the program ends before its work is done.
pub enum Failure {
    /// It was called wrongly: exit code 2.
    Usage(String),
    /// The system did not do what was asked: exit code 1.
    System(String),
    /// It fails while it works: exit code 1, and a server that starts it again does right.
    Broken(String),
}

impl Failure {
    pub fn text(&self) -> &str {
        let (Failure::Usage(text) | Failure::System(text) | Failure::Broken(text)) = self;
        text
    }
}

/// The counting thread, and the ways to it.
pub struct Counting {
    pub chunks: ChunkSender,
    pub snapshots: SnapshotHandle,
    pub thread: JoinHandle<Ledger>,
}

impl Counting {
    /// `seed` gives the series that are on the page already.
    pub fn start(
        mut counter: Counter,
        seed: impl FnOnce() -> Vec<LabelSet> + Send + 'static,
        self_metrics: &Arc<SelfMetrics>,
    ) -> Result<Counting, Failure> {
        let (snapshots, requests) = SnapshotHandle::new();
        let (chunks, inbox) = input::channels(self_metrics.clone());
        let self_metrics = self_metrics.clone();
        let thread = start_thread("count", move || {
            counter.seed(seed());
            count::run(counter, &inbox, &requests, &self_metrics)
        })?;
        Ok(Counting { chunks, snapshots, thread })
    }
}

/// Where lines come from.
pub enum Input {
    Stdin {
        /// Of what a datagram socket has dropped: what is no loss of this process.
        dropped_before: u32,
    },
    Named(Box<Files>),
    Files(Box<Follower>, BeginFiles),
}

/// Gives the places that were kept as soon as files are this process's to read.
pub type BeginFiles = Box<dyn FnMut() -> Option<Kept>>;

impl Input {
    /// What the options of a report ask for.
    pub fn of_report(
        options: &Options,
        mode: follow::Mode,
        self_metrics: &Arc<SelfMetrics>,
    ) -> Result<Input, Failure> {
        if options.files.is_empty() {
            return Input::of(&options.follow, mode, Box::new(|| Some(Kept::new())), self_metrics);
        }
        Ok(Input::Named(Box::new(Files::new(&options.files).map_err(Failure::System)?)))
    }

    /// What the options ask for.
    pub fn of(
        given: &[String],
        mode: follow::Mode,
        begin: BeginFiles,
        self_metrics: &Arc<SelfMetrics>,
    ) -> Result<Input, Failure> {
        if given.is_empty() {
            // On the page from its first scrape on.
            if os::datagrams::is_datagram_socket(std::io::stdin()) {
                self_metrics.show_datagrams();
            }
            return Ok(Input::Stdin { dropped_before: 0 });
        }
        os::allow_many_files();
        self_metrics.show_followed_files();
        let follower = Follower::new(given, mode, self_metrics.clone());
        let follower = follower.map_err(|e| Failure::Usage(format!("--follow: {e}")))?;
        Ok(Input::Files(Box::new(follower), begin))
    }
}

/// Waits for what is to be said of the lines; once somebody has ended the program, for a moment only.
pub fn wait_for_advice(advisor: &Advisor, stopped: Stopped, signals: &SignalPipe) {
    match stopped {
        Stopped::BySignal => advisor.finish(),
        Stopped::AtTheEnd => {
            let stop_flag = signals.stop_flag();
            advisor.wait(|| stop_flag.is_set());
        }
    }
}

/// Reads to the end of the input on this thread, or until a signal.
pub fn read(
    input: Input,
    signals: &SignalPipe,
    tee: Option<Tee>,
    chunks: ChunkSender,
    on_terminate: impl FnMut() -> OnTerminate,
) -> Result<Stopped, Failure> {
    let dropped_before = match input {
        Input::Files(follower, begin) => {
            return ended(follow::run::run(*follower, begin, signals, tee, chunks, on_terminate));
        }
        Input::Named(files) => {
            return match input::run_source(*files, signals, tee, chunks, on_terminate) {
                End::Failed(e) => Err(Failure::Broken(format!("unable to read {e}"))),
                end => ended(end),
            };
        }
        Input::Stdin { dropped_before } => dropped_before,
    };
    // A descriptor of our own to the same open file, so that std's buffer on stdin is out of the way.
    let stdin = std::io::stdin().as_fd().try_clone_to_owned().map_err(|e| system("use stdin", &e))?;
    ended(input::run(&File::from(stdin), dropped_before, signals, tee, chunks, on_terminate))
}

/// Why the reading has stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    AtTheEnd,
    BySignal,
}

fn ended(end: End) -> Result<Stopped, Failure> {
    match end {
        End::Failed(e) => Err(Failure::Broken(format!("unable to read stdin: {}", log::reason(&e)))),
        End::Incomplete => {
            Err(Failure::Broken("not all files could be read, so there is no page".to_owned()))
        }
        End::Abandoned => Err(Failure::Broken("the counting thread has ended early".to_owned())),
        End::OfInput => Ok(Stopped::AtTheEnd),
        End::Interrupted | End::Terminated => Ok(Stopped::BySignal),
    }
}

/// There is a successor only where a server has started us; in a pipeline, SIGTERM is meant to end the process.
pub fn on_terminate() -> OnTerminate {
    if os::started_by_server_before_signal() { OnTerminate::Drain } else { OnTerminate::EndWhenEmpty }
}

pub fn install_signals() -> Result<SignalPipe, Failure> {
    SignalPipe::install().map_err(|e| system("handle signals", &e))
}

pub fn start_thread<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, Failure> {
    let thread = thread::Builder::new().name(name.to_owned()).spawn(work);
    thread.map_err(|e| system("start a thread", &e))
}

pub fn join<T>(thread: JoinHandle<T>) -> Result<T, Failure> {
    thread
        .join()
        .map_err(|_| Failure::Broken("a thread has failed; this is a fault of the program".to_owned()))
}

/// Prints on stdout.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    written(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()))
}

/// What came of writing on stdout; a reader that has gone away has read enough.
pub fn written(result: std::io::Result<()>) -> Result<(), Failure> {
    match result {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(system("write to stdout", &e)),
        _ => Ok(()),
    }
}

pub fn system(what: &str, error: &std::io::Error) -> Failure {
    Failure::System(format!("unable to {what}: {}", log::reason(error)))
}

/// The windows of `--distinct` are those of this machine's clock, and the lines of a finished log have other times.
pub fn leave_out_distinct(options: &mut Options, mode: &str) {
    if !std::mem::take(&mut options.distincts).is_empty() {
        log_warning(format_args!(
            "{mode}: --distinct is left out, for it counts the hours and days in which lines are read"
        ));
    }
}
