//! What the server serves: the page of metrics, whether the house is well, and the page at `/`.
//!
//! It asks for a copy of the ledger and makes text of it on the caller's thread, so that neither rendering nor a slow
//! scraper can hold up the counting.

use crate::calendar;
use crate::calendar::Date;
use crate::count::Asker;
use crate::count::ledger::Ledger;
use crate::generations::state::State;
use crate::generations::writer::Wish;
use crate::self_metrics::SelfMetrics;
use crate::serve::http;
use crate::serve::http::Handler;
use crate::serve::landing;
use crate::serve::landing::LandingFacts;
use crate::snapshot::collect;
use crate::snapshot::exposition;
use crate::snapshot::exposition::Form;
use crate::snapshot::page::Page;
use crossbeam_channel::{Receiver, Sender, bounded};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a scrape waits for fresh counts; a disk that takes longer is answered around.
const SAVE_PATIENCE: Duration = Duration::from_millis(30);

/// A page older than this is no longer worth its promise: something is wrong with the disk, and the counts go on.
const STALE: Duration = Duration::from_secs(5);

/// All that a page is made of.
#[derive(Debug)]
pub struct Publisher {
    asker: Asker,
    self_metrics: Arc<SelfMetrics>,
    pub state: Option<State>,
    pub telemetry_path: String,
    /// Since when this process counts, in seconds since the epoch.
    since: u64,
    /// Where there is a state: our page as it was saved last. Scrapes see this one, so that none is told what a crash
    /// a moment later would take back, and the successor may serve as soon as the port is free.
    shown: Mutex<Option<Shown>>,
    making: Mutex<()>,
    /// What pages have in common.
    kept: Mutex<collect::Kept>,
    /// To the saver, until the end of input.
    wishes: Mutex<Option<Sender<Wish>>>,
}

#[derive(Debug)]
struct Shown {
    page: Page,
    made: Instant,
}

impl Publisher {
    pub fn new(
        asker: Asker,
        self_metrics: Arc<SelfMetrics>,
        state: Option<State>,
        telemetry_path: &str,
    ) -> Publisher {
        Publisher {
            asker,
            self_metrics,
            state,
            telemetry_path: telemetry_path.to_owned(),
            since: calendar::now_seconds(),
            shown: Mutex::default(),
            making: Mutex::default(),
            kept: Mutex::default(),
            wishes: Mutex::default(),
        }
    }

    /// Opens the way to the saver. While its disk hangs, more wishes than these are nobody's loss.
    pub fn wishes(&self) -> Receiver<Wish> {
        let (sender, receiver) = bounded(8);
        *lock(&self.wishes) = Some(sender);
        receiver
    }

    /// Ends the saver.
    pub fn no_more_wishes(&self) {
        *lock(&self.wishes) = None;
    }

    fn wish(&self, wish: Wish) {
        if let Some(saver) = &*lock(&self.wishes) {
            let _ = saver.try_send(wish);
        }
    }

    /// Has the counts saved soon, without waiting for it.
    pub fn ask_to_save(&self) {
        self.wish(Wish::Now);
    }

    /// This process's own page, as a scrape may see it.
    fn own(&self) -> Option<Page> {
        if self.state.is_none() {
            return self.live();
        }
        let (done, wait) = bounded(0);
        self.wish(Wish::Fresh(done));
        let _ = wait.recv_timeout(SAVE_PATIENCE);
        if let Some(shown) = lock(&self.shown).as_ref().filter(|shown| shown.made.elapsed() < STALE) {
            return Some(shown.page.clone());
        }
        let (made, page) = self.made()?;
        self.show(made, page.clone());
        Some(page)
    }

    /// A page of now, and when it was made: one after the other, or of two pages that are made at once the one with the
    /// later time could have the earlier counts.
    fn made(&self) -> Option<(Instant, Page)> {
        let _one = lock(&self.making);
        Some((Instant::now(), self.live()?))
    }

    fn show(&self, made: Instant, page: Page) {
        let mut shown = lock(&self.shown);
        // A save that hung in a disk is no news when it is done.
        if shown.as_ref().is_none_or(|shown| shown.made <= made) {
            *shown = Some(Shown { page, made });
        }
    }

    fn live(&self) -> Option<Page> {
        self.asker.ledger().map(|ledger| self.page_of(&ledger))
    }

    /// The page of a ledger, which at the end is no longer the counting thread's.
    pub fn page_of(&self, ledger: &Ledger) -> Page {
        collect::page(ledger, &self.self_metrics, calendar::now_seconds(), &mut lock(&self.kept))
    }

    /// Shows the page that there is before a byte is read, as the state has it: so the first scrapes need not wait for
    /// a disk, and see nothing that is not saved, though a pipe may be full of lines already.
    pub fn begin(&self) {
        if self.state.is_some()
            && let Some((made, page)) = self.made()
        {
            self.show(made, page);
        }
    }

    /// Saves the counts and shows them. What fails is said there, and the counts are shown all the same.
    pub fn save(&self) {
        let Some(state) = &self.state else { return };
        let Some((made, page)) = self.made() else { return };
        let _ = state.save(&page);
        self.show(made, page);
    }

    /// Takes over the counts of the dead. What fails is said there; they are summed as files until the next start.
    pub fn absorb(&self) {
        if let Some(state) = &self.state {
            let _ = state.absorb();
        }
    }

    /// Whether our file is there, to be asked when nothing is new.
    pub fn is_saved(&self) -> bool {
        self.state.as_ref().is_none_or(State::stands)
    }

    pub fn input_bytes(&self) -> u64 {
        self.self_metrics.input_bytes.get()
    }

    /// The last save, when the counting has ended.
    pub fn finish(&self, ledger: &Ledger) {
        if let Some(state) = &self.state {
            let _ = state.finish(&self.page_of(ledger)); // Said where it failed.
        }
    }

    /// Everybody's page: ours and that of the other generations.
    pub fn whole(&self, own: Page) -> Page {
        match &self.state {
            Some(state) => state.whole(own),
            None => own,
        }
    }
}

impl Handler for Publisher {
    fn exposition(&self, form: Form) -> Result<Vec<u8>, &'static str> {
        let own = self.own().ok_or("the counts did not come in time")?;
        let text = exposition::try_write(&self.whole(own), form);
        text.map(String::into_bytes).map_err(|_| http::NO_MEMORY)
    }

    fn ready(&self) -> Result<(), String> {
        let summary = self.asker.summary().ok_or("the counting thread does not answer")?;
        summary.why_not_ready.map_or(Ok(()), |why| Err(why.into_owned()))
    }

    fn landing(&self) -> String {
        let summary = self.asker.summary();
        let format = match summary.as_ref().and_then(|summary| summary.format.as_ref()) {
            Some((name, text)) => format!("{name}: {text}"),
            None => "not chosen yet".to_owned(),
        };
        landing::page(&LandingFacts {
            name: "httpd_exporter".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            telemetry_path: self.telemetry_path.clone(),
            format,
            lines_read: summary.as_ref().map_or(0, |summary| summary.lines),
            lines_malformed: summary.as_ref().map_or(0, |summary| summary.malformed),
            lines_foreign: summary.as_ref().map_or(0, |summary| summary.foreign),
            since: Date::of(self.since).to_string(),
        })
    }

    fn extra(&self, path: &str) -> Option<(&'static str, Vec<u8>)> {
        landing::asset(path).map(|(content_type, bytes)| (content_type, bytes.to_vec()))
    }
}

/// A panic while a page is copied leaves it as it was.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
