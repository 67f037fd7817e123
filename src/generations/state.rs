//! State of a generation: what it has persisted, what the other generations have, and the sum of both.
//!
//! It must never stop the counting: where the directory fails, that is logged once, counted, and tried again.

use crate::catalogue;
use crate::clock;
use crate::count::ledger::{LabelSet, Places};
use crate::fixed_point::FixedPoint;
use crate::generations::content::{self, Content, Head, Name};
use crate::generations::directory;
use crate::generations::directory::{Directory, Loaded, PeerCache};
use crate::generations::fold;
use crate::generations::fold::Bounds;
use crate::generations::own_file;
use crate::generations::own_file::{OwnFile, step};
use crate::log::log_warning;
use crate::order;
use crate::os::{UserRights, privileges};
use crate::self_metrics::SelfMetrics;
use crate::snapshot::page::{Page, Series, Value, labels_of};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How often a scrape reads the directory again when files go while it reads. Each time, another process has made
/// progress with its start.
pub const READS_MAX: usize = 50;

/// How long a scrape is refused rather than told a sum that lacks counts, because a file cannot be read just now.
const UNKNOWN_WAIT_MAX: Duration = Duration::from_secs(10);

/// All methods may be called from any thread.
#[derive(Debug)]
pub struct State {
    pub(super) directory: Directory,
    /// Our name; the start is settled when the file is made.
    pub(super) start: AtomicU64,
    pub(super) pid: u32,
    /// In milliseconds since boot.
    began: u64,
    bounds: Bounds,
    /// Held while our file is written, which may take as long as a disk takes; no scrape waits for it.
    pub(super) own: Mutex<Own>,
    pub(super) view: Mutex<View>,
    wants_port: AtomicBool,
    /// Dead generations have been looked for.
    pub(super) has_absorbed: AtomicBool,
    pub(super) self_metrics: Arc<SelfMetrics>,
    /// Failures that were logged and have not ended.
    said: Mutex<BTreeSet<String>>,
}

/// What we have on disk.
#[derive(Debug, Default)]
pub struct Own {
    pub(super) file: OwnFile,
    /// The part of the file's page that we have counted ourselves, without what was absorbed.
    pub(super) own: Page,
    /// The directory has not been synced since the file was renamed.
    renamed: bool,
}

/// What a scrape needs besides our own counts.
#[derive(Debug, Default)]
pub struct View {
    /// The counts of the dead that are in our file.
    pub(super) absorbed_sum: Arc<Page>,
    /// The generations that they are of, for as long as their files stand.
    pub(super) absorbed: BTreeSet<Name>,
    pub(super) peers: PeerCache,
    /// Since when something of the others is not known that may be known soon.
    unknown_since: Option<Instant>,
    /// The directory could be listed once, and so what is known of the others is all there was.
    has_listed: bool,
    /// Whatever can be read was read when it was looked last, and nothing is taken from what was known before.
    is_current: bool,
}

impl View {
    pub(super) fn forget_peers(&mut self) {
        self.peers.clear();
        self.has_listed = false;
    }

    fn note_unknown(&mut self, unknown: bool) {
        self.unknown_since = unknown.then(|| self.unknown_since.unwrap_or_else(Instant::now));
    }
}

impl State {
    /// A generation in the directory. No file is touched before `begin`. All that it does needs no more than the
    /// rights of the user that the process runs as.
    pub fn new(
        directory: &Path,
        bounds: Bounds,
        _rights: &UserRights,
        self_metrics: Arc<SelfMetrics>,
    ) -> State {
        State {
            directory: Directory { path: directory.to_owned() },
            start: AtomicU64::new(clock::now_nanos() / 1_000_000),
            pid: std::process::id(),
            began: clock::since_boot_millis(),
            bounds,
            own: Mutex::default(),
            view: Mutex::default(),
            wants_port: AtomicBool::new(false),
            has_absorbed: AtomicBool::new(false),
            self_metrics,
            said: Mutex::default(),
        }
    }

    /// Makes the directory where it is missing and our file in it. Cheap: the dead are summed as files until `absorb`.
    /// An error is the caller's to say; the file is then made by the first save that works.
    pub fn begin(&self) -> io::Result<()> {
        let mut mine = lock(&self.own);
        let content = Content { head: self.head(BTreeSet::new()), ..Content::default() };
        let made = privileges::open_state_directory(&self.directory.path);
        let begun = made.and_then(|_| self.replace(&mut mine, &content, false));
        begun.map_err(|error| {
            self.self_metrics.state_errors.inc();
            lock(&self.said).extend(["list", "save"].map(str::to_owned));
            let why = format!("unable to keep state in {}: {error}", self.directory.path.display());
            io::Error::new(error.kind(), why)
        })
    }

    pub fn me(&self) -> Name {
        Name { start: self.start.load(Ordering::Relaxed), pid: self.pid }
    }

    fn head(&self, absorbed: BTreeSet<Name>) -> Head {
        Head { began: self.began, wants_port: self.waits_for_port(), absorbed }
    }

    /// Our own counts and those of all others, added up.
    pub fn merged(&self, own: Page) -> Page {
        let mut view = lock(&self.view);
        let peers = (0..READS_MAX).find_map(|_| self.peers(&mut view)).unwrap_or_else(|| known(&view));
        let mut sum = own;
        self.add(&mut sum, &view.absorbed_sum);
        // The youngest first: where histograms do not go together, its buckets are the ones that were asked for last.
        for peer in peers.iter().rev() {
            self.add(&mut sum, &peer.page);
        }
        sum
    }

    /// Whether the sum lacks counts of others which it may have soon. Told for a while only: then it is better
    /// than none.
    pub fn lacks_counts(&self) -> bool {
        lock(&self.view).unknown_since.is_some_and(|since| since.elapsed() < UNKNOWN_WAIT_MAX)
    }

    /// The series of requests that are on the page without ours, those with the most requests first.
    pub fn known_series(&self) -> Vec<LabelSet> {
        let page = self.merged(Page::default());
        let Some(family) = page.families.get(catalogue::REQUESTS.name) else { return Vec::new() };
        let requests = |series: &&Series| match &series.value {
            Value::Number { value, .. } => Reverse(*value),
            _ => Reverse(FixedPoint::ZERO),
        };
        let mut series: Vec<&Series> = family.series.iter().collect();
        order::sort_by_key(&mut series, requests);
        series.into_iter().map(|series| labels_of(&series.labels)).collect()
    }

    /// What is kept by the others and of the dead: where in files their counts end; and whether that is all of it, as
    /// it is now.
    pub(super) fn kept(&self) -> (BTreeMap<String, String>, bool) {
        let mut view = lock(&self.view);
        let peers = (0..READS_MAX).find_map(|_| self.peers(&mut view));
        let is_whole = peers.is_some() && view.is_current;
        let peers = peers.unwrap_or_else(|| known(&view));
        drop(view);
        // Ours comes last: of one that is being absorbed meanwhile, what was kept is here or there.
        let mut kept = lock(&self.own).file.content.kept.clone();
        peers.iter().for_each(|peer| content::take_over(&mut kept, &peer.kept));
        (kept, is_whole)
    }

    /// What the others have kept, and the dead.
    pub fn kept_by_others(&self) -> BTreeMap<String, String> {
        self.kept().0
    }

    /// Saves our own counts, if anything is new. An error has been logged already; the next call tries
    /// again.
    pub fn save(&self, own: &Page) -> io::Result<()> {
        self.save_with(own, &Places::new())
    }

    /// The same with the places in files behind exactly these counts.
    pub fn save_with(&self, own: &Page, places: &Places) -> io::Result<()> {
        let mut mine = lock(&self.own);
        let own = own.lasting();
        let sum = Arc::clone(&lock(&self.view).absorbed_sum);
        let folded = fold::fold(&sum, &own, self.bounds, &stamp());
        let head = self.head(mine.file.content.head.absorbed.clone());
        let page = self.persisted(&own, folded.as_ref().unwrap_or(&sum));
        let mut kept = mine.file.content.kept.clone();
        kept.retain(|key, _| !places.get(key.as_str()).is_some_and(Option::is_none));
        let news = places.iter().filter_map(|(key, place)| Some((key.to_string(), place.clone()?)));
        content::take_over(&mut kept, &news.collect());
        let content = Content { head, kept, page };
        if content != mine.file.content || !self.is_under_its_name(&mine) {
            self.put(&mut mine, &content)?;
        }
        mine.own = own;
        if let Some(folded) = folded {
            lock(&self.view).absorbed_sum = Arc::new(folded);
        }
        self.sync_names(&mut mine)
    }

    /// Sees to it that there is room for a time in which the disk is full.
    pub fn keep_reserve(&self) {
        let bytes = lock(&self.own).file.reserve_bytes();
        self.tell_whether_full(!own_file::keep_reserve(&self.directory.path, bytes));
    }

    /// The same where nothing is saved and the disk was full.
    pub fn look_for_room(&self) {
        if self.self_metrics.full_device.load(Ordering::Relaxed) != 0 {
            self.keep_reserve();
        }
    }

    /// Whoever else of this process writes to the disk leaves it alone while it is full: what is freed for the state
    /// would be taken by the tee.
    fn tell_whether_full(&self, is_full: bool) {
        let device = self.directory.path.metadata().ok().filter(|_| is_full).map_or(0, |meta| meta.dev());
        self.self_metrics.full_device.store(device, Ordering::Relaxed);
    }

    /// Frees the room in reserve for the next write; false where there is none.
    fn take_reserve(&self) -> bool {
        // Before: what is freed is taken at once by whoever waits for it.
        self.tell_whether_full(own_file::has_had_reserve(&self.directory.path));
        own_file::take_reserve(&self.directory.path)
    }

    /// What stands beside the state under that name, if it is a short text.
    pub fn read_beside(&self, name: &str, bytes_max: u64) -> Option<String> {
        self.directory.read_beside(name, bytes_max).ok().flatten()
    }

    /// Puts a text beside the state: not synced, for nothing is lost with it.
    pub fn write_beside(&self, name: &str, text: &str) -> io::Result<()> {
        self.directory.write_beside(name, text)
    }

    /// Whether our file stands in the directory. While it is being written, it will.
    pub fn is_linked(&self) -> bool {
        self.own.try_lock().map_or(true, |mine| self.is_under_its_name(&mine))
    }

    fn is_under_its_name(&self, mine: &Own) -> bool {
        let file = mine.file.file.as_ref();
        file.and_then(|file| file.metadata().ok()).is_some_and(|meta| self.directory.is_at(self.me(), &meta))
    }

    /// Tells a generation whose server has gone whether we wait for its port: with the next save.
    pub fn want_port(&self, wants_port: bool) {
        self.wants_port.store(wants_port, Ordering::Relaxed);
    }

    pub(super) fn waits_for_port(&self) -> bool {
        self.wants_port.load(Ordering::Relaxed)
    }

    /// Whether another living generation has the port, or at least does not wait for it.
    pub fn another_serves(&self) -> bool {
        self.others(|_, head| !head.wants_port)
    }

    /// Whether there is another living generation.
    pub fn has_peers(&self) -> bool {
        self.others(|_, _| true)
    }

    /// Whether a younger living generation waits for the port.
    pub fn newer_wants_port(&self) -> bool {
        let younger = |name: Name, head: &Head| match head.began {
            // A file of 0.1.0.
            0 => name > self.me(),
            began => (began, name) > (self.began, self.me()),
        };
        self.others(|name, head| head.wants_port && younger(name, head))
    }

    /// Whether any other living generation is so. Only heads of files are read and no lock is taken, so
    /// that the caller never waits for a scrape.
    fn others(&self, is: impl Fn(Name, &Head) -> bool) -> bool {
        let names = self.directory.names().unwrap_or_default();
        names.into_iter().filter(|name| *name != self.me()).any(|name| {
            let Ok((Some(head), file)) = self.directory.head(name) else { return false };
            is(name, &head) && directory::is_living(&file)
        })
    }

    /// The last save. A generation that has counted, absorbed and kept nothing leaves nothing behind.
    pub fn finish(&self, own: &Page, places: &Places) -> io::Result<()> {
        let has_kept = !places.is_empty() || !lock(&self.own).file.content.kept.is_empty();
        if has_kept || !is_zero(&self.persisted(&own.lasting(), &lock(&self.view).absorbed_sum)) {
            return self.save_with(own, places);
        }
        if lock(&self.own).file.file.is_none() {
            return Ok(());
        }
        step();
        let removed = std::fs::remove_file(self.directory.path_of(self.me()));
        let removed = removed.inspect_err(|error| self.failed("finish", "remove", error));
        // Nothing is lost with a file that has nothing in it.
        removed.or_else(|error| if directory::may_pass(&error) { Err(error) } else { Ok(()) })
    }

    // --- reading ---

    /// The pages of the others; None when a file has gone meanwhile and it all has to be read again.
    fn peers(&self, view: &mut View) -> Option<Vec<Arc<Content>>> {
        let names = match self.directory.names() {
            Ok(names) => names,
            Err(error) => {
                // Perhaps the directory was removed; the counts are still known.
                view.note_unknown(!view.has_listed && directory::may_pass(&error));
                view.is_current = !directory::may_pass(&error);
                self.failed("list", "read", &error);
                return Some(known(view));
            }
        };
        self.works("list");
        let (mut found, mut living, mut unknown, mut is_current) = (Vec::new(), 1i64, false, true);
        let other = |name: &Name| *name != self.me() && !view.absorbed.contains(name);
        for name in names.into_iter().filter(other).collect::<Vec<_>>() {
            let failed = |error: &io::Error| {
                is_current &= !directory::may_pass(error);
                self.unopened(name, error);
            };
            match view.peers.load(&self.directory, name, failed) {
                Loaded::Whole { content, living: alive } => {
                    living += i64::from(alive);
                    found.push((name, content));
                }
                Loaded::Unreadable => self.say_unreadable(view, name),
                Loaded::Unknown => unknown = true,
                Loaded::Gone => return None,
            }
        }
        let still = self.directory.names().ok()?;
        if !found.iter().all(|(name, _)| still.binary_search(name).is_ok()) {
            return None;
        }
        let unlisted = view.peers.forget_all_but(&still);
        living += i64::try_from(unlisted.len()).unwrap_or(0);
        found.extend(unlisted);
        self.self_metrics.generations.set(living);
        view.note_unknown(unknown);
        view.has_listed = true;
        view.is_current = is_current;
        Some(without_noted(found))
    }

    /// Not before the dead have been looked at: what can be put in quarantine is said then.
    fn say_unreadable(&self, view: &mut View, name: Name) {
        if !self.has_absorbed.load(Ordering::Relaxed) {
            return;
        }
        if let Some(why) = view.peers.fault(name) {
            let path = self.directory.path_of(name);
            log_warning(format_args!("the state file {} is left out: {why}", path.display()));
            self.self_metrics.state_errors.inc();
        }
    }

    // --- writing ---

    /// What our file has to say: our own counts and those of the dead.
    fn persisted(&self, own: &Page, absorbed_sum: &Page) -> Page {
        let mut page = own.clone();
        self.add(&mut page, absorbed_sum);
        page
    }

    /// Gives our file this content. The caller has to update what goes with the content, and then to call
    /// `sync_names`.
    pub(super) fn put(&self, mine: &mut Own, content: &Content) -> io::Result<()> {
        if self.is_under_its_name(mine) && mine.file.append(content) {
            return Ok(());
        }
        let replaced = self.replace(mine, content, true).or_else(|error| match error.kind() {
            // The directory has vanished, or could not be made before.
            io::ErrorKind::NotFound => {
                privileges::open_state_directory(&self.directory.path)?;
                self.replace(mine, content, true)
            }
            _ => Err(error),
        });
        replaced.inspect_err(|error| self.failed("save", "save", error))
    }

    /// Waits until the rename is on disk: before anything is said to be there, or removed that it makes needless.
    pub(super) fn sync_names(&self, mine: &mut Own) -> io::Result<()> {
        if mine.renamed {
            self.directory.sync().inspect_err(|error| self.failed("save", "save", error))?;
            mine.renamed = false;
        }
        self.works("save");
        Ok(())
    }

    /// Puts a file under our name. The first time, another generation may have begun in the same millisecond, with the
    /// same number where it has a PID namespace of its own; then the name is still to be found.
    fn replace(&self, mine: &mut Own, content: &Content, sync: bool) -> io::Result<()> {
        let (text, first) = (content.write(), mine.file.file.is_none());
        // What is noted of a name, when it was another's, would be said of our counts.
        let noted = if first { self.all_notes().unwrap_or_default() } else { BTreeSet::new() };
        loop {
            if noted.contains(&self.me()) {
                self.start.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            match own_file::replace(&self.directory.path, self.me(), &text, sync, first) {
                Err(error) if first && error.kind() == io::ErrorKind::AlreadyExists => {
                    self.start.fetch_add(1, Ordering::Relaxed);
                }
                Err(error) if own_file::is_full(&error) && self.take_reserve() => {}
                Err(error) => return Err(error),
                Ok(file) => {
                    mine.file.replaced(file, content.clone(), text.len());
                    mine.renamed = true;
                    return Ok(());
                }
            }
        }
    }

    // --- helpers ---

    pub(super) fn is_at(&self, name: Name, file: &File) -> bool {
        file.metadata().is_ok_and(|meta| self.directory.is_at(name, &meta))
    }

    pub(super) fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// Adds what can be added, and says once what cannot.
    pub(super) fn add(&self, sum: &mut Page, page: &Page) {
        for family in sum.add(page) {
            self.say_once(&format!("family {family}"), || {
                format!("{family} of another generation has other buckets or another type and is not summed")
            });
        }
    }

    pub(super) fn unopened(&self, name: Name, error: &io::Error) {
        let path = self.directory.path_of(name);
        // What is no file is put in quarantine, and said then.
        if path.symlink_metadata().is_ok_and(|meta| meta.is_file()) {
            self.self_metrics.state_errors.inc();
            self.say_once(&format!("open {name}"), || {
                let is_refused = error.kind() == io::ErrorKind::PermissionDenied;
                let hint =
                    if is_refused { "; it has to belong to the user that this process runs as" } else { "" };
                let path = path.display();
                format!("unable to read the state file {path}: {error}; its counts are not on the page{hint}")
            });
        }
    }

    pub(super) fn failed(&self, key: &str, verb: &str, error: &io::Error) {
        self.self_metrics.state_errors.inc();
        let directory = self.directory.path.display();
        self.say_once(key, || format!("unable to {verb} the state in {directory}: {error}"));
    }

    pub(super) fn say_once(&self, key: &str, message: impl FnOnce() -> String) {
        if lock(&self.said).insert(key.to_owned()) {
            log_warning(message());
        }
    }

    pub(super) fn works(&self, key: &str) {
        lock(&self.said).remove(key);
    }
}

/// A time that no folding before it has, in seconds since the epoch: two in the same millisecond would make one series,
/// which grows.
pub(super) fn stamp() -> String {
    static LATEST_MILLIS: AtomicU64 = AtomicU64::new(0);
    let now = clock::now_nanos() / 1_000_000;
    let after = |latest: u64| Some(now.max(latest + 1));
    let latest = LATEST_MILLIS.fetch_update(Ordering::Relaxed, Ordering::Relaxed, after).unwrap_or_default();
    let millis = now.max(latest + 1);
    format!("{}.{:03}", millis / 1000, millis % 1000)
}

/// The others as they were read last, for the time in which they cannot be read.
fn known(view: &View) -> Vec<Arc<Content>> {
    without_noted(view.peers.known(&view.absorbed))
}

/// Leaves out those whose counts are in the file of another one.
fn without_noted(found: Vec<(Name, Arc<Content>)>) -> Vec<Arc<Content>> {
    let noted = order::set(found.iter().flat_map(|(_, content)| content.head.absorbed.iter().copied()));
    found.into_iter().filter(|(name, _)| !noted.contains(name)).map(|(_, content)| content).collect()
}

/// Takes a lock even after a panic: a page that was being added up or copied is as it was.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether nothing was counted.
fn is_zero(page: &Page) -> bool {
    let zero = |value: &Value| match value {
        Value::Number { value, .. } => *value == FixedPoint::ZERO,
        Value::Histogram(histogram) => histogram.counts.iter().all(|count| *count == 0),
        Value::Summary(summary) => summary.count == 0,
    };
    page.families.values().flat_map(|family| &family.series).all(|series| zero(&series.value))
}
