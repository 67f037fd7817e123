//! Publisher: makes our page and says what a scrape may be told.
//!
//! Where there is a state, a scrape is told what is on disk: so a kill a moment later takes nothing back that a scrape
//! was told, and the successor may serve as soon as the port is free. A disk that fails or hangs for longer than
//! [`SAVE_TIME_MAX`] does not stop the figures: from then on they are those of the moment, and
//! `httpd_exporter_state_saved` is 0.
//!
//! It asks for a copy of the ledger and makes a page of it on the caller's thread, so that neither rendering nor a slow
//! scraper can hold up the counting.

use crate::catalogue::{self, HistogramKinds};
use crate::clock;
use crate::count::SnapshotHandle;
use crate::count::distinct::Sketches;
use crate::count::ledger::{Ledger, Native, Places, Summary};
use crate::fixed_point::FixedPoint;
use crate::generations::directory;
use crate::generations::distinct_files::DistinctFiles;
use crate::generations::state::{State, lock};
use crate::log::{log_error, log_warning};
use crate::self_metrics::SelfMetrics;
use crate::snapshot::collect;
use crate::snapshot::page::Page;
use crossbeam_channel::{Receiver, Sender, bounded};
use std::io;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// How long a scrape waits for fresh counts; with a slower disk it is answered without them.
const SAVE_WAIT_MAX: Duration = Duration::from_millis(30);

/// Scrapes are answered from a save no older than this, as far as the disk allows.
const FRESH_AGE_MAX: Duration = Duration::from_millis(200);

/// When a save takes longer than this, the disk is taken to be faulty, and the page shows counts that are not saved.
const SAVE_TIME_MAX: Duration = Duration::from_secs(5);

/// How long the last save waits before each further try: 10 s in all, for that is what Docker leaves a process between
/// SIGTERM and SIGKILL.
const LAST_SAVE_WAITS_MILLIS: [u64; 7] = [100, 200, 400, 800, 1500, 3000, 4000];

/// What is asked of the writer. The channel's end is the end of the process.
#[derive(Debug)]
pub enum SaveRequest {
    /// A scrape wants fresh counts; the sender is dropped when they are there.
    Refresh(#[allow(dead_code, reason = "its drop is the answer")] Sender<()>),
    /// The port is given up, so this process may be killed soon.
    Flush,
}

/// What a scrape may be told of this process.
#[derive(Clone, Debug)]
struct Published {
    page: Page,
    /// Where in files its counts end.
    places: Arc<Places>,
    /// With `--distinct`.
    sketches: Option<Sketches>,
    taken_at: Instant,
    /// Whether all of it is on disk.
    durable: bool,
}

/// All that a page is made of.
#[derive(Debug)]
pub struct Publisher {
    snapshots: SnapshotHandle,
    self_metrics: Arc<SelfMetrics>,
    pub state: Option<Arc<State>>,
    /// With `--distinct` and a state.
    distinct: Option<Arc<DistinctFiles>>,
    /// Which histograms a scrape is told, whatever the other generations have counted.
    shown: HistogramKinds,
    /// Since when this process counts, in seconds since the epoch.
    pub since: u64,
    /// Where there is a state: the newest page that is on disk, or that was shown without being on disk.
    published: Mutex<Option<Published>>,
    /// Since when newer counts than those that are published were to be saved, and are not yet.
    unsaved_since: Mutex<Option<Instant>>,
    taking: Mutex<()>,
    /// What pages have in common.
    kept: Mutex<collect::Kept>,
    /// To the writer, until the end of input.
    requests: Mutex<Option<Sender<SaveRequest>>>,
}

impl Publisher {
    pub fn new(
        snapshots: SnapshotHandle,
        self_metrics: Arc<SelfMetrics>,
        state: Option<Arc<State>>,
        distinct: Option<Arc<DistinctFiles>>,
        shown: HistogramKinds,
    ) -> Publisher {
        Publisher {
            snapshots,
            self_metrics,
            state,
            distinct,
            shown,
            since: clock::now_seconds(),
            published: Mutex::default(),
            unsaved_since: Mutex::default(),
            taking: Mutex::default(),
            kept: Mutex::default(),
            requests: Mutex::default(),
        }
    }

    /// The sum of our page and those of the other generations; or why there is none.
    pub fn page(&self, native: Native) -> Result<Page, &'static str> {
        Ok(self.page_and_moment(native)?.0)
    }

    /// The same, and the moment that its counts are of: to make a large page takes a while.
    pub fn page_and_moment(&self, native: Native) -> Result<(Page, Instant), &'static str> {
        const LATE: &str = "the counts did not come in time";
        let asked_at = Instant::now();
        let Some(state) = &self.state else {
            // Without chosen buckets the native ones tell that there are none.
            let native = if self.shown.classic { native } else { Native::Wanted };
            let taken = self.take(native).ok_or(LATE)?;
            return Ok((taken.page, taken.taken_at));
        };
        let Published { mut page, durable, sketches, taken_at, .. } = self.refresh().ok_or(LATE)?;
        page.insert_number(&catalogue::STATE_SAVED, FixedPoint::whole(u64::from(durable)));
        let mut merged = state.merged(page);
        if let (Some(files), Some(own)) = (&self.distinct, &sketches) {
            let sketches = if durable { files.known() } else { Arc::new(files.united_with(own)) };
            collect::insert_distinct(&sketches, clock::now_seconds(), &mut merged);
        }
        merged.show_only(self.shown);
        // On a page that lacks counts a counter would fall, and then rise without traffic.
        if state.lacks_counts() {
            return Err("a state file cannot be read just now");
        }
        // An older page is that of now where nothing has come since.
        Ok((merged, taken_at.max(asked_at)))
    }

    /// What a scrape may be told now.
    fn refresh(&self) -> Option<Published> {
        if !self.is_fresh() {
            self.note_unsaved();
        }
        let (done, wait) = bounded(0);
        self.request(SaveRequest::Refresh(done));
        let _ = wait.recv_timeout(SAVE_WAIT_MAX);
        let published = lock(&self.published).clone();
        // After a quiet time the page is old and still right: what matters is how long the current save has taken.
        let is_late = lock(&self.unsaved_since).is_some_and(|since| since.elapsed() >= SAVE_TIME_MAX);
        if let Some(durable) = published.filter(|it| it.durable && !is_late) {
            return Some(durable);
        }
        let taken = self.take(Native::Wanted)?;
        self.publish(taken.clone());
        Some(taken)
    }

    /// A page of now, and when it was taken: one after the other, or of two pages that are taken at once the one with
    /// the later time could have the earlier counts.
    fn take(&self, native: Native) -> Option<Published> {
        let _one = lock(&self.taking);
        let taken_at = Instant::now();
        let ledger = self.snapshots.ledger(native)?;
        let (page, sketches) = (self.page_of(&ledger), collect::distinct_of(&ledger));
        Some(Published { page, places: ledger.places, sketches, taken_at, durable: false })
    }

    /// The page of a ledger, which at the end is no longer the counting thread's.
    pub fn page_of(&self, ledger: &Ledger) -> Page {
        collect::page(ledger, &self.self_metrics, clock::now_seconds(), &mut lock(&self.kept))
    }

    /// A save that hung in the disk may be older than what is published by now.
    fn publish(&self, news: Published) {
        let mut published = lock(&self.published);
        if published.as_ref().is_none_or(|old| old.taken_at <= news.taken_at) {
            *published = Some(news);
        }
    }

    /// Publishes the page that there is before a byte is read, as the state has it: so the first scrapes need not wait
    /// for a disk, and see nothing that is not saved, though a pipe may be full of lines already.
    pub fn begin(&self) {
        if self.state.is_some()
            && let Some(taken) = self.take(Native::Wanted)
        {
            self.publish(Published { durable: true, ..taken });
        }
    }

    /// Saves the counts and publishes them. What fails is said there.
    pub fn save(&self) {
        let Some(state) = &self.state else { return };
        self.note_unsaved();
        let Some(taken) = self.take(Native::Wanted) else { return };
        if state.save_with(&taken.page, &taken.places).is_ok() {
            state.keep_reserve();
            self.publish(Published { durable: true, ..taken });
            *lock(&self.unsaved_since) = None;
        }
    }

    /// Saves the sketches of different values, where that is due or a kill may come soon.
    pub fn save_distinct(&self, at_once: bool) {
        let Some(files) = self.distinct.as_ref().filter(|files| at_once || files.is_due()) else { return };
        let own = lock(&self.published).as_ref().and_then(|published| published.sketches.clone());
        if let Some(own) = own {
            files.save(&own);
        }
    }

    fn note_unsaved(&self) {
        lock(&self.unsaved_since).get_or_insert_with(Instant::now);
    }

    /// Whether what is published need not be saved anew for the next scrape.
    pub fn is_fresh(&self) -> bool {
        lock(&self.published).as_ref().is_some_and(|it| it.durable && it.taken_at.elapsed() < FRESH_AGE_MAX)
    }

    /// The last save, when the counting has ended. Where the disk fails for a moment it is tried again: what was shown
    /// without being on disk would be taken back.
    pub fn finish(&self, ledger: &Ledger) {
        self.finish_state(ledger);
        if let (Some(files), Some(own)) = (&self.distinct, collect::distinct_of(ledger)) {
            files.finish(&own);
        }
    }

    fn finish_state(&self, ledger: &Ledger) {
        let Some(state) = &self.state else { return };
        let page = self.page_of(ledger);
        for (tries, millis) in LAST_SAVE_WAITS_MILLIS.into_iter().enumerate() {
            match state.finish(&page, &ledger.places) {
                Err(error) if directory::may_pass(&error) => {
                    if tries == 0 {
                        log_warning(format_args!(
                            "the last counts are not saved yet, and are tried again: {error}"
                        ));
                    }
                    thread::sleep(Duration::from_millis(millis));
                }
                Ok(()) => return,
                Err(error) => return tell_lost(&error),
            }
        }
        if let Err(error) = state.finish(&page, &ledger.places) {
            tell_lost(&error);
        }
    }

    /// Takes over the counts of the dead. What fails is said there; they are summed as files until the next start.
    pub fn absorb(&self) {
        if let Some(state) = &self.state {
            let _ = state.absorb();
            state.keep_reserve();
        }
    }

    /// Looks whether a disk that was full has room again.
    pub fn look_for_room(&self) {
        if let Some(state) = &self.state {
            state.look_for_room();
        }
    }

    /// Whether our file is there, to be asked when nothing is new.
    pub fn is_saved(&self) -> bool {
        self.state.as_ref().is_none_or(|state| state.is_linked())
    }

    pub fn input_bytes(&self) -> u64 {
        self.self_metrics.input_bytes.get()
    }

    /// A few figures of this process.
    pub fn summary(&self) -> Option<Summary> {
        self.snapshots.summary()
    }

    /// Opens the way to the writer. While the disk hangs, further requests may be dropped.
    pub fn requests(&self) -> Receiver<SaveRequest> {
        let (sender, receiver) = bounded(8);
        *lock(&self.requests) = Some(sender);
        receiver
    }

    /// Ends the writer.
    pub fn close(&self) {
        *lock(&self.requests) = None;
    }

    fn request(&self, request: SaveRequest) {
        if let Some(writer) = &*lock(&self.requests) {
            let _ = writer.try_send(request);
        }
    }

    /// Has the counts saved soon, without waiting for it.
    pub fn flush(&self) {
        self.request(SaveRequest::Flush);
    }
}

fn tell_lost(error: &io::Error) {
    log_error(format_args!("what was counted since the last save is lost: {error}"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advise::worker::Advisor;
    use crate::count::{self, Counter};
    use crate::generations::fold::Bounds;
    use crate::input;
    use crate::input::tee::tests::TempDir;
    use crate::options;
    use crate::os::UserRights;

    /// The disk takes longer than a scrape waits, and nothing had come for a while before: what is on disk is told, for
    /// as long as a save may take.
    #[test]
    fn after_a_quiet_spell_a_scrape_is_told_what_is_on_disk() {
        let directory = TempDir::new();
        let self_metrics = Arc::<SelfMetrics>::default();
        let bounds = Bounds { series: 100, histograms: 100 };
        let state = State::new(directory.path(), bounds, &UserRights::OF_THE_TESTS, self_metrics.clone());
        state.begin().unwrap();
        let (snapshots, questions) = SnapshotHandle::new();
        let (chunks, inbox) = input::channels(self_metrics.clone());
        let counting_metrics = self_metrics.clone();
        let counting = thread::spawn(move || {
            let options = options::parse(["--format", "combined"].map(Into::into)).unwrap();
            let counter = Counter::new(options, Advisor::new().1).unwrap();
            count::run(counter, &inbox, &questions, &counting_metrics);
        });
        let publisher =
            Publisher::new(snapshots, self_metrics, Some(Arc::new(state)), None, HistogramKinds::BOTH);
        publisher.begin();
        publisher.save();
        // Of a writer that hangs.
        let _requests = publisher.requests();
        let past = |time: &mut Instant| *time = time.checked_sub(2 * SAVE_TIME_MAX).unwrap();
        lock(&publisher.published).iter_mut().for_each(|published| past(&mut published.taken_at));

        assert!(publisher.refresh().unwrap().durable, "asked for the first time");
        assert!(publisher.refresh().unwrap().durable, "asked a moment ago");
        lock(&publisher.unsaved_since).iter_mut().for_each(past);
        assert!(!publisher.refresh().unwrap().durable, "asked long ago");
        drop(chunks);
        drop(publisher);
        counting.join().unwrap();
    }
}
