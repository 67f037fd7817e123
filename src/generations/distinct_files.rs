//! Files of `--distinct`: sketches by window and keys by day, which all generations in a directory share.
//!
//! ```text
//! distinct-hour-<hours since the epoch>   the sketches of all processes for this hour, united
//! distinct-day-<days since the epoch>     and for this day
//! distinct-key-<days since the epoch>     what the values of the day are hashed with
//! .distinct                               the lock: whoever changes these files holds it
//! ```
//!
//! Whoever has seen new values reads what is there, unites it with its own and puts it back under the same name.
//! Uniting the same twice does no harm, so there is neither a note of who is in it nor anything to absorb. What is over
//! is a file to be removed. A file of sketches:
//!
//! ```text
//! # httpd_exporter distinct 1 <length> <crc32>
//! <bytes> <tab> <name> <tab> <field> <tab> <virtual host>
//! the sketch, of so many bytes
//! ```

use crate::clock;
use crate::count::distinct::{self, DayKeys, Key, Row, Sketch, Sketches, Window};
use crate::generations::content::{escaped, title_end, unescaped};
use crate::generations::own_file::step;
use crate::generations::state::{State, lock};
use crate::limits;
use crate::log::log_warning;
use nix::libc::{ELOOP, ENXIO, O_NOFOLLOW, O_NONBLOCK};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

const LOCK: &str = ".distinct";
const SKETCHES: &str = "distinct-";
const KEY: &str = "distinct-key-";
const UNFINISHED: &str = ".new";

const TITLE: &str = "# httpd_exporter distinct 1 ";
const TITLE_OF_ANY_VERSION: &str = "# httpd_exporter distinct ";

/// Longer files are none of ours: each row has a sketch of up to 16 KiB, and some more where registers are exceptions.
const FILE_BYTES_MAX: u64 = 4 << 20;
const KEY_BYTES_MAX: u64 = 64;

/// Sketches are saved so often, or so much more seldom that they are no more than so many bytes a second.
const SAVE_INTERVAL_MIN: Duration = Duration::from_secs(5);
const BYTES_PER_SECOND_MAX: u64 = 100_000;

/// How long before midnight the next key is made, so that all have it when the day begins.
const KEY_AHEAD_SECONDS: u64 = 600;

/// How long another process that has the lock is waited for: while no line is counted, and with the last save.
const BEGIN_WAIT_MAX: Duration = Duration::from_millis(300);
const FINISH_WAIT_MAX: Duration = Duration::from_secs(2);

/// What saves is called by one thread after the other.
#[derive(Debug)]
pub struct DistinctFiles {
    state: Arc<State>,
    keys: DayKeys,
    /// What all have seen, as it was saved last. No scrape waits for a disk.
    known: Mutex<Arc<Sketches>>,
    saving: Mutex<Saving>,
}

#[derive(Debug)]
struct Saving {
    /// The files as they were read or written last, and what they hold.
    files: BTreeMap<Window, Identity>,
    stored: Sketches,
    /// Those whose file is left to a program of another version, until they are over.
    of_other_versions: BTreeSet<Window>,
    /// What this process had seen by then.
    own: Sketches,
    due: Instant,
}

/// What a file of sketches holds.
enum Stored {
    Rows(BTreeMap<Row, Arc<Sketch>>),
    OfOtherVersion,
}

/// What changes whenever a file is replaced.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Identity {
    inode: u64,
    bytes: u64,
    modified: Option<SystemTime>,
}

impl Identity {
    fn of(meta: &Metadata) -> Identity {
        Identity { inode: meta.ino(), bytes: meta.len(), modified: meta.modified().ok() }
    }
}

impl DistinctFiles {
    pub fn new(state: Arc<State>, distincts: &[(String, String)], keys: DayKeys) -> DistinctFiles {
        let none = Sketches::new(distincts);
        let saving = Saving {
            files: BTreeMap::new(),
            stored: none.clone(),
            of_other_versions: BTreeSet::new(),
            own: none.clone(),
            due: Instant::now(),
        };
        DistinctFiles { state, keys, known: Mutex::new(Arc::new(none)), saving: Mutex::new(saving) }
    }

    /// What all processes have seen, as of the last save. Uniting costs too much for each scrape.
    pub fn known(&self) -> Arc<Sketches> {
        Arc::clone(&lock(&self.known))
    }

    /// The same with these, for a time in which nothing can be saved.
    pub fn united_with(&self, own: &Sketches) -> Sketches {
        let mut sum = Sketches::clone(&self.known());
        sum.unite(own);
        sum
    }

    /// Whether it is time to look at the directory, and to save what is new.
    pub fn is_due(&self) -> bool {
        lock(&self.saving).due <= Instant::now()
    }

    /// Before a line is counted: what is there, and the key of today. What fails is said by the next save. Nothing
    /// waits for the disk, and only where there is no key yet, for another process.
    pub fn begin(&self) {
        let now = clock::now_nanos();
        let today = distinct::day_of(now);
        let nothing = Sketches::clone(&self.known());
        match self.read_key(today) {
            Ok(Some(key)) => self.keys.set(today, key),
            _ => drop(self.save_patiently(&nothing, BEGIN_WAIT_MAX)),
        }
        let mut saving = lock(&self.saving);
        let _ = self.read_changed(&mut saving, now);
        *lock(&self.known) = Arc::new(saving.stored.clone());
    }

    /// The last save of a process.
    pub fn finish(&self, own: &Sketches) {
        if self.save_patiently(own, FINISH_WAIT_MAX).is_none() {
            log_warning(
                "--distinct: another process keeps its files locked, so the newest values are not saved",
            );
        }
    }

    /// None where another process has had the lock all the time.
    fn save_patiently(&self, own: &Sketches, wait_max: Duration) -> Option<()> {
        let begun = Instant::now();
        while !self.save(own) {
            if begun.elapsed() > wait_max {
                return None;
            }
            thread::sleep(Duration::from_millis(20));
        }
        Some(())
    }

    /// Takes in what the others have saved, and saves what is new. False where another process is just doing so.
    pub fn save(&self, own: &Sketches) -> bool {
        let mut saving = lock(&self.saving);
        let now = clock::now_nanos();
        let (done, bytes) = match self.lock_files() {
            Ok(_locked) => match self.exchange(&mut saving, own, now) {
                Ok(bytes) => (Ok(()), bytes),
                Err(error) => (Err(error), 0),
            },
            Err(failed) => {
                // The page goes on with what is known here.
                let sum = self.united_with(own);
                *lock(&self.known) = Arc::new(sum);
                let TryLockError::Error(error) = failed else {
                    saving.due = Instant::now() + Duration::from_secs(1);
                    return false;
                };
                (Err(error), 0)
            }
        };
        saving.due = Instant::now() + pause(bytes);
        match done {
            Ok(()) => self.state.works("distinct"),
            Err(error) => self.state.failed("distinct", "keep what --distinct counts with", &error),
        }
        true
    }

    /// Released when the file is closed, however the process ends.
    fn lock_files(&self) -> Result<File, TryLockError> {
        let mut options = options();
        let path = self.path(LOCK);
        // Which file it is, for of all in the directory this one may be another user's.
        let named = |error: io::Error| {
            TryLockError::Error(io::Error::new(error.kind(), format!("{}: {error}", path.display())))
        };
        let file = options.write(true).create(true).open(&path).map_err(named)?;
        file.try_lock()?;
        Ok(file)
    }

    /// Under the lock; says how many bytes were written.
    fn exchange(&self, saving: &mut Saving, own: &Sketches, now: u64) -> io::Result<u64> {
        let swept = sweep(self.directory(), now, true);
        let keys = self.exchange_keys(now);
        let read = self.read_changed(saving, now);
        let mut sum = Sketches::clone(&self.known());
        sum.unite(&saving.stored);
        sum.unite(&own.without(&saving.own));
        sum.forget_far(now);
        saving.own = own.clone();
        saving.own.forget_far(now);
        // What could not be read is not written over.
        let written = swept.and(keys).and(read).and_then(|()| self.write_changed(saving, &sum));
        *lock(&self.known) = Arc::new(sum);
        written
    }

    fn write_changed(&self, saving: &mut Saving, sum: &Sketches) -> io::Result<u64> {
        let mut bytes = 0;
        for (window, rows) in sum.windows.iter().filter(|(_, rows)| !rows.is_empty()) {
            if saving.of_other_versions.contains(window) {
                continue;
            }
            if saving.files.contains_key(window) && sum.are_alike(&saving.stored, *window) {
                continue;
            }
            let text = write(rows);
            let file = self.replace(&format!("{SKETCHES}{window}"), &text, 0o640, true)?;
            saving.files.insert(*window, Identity::of(&file.metadata()?));
            saving.stored.windows.insert(*window, rows.clone());
            bytes += text.len() as u64;
        }
        Ok(bytes)
    }

    /// Reads the files that others have written since, and notes which there are.
    fn read_changed(&self, saving: &mut Saving, now: u64) -> io::Result<()> {
        saving.stored.forget_far(now);
        saving.of_other_versions.clear();
        let before = std::mem::take(&mut saving.files);
        for entry in std::fs::read_dir(self.directory())? {
            let entry = entry?;
            let name = entry.file_name();
            let window = name.to_str().and_then(|name| name.strip_prefix(SKETCHES)).and_then(Window::parse);
            let Some(window) = window.filter(|window| window.is_near(now)) else { continue };
            let identity = Identity::of(&entry.metadata()?);
            if before.get(&window) != Some(&identity) {
                let rows = match self.read_sketches(&entry.path()) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                    read => read?,
                };
                let rows = match rows {
                    None => continue,
                    Some(Stored::OfOtherVersion) => {
                        saving.of_other_versions.insert(window);
                        continue;
                    }
                    Some(Stored::Rows(rows)) => rows,
                };
                saving.stored.windows.insert(window, rows);
            }
            saving.files.insert(window, identity);
        }
        let files = &saving.files;
        saving.stored.windows.retain(|window, _| files.contains_key(window));
        Ok(())
    }

    /// None where they are damaged: they are then written anew.
    fn read_sketches(&self, path: &Path) -> io::Result<Option<Stored>> {
        let bytes = read_file(path, FILE_BYTES_MAX)?;
        if bytes.as_ref().is_some_and(|bytes| is_of_other_version(bytes)) {
            let path = path.display();
            self.state.say_once(&format!("{path}"), || {
                format!("--distinct: {path} is of another version, so it is neither read nor written")
            });
            return Ok(Some(Stored::OfOtherVersion));
        }
        let rows = bytes.and_then(|bytes| read(&bytes));
        if rows.is_none() {
            self.say_damaged(path, "different values are counted anew");
        }
        Ok(rows.map(Stored::Rows))
    }

    /// The key of today, and shortly before midnight that of tomorrow, are those of the directory; what is missing
    /// there is put there.
    fn exchange_keys(&self, now: u64) -> io::Result<()> {
        let today = distinct::day_of(now);
        self.keys.forget_far(today);
        let soon = distinct::day_of(now.saturating_add(KEY_AHEAD_SECONDS * 1_000_000_000));
        for day in today..=soon {
            match self.read_key(day)? {
                Some(key) => self.keys.set(day, key),
                // Not synced: without it, who came before counts again, and no more.
                None => {
                    let text = self.keys.of(day).write();
                    drop(self.replace(&format!("{KEY}{day}"), text.as_bytes(), 0o600, false)?);
                }
            }
        }
        Ok(())
    }

    /// None where there is none, or none that can be used.
    fn read_key(&self, day: u64) -> io::Result<Option<Key>> {
        let path = self.path(&format!("{KEY}{day}"));
        let bytes = match read_file(&path, KEY_BYTES_MAX) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read?,
        };
        let key = bytes.and_then(|bytes| Key::read(str::from_utf8(&bytes).ok()?));
        if key.is_none() {
            self.say_damaged(&path, "it is replaced, and who came before counts again");
        }
        Ok(key)
    }

    fn say_damaged(&self, path: &Path, consequence: &str) {
        let path = path.display();
        self.state.self_metrics.state_errors.inc();
        self.state.say_once(&format!("{path}"), || format!("--distinct: {path} is damaged: {consequence}"));
    }

    /// Puts a file under the name, all or nothing. Under the lock nobody else has the unfinished one.
    fn replace(&self, name: &str, text: &[u8], mode: u32, sync: bool) -> io::Result<File> {
        let unfinished = self.path(&format!("{name}{UNFINISHED}"));
        step();
        let mut file = options().write(true).create_new(true).mode(mode).open(&unfinished)?;
        let mut put = || {
            step();
            file.write_all(text)?;
            if sync {
                file.sync_data()?;
            }
            step();
            std::fs::rename(&unfinished, self.path(name))
        };
        put().inspect_err(|_| drop(std::fs::remove_file(&unfinished)))?;
        step();
        Ok(file)
    }

    fn directory(&self) -> &Path {
        &self.state.directory.path
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory().join(name)
    }
}

fn pause(bytes: u64) -> Duration {
    SAVE_INTERVAL_MIN.max(Duration::from_millis(bytes * 1000 / BYTES_PER_SECOND_MAX))
}

/// Where anything may stand under the name: a link is not followed and a fifo not waited for.
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600).custom_flags(O_NOFOLLOW | O_NONBLOCK);
    options
}

/// None where it is no file of ours. What may not be read is another's, and no damage.
fn read_file(path: &Path, bytes_max: u64) -> io::Result<Option<Vec<u8>>> {
    let file = match options().read(true).open(path) {
        Err(error) if [Some(ELOOP), Some(ENXIO)].contains(&error.raw_os_error()) => return Ok(None),
        opened => opened?,
    };
    if !file.metadata()?.is_file() {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    file.take(bytes_max + 1).read_to_end(&mut bytes)?;
    Ok(Some(bytes).filter(|bytes| bytes.len() as u64 <= bytes_max))
}

/// Removes sketches and keys of what is over, or of the future of a wrong clock; who has the lock, also what a process
/// has left that was killed while it wrote.
pub fn sweep(directory: &Path, now: u64, has_lock: bool) -> io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let (name, is_unfinished) =
            name.strip_suffix(UNFINISHED).map_or((name, false), |name| (name, has_lock));
        let window = name.strip_prefix(SKETCHES).and_then(Window::parse).map(|window| window.is_near(now));
        let day = name.strip_prefix(KEY).and_then(|day| day.parse().ok());
        let day = day.filter(|day: &u64| name == format!("{KEY}{day}"));
        let is_near = window.or(day.map(|day| distinct::is_near(day, distinct::day_of(now))));
        if is_near.is_some_and(|is_near| !is_near || is_unfinished) {
            step();
            let _ = std::fs::remove_file(entry.path());
        }
    }
    Ok(())
}

fn write(rows: &BTreeMap<Row, Arc<Sketch>>) -> Vec<u8> {
    let mut body = Vec::new();
    for (row, sketch) in rows {
        let bytes = sketch.write();
        let [name, field, vhost] = [&row.name, &row.field, &row.vhost].map(|text| escaped(text));
        body.extend(format!("{}\t{name}\t{field}\t{vhost}\n", bytes.len()).bytes());
        body.extend(bytes);
    }
    let mut text = format!("{TITLE}{} {:08x}\n", body.len(), crc32fast::hash(&body)).into_bytes();
    text.extend(body);
    text
}

/// Whether it begins as ours do and goes on with another number.
fn is_of_other_version(bytes: &[u8]) -> bool {
    let rest = bytes.strip_prefix(TITLE_OF_ANY_VERSION.as_bytes());
    rest.is_some_and(|rest| rest.first().is_some_and(u8::is_ascii_digit))
        && !bytes.starts_with(TITLE.as_bytes())
}

/// What `write` has written; None where anything in it is something else.
fn read(bytes: &[u8]) -> Option<BTreeMap<Row, Arc<Sketch>>> {
    let (title, mut body) = bytes.split_at(title_end(bytes)?);
    if title != format!("{TITLE}{} {:08x}\n", body.len(), crc32fast::hash(body)).as_bytes() {
        return None;
    }
    let mut rows = BTreeMap::new();
    while !body.is_empty() {
        let (line, rest) = body.split_at(body.iter().position(|byte| *byte == b'\n')?);
        let mut texts = str::from_utf8(line).ok()?.split('\t');
        let length: usize = texts.next()?.parse().ok()?;
        let [name, field, vhost] = [texts.next()?, texts.next()?, texts.next()?].map(unescaped);
        let sketch = Sketch::read(rest.get(1..)?.get(..length)?)?;
        rows.insert(Row { name, field, vhost }, Arc::new(sketch));
        body = &rest[1 + length..];
    }
    (rows.len() <= limits::DISTINCT_ROWS_MAX).then_some(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::count::distinct::DistinctCounts;
    use crate::generations::fold::Bounds;
    use crate::generations::tests::wait_until;
    use crate::input::tee::tests::TempDir;
    use crate::os::UserRights;
    use crate::self_metrics::SelfMetrics;
    use proptest::prelude::*;
    use std::fs;
    use std::ops::Range;
    use std::os::unix::fs::PermissionsExt;

    const HOUR: u64 = 3_600_000_000_000;
    const NOON: u64 = (20_000 * 24 + 12) * HOUR;

    fn clients() -> [(String, String); 1] {
        [("clients".to_owned(), "%a".to_owned())]
    }

    /// A process, whose key is that of the directory once `exchange` was called.
    fn process(directory: &TempDir) -> DistinctFiles {
        let bounds = Bounds { series: 100, histograms: 100 };
        let metrics = Arc::<SelfMetrics>::default();
        let state = State::new(directory.path(), bounds, &UserRights::OF_THE_TESTS, metrics);
        DistinctFiles::new(Arc::new(state), &clients(), DayKeys::default())
    }

    /// A process that another test is just starting holds our locks until it is another program.
    fn locked(process: &DistinctFiles) -> File {
        let mut locked = None;
        wait_until(|| {
            locked = process.lock_files().ok();
            locked.is_some()
        });
        locked.unwrap()
    }

    fn exchange(process: &DistinctFiles, own: &Sketches, now: u64) -> u64 {
        let _locked = locked(process);
        process.exchange(&mut lock(&process.saving), own, now).unwrap()
    }

    fn nothing() -> Sketches {
        Sketches::new(&clients())
    }

    /// Values that this process sees, each at a virtual host of its own where that is asked for.
    fn seen(process: &DistinctFiles, values: Range<u16>, vhosts: bool, now: u64) -> Sketches {
        let mut counts = DistinctCounts::new(&clients()).unwrap();
        counts.keys = process.keys.clone();
        values.for_each(|value| {
            counts.enter(0, if vhosts { value + 1 } else { 1 }, &value.to_be_bytes(), now);
        });
        counts.sketches(|number| if number == 0 { "other".to_owned() } else { format!("v{number}") })
    }

    fn day(sketches: &Sketches, now: u64) -> Option<u64> {
        sketches.figures(now).get(&("clients", "v1", "day")).and_then(|count| count.to_count())
    }

    fn names(directory: &TempDir) -> BTreeSet<String> {
        let entries = fs::read_dir(directory.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn processes_have_one_key_and_their_values_are_united() {
        let directory = TempDir::new();
        let (one, other) = (process(&directory), process(&directory));
        exchange(&one, &nothing(), NOON);
        exchange(&other, &nothing(), NOON);
        exchange(&one, &seen(&one, 0..1_000, false, NOON), NOON);
        let own = seen(&other, 600..1_400, false, NOON);
        assert!(exchange(&other, &own, NOON) > 0);
        let next = process(&directory);
        exchange(&next, &nothing(), NOON);
        for sum in [other.united_with(&own), next.united_with(&nothing())] {
            assert_eq!(day(&sum, NOON).map(|count| count.abs_diff(1_400) < 5), Some(true));
        }
        assert_eq!(exchange(&other, &own, NOON), 0, "nothing is new");
        let key = fs::metadata(directory.path().join("distinct-key-20000")).unwrap();
        assert_eq!(key.permissions().mode() & 0o777, 0o600);
        let files = [".distinct", "distinct-day-20000", "distinct-hour-480012", "distinct-key-20000"];
        assert_eq!(names(&directory), files.map(str::to_owned).into());
    }

    /// Each with more virtual hosts than there are places, and others than before.
    #[test]
    fn no_file_has_more_rows_than_it_may_over_restarts_and_none_of_the_values_is_lost() {
        let directory = TempDir::new();
        for start in 0..6 {
            let process = process(&directory);
            exchange(&process, &nothing(), NOON);
            exchange(&process, &seen(&process, start * 100..start * 100 + 100, true, NOON), NOON);
            let rows = read(&fs::read(directory.path().join("distinct-day-20000")).unwrap()).unwrap();
            assert!(rows.len() <= limits::DISTINCT_ROWS_MAX, "{}", rows.len());
        }
        let last = process(&directory);
        exchange(&last, &nothing(), NOON);
        let sum = last.united_with(&nothing());
        let figures = sum.figures(NOON);
        let days = figures.iter().filter(|((_, _, window), _)| *window == "day");
        let sum: u64 = days.map(|(_, count)| count.to_count().unwrap()).sum();
        assert!(sum.abs_diff(600) < 3, "{sum}");
    }

    /// The key of a day is another one than that of the day before, which is gone, also where nobody was there at
    /// midnight; so is what was written in part, and what a clock of another year has left.
    #[test]
    fn what_is_over_is_removed_and_a_day_begins_with_a_key_of_its_own() {
        let directory = TempDir::new();
        let one = process(&directory);
        let late = NOON + 11 * HOUR + HOUR * 55 / 60;
        exchange(&one, &seen(&one, 0..10, false, late), late);
        let both = names(&directory);
        assert!(both.contains("distinct-key-20000") && both.contains("distinct-key-20001"), "{both:?}");
        let key = |day| fs::read(directory.path().join(format!("distinct-key-{day}"))).unwrap();
        assert_ne!(key(20_000), key(20_001));
        let tomorrow = key(20_001);
        for left in
            ["distinct-key-20001.new", "distinct-day-20001.new", "distinct-key-30000", "distinct-hour-999999"]
        {
            fs::write(directory.path().join(left), "x").unwrap();
        }
        let next = process(&directory);
        exchange(&next, &nothing(), NOON + 24 * HOUR);
        assert_eq!(
            names(&directory),
            [".distinct", "distinct-day-20000", "distinct-key-20001"].map(str::to_owned).into()
        );
        assert_eq!(key(20_001), tomorrow);
        assert!(day(&next.united_with(&nothing()), NOON + 24 * HOUR) == Some(0));
        exchange(&process(&directory), &nothing(), NOON + 72 * HOUR);
        assert_eq!(names(&directory), [".distinct", "distinct-key-20003"].map(str::to_owned).into());
    }

    #[test]
    fn damaged_files_are_replaced_and_a_removed_one_comes_back() {
        let directory = TempDir::new();
        let one = process(&directory);
        let path = |name: &str| directory.path().join(name);
        exchange(&one, &nothing(), NOON);
        let own = seen(&one, 0..100, false, NOON);
        exchange(&one, &own, NOON);
        let key = fs::read(path("distinct-key-20000")).unwrap();
        fs::write(path("distinct-key-20000"), "no key\n").unwrap();
        let mut damaged = fs::read(path("distinct-day-20000")).unwrap();
        *damaged.last_mut().unwrap() ^= 1;
        fs::write(path("distinct-day-20000"), damaged).unwrap();
        fs::remove_file(path("distinct-hour-480012")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", path("distinct-hour-480011")).unwrap();
        exchange(&one, &own, NOON);
        assert_eq!(fs::read(path("distinct-key-20000")).unwrap(), key);
        let next = process(&directory);
        exchange(&next, &nothing(), NOON);
        assert_eq!(next.united_with(&nothing()).figures(NOON), one.united_with(&own).figures(NOON));
        assert_eq!(one.state.self_metrics.state_errors.get(), 3);
    }

    /// After an upgrade was taken back, or while it is under way: what another version counts stays as it is.
    #[test]
    fn a_file_of_another_version_is_left_as_it_is_and_the_others_are_written() {
        let directory = TempDir::new();
        let of_the_day = directory.path().join("distinct-day-20000");
        let other = "# httpd_exporter distinct 12 5 00000000\nother";
        fs::write(&of_the_day, other).unwrap();
        let one = process(&directory);
        exchange(&one, &nothing(), NOON);
        exchange(&one, &seen(&one, 0..10, false, NOON), NOON);
        assert_eq!(fs::read_to_string(&of_the_day).unwrap(), other);
        assert_eq!(day(&one.known(), NOON), Some(10), "its own values are shown");
        assert!(names(&directory).contains("distinct-hour-480012"));
        assert_eq!(one.state.self_metrics.state_errors.get(), 0);
        // Once it is gone, there is room for ours.
        fs::remove_file(&of_the_day).unwrap();
        exchange(&one, &nothing(), NOON);
        assert!(read(&fs::read(&of_the_day).unwrap()).is_some());
    }

    /// Another's files of such names, and what this user may not read.
    #[test]
    fn nothing_of_others_is_removed_or_written_over() {
        let directory = TempDir::new();
        for name in ["secret-7", "distinct-key-+9", "distinct-key-007", "distinct-day-5x", "secret-7.new"] {
            fs::write(directory.path().join(name), "x").unwrap();
        }
        let before = names(&directory);
        sweep(directory.path(), NOON, true).unwrap();
        assert_eq!(names(&directory), before);
        let path = directory.path().join("link");
        std::os::unix::fs::symlink("/etc/passwd", &path).unwrap();
        assert!(matches!(read_file(&path, 10), Ok(None)));
        assert!(read_file(&directory.path().join("none"), 10).is_err());
    }

    #[test]
    fn a_page_goes_on_while_another_process_keeps_the_lock() {
        let directory = TempDir::new();
        let (one, other) = (process(&directory), process(&directory));
        one.save(&nothing());
        let now = clock::now_nanos();
        let locked = locked(&other);
        assert!(!one.save(&seen(&one, 0..10, false, now)));
        assert_eq!(day(&one.known(), now), Some(10));
        drop(locked);
        wait_until(|| one.save(&nothing()));
    }

    #[test]
    fn saves_are_as_seldom_as_they_are_long() {
        assert_eq!(pause(0), SAVE_INTERVAL_MIN);
        assert_eq!(pause(2_000_000), Duration::from_secs(20));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_file_can_make_the_reader_panic(body in "([0-9]{1,3}\t\\PC{0,9}\t\\PC{0,9}\t\\PC{0,9}\n\\PC{0,40}){0,3}") {
            let title = format!("{TITLE}{} {:08x}\n", body.len(), crc32fast::hash(body.as_bytes()));
            let _ = read(&[title.as_bytes(), body.as_bytes()].concat());
            let _ = read(body.as_bytes());
        }
    }
}
