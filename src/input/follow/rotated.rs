//! Rotated files: finds a log that has lost its name, and the files that came between it and the present one.
//!
//! A rotation gives a file another name in the same directory, or puts a copy there and truncates the file. A reader
//! that was not there finds the rest of its file by the inode or by the first bytes, and by the times of their making
//! the files that came and went meanwhile.

use crate::input::follow::place::{FileId, Place};
use crate::input::follow::tracked::{has, may_be_copy, modified};
use crate::order;
use crate::os::privileges;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Entries of a directory that are looked at.
const ENTRIES_MAX: usize = 10_000;

/// An open file with what it is called.
#[derive(Debug)]
pub struct Found {
    pub file: File,
    pub meta: Metadata,
    pub path: PathBuf,
}

/// Opens a regular file and nothing else: opening a pipe would block.
pub fn open(path: &Path) -> io::Result<(File, Metadata)> {
    let file = privileges::open_to_read(path, nix::libc::O_NONBLOCK)?;
    let meta = file.metadata()?;
    if meta.is_file() {
        Ok((file, meta))
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"))
    }
}

/// The same file under another name.
pub fn same(place: &Place) -> Option<Found> {
    let is_same = |id: FileId| id.inode == place.id.inode;
    entries(&place.path).filter(|(_, meta)| is_same(FileId::of(meta))).find_map(|(path, _)| {
        let (file, meta) = open(&path).ok()?;
        let is_known = FileId::of(&meta) == place.id || place.head.length > 0;
        (is_same(FileId::of(&meta)) && is_known && has(&file, &meta, place)).then_some(Found {
            file,
            meta,
            path,
        })
    })
}

/// A copy of a file that has been truncated since: the youngest one with all in it that was read, and none that is
/// older than the file was when it had been read to its end; a reader that lags may have seen it change after the copy
/// was made. Where the truncation was seen, a shorter one may be the copy too: what is written between the copy and the
/// truncation may have been read.
pub fn copy(place: &Place, since: Option<SystemTime>, is_known: impl Fn(FileId) -> bool) -> Option<Found> {
    let is_whole = |meta: &Metadata| meta.len() >= place.offset;
    let may_be = |meta: &Metadata| match since {
        None => is_whole(meta),
        Some(since) => !is_whole(meta) || modified(meta) >= since,
    };
    let mut candidates: Vec<(PathBuf, Metadata)> = entries(&place.path)
        .filter(|(_, meta)| FileId::of(meta) != place.id && may_be(meta) && !is_known(FileId::of(meta)))
        .collect();
    // Where many logs are copied at once, the name leads to the one at the first try.
    order::sort_by_key(&mut candidates, |(path, meta)| {
        (is_named_as_copy(place, path), is_whole(meta), modified(meta))
    });
    candidates.into_iter().rev().find_map(|(path, _)| {
        let (file, meta) = open(&path).ok()?;
        may_be_copy(&file, &meta, place).then_some(Found { file, meta, path })
    })
}

/// Since when a file may have come between, for it to be one that did.
#[derive(Clone, Copy, Debug)]
pub struct Since {
    /// It was written to after this.
    pub changed: SystemTime,
    /// It is no older than the file after which it came, where the file system tells.
    pub born: Option<SystemTime>,
    /// What was copied was written after this, where that is known.
    pub empty: Option<SystemTime>,
}

/// Files that had the name of this one after it and have lost it again, the oldest first: rotated names, made and
/// written to later than this one, and not known. First bytes tell nothing here: those of two busy logs may be alike.
pub fn between(place: &Place, since: Since, is_known: impl Fn(FileId) -> bool) -> Vec<Found> {
    let base = split(&place.path).1;
    // A copy that was made before the file was last written to is none of them, whenever it was made.
    let is_later = |meta: &Metadata| {
        let made = meta.created().ok();
        modified(meta) >= since.changed && made.zip(since.born).is_none_or(|(made, born)| made >= born)
    };
    // `access-8081.log` may as well be the log of another server, which is written to all the time.
    let is_new =
        |meta: &Metadata| meta.created().ok().zip(since.empty).is_some_and(|(made, empty)| made >= empty);
    let may_be = |found: &Found| !has_number(base, split(&found.path).1) || is_new(&found.meta);
    let mut found: Vec<Found> = entries(&place.path)
        .filter(|(path, _)| is_rotated_name(base, split(path).1))
        .filter_map(|(path, _)| open(&path).ok().map(|(file, meta)| Found { file, meta, path }))
        .filter(|found| is_later(&found.meta) && may_be(found) && !is_known(FileId::of(&found.meta)))
        .collect();
    order::sort_by_key(&mut found, |found| modified(&found.meta));
    found
}

/// Whether a file, by its name, may be a copy that a rotation makes of this one. Where thousands of files are followed,
/// each is asked of all others: so the paths are compared as they stand.
pub fn is_named_as_copy(place: &Place, path: &Path) -> bool {
    let ((directory, base), (other, name)) = (split(&place.path), split(path));
    is_rotated_name(base, name) && directory == other
}

/// The same for a file that is known: those that were found as rotated ones have the path of their log.
pub fn may_be_copy_of(copy: &Place, log: &Place) -> bool {
    copy.id != log.id && (copy.path == log.path || is_named_as_copy(log, &copy.path))
}

/// The directory and the name in it.
fn split(path: &Path) -> (&[u8], &[u8]) {
    let path = path.as_os_str().as_bytes();
    path.split_at(path.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1))
}

/// The other files in the directory of a file.
fn entries(path: &Path) -> impl Iterator<Item = (PathBuf, Metadata)> {
    let entries = path.parent().and_then(|parent| fs::read_dir(parent).ok());
    entries.into_iter().flatten().flatten().take(ENTRIES_MAX).filter_map(|entry| {
        let meta = entry.metadata().ok().filter(Metadata::is_file)?;
        Some((entry.path(), meta))
    })
}

/// Whether a file has the name of another one that was rotated: `access.log.1`, `access.log-20261126`,
/// `access-20261126.log`; not `access.log.1.gz`, which nobody can read on.
fn is_rotated_name(base: &[u8], name: &[u8]) -> bool {
    let is_mark = |rest: &[u8]| {
        matches!(rest, [b'.' | b'-' | b'_', b'0'..=b'9', ..])
            && rest.iter().all(|byte| byte.is_ascii_digit() || b".-_TZ:".contains(byte))
    };
    let behind = name.strip_prefix(base).is_some_and(is_mark);
    let (stem, extension) = base.split_at(base.iter().rposition(|byte| *byte == b'.').unwrap_or(base.len()));
    let within = name.strip_prefix(stem).and_then(|rest| rest.strip_suffix(extension));
    behind || !extension.is_empty() && within.is_some_and(is_mark)
}

/// Whether what a rotated name has before the extension is too short for a date.
fn has_number(base: &[u8], name: &[u8]) -> bool {
    const DATE_DIGITS_MIN: usize = 6;
    let digits = |name: &[u8]| name.iter().filter(|byte| byte.is_ascii_digit()).count();
    !name.starts_with(base) && digits(name) - digits(base).min(digits(name)) < DATE_DIGITS_MIN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_rotations_give() {
        for (name, is) in [
            ("access.log.1", true),
            ("access.log-20261126", true),
            ("access.log.20261126-120000", true),
            ("access-20261126.log", true),
            ("access.1.log", true),
            ("access.log", false),
            ("access.log.1.gz", false),
            ("access.log.old", false),
            ("access.log-ssl", false),
            ("other.log.1", false),
        ] {
            assert_eq!(is_rotated_name(b"access.log", name.as_bytes()), is, "{name}");
        }
    }
}
