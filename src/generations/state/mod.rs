//! Keeps counts over restarts and adds up all generations that share a directory: pages to files, files to
//! one page.
//!
//! A generation is a file, a locked file is a living generation. It owns `DIR/<start>-<pid>`, which holds all
//! it vouches for: its own counts and those of the dead it has absorbed (its base). There is no protocol
//! between generations, only sums, and three rules that make each count appear in a sum exactly once:
//!
//! 1. Absorbing holds the lock of the dead file, then saves ours with the sum and a note of whom it absorbed
//!    (one rename: that is the moment it happens), and only then removes theirs. A process that ends in
//!    between leaves files that are noted in another one; those are not added, and the next start removes
//!    them. Who absorbs the file with the note takes over the note too, for as long as the noted file stands.
//! 2. A scrape reads what the directory lists, and reads it again if anything it read has gone meanwhile; so does
//!    who looks for notes. So it sees an absorbed file either itself or as a note, never neither. (Linux lists a
//!    directory of some hundred entries in one call under the directory's lock, so a listing cannot miss a file
//!    that is being replaced.)
//! 3. A file that cannot be read is set aside under another name when its generation is dead; it is never
//!    removed.
//!
//! It must never stop the counting: where the directory fails, it says so once, counts it and tries again.

mod file;

use crate::generations::state::file::{Content, Name, step};
use crate::limits::{GENERATIONS_MAX, STATE_SERIES_MAX};
use crate::log::log_line;
use crate::os::{UserRights, privileges};
use crate::self_metrics::SelfMetrics;
use crate::snapshot::page::{Page, Value};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

/// Dead files absorbed with one save; each takes a file descriptor until it is removed, of 1024 that are
/// usual.
const BATCH: usize = 256;
/// How often a scrape reads the directory again when files go while it reads. Each time, some start has come
/// forward.
const READS_MAX: usize = 50;
/// A file under an unfinished name that nobody has touched for so long was left by a process that was killed.
const UNFINISHED: Duration = Duration::from_secs(60);

/// One generation among others. All methods may be called from any thread.
#[derive(Debug)]
pub struct State {
    directory: PathBuf,
    /// Our name; the start is settled when the file is made.
    start: AtomicU64,
    pid: u32,
    /// Held while our file is written, which may take as long as a disk takes; no scrape waits for it.
    own: Mutex<Own>,
    view: Mutex<View>,
    wants_port: AtomicBool,
    /// The dead have been looked at.
    has_absorbed: AtomicBool,
    self_metrics: Arc<SelfMetrics>,
    /// What has been said and has not ended.
    said: Mutex<BTreeSet<String>>,
}

/// Our file as it stands.
#[derive(Debug, Default)]
struct Own {
    /// None until it could be made.
    file: Option<File>,
    content: Content,
    /// The part of the content that we have counted ourselves, without the base.
    counted: Page,
}

/// What a scrape needs besides our own counts.
#[derive(Debug, Default)]
struct View {
    base: Arc<Page>,
    absorbed: BTreeSet<Name>,
    read: BTreeMap<Name, Cached>,
}

/// A file as it was read last, or what is wrong with it.
#[derive(Debug)]
struct Cached {
    key: (u64, i64, i64, u64),
    content: Result<Arc<Content>, String>,
    said: bool,
}

/// Dead generations whose files may go once ours is saved.
#[derive(Debug, Default)]
struct Gone {
    files: Vec<(Name, File)>,
    /// Whom they have absorbed in their turn.
    noted: BTreeSet<Name>,
}

impl Gone {
    fn push(&mut self, name: Name, file: File, content: &Content) {
        self.files.push((name, file));
        self.noted.extend(&content.absorbed);
    }
}

enum Loaded {
    Whole { content: Arc<Content>, living: bool },
    Unreadable,
    Gone,
}

impl State {
    /// One among those in the directory. Nothing is touched before `begin`. All that it does needs no more than the
    /// rights of the user that the process runs as.
    pub fn new(directory: &Path, _rights: &UserRights, self_metrics: Arc<SelfMetrics>) -> State {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis();
        State {
            directory: directory.to_owned(),
            start: AtomicU64::new(u64::try_from(now).unwrap_or(u64::MAX)),
            pid: std::process::id(),
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
        let made = privileges::open_state_directory(&self.directory);
        let begun = made.and_then(|_| self.replace(&Content::default().write(), false, true));
        mine.file = Some(begun.map_err(|error| {
            self.self_metrics.state_errors.inc();
            lock(&self.said).extend(["list", "save"].map(str::to_owned));
            let why = format!("unable to keep state in {}: {error}", self.directory.display());
            io::Error::new(error.kind(), why)
        })?);
        Ok(())
    }

    fn me(&self) -> Name {
        Name { start: self.start.load(Ordering::Relaxed), pid: self.pid }
    }

    /// Our own counts and everybody else's, added up.
    pub fn whole(&self, own: Page) -> Page {
        let mut view = lock(&self.view);
        let peers = (0..READS_MAX).find_map(|_| self.peers(&mut view)).unwrap_or_else(|| known(&view));
        let mut sum = own;
        self.add(&mut sum, &view.base);
        // The youngest first: where histograms do not go together, its buckets are the ones that were asked for last.
        for peer in peers.iter().rev() {
            self.add(&mut sum, &peer.page);
        }
        sum
    }

    /// Saves our own counts, if anything is new. An error has been said already and is tried again at the
    /// next call.
    pub fn save(&self, own: &Page) -> io::Result<()> {
        let mut mine = lock(&self.own);
        let counted = own.lasting();
        let (wants_port, absorbed) = (self.wants_port.load(Ordering::Relaxed), mine.content.absorbed.clone());
        let content = Content { page: self.vouched(&counted), absorbed, wants_port };
        if content == mine.content && self.is_under_its_name(&mine) {
            return Ok(());
        }
        self.put(&mut mine, content, true)?;
        mine.counted = counted;
        Ok(())
    }

    /// Takes the counts of the dead into our file and removes theirs.
    pub fn absorb(&self) -> io::Result<()> {
        let absorbed = self.absorb_all();
        self.has_absorbed.store(true, Ordering::Relaxed);
        absorbed
    }

    fn absorb_all(&self) -> io::Result<()> {
        let mut mine = lock(&self.own);
        self.sweep();
        // Each file is tried once: what cannot be absorbed now can be at the next start.
        let mut seen = BTreeSet::from([self.me()]);
        loop {
            let names = self.names().inspect_err(|error| self.failed("list", "list", error))?;
            // The youngest first: it has the buckets that were asked for last.
            let batch: Vec<Name> =
                names.into_iter().rev().filter(|name| seen.insert(*name)).take(BATCH).collect();
            if batch.is_empty() {
                return Ok(());
            }
            let dead: Vec<(Name, File)> =
                batch.iter().filter_map(|name| Some((*name, self.lock_dead(*name)?))).collect();
            if !dead.is_empty() {
                self.absorb_locked(&mut mine, dead)?;
            }
        }
    }

    /// Whether our file stands in the directory. While it is being written, it will.
    pub fn stands(&self) -> bool {
        self.own.try_lock().map_or(true, |mine| self.is_under_its_name(&mine))
    }

    fn is_under_its_name(&self, mine: &Own) -> bool {
        let file = mine.file.as_ref();
        file.and_then(|file| file.metadata().ok()).is_some_and(|meta| self.is_at(self.me(), &meta))
    }

    /// Tells a generation whose server has gone whether we wait for its port: with the next save.
    pub fn want_port(&self, wants_port: bool) {
        self.wants_port.store(wants_port, Ordering::Relaxed);
    }

    /// Whether another living generation has the port, or at least does not wait for it.
    pub fn someone_serves(&self) -> bool {
        self.others(|_| true, |content| !content.wants_port)
    }

    /// Whether there is another living generation.
    pub fn has_company(&self) -> bool {
        self.others(|_| true, |_| true)
    }

    /// Whether a younger living generation waits for the port.
    pub fn someone_younger_wants(&self) -> bool {
        self.others(|name| name > self.me(), |content| content.wants_port)
    }

    /// Whether any of these living generations is so.
    fn others(&self, these: impl Fn(Name) -> bool, are: impl Fn(&Content) -> bool) -> bool {
        let mut view = lock(&self.view);
        let names = self.names().unwrap_or_default().into_iter();
        let mut loaded = names
            .filter(|name| *name != self.me() && these(*name))
            .map(|name| self.load(&mut view.read, name));
        loaded.any(|loaded| matches!(loaded, Loaded::Whole { content, living: true } if are(&content)))
    }

    /// The last save. A generation that has counted and absorbed nothing leaves nothing behind.
    pub fn finish(&self, own: &Page) -> io::Result<()> {
        if !is_zero(&self.vouched(&own.lasting())) {
            return self.save(own);
        }
        let mine = lock(&self.own);
        if mine.file.is_none() {
            return Ok(());
        }
        step();
        std::fs::remove_file(self.path(self.me())).inspect_err(|error| self.failed("finish", "remove", error))
    }

    // --- reading ---

    /// The pages of the others; None when a file has gone meanwhile and it all has to be read again.
    fn peers(&self, view: &mut View) -> Option<Vec<Arc<Content>>> {
        let Ok(names) = self.names().inspect_err(|error| self.failed("list", "read", error)) else {
            // The directory has vanished. The counts have not.
            return Some(known(view));
        };
        self.works("list");
        let (mut found, mut living) = (Vec::new(), 1i64);
        let other = |name: &Name| *name != self.me() && !view.absorbed.contains(name);
        for name in names.into_iter().filter(other).collect::<Vec<_>>() {
            match self.load(&mut view.read, name) {
                Loaded::Whole { content, living: alive } => {
                    living += i64::from(alive);
                    found.push((name, content));
                }
                Loaded::Unreadable => self.say_unreadable(view, name),
                Loaded::Gone => return None,
            }
        }
        let still = self.names().ok()?;
        if !found.iter().all(|(name, _)| still.binary_search(name).is_ok()) {
            return None;
        }
        view.read.retain(|name, _| still.binary_search(name).is_ok());
        self.self_metrics.generations.set(living);
        Some(without_noted(found))
    }

    /// A file of another generation, from the cache where it is the same file as last time.
    fn load(&self, read: &mut BTreeMap<Name, Cached>, name: Name) -> Loaded {
        let path = self.path(name);
        let opened = file::open(&path).and_then(|file| Ok((file.metadata()?, file)));
        let (meta, file) = match opened {
            Ok(opened) => opened,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Loaded::Gone,
            Err(error) => {
                self.unopened(name, &error);
                // No descriptor left, say: what was known is not less for that.
                let known = read.get(&name).and_then(|cached| cached.content.clone().ok());
                return known.map_or(Loaded::Unreadable, |content| Loaded::Whole { content, living: false });
            }
        };
        let key = (meta.ino(), meta.mtime(), meta.mtime_nsec(), meta.len());
        if read.get(&name).is_none_or(|cached| cached.key != key) {
            read.insert(name, Cached { key, content: file::read(&file).map(Arc::new), said: false });
        }
        match read.get(&name).map(|cached| cached.content.clone()) {
            // Shared, so that two who look do not take each other for the living generation.
            Some(Ok(content)) => Loaded::Whole { content, living: file.try_lock_shared().is_err() },
            _ => Loaded::Unreadable,
        }
    }

    /// Not before the dead have been looked at: what can be set aside is said then.
    fn say_unreadable(&self, view: &mut View, name: Name) {
        if !self.has_absorbed.load(Ordering::Relaxed) {
            return;
        }
        let Some(cached) = view.read.get_mut(&name).filter(|cached| !cached.said) else { return };
        cached.said = true;
        if let Err(why) = &cached.content {
            self.self_metrics.state_errors.inc();
            log_line(format_args!("the state file {} is left out: {why}", self.path(name).display()));
        }
    }

    /// The generations that have a file, oldest first.
    fn names(&self) -> io::Result<Vec<Name>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.directory)? {
            names.extend(entry?.file_name().to_str().and_then(Name::parse));
        }
        names.sort_unstable();
        if names.len() > GENERATIONS_MAX {
            self.say_once("many", || {
                format!(
                    "there are more than {GENERATIONS_MAX} state files in {}; the youngest are left out",
                    self.directory.display()
                )
            });
            names.truncate(GENERATIONS_MAX);
        }
        Ok(names)
    }

    // --- writing ---

    /// What our file has to say: our own counts and our base.
    fn vouched(&self, counted: &Page) -> Page {
        let base = lock(&self.view).base.clone();
        let mut page = counted.clone();
        self.add(&mut page, &base);
        page
    }

    fn put(&self, mine: &mut Own, content: Content, sync: bool) -> io::Result<()> {
        let (text, first) = (content.write(), mine.file.is_none());
        let replaced = self.replace(&text, sync, first).or_else(|error| {
            if error.kind() != io::ErrorKind::NotFound {
                return Err(error);
            }
            // The directory has vanished, or could not be made before.
            privileges::open_state_directory(&self.directory)?;
            self.replace(&text, sync, first)
        });
        let file = replaced.inspect_err(|error| self.failed("save", "save", error))?;
        self.works("save");
        (mine.file, mine.content) = (Some(file), content);
        Ok(())
    }

    /// Puts the text under our name. `first`: another generation may have begun in the same millisecond, with the same
    /// number where it has a PID namespace of its own; then the name is still to be found.
    fn replace(&self, text: &str, sync: bool, first: bool) -> io::Result<File> {
        loop {
            match file::replace(&self.directory, self.me(), text, sync, first) {
                Err(error) if first && error.kind() == io::ErrorKind::AlreadyExists => {
                    self.start.fetch_add(1, Ordering::Relaxed);
                }
                result => return result,
            }
        }
    }

    /// Files whose writer was killed before they had their name.
    fn sweep(&self) {
        for entry in std::fs::read_dir(&self.directory).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let ours = name.to_str().and_then(|name| name.strip_suffix(".new")).and_then(Name::parse);
            let age =
                entry.metadata().and_then(|meta| meta.modified()).ok().and_then(|time| time.elapsed().ok());
            if ours.is_some_and(|name| name != self.me()) && age.is_some_and(|age| age > UNFINISHED) {
                step();
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }

    /// The file with its lock, if its generation is dead and nobody else is absorbing it.
    fn lock_dead(&self, name: Name) -> Option<File> {
        let path = self.path(name);
        if path.symlink_metadata().is_ok_and(|meta| !meta.is_file()) {
            self.set_aside(name, "it is no regular file");
            return None;
        }
        let file = match file::open(&path) {
            Ok(file) => file,
            Err(error) => {
                self.unopened(name, &error);
                return None;
            }
        };
        // A scrape that looks whether it lives holds the lock for a moment.
        for _ in 0..3 {
            match file.try_lock() {
                Ok(()) => return self.is_at(name, &file.metadata().ok()?).then_some(file),
                Err(TryLockError::WouldBlock) => std::thread::yield_now(),
                Err(TryLockError::Error(_)) => return None,
            }
        }
        None
    }

    /// Rule 1, for files whose locks we hold.
    fn absorb_locked(&self, mine: &mut Own, dead: Vec<(Name, File)>) -> io::Result<()> {
        let (base, gone) = self.merge(mine, dead)?;
        let mut content = Content { page: mine.counted.clone(), ..mine.content.clone() };
        self.add(&mut content.page, &base);
        content.absorbed.extend(gone.files.iter().map(|(name, _)| *name));
        let stands = |name: &&Name| self.path(**name).symlink_metadata().is_ok();
        content.absorbed.extend(gone.noted.iter().filter(stands));
        self.put(mine, content, true)?;
        let mut view = lock(&self.view);
        view.base = Arc::new(base);
        view.absorbed.clone_from(&mine.content.absorbed);
        drop(view);
        for (name, _locked) in &gone.files {
            step();
            match std::fs::remove_file(self.path(*name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    self.failed("remove", "remove a file of", &error);
                }
                _ => {}
            }
        }
        step();
        Ok(())
    }

    /// The base with the counts of the dead, and which of them are in it now.
    fn merge(&self, mine: &Own, mut dead: Vec<(Name, File)>) -> io::Result<(Page, Gone)> {
        let mut view = lock(&self.view);
        // Whoever has noted one of them did so before we got its lock, so this is the time to look.
        let read = (0..READS_MAX).find_map(|_| self.notes(&mut view.read).transpose());
        let mut noted = read.unwrap_or_else(|| Err(io::ErrorKind::WouldBlock.into()))?;
        noted.extend(&mine.content.absorbed);
        let mut base = Page::clone(&view.base);
        // Of two that do not go together, the one that is like us decides, and then the younger one.
        let unlike = |name: &Name| match view.read.get(name).map(|cached| &cached.content) {
            Some(Ok(content)) => have_other_buckets(&mine.counted, &content.page),
            _ => false,
        };
        dead.sort_by_cached_key(|(name, _)| (unlike(name), Reverse(*name)));
        let mut gone = Gone::default();
        for (name, file) in dead {
            match view.read.remove(&name).map(|cached| cached.content) {
                Some(Ok(content)) if noted.contains(&name) => gone.push(name, file, &content),
                Some(Ok(content)) if fits(&base, &content.page) => {
                    self.add(&mut base, &content.page);
                    gone.push(name, file, &content);
                }
                Some(Ok(_)) => self.say_full(),
                Some(Err(why)) => self.set_aside(name, &why),
                None => {}
            }
        }
        Ok((base, gone))
    }

    /// Whom the others have absorbed. None when one of them has gone meanwhile: what it had noted is in the file of
    /// whoever absorbed it, which perhaps was read before.
    fn notes(&self, read: &mut BTreeMap<Name, Cached>) -> io::Result<Option<BTreeSet<Name>>> {
        let mut noted = BTreeSet::new();
        for name in self.names()?.into_iter().filter(|name| *name != self.me()) {
            match self.load(read, name) {
                Loaded::Whole { content, .. } => noted.extend(&content.absorbed),
                Loaded::Unreadable => {}
                Loaded::Gone => return Ok(None),
            }
        }
        Ok(Some(noted))
    }

    fn set_aside(&self, name: Name, why: &str) {
        let mut aside = self.path(name).into_os_string();
        aside.push(".damaged");
        while Path::new(&aside).symlink_metadata().is_ok() {
            aside.push("+");
        }
        self.self_metrics.state_errors.inc();
        let (path, aside) = (self.path(name), PathBuf::from(aside));
        step();
        match std::fs::rename(&path, &aside) {
            Ok(()) => log_line(format_args!(
                "the state file {} is set aside as {}: {why}",
                path.display(),
                aside.display()
            )),
            Err(error) => self.failed("set aside", "set aside a file of", &error),
        }
    }

    // --- helpers ---

    fn path(&self, name: Name) -> PathBuf {
        self.directory.join(name.to_string())
    }

    fn is_at(&self, name: Name, meta: &std::fs::Metadata) -> bool {
        let there = self.path(name).symlink_metadata();
        there.is_ok_and(|there| (there.dev(), there.ino()) == (meta.dev(), meta.ino()))
    }

    /// Adds what can be added and fits, and says once what cannot.
    fn add(&self, sum: &mut Page, page: &Page) {
        if !fits(sum, page) {
            return self.say_full();
        }
        for family in sum.add(page) {
            self.say_once(&format!("family {family}"), || {
                format!("{family} of another generation has other buckets or another type and is not summed")
            });
        }
    }

    fn say_full(&self) {
        self.say_once("series", || {
            format!(
                "the state files in {} hold more than {STATE_SERIES_MAX} series; some are left out",
                self.directory.display()
            )
        });
    }

    fn unopened(&self, name: Name, error: &io::Error) {
        let path = self.path(name);
        // What is no file is set aside, and said then.
        if path.symlink_metadata().is_ok_and(|meta| meta.is_file()) {
            self.self_metrics.state_errors.inc();
            self.say_once(&format!("open {name}"), || {
                format!("unable to open the state file {}: {error}", path.display())
            });
        }
    }

    fn failed(&self, key: &str, verb: &str, error: &io::Error) {
        self.self_metrics.state_errors.inc();
        self.say_once(key, || format!("unable to {verb} the state in {}: {error}", self.directory.display()));
    }

    fn say_once(&self, key: &str, message: impl FnOnce() -> String) {
        if lock(&self.said).insert(key.to_owned()) {
            log_line(message());
        }
    }

    fn works(&self, key: &str) {
        lock(&self.said).remove(key);
    }
}

/// The others as they were read last, for the time in which they cannot be read.
fn known(view: &View) -> Vec<Arc<Content>> {
    let contents = view.read.iter().filter_map(|(name, cached)| Some((*name, cached.content.clone().ok()?)));
    without_noted(contents.filter(|(name, _)| !view.absorbed.contains(name)).collect())
}

/// Leaves out those whose counts are in the file of another one.
fn without_noted(found: Vec<(Name, Arc<Content>)>) -> Vec<Arc<Content>> {
    let noted: BTreeSet<Name> =
        found.iter().flat_map(|(_, content)| content.absorbed.iter().copied()).collect();
    found.into_iter().filter(|(name, _)| !noted.contains(name)).map(|(_, content)| content).collect()
}

/// A panic while a page is added up leaves nothing half done that matters here.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether the sum of two pages has few enough series. Counted only where the bare numbers do not settle it.
fn fits(sum: &Page, page: &Page) -> bool {
    if sum.series() + page.series() <= STATE_SERIES_MAX {
        return true;
    }
    let new = page.families.iter().map(|(name, family)| match sum.families.get(name) {
        None => family.series.len(),
        Some(ours) => {
            let known =
                |labels: &str| ours.series.binary_search_by(|series| (*series.labels).cmp(labels)).is_ok();
            family.series.iter().filter(|series| !known(&series.labels)).count()
        }
    });
    sum.series() + new.sum::<usize>() <= STATE_SERIES_MAX
}

/// Whether two pages have histograms that cannot be added. The first of each will do: a family has one set of buckets.
fn have_other_buckets(one: &Page, other: &Page) -> bool {
    let bounds = |page: &Page, name: &String| match page.families.get(name)?.series.first()?.value {
        Value::Histogram(ref histogram) => Some(histogram.bounds.clone()),
        _ => None,
    };
    let differ = |name| bounds(one, name).zip(bounds(other, name)).is_some_and(|(one, other)| one != other);
    one.families.keys().any(differ)
}

/// Whether nothing was counted.
fn is_zero(page: &Page) -> bool {
    let zero = |value: &Value| match value {
        Value::Number { value, .. } => *value == crate::fixed_point::FixedPoint::ZERO,
        Value::Histogram(histogram) => histogram.counts.iter().all(|count| *count == 0),
        Value::Summary(summary) => summary.count == 0,
    };
    page.families.values().flat_map(|family| &family.series).all(|series| zero(&series.value))
}

#[cfg(test)]
mod tests;
