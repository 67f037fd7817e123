//! Live page: what the server keeps of the last hour, so that the page at `/` is full when it opens.
//!
//! A thread of its own looks at the page of metrics every few seconds and adds up what the charts and tables show. Who
//! asks is answered from the newest look, so that people who watch cost no page of metrics each.

mod answer;
mod history;
mod rows;
mod tallies;

use crate::clock;
use crate::count::ledger::Native;
use crate::generations::publisher::Publisher;
use crate::generations::state::State;
use crate::serve::live::answer::Facts;
use crate::serve::live::history::History;
use crate::serve::live::tallies::Sample;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Where the page asks.
pub const PATH: &str = "/live.json";

/// How often it is looked; and at first, so that the first rates are there soon.
const PERIOD: Duration = Duration::from_secs(5);
const FIRST_PERIOD: Duration = Duration::from_secs(1);
const FIRST_LOOKS: u32 = 10;

/// How often the history is written beside the state, and the name that it has there.
const SAVE_PERIOD: Duration = Duration::from_secs(30);
const FILE: &str = ".history";

/// The most that is read of it: some ten times what is written.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// What a request at any moment is answered from.
#[derive(Debug)]
pub struct Live {
    publisher: Arc<Publisher>,
    newest: Mutex<Option<Kept>>,
}

#[derive(Debug)]
struct Kept {
    history: History,
    sample: Sample,
}

/// Ends the looking when it is dropped.
#[derive(Debug)]
pub struct Stop(#[allow(dead_code, reason = "its drop is the message")] Sender<()>);

impl Live {
    pub fn new(publisher: Arc<Publisher>) -> Live {
        Live { publisher, newest: Mutex::default() }
    }

    /// A way to end `run`.
    pub fn stop() -> (Stop, Receiver<()>) {
        let (stop, stopped) = bounded(0);
        (Stop(stop), stopped)
    }

    /// Looks until it is stopped, and keeps the history beside the state for whoever serves next.
    pub fn run(&self, stopped: &Receiver<()>) {
        let mut saved = Instant::now();
        for look in 0u32.. {
            // Of two generations the one before writes when it is told to go, which may be after our start.
            if look == 0 || look == 2 {
                self.adopt();
            }
            self.look();
            if saved.elapsed() >= SAVE_PERIOD {
                self.save();
                saved = Instant::now();
            }
            let period = if look < FIRST_LOOKS { FIRST_PERIOD } else { PERIOD };
            if stopped.recv_timeout(period) != Err(RecvTimeoutError::Timeout) {
                break;
            }
        }
        self.save();
    }

    fn look(&self) {
        // Where there is no page, the next look sees what has come by then.
        let Ok((page, moment)) = self.publisher.page_and_moment(Native::LeftOut) else { return };
        let mut sample = Sample::of(&page);
        drop(page);
        let now = (clock::now_nanos() / 1_000_000).saturating_sub(millis_since(moment));
        let mut newest = self.lock();
        let mut history = newest.take().map_or_else(History::default, |kept| kept.history);
        history.enter(now, &sample);
        // The history has what is shown of them.
        sample.by = Default::default();
        *newest = Some(Kept { history, sample });
    }

    fn adopt(&self) {
        let Some(text) = self.state().and_then(|state| state.read_beside(FILE, FILE_BYTES_MAX)) else {
            return;
        };
        let Some(before) = History::read(&text, clock::now_nanos() / 1_000_000) else { return };
        let mut newest = self.lock();
        match &mut *newest {
            Some(kept) => kept.history.adopt(before),
            None => *newest = Some(Kept { history: before, sample: Sample::default() }),
        }
    }

    fn save(&self) {
        // A process that has seen nothing leaves nothing behind.
        let text =
            self.lock().as_ref().filter(|kept| kept.history.has_news()).map(|kept| kept.history.write());
        if let (Some(state), Some(text)) = (self.state(), text) {
            // It is for the eye, and the state says what is wrong with the disk.
            let _ = state.write_beside(FILE, &text);
        }
    }

    fn state(&self) -> Option<&State> {
        self.publisher.state.as_deref()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Kept>> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the page asks for, as JSON.
    pub fn answer(&self) -> String {
        let summary = self.publisher.summary();
        let facts = Facts {
            version: env!("CARGO_PKG_VERSION"),
            now: clock::now_nanos() / 1_000_000,
            since: self.publisher.since,
            summary,
        };
        let newest = self.lock();
        let empty = Kept { history: History::default(), sample: Sample::default() };
        let Kept { history, sample } = newest.as_ref().unwrap_or(&empty);
        answer::write(&facts, history, sample)
    }
}

fn millis_since(moment: Instant) -> u64 {
    u64::try_from(moment.elapsed().as_millis()).unwrap_or(0)
}
