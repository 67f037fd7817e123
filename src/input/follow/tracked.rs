//! A tracked file: read on under whatever name it has by now, or without one.
//!
//! It is read from the place behind its last whole line, so an unfinished line stays where it is, in the file, until
//! its end has come. After each read the first bytes are looked at again, and the last before the place: a file that
//! was truncated and written anew is found out before a byte of it is taken for more of the old.

use crate::input::chunks::Origin;
use crate::input::follow::place::{
    FileId, HEAD_BYTES_MAX, HEAD_BYTES_MIN, Head, Place, TAIL_BYTES_MAX, Tail,
};
use crate::input::follow::sink::Sink;
use crate::limits::{CHUNK_BYTES, LINE_BYTES_MAX};
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// Times of files are so much behind the clock at most: those of the kernel's ticks, or whole seconds, of which FAT has
/// every other one.
const TIME_STEP: Duration = Duration::from_millis(20);
const WHOLE_SECONDS_STEP: Duration = Duration::from_secs(2);

/// Where to begin in a file.
#[derive(Clone, Copy, Debug)]
pub enum Begin {
    /// With the first byte.
    Start,
    /// Behind what is there; with an unfinished last line.
    End,
}

/// What a read has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// There is no more whole line now.
    Idle,
    /// There may be more.
    More,
    /// What was read is no longer what the file begins with.
    Truncated,
}

#[derive(Debug)]
pub struct Tracked {
    file: File,
    pub place: Place,
    name: Arc<str>,
    key: Arc<str>,
    /// As it was looked at last.
    pub size: u64,
    /// When it had been changed last when it was found unchanged in its beginning.
    pub modified: SystemTime,
    looked: SystemTime,
    /// When it had been changed last when all that was in it had been read: a copy in which there is more is no older.
    pub all_read: SystemTime,
    pub has_links: bool,
    /// Up to where it was looked for newlines.
    seen: u64,
    /// When it was made, where the file system tells.
    pub born: Option<SystemTime>,
    /// When it had been changed last when copies of what was not read of it were looked for.
    sought: SystemTime,
    /// When it was looked at last and was empty, and not changed since then.
    empty_at: Option<Instant>,
    /// It was truncated, so what is in it is younger than the file.
    is_rewritten: bool,
    /// Since when nothing has come.
    pub quiet_since: Instant,
    /// Whether one of the names that are followed is its name.
    pub is_named: bool,
}

impl Tracked {
    /// A file that nothing is known of.
    pub fn new(file: File, name: &str, path: PathBuf, begin: Begin, now: Instant) -> io::Result<Tracked> {
        let asked = Instant::now();
        let meta = file.metadata()?;
        let id = FileId::of(&meta);
        let (head, name) = (Head::default(), name.to_string());
        let tail = Tail::default();
        let (is_skipping, is_copy) = (false, false);
        let unread = None;
        let place =
            Place { id, head, tail, offset: 0, joined_from: 0, is_skipping, is_copy, unread, name, path };
        let mut tracked = Tracked::at(file, &meta, place, now);
        tracked.empty_at = Some(asked).filter(|_| meta.size() == 0);
        if let Begin::End = begin {
            tracked.place.offset = last_line(&tracked.file, meta.size())?;
            tracked.place.joined_from = tracked.place.offset;
            tracked.grow_head()?;
            tracked.place.tail = Tail::of(&before(&tracked.file, tracked.place.offset, TAIL_BYTES_MAX)?);
        }
        Ok(tracked)
    }

    /// A file that is known again.
    pub fn at(file: File, meta: &Metadata, place: Place, now: Instant) -> Tracked {
        let unread = place.unread.unwrap_or_else(|| modified(meta));
        Tracked {
            file,
            name: Arc::from(&*place.name),
            key: Place::key(place.id).into(),
            size: meta.size(),
            modified: modified(meta),
            looked: modified(meta),
            all_read: if place.offset < meta.size() { SystemTime::UNIX_EPOCH } else { modified(meta) },
            has_links: meta.nlink() > 0,
            seen: place.offset,
            born: meta.created().ok(),
            sought: unread,
            empty_at: None,
            is_rewritten: false,
            quiet_since: now,
            is_named: true,
            place: Place { unread: Some(unread), ..place },
        }
    }

    pub fn name(&self) -> Arc<str> {
        Arc::clone(&self.name)
    }

    pub fn key(&self) -> Arc<str> {
        Arc::clone(&self.key)
    }

    /// Older files have less of it.
    pub fn age(&self) -> SystemTime {
        self.born.unwrap_or(self.modified)
    }

    /// Bytes that are there and not read.
    pub fn lag(&self) -> u64 {
        if self.place.is_copy { 0 } else { self.size.saturating_sub(self.place.offset) }
    }

    pub fn has_more(&self) -> bool {
        !self.place.is_copy && (self.size != self.seen || self.place.joined_from < self.place.offset)
    }

    /// Whether no line of it was read.
    pub fn is_unread(&self) -> bool {
        !self.place.is_copy && self.place.offset == 0 && !self.place.is_skipping
    }

    /// Whether no line was read of what it is a copy of, as far as is known.
    pub fn is_unread_copy(&self) -> bool {
        self.place.is_copy && self.place.offset == 0
    }

    /// Whether it has what was read of this log, or what is in it now.
    pub fn is_copy_of(&self, log: &Tracked) -> bool {
        // A file that was renamed is older than the one that has its name now, though all their lines may be alike.
        if !self.is_rewritten && self.born.zip(log.born).is_some_and(|(copy, log)| copy <= log) {
            return false;
        }
        let is_read = self.file.metadata().is_ok_and(|meta| may_be_copy(&self.file, &meta, &log.place));
        is_read || begin_alike(&self.file, &log.file).unwrap_or_default()
    }

    /// It waits for a log to be truncated, of which it is a copy; or for nothing any more.
    pub fn set_copy(&mut self, is_copy: bool) -> io::Result<()> {
        let mut head = [0; HEAD_BYTES_MAX];
        let read = if is_copy { read_at(&self.file, &mut head, 0)? } else { 0 };
        self.place.is_copy = is_copy;
        self.place.head = Head::of(&head[..read]);
        Ok(())
    }

    /// Whether it is the copy of this file, as which it was not read: it waits for that, nothing of it was read yet, or
    /// the copy was written over what was.
    pub fn is_waiting_copy_of(&self, original: &Place) -> bool {
        let is_copy = |meta: Metadata| may_be_copy(&self.file, &meta, original);
        (self.place.is_copy || self.is_unread() || !self.is_as_before().unwrap_or(true))
            && self.file.metadata().is_ok_and(is_copy)
    }

    /// What it is a copy of was truncated, of which so much has been read: what is left is read in the copy.
    pub fn go_on_from(&mut self, original: &Place) {
        let Place { offset, joined_from, is_skipping, .. } = *original;
        self.size = self.file.metadata().map_or(self.size, |meta| meta.size());
        let (offset, joined_from) = (offset.min(self.size), joined_from.min(self.size));
        self.place = Place {
            offset,
            joined_from,
            is_skipping,
            is_copy: false,
            head: Head::default(),
            tail: Tail::default(),
            ..self.place.clone()
        };
        // Without it the file is known by its number alone.
        let _ = self.grow_head();
        self.seen = offset;
    }

    /// It is a copy of this log, which is read on: what is read of that is read of both.
    pub fn wait_at(&mut self, log: &Place) {
        let Place { id, name, path, .. } = self.place.clone();
        self.place = Place { id, name, path, is_copy: true, ..log.clone() };
    }

    /// Where it has changed since copies of what was not read of it were looked for: it may have been written to,
    /// copied and truncated meanwhile. Copies of that were written no sooner than the first time here. The second one
    /// is when it was empty, where that is known.
    pub fn changed_unread(&mut self) -> Option<(SystemTime, Option<SystemTime>)> {
        let asked = Instant::now();
        let meta = self.file.metadata().ok()?;
        let (changed, is_empty) = (modified(&meta), meta.size() == 0);
        if changed == self.sought {
            self.empty_at = Some(asked).filter(|_| is_empty).or(self.empty_at);
            return None;
        }
        self.sought = changed;
        // Its own time tells the file system's: between that look and this one no more has passed there than here.
        let step = if is_whole_seconds(changed) { WHOLE_SECONDS_STEP } else { TIME_STEP };
        let since_empty = self.empty_at.and_then(|at| changed.checked_sub(at.elapsed() + step));
        // What had been copied when it was truncated at that time has been read.
        let since_unread = self.place.unread.unwrap_or(changed) + Duration::from_nanos(1);
        if is_empty {
            (self.place.unread, self.empty_at) = (Some(changed), Some(asked));
        }
        Some((since_empty.map_or(since_unread, |time| time.max(since_unread)), since_empty))
    }

    /// What was copied of it up to this time has been found.
    pub fn note_found(&mut self, copied: SystemTime) {
        self.place.unread = self.place.unread.map(|unread| unread.max(copied));
    }

    /// Takes note of what a look at a name of it has shown.
    pub fn look(&mut self, meta: &Metadata, now: Instant) {
        self.looked = modified(meta);
        self.has_links = meta.nlink() > 0;
        if self.size != meta.size() {
            self.size = meta.size();
            self.quiet_since = now;
        }
    }

    /// The same where it has no name that is known.
    pub fn look_by_descriptor(&mut self, now: Instant) {
        if let Ok(meta) = self.file.metadata() {
            self.look(&meta, now);
        }
    }

    /// Reads what follows, as much as goes into one buffer, and sends the whole lines.
    pub fn read(&mut self, sink: &mut Sink, version: u64) -> io::Result<Progress> {
        if self.size < self.place.offset {
            return Ok(Progress::Truncated);
        }
        self.read_again(sink, version)?;
        let mut bytes = CHUNK_BYTES;
        loop {
            let read = read_at(&self.file, &mut sink.room(bytes)[..bytes], self.place.offset)?;
            if !self.is_as_before()? {
                return Ok(Progress::Truncated);
            }
            self.modified = self.looked;
            self.seen = self.place.offset + read as u64;
            self.size = self.size.max(self.seen);
            if self.seen == self.size {
                self.all_read = self.looked;
            }
            let is_full = read == bytes;
            if self.take(sink, bytes, read, version)? {
                return Ok(if is_full { Progress::More } else { Progress::Idle });
            }
            if !is_full {
                // An unfinished line: it is looked at again when there is more.
                return Ok(Progress::Idle);
            }
            bytes = LINE_BYTES_MAX + CHUNK_BYTES;
        }
    }

    /// Sends the lines before the place again in which pieces of lines are whose last ones come behind it.
    fn read_again(&mut self, sink: &mut Sink, version: u64) -> io::Result<()> {
        while self.place.joined_from < self.place.offset {
            let bytes = LINE_BYTES_MAX + CHUNK_BYTES;
            let left = usize::try_from(self.place.offset - self.place.joined_from).unwrap_or(bytes);
            let room = &mut sink.room(bytes)[..left.min(bytes)];
            let read = read_at(&self.file, room, self.place.joined_from)?;
            let end = last_newline(&room[..read]);
            let from = self.place.joined_from;
            // No line is longer, and no place is in one.
            self.place.joined_from = if end > 0 { from + end as u64 } else { self.place.offset };
            sink.send(0, end, 0, Origin { from, is_again: true, ..self.origin(version) });
        }
        Ok(())
    }

    /// Sends the whole lines that begin the room. False where there are none, and a longer read would perhaps find
    /// one.
    fn take(&mut self, sink: &mut Sink, bytes: usize, read: usize, version: u64) -> io::Result<bool> {
        let room = sink.room(bytes);
        // A hole is what a truncation leaves to a writer that goes on at its old place.
        let hole = room[..read].iter().take_while(|byte| **byte == 0).count();
        let first = room[hole..read].iter().position(|byte| *byte == b'\n').map(|at| hole + at);
        let is_long = self.place.is_skipping || first.unwrap_or(read) - hole > LINE_BYTES_MAX;
        let (start, end, oversized) = match (first, is_long) {
            (None, false) if hole == 0 => return Ok(read == 0),
            (None, false) => (hole, hole, 0),
            // The bytes are passed on and never held.
            (None, true) => (read, read, 0),
            (Some(first), true) => (first + 1, last_newline(&room[..read]), 1),
            (Some(_), false) => (hole, last_newline(&room[..read]), 0),
        };
        if self.place.offset == 0 {
            self.place.head = Head::of(&room[..end]);
        }
        if end > 0 {
            self.place.tail = Tail::of(&room[..end]);
        }
        self.place.is_skipping = is_long && oversized == 0;
        let from = self.place.offset;
        self.place.offset += end as u64;
        self.place.joined_from = self.place.offset;
        self.grow_head()?;
        sink.note_read(end);
        sink.pass(0, start);
        sink.send(start, end, oversized, Origin { from, ..self.origin(version) });
        Ok(true)
    }

    fn origin(&self, version: u64) -> Origin {
        let (file, key, from) = (self.name(), self.key(), self.place.offset);
        Origin { file, key, from, is_again: false, place: Some(self.place.clone()), version }
    }

    /// Sends the place alone.
    pub fn tell(&self, sink: &mut Sink, version: u64) {
        sink.send(0, 0, 0, self.origin(version));
    }

    /// Sends what is left and forgets the file: a last line without a newline is a line.
    pub fn finish(mut self, sink: &mut Sink, version: u64) {
        while let Ok(Progress::More) = self.read(sink, version) {}
        let bytes = LINE_BYTES_MAX;
        let read = read_at(&self.file, &mut sink.room(bytes)[..bytes], self.place.offset).unwrap_or(0);
        let origin = Origin { place: None, ..self.origin(version) };
        sink.note_read(read);
        if let Some(newline) = sink.room(bytes).get_mut(read).filter(|_| read > 0 && !self.place.is_skipping)
        {
            *newline = b'\n';
            return sink.send(0, read + 1, 0, origin);
        }
        sink.pass(0, read);
        sink.send(0, 0, u64::from(self.place.is_skipping), origin);
    }

    /// Whether the file still has what was read of it, at its beginning and before the place.
    fn is_as_before(&self) -> io::Result<bool> {
        let mut head = [0; HEAD_BYTES_MAX];
        let length = self.place.head.length;
        let read = read_at(&self.file, &mut head[..length], 0)?;
        Ok(self.place.head.begins(&head[..read]) && has_tail(&self.file, &self.place)?)
    }

    /// Takes more of the first bytes into the identity, as far as they have been read.
    fn grow_head(&mut self) -> io::Result<()> {
        let known = usize::try_from(self.place.offset).unwrap_or(usize::MAX).min(HEAD_BYTES_MAX);
        if self.place.head.length < known {
            let mut head = [0; HEAD_BYTES_MAX];
            let read = read_at(&self.file, &mut head[..known], 0)?;
            if self.place.head.begins(&head[..read]) {
                self.place.head = Head::of(&head[..read]);
            }
        }
        Ok(())
    }

    /// The file has been truncated: it is read from its beginning.
    pub fn restart(&mut self) {
        let (head, tail) = (Head::default(), Tail::default());
        self.place =
            Place { head, tail, offset: 0, joined_from: 0, is_skipping: false, ..self.place.clone() };
        self.seen = 0;
        self.place.unread = Some(self.looked);
        (self.sought, self.empty_at, self.is_rewritten) = (self.looked, None, true);
    }
}

fn is_whole_seconds(time: SystemTime) -> bool {
    time.duration_since(SystemTime::UNIX_EPOCH).is_ok_and(|since| since.subsec_nanos() == 0)
}

pub fn modified(meta: &Metadata) -> SystemTime {
    meta.modified().unwrap_or(SystemTime::UNIX_EPOCH)
}

/// Whether a file has what was read up to a place, at its beginning and before the place.
pub fn has(file: &File, meta: &Metadata, place: &Place) -> bool {
    let mut head = [0; HEAD_BYTES_MAX];
    let read = read_at(file, &mut head[..place.head.length], 0).unwrap_or(0);
    meta.size() >= place.offset
        && place.head.begins(&head[..read])
        && has_tail(file, place).unwrap_or_default()
}

/// Whether a file may be a copy of what was read up to a place: one as long has all of that, a shorter one its
/// beginning.
pub fn may_be_copy(file: &File, meta: &Metadata, place: &Place) -> bool {
    if place.head.length == 0 || meta.size() >= place.offset {
        return place.head.length > 0 && has(file, meta, place);
    }
    let mut head = [0; HEAD_BYTES_MAX];
    let read = read_at(file, &mut head, 0).unwrap_or(0);
    place.head.goes_with(&head[..read])
}

/// Whether two files begin with the same bytes, and have the same where the shorter one ends.
fn begin_alike(one: &File, two: &File) -> io::Result<bool> {
    let shorter = one.metadata()?.size().min(two.metadata()?.size());
    let length = usize::try_from(shorter).unwrap_or(HEAD_BYTES_MAX).min(HEAD_BYTES_MAX);
    let (mut first, mut second) = ([0; HEAD_BYTES_MAX], [0; HEAD_BYTES_MAX]);
    let read = read_at(one, &mut first[..length], 0)?;
    read_at(two, &mut second[..length], 0)?;
    Ok(read >= HEAD_BYTES_MIN
        && first == second
        && before(one, shorter, TAIL_BYTES_MAX)? == before(two, shorter, TAIL_BYTES_MAX)?)
}

fn has_tail(file: &File, place: &Place) -> io::Result<bool> {
    Ok(place.tail.is(&before(file, place.offset, place.tail.length)?))
}

/// So many bytes before an offset, or all there are.
fn before(file: &File, offset: u64, bytes: usize) -> io::Result<Vec<u8>> {
    let start = offset.saturating_sub(bytes as u64);
    let mut room = vec![0; usize::try_from(offset - start).unwrap_or(0)];
    let read = read_at(file, &mut room, start)?;
    room.truncate(read);
    Ok(room)
}

/// Reads until the room is full or the file ends.
fn read_at(file: &File, room: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut read = 0;
    while read < room.len() {
        match file.read_at(&mut room[read..], offset + read as u64) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}

/// Behind the last newline.
fn last_newline(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1)
}

/// Where the last line begins: an unfinished one is read whole when it ends.
fn last_line(file: &File, size: u64) -> io::Result<u64> {
    let mut end = size;
    let mut piece = vec![0; HEAD_BYTES_MAX];
    while end > 0 && size - end < LINE_BYTES_MAX as u64 {
        let start = end.saturating_sub(piece.len() as u64);
        let length = usize::try_from(end - start).unwrap_or(0);
        let read = read_at(file, &mut piece[..length], start)?;
        match last_newline(&piece[..read]) {
            0 => end = start,
            behind => return Ok(start + behind as u64),
        }
    }
    Ok(if end == 0 { 0 } else { size })
}
