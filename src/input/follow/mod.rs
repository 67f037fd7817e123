//! Following: files are read to their ends and on, whatever rotation does to them, from where they were read to last.
//!
//! It looks at every name ten times a second, at quiet ones once, at long quiet ones every fourth: the size, and
//! which file has it. What is new is read. A file that has lost its name is read on until nothing came for a
//! while and its successor has begun. With every chunk goes the place behind it, which is saved with the counts of the
//! chunk: so a kill neither loses nor doubles a line.
//! Polling works on every file system, and costs a system call for each look at a file.
//!
//! ```text
//! names     what is followed         tracked   a file that is read
//! place     how far, and identity    rotated   where a file is that has lost its name
//! sink      chunks and the tee       run       the loop, with the signals
//! ```

mod names;
pub mod place;
mod rotated;
pub mod run;
mod sink;
#[cfg(test)]
mod tests;
mod tracked;

use crate::input::follow::names::{NAMES_MAX, Names};
use crate::input::follow::place::{FileId, HEAD_BYTES_MIN, Place, Tail};
use crate::input::follow::rotated::{Found, Since};
use crate::input::follow::sink::Sink;
use crate::input::follow::tracked::{Begin, Progress, Tracked, has, may_be_copy, modified};
use crate::log::{self, log_warning};
use crate::order;
use crate::self_metrics::SelfMetrics;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::Metadata;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// How often files are looked at.
pub const LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// How often globs are looked at, and files in which nothing has come for BUSY_TIME.
const GLOB_INTERVAL: Duration = Duration::from_secs(1);

const BUSY_TIME: Duration = Duration::from_secs(5);

/// A file in which nothing has come for so long is looked at once in so many seconds.
const LONG_QUIET_TIME: Duration = Duration::from_secs(60);
const LONG_QUIET_PARTS: u64 = 4;

/// A file that has lost its name is read on until nothing has come for so long, and the new one has begun.
const QUIET_TIME: Duration = Duration::from_secs(60);

/// The same where no new one comes, or never begins.
const QUIET_TIME_MAX: Duration = Duration::from_secs(3600);

/// Files without a name that are read on at a time; of more, the oldest are given up.
const NAMELESS_MAX: usize = 256;

/// Whether a file of that name would be read. A pattern that cannot be parsed is said elsewhere.
pub fn is_followed(given: &[String], path: &Path) -> bool {
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let given: Vec<String> =
        given.iter().map(|name| absolute(Path::new(name)).to_string_lossy().into_owned()).collect();
    Names::new(&given).is_ok_and(|names| names.contains(&absolute(path)))
}

/// What is done with the files that are there at the start, and with all at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// What is new is read, and what has come since the place that was kept.
    GoOn,
    /// All is read, to the end (`--once`).
    ToTheEnd,
    /// The same, and the places are kept, for the next reader to go on from.
    UpToNow,
}

impl Mode {
    pub fn has_end(self) -> bool {
        self != Mode::GoOn
    }
}

/// Places by their keys, as texts.
pub type Kept = BTreeMap<String, String>;

/// What follows a look at the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Busy,
    Idle,
    /// The counting thread is gone.
    Abandoned,
}

#[derive(Debug)]
struct Name {
    file: Option<FileId>,
    /// The error that was logged last.
    said: Option<ErrorKind>,
}

#[derive(Debug)]
pub struct Follower {
    names: Names,
    mode: Mode,
    known: BTreeMap<PathBuf, Name>,
    files: BTreeMap<FileId, Tracked>,
    /// Places that were kept and have not been found again yet.
    kept: Vec<Place>,
    /// Whether something was kept: then a name without a place is new.
    has_kept: bool,
    /// Greater than the number of every process that followed before.
    version: u64,
    is_starting: bool,
    /// A file could not be read, which with `--once` is no success.
    has_failed: bool,
    next_look: Option<Instant>,
    next_glob: Option<Instant>,
    /// Which part of the files that have long been quiet is looked at; none: all of them.
    part: Option<u64>,
    self_metrics: Arc<SelfMetrics>,
}

impl Follower {
    /// An error names the pattern that cannot be parsed.
    pub fn new(given: &[String], mode: Mode, self_metrics: Arc<SelfMetrics>) -> Result<Follower, String> {
        Ok(Follower {
            names: Names::new(given)?,
            mode,
            known: BTreeMap::new(),
            files: BTreeMap::new(),
            has_kept: false,
            kept: Vec::new(),
            version: 1,
            is_starting: true,
            has_failed: false,
            next_look: None,
            next_glob: None,
            part: None,
            self_metrics,
        })
    }

    /// Takes the places that were kept, before the first step.
    pub fn go_on_from(&mut self, kept: &Kept) {
        let kept: Vec<(u64, Place)> = kept.iter().filter_map(|(key, text)| Place::parse(key, text)).collect();
        self.version = kept.iter().map(|(version, _)| version + 1).max().unwrap_or(1);
        self.has_kept = !kept.is_empty();
        self.kept = kept.into_iter().map(|(_, place)| place).collect();
    }

    /// Looks at the files if it is time to, and reads a buffer of each in which there is something new: so none waits
    /// for another one.
    pub fn step(&mut self, now: Instant, sink: &mut Sink) -> Step {
        let is_due = self.next_look.is_none_or(|time| now >= time);
        if is_due {
            self.next_look = Some(now + LOOK_INTERVAL);
            self.look(now, sink);
        }
        let mut step = Step::Idle;
        let waiting: Vec<FileId> =
            self.files.iter().filter(|(_, file)| file.has_more()).map(|(id, _)| *id).collect();
        for id in waiting {
            if self.read(id, now, sink) {
                step = Step::Busy;
            }
        }
        if is_due {
            self.forget_quiet(now, sink);
        }
        let lag = self.files.values().map(Tracked::lag).sum::<u64>();
        self.self_metrics.follow_lag_bytes.set(i64::try_from(lag).unwrap_or(i64::MAX));
        self.self_metrics.followed_files.set(i64::try_from(self.files.len()).unwrap_or(i64::MAX));
        if sink.is_open() { step } else { Step::Abandoned }
    }

    /// Looks at everything with the next step.
    pub fn look_soon(&mut self) {
        (self.next_look, self.next_glob, self.part) = (None, None, None);
    }

    // --- looking ---

    fn look(&mut self, now: Instant, sink: &mut Sink) {
        let is_full = self.next_glob.is_none_or(|time| now >= time);
        if is_full {
            self.next_glob = Some(now + GLOB_INTERVAL);
            if self.names.may_have_changed(now) {
                self.look_for_names(now);
            }
        }
        let part = self.part;
        for path in self.names_to_look_at(is_full, now) {
            match std::fs::metadata(&path) {
                Ok(meta) => self.look_at(&path, &meta, now, sink),
                Err(error) => {
                    // What had the name meanwhile may have lost it again.
                    let before = self.known.get(&path).and_then(|name| name.file);
                    let is_missing = error.kind() == ErrorKind::NotFound;
                    if let Some(before) =
                        before.filter(|_| is_full && is_missing && self.names.is_plain(&path))
                    {
                        self.read_between(before, now, sink);
                    }
                    self.failed(&path, &error);
                }
            }
        }
        if is_full && self.part == part {
            self.part = Some(part.map_or(0, |part| (part + 1) % LONG_QUIET_PARTS));
        }
        if std::mem::take(&mut self.is_starting) {
            self.find_kept(now, sink);
        }
        let nameless = self.files.values_mut().filter(|file| !file.is_named);
        nameless.for_each(|file| file.look_by_descriptor(now));
        self.release_copies(sink);
    }

    /// All, or those of files in which something came lately; whose names are not known until they have been looked
    /// at.
    fn names_to_look_at(&mut self, is_full: bool, now: Instant) -> Vec<PathBuf> {
        let Follower { known, files, part, .. } = self;
        let is_in_part =
            |file: &Tracked| part.is_none_or(|part| file.place.id.inode % LONG_QUIET_PARTS == part);
        let is_due = |file: &Tracked| {
            let quiet = now.saturating_duration_since(file.quiet_since);
            quiet < BUSY_TIME || is_full && (quiet < LONG_QUIET_TIME || is_in_part(file))
        };
        let is_name_due = |name: &Name| name.file.and_then(|id| files.get(&id)).is_none_or(is_due);
        let due = known.iter().filter(|(_, name)| is_name_due(name)).map(|(path, _)| path.clone()).collect();
        files.values_mut().filter(|file| is_due(file)).for_each(|file| file.is_named = false);
        due
    }

    fn look_for_names(&mut self, now: Instant) {
        let names = self.names.all(now);
        if names.len() >= NAMES_MAX && self.known.len() < NAMES_MAX {
            log_warning(format_args!(
                "--follow: there are more than {NAMES_MAX} files; the others are not read"
            ));
        }
        // A name that a glob does not find for a while leads to its next file as long as the old one is read on.
        let is_read_on = |name: &Name| name.file.is_some_and(|id| self.files.contains_key(&id));
        self.known.retain(|path, name| names.contains(path) || is_read_on(name));
        for path in names {
            self.known.entry(path).or_insert(Name { file: None, said: None });
        }
    }

    /// A name has a file: the one that it had before, or another one.
    fn look_at(&mut self, path: &Path, meta: &Metadata, now: Instant, sink: &mut Sink) {
        let id = FileId::of(meta);
        let before = self.known.get(path).and_then(|name| name.file);
        // Also where the number is the one before: that file was let go, and this one has got its number.
        if !self.files.contains_key(&id) {
            let Err(error) = self.open(path, now, sink) else { return };
            return self.failed(path, &error);
        }
        if let Some(name) = self.known.get_mut(path) {
            *name = Name { file: Some(id), said: None };
        }
        if let Some(file) = self.files.get_mut(&id) {
            file.is_named = true;
            file.look(meta, now);
        }
        if self.files.get(&id).is_some_and(Tracked::is_unread) {
            self.read_copies_of_unread(id, now, sink);
        }
        if before.is_some_and(|before| before != id) {
            self.self_metrics.follow_rotations.inc();
        }
    }

    /// Opens the file that has a name now, and those that had it since it was looked at last.
    fn open(&mut self, path: &Path, now: Instant, sink: &mut Sink) -> io::Result<()> {
        let (file, meta) = rotated::open(path)?;
        let id = FileId::of(&meta);
        let real = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        if self.is_too_short_to_tell(id, &real, &meta) {
            return Ok(());
        }
        let before = self.known.get(path).and_then(|name| name.file);
        let label: Arc<str> = path.to_string_lossy().into();
        if let Some(name) = self.known.get_mut(path) {
            *name = Name { file: Some(id), said: None };
        }
        let is_new = !self.files.contains_key(&id);
        if is_new {
            let kept = self.take_kept(id, &file, &meta);
            let is_original = |place: &&Place| kept.is_none() && may_be_copy(&file, &meta, place);
            let original = self.originals(id, &real).find(is_original).cloned();
            let tracked = match (kept, original) {
                (Some(place), _) => {
                    self.go_on(Found { file, meta, path: real }, &place, &label, now, sink)?
                }
                (None, Some(original)) => {
                    let name = label.to_string();
                    Tracked::at(file, &meta, Place { id, name, path: real, is_copy: true, ..original }, now)
                }
                (None, None) => Tracked::new(file, &label, real, self.begin(before.is_some()), now)?,
            };
            tracked.tell(sink, self.version);
            self.files.insert(id, tracked);
        }
        if let Some(before) = before.filter(|before| is_new || *before != id) {
            self.self_metrics.follow_rotations.inc();
            self.read_between(before, now, sink);
        }
        Ok(())
    }

    /// The places in files of which this one, by its name, may be a copy that a rotation makes. A log that was removed
    /// behind its copy is one of them.
    fn originals<'f>(&'f self, id: FileId, path: &'f Path) -> impl Iterator<Item = &'f Place> {
        let tracked = self.files.values().map(|file| &file.place);
        let may_be =
            move |place: &&Place| !place.is_copy && place.id != id && rotated::is_named_as_copy(place, path);
        let is_live = self.mode == Mode::GoOn;
        tracked.chain(&self.kept).filter(move |place| is_live && may_be(place))
    }

    /// The log that holds now what a file of which nothing was read has, or of which that was read: as long as there is
    /// one, the file is left alone.
    fn log_of_copy(&self, copy: &Tracked) -> Option<&Tracked> {
        let named = self.known.iter().filter_map(|(path, name)| Some((path, self.files.get(&name.file?)?)));
        // What had the name of a log before and has another one now is none.
        let named = named.filter(|(path, log)| Path::new(&log.place.name) == *path).map(|(_, log)| log);
        let has_name = |log: &Tracked, file: &Tracked| {
            let name = self.known.get(Path::new(&log.place.name));
            name.is_some_and(|name| name.file == Some(file.place.id))
        };
        let is_removed = |log: &&Tracked| !log.has_links && !has_name(log, copy);
        let logs = named.chain(self.files.values().filter(is_removed));
        let may_be = |log: &&Tracked| !log.place.is_copy && rotated::may_be_copy_of(&copy.place, &log.place);
        logs.filter(|_| self.mode == Mode::GoOn).filter(may_be).find(|log| copy.is_copy_of(log))
    }

    /// Looks again at copies of which nothing was read. Where the log was truncated before a line of it was read, all
    /// of them are in the copy; what is read of the log is not read there.
    fn release_copies(&mut self, sink: &mut Sink) {
        let unread = self.files.values().filter(|file| file.is_unread_copy());
        let logs: Vec<(FileId, Option<Place>)> =
            unread.map(|copy| (copy.place.id, self.log_of_copy(copy).map(|log| log.place.clone()))).collect();
        for (id, log) in logs {
            match log {
                None => self.set_copy(id, false, sink),
                Some(log) if log.offset > 0 => {
                    let Some(copy) = self.files.get_mut(&id) else { continue };
                    copy.wait_at(&log);
                    copy.tell(sink, self.version);
                }
                Some(_) => {}
            }
        }
    }

    fn set_copy(&mut self, id: FileId, is_copy: bool, sink: &mut Sink) {
        if let Some(file) = self.files.get_mut(&id)
            && file.set_copy(is_copy).is_ok()
        {
            file.tell(sink, self.version);
        }
    }

    /// Whether a file has too little in it yet to tell whether it is a copy of another one: then it waits until there
    /// is more.
    fn is_too_short_to_tell(&self, id: FileId, path: &Path, meta: &Metadata) -> bool {
        let is_new = !self.files.contains_key(&id) && !self.kept.iter().any(|place| place.id == id);
        let is_there_at_the_start = self.is_starting && !self.has_kept;
        is_new
            && !is_there_at_the_start
            && meta.len() < HEAD_BYTES_MIN as u64
            && self.originals(id, path).next().is_some()
    }

    /// Where a file is begun of which no place is kept.
    fn begin(&self, is_successor: bool) -> Begin {
        let is_there_at_the_start = self.is_starting && !self.has_kept && !is_successor;
        if is_there_at_the_start && self.mode == Mode::GoOn { Begin::End } else { Begin::Start }
    }

    fn failed(&mut self, path: &Path, error: &io::Error) {
        let is_plain = self.names.is_plain(path);
        let Some(name) = self.known.get_mut(path) else { return };
        let is_missing = error.kind() == ErrorKind::NotFound;
        // During a rotation the name is missing for a moment, and a file that a glob matched may be removed.
        if name.said == Some(error.kind()) || (is_missing && (name.file.is_some() || !is_plain)) {
            return;
        }
        name.said = Some(error.kind());
        self.has_failed = true;
        let (path, why) = (path.display(), log::reason(error));
        let hint = match error.kind() {
            _ if self.mode.has_end() => "",
            ErrorKind::NotFound => "; it is read from its beginning as soon as it is there",
            ErrorKind::PermissionDenied => {
                "; the user of this process, or a group of it, has to be allowed to read it; it is tried again"
            }
            _ => "; it is tried again",
        };
        log_warning(format_args!("--follow: unable to read {path}: {why}{hint}"));
    }

    // --- what was kept ---

    /// The place of this file, if one is kept and it is still the same file.
    fn take_kept(&mut self, id: FileId, file: &std::fs::File, meta: &Metadata) -> Option<Place> {
        // The device of a volume may have another number after a start of the machine.
        let is_same = |place: &&Place| {
            place.id == id || (place.id.inode == id.inode && place.head.length > 0 && has(file, meta, place))
        };
        let at = self.kept.iter().position(|place| is_same(&place))?;
        Some(self.kept.swap_remove(at))
    }

    /// Goes on in a file at its place; where it was truncated meanwhile, at its beginning, and in the copy.
    fn go_on(
        &mut self,
        found: Found,
        place: &Place,
        label: &str,
        now: Instant,
        sink: &mut Sink,
    ) -> io::Result<Tracked> {
        let id = FileId::of(&found.meta);
        if place.id != id {
            sink.tell_end(label, Place::key(place.id));
        }
        let check = if place.is_copy { may_be_copy } else { has };
        if check(&found.file, &found.meta, place) {
            let place = Place { id, name: label.to_owned(), path: found.path, ..place.clone() };
            return Ok(Tracked::at(found.file, &found.meta, place, now));
        }
        self.self_metrics.follow_truncations.inc();
        self.read_copy(place, None, now, sink);
        Tracked::new(found.file, label, found.path, Begin::Start, now)
    }

    /// Finds the files that have lost their names while no process read them.
    fn find_kept(&mut self, now: Instant, sink: &mut Sink) {
        let mut away = Vec::new();
        while let Some(place) = self.kept.pop() {
            let is_followed = self.names.contains(Path::new(&place.name));
            let is_there = Path::new(&place.name).exists();
            if !is_followed && is_there {
                continue;
            }
            // What is mounted later, say, is known again then. Directories that never come again are not kept without
            // end.
            let is_away = place.path.parent().is_some_and(|directory| !directory.exists());
            if is_followed && !is_there && is_away && away.len() < NAMES_MAX {
                away.push(place);
                continue;
            }
            if is_followed
                && let Some(found) = rotated::same(&place).or_else(|| rotated::copy(&place, None, |_| false))
            {
                let id = self.open_rotated(found, &place, now, sink);
                if id != place.id {
                    sink.tell_end(&place.name, Place::key(place.id));
                }
                if let Some(name) = self.known.get_mut(Path::new(&place.name)) {
                    name.file.get_or_insert(id);
                }
                self.read_between(id, now, sink);
                continue;
            }
            if is_followed && is_there {
                log_warning(format_args!(
                    "--follow: {} was rotated, and the file that was read last is gone or compressed: what came into \
                     it after its byte {} is not counted",
                    place.name, place.offset
                ));
            }
            sink.tell_end(&place.name, Place::key(place.id));
        }
        self.kept = away;
    }

    // --- rotated files ---

    /// A file was truncated: what was not read of it is in a copy, if there is one, and in those made after it.
    fn read_copy(&mut self, place: &Place, since: Option<SystemTime>, now: Instant, sink: &mut Sink) {
        let named = self.files.values_mut().filter(|file| rotated::may_be_copy_of(&file.place, place));
        let waiting = named.filter(|file| file.is_waiting_copy_of(place));
        if let Some(copy) = waiting.max_by_key(|file| file.age()) {
            copy.go_on_from(place);
            copy.tell(sink, self.version);
            let id = copy.place.id;
            return self.read_between(id, now, sink);
        }
        if let Some(found) = rotated::copy(place, since, |id| self.files.contains_key(&id)) {
            let further = self.take_kept(FileId::of(&found.meta), &found.file, &found.meta);
            let further = further.filter(|further| !further.is_copy);
            let id = self.open_rotated(found, further.as_ref().unwrap_or(place), now, sink);
            self.read_between(id, now, sink);
        }
    }

    /// Goes on in a file that has another name now, or is a copy.
    fn open_rotated(&mut self, found: Found, place: &Place, now: Instant, sink: &mut Sink) -> FileId {
        let id = FileId::of(&found.meta);
        // The name that rotations begin with stays the old one.
        // Of a copy that is shorter than what was read, nothing is left.
        let end = found.meta.len();
        let (offset, joined_from) = (place.offset.min(end), place.joined_from.min(end));
        let tail = if offset < place.offset { Tail::default() } else { place.tail };
        let place = Place { id, tail, offset, joined_from, is_copy: false, ..place.clone() };
        let mut tracked = Tracked::at(found.file, &found.meta, place, now);
        tracked.is_named = false;
        match self.files.get_mut(&id) {
            // It was found by its name first, and waits for a log that has gone.
            Some(copy) if copy.place.is_copy => {
                copy.go_on_from(&tracked.place);
                copy.tell(sink, self.version);
            }
            Some(_) => {}
            None => {
                tracked.tell(sink, self.version);
                self.files.insert(id, tracked);
            }
        }
        id
    }

    /// Reads the files that came after this one and lost its name again before anybody has looked.
    fn read_between(&mut self, before: FileId, now: Instant, sink: &mut Sink) {
        let since = |old: &Tracked| Since { changed: old.modified, born: old.born, empty: None };
        if let Some(since) = self.files.get(&before).map(since) {
            self.read_since(before, since, now, sink);
        }
    }

    /// Reads the copies of a log that were made while nothing of it was read, if it has changed since they were looked
    /// for. A directory is not listed for each file that just stands there: of thousands in one that took minutes.
    fn read_copies_of_unread(&mut self, id: FileId, now: Instant, sink: &mut Sink) {
        let Some(log) = self.files.get_mut(&id) else { return };
        let Some((changed, empty)) = log.changed_unread() else { return };
        let since = Since { changed, born: log.born, empty };
        let copied = self.read_since(id, since, now, sink);
        let Some(log) = self.files.get_mut(&id) else { return };
        copied.into_iter().for_each(|copied| log.note_found(copied));
        // Last: who is killed in between finds the copies again.
        log.tell(sink, self.version);
    }

    /// The same where the times are given. When the youngest that was found had been changed last.
    fn read_since(
        &mut self,
        before: FileId,
        since: Since,
        now: Instant,
        sink: &mut Sink,
    ) -> Option<SystemTime> {
        let old = self.files.get(&before)?;
        let is_known =
            |id: FileId| self.files.contains_key(&id) || self.kept.iter().any(|place| place.id == id);
        let found = rotated::between(&old.place, since, is_known);
        let youngest = found.last().map(|found| modified(&found.meta));
        let name = old.name();
        let real = old.place.path.clone();
        for Found { file, .. } in found {
            let Ok(mut tracked) = Tracked::new(file, &name, real.clone(), Begin::Start, now) else {
                continue;
            };
            tracked.is_named = false;
            tracked.tell(sink, self.version);
            self.self_metrics.follow_rotations.inc();
            self.files.entry(tracked.place.id).or_insert(tracked);
        }
        youngest
    }

    // --- reading ---

    /// Whether there may be more.
    fn read(&mut self, id: FileId, now: Instant, sink: &mut Sink) -> bool {
        if self.files.get(&id).is_some_and(|file| file.is_unread() && self.log_of_copy(file).is_some()) {
            self.set_copy(id, true, sink);
            return false;
        }
        let may_be_cut = |file: &Tracked| !self.mode.has_end() && file.is_unread() && file.is_named;
        let is_unread = self.files.get(&id).is_some_and(may_be_cut);
        let before = self.files.len();
        // Before a line of it is counted: whoever is killed in between would not look for copies any more.
        if is_unread {
            self.read_copies_of_unread(id, now, sink);
        }
        let Some(file) = self.files.get_mut(&id) else { return false };
        let progress = file.read(sink, self.version);
        // It may have been copied and truncated since.
        if is_unread && !file.is_unread() {
            self.read_copies_of_unread(id, now, sink);
        }
        let has_found = self.files.len() > before;
        let Some(file) = self.files.get_mut(&id) else { return false };
        match progress {
            Ok(Progress::More) => true,
            // What was found is read next.
            Ok(Progress::Idle) => has_found,
            Ok(Progress::Truncated) => {
                let (place, since) = (file.place.clone(), file.all_read);
                file.restart();
                self.self_metrics.follow_truncations.inc();
                self.read_copy(&place, Some(since), now, sink);
                // Last: who is killed in between finds the truncation and the copy again.
                if let Some(file) = self.files.get(&id) {
                    file.tell(sink, self.version);
                }
                self.look_soon();
                true
            }
            Err(error) => {
                let path = PathBuf::from(&file.place.name);
                self.failed(&path, &error);
                false
            }
        }
    }

    /// Lets go of files without a name in which nothing comes any more.
    fn forget_quiet(&mut self, now: Instant, sink: &mut Sink) {
        let nameless = self.files.values().filter(|file| !file.is_named);
        let mut nameless: Vec<_> = nameless.map(|file| (file.age(), file.place.id, file.name())).collect();
        order::sort(&mut nameless);
        let too_many = nameless.len().saturating_sub(NAMELESS_MAX);
        // An older one that is known still would lead to its successors again, at the next start.
        let mut waiting = BTreeSet::new();
        for (place, (_, id, name)) in nameless.into_iter().enumerate() {
            let is_next = !waiting.contains(&name) && self.is_done(&self.files[&id], now);
            if place < too_many || is_next {
                self.forget(id, sink);
            } else {
                waiting.insert(name);
            }
        }
    }

    fn is_done(&self, file: &Tracked, now: Instant) -> bool {
        let quiet = now.saturating_duration_since(file.quiet_since);
        let successor = self.known.get(Path::new(&file.place.name)).and_then(|name| name.file);
        let successor = successor.filter(|id| *id != file.place.id);
        let has_begun = successor.and_then(|id| self.files.get(&id)).is_some_and(|new| new.size > 0);
        !file.has_more() && (quiet >= QUIET_TIME && (has_begun || !file.has_links) || quiet >= QUIET_TIME_MAX)
    }

    fn forget(&mut self, id: FileId, sink: &mut Sink) {
        match self.files.remove(&id) {
            // What is in a copy comes from its log.
            Some(copy) if copy.place.is_copy => sink.tell_end(&copy.name(), Place::key(id)),
            Some(file) => file.finish(sink, self.version),
            None => {}
        }
    }

    /// The end: with `--once` unfinished lines are lines; else they are read whole at the next start.
    pub fn finish(mut self, sink: &mut Sink) {
        if self.mode == Mode::ToTheEnd {
            for id in self.files.keys().copied().collect::<Vec<_>>() {
                self.forget(id, sink);
            }
        }
    }
}
