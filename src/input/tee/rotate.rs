//! Rotation of a tee's file: when it is due, what the file is called then, and which old ones go.
//!
//! All of it is derived from the files, so that several generations decide alike and a restart changes nothing.

use crate::calendar::{self, Date};
use crate::input::tee::{LOOK_INTERVAL, Options, Tee, identity};
use crate::log::log_warning;
use crate::order;
use std::ffi::OsString;
use std::fs::{File, Metadata, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// A file's times are taken from a clock that the kernel advances at its ticks only, so a write just after
/// the turn of an interval can have a time just before it. The slowest tick there is has 10 ms.
const TICK: Duration = Duration::from_millis(10);

impl Tee {
    /// How many of these bytes, which begin a line, belong into the file before it has to be rotated next;
    /// rotates it first where that is due. Always at least a line.
    pub fn before_rotation(&mut self, bytes: &[u8], now: Instant) -> usize {
        let wanted = self.options.rotate_size.is_some() || self.options.rotate_interval.is_some();
        if !wanted || self.is_stdout() || self.rotation.retry.is_some_and(|after| now < after) {
            return bytes.len();
        }
        // Twice: before and after a rotation.
        for _ in 0..2 {
            let Some(meta) = self.file().and_then(|file| file.metadata().ok()).filter(Metadata::is_file)
            else {
                return bytes.len();
            };
            let overdue =
                self.options.rotate_interval.is_some_and(|i| is_overdue(&meta, i, SystemTime::now()));
            if !overdue {
                let room =
                    self.options.rotate_size.map_or(u64::MAX, |limit| limit.saturating_sub(meta.len()));
                let room = usize::try_from(room).unwrap_or(usize::MAX);
                if bytes.len() <= room {
                    return bytes.len();
                }
                match bytes[..room].iter().rposition(|byte| *byte == b'\n') {
                    Some(last) => return last + 1,
                    // A line longer than the size has a file of its own.
                    None if meta.len() == 0 => break,
                    None => {}
                }
            }
            match self.rotate(&meta) {
                Ok(true) => {}
                Ok(false) => return bytes.len(),
                Err(error) => {
                    self.rotation.retry = Some(now + LOOK_INTERVAL);
                    self.tell(Err(error), "rotate");
                    return bytes.len();
                }
            }
        }
        bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1)
    }

    /// Renames the file and begins a new one, or turns to the one that another generation has begun. False
    /// when that one is at it just now: then the lines still belong to the old file, and the next look
    /// settles it.
    fn rotate(&mut self, held: &Metadata) -> io::Result<bool> {
        let Some(file) = self.file() else { return Ok(false) };
        // The lock is on the file that is to be renamed: the process that gets it and still finds that file
        // under the path renames it. The lock goes with the descriptor.
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                self.reopen();
                return Ok(false);
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let path = self.options.path.clone();
        if !std::fs::metadata(&path).is_ok_and(|there| identity(&there) == identity(held)) {
            return self.turn_to_path(Some(held)).map(|()| true);
        }
        let before = newest(&path).max(self.rotation.last_millis);
        let (aside, millis) = name(&path, SystemTime::now(), before);
        self.rotation.last_millis = millis;
        let renamed = std::fs::rename(&path, &aside);
        let turned = renamed.and_then(|()| {
            self.turn_to_path(Some(held)).inspect_err(|_| drop(std::fs::rename(&aside, &path)))
        });
        if turned.is_err() {
            let _ = self.file().map(File::unlock);
        }
        turned?;
        self.is_reported = false;
        if let Some(keep) = self.options.keep {
            let pruned = prune(&path, keep);
            let told = std::mem::replace(&mut self.rotation.is_reported, pruned.is_err());
            if let (Err(error), false) = (pruned, told) {
                log_warning(format_args!("--tee.keep: {error}; the others are removed at later rotations"));
            }
        }
        Ok(true)
    }
}

/// Whether the last write fell into an earlier interval; intervals are counted from the epoch, so that files
/// of an hour or a day begin with it (in UTC).
pub fn is_overdue(meta: &Metadata, interval: Duration, now: SystemTime) -> bool {
    let number = |time: SystemTime| since_epoch(time).as_millis() / interval.as_millis().max(1);
    meta.len() > 0 && meta.modified().is_ok_and(|written| number(written + TICK) < number(now))
}

/// `PATH.20261122T103800.123Z`: the time of the rotation, and in any case later than the one before, so that
/// names sort as the files came. The caller holds the lock of the file to be renamed, so no other process
/// takes the name.
pub fn name(path: &Path, now: SystemTime, before: u128) -> (PathBuf, u128) {
    let mut millis = since_epoch(now).as_millis().max(before + 1);
    loop {
        let mut name = OsString::from(path);
        name.push(".");
        name.push(stamp(millis));
        if Path::new(&name).symlink_metadata().is_err() {
            return (name.into(), millis);
        }
        millis += 1;
    }
}

/// The time in the newest name there is. A clock that was ahead has left names of the future, and what comes now is
/// younger.
fn newest(path: &Path) -> u128 {
    let names = rotated(path).unwrap_or_default();
    let stamps = names.iter().filter_map(|name| name.as_os_str().as_encoded_bytes().last_chunk());
    stamps.filter_map(millis_of).max().unwrap_or(0)
}

/// What the file of a tee is called, and what when it was rotated. None where it is stdout.
pub fn names_of(options: &Options) -> Vec<PathBuf> {
    let is_rotated = options.rotate_size.is_some() || options.rotate_interval.is_some();
    let rotated = is_rotated.then(|| name(&options.path, SystemTime::now(), 0).0);
    let is_file = options.path.as_os_str() != "-";
    [Some(options.path.clone()), rotated].into_iter().flatten().filter(|_| is_file).collect()
}

/// Removes the oldest rotated files and leaves `keep`. The error names the first that could not be removed; it stops
/// nothing.
pub fn prune(path: &Path, keep: usize) -> io::Result<()> {
    let mut rotated = rotated(path)?;
    // What is no file was not rotated by us, whatever its name.
    rotated.retain(|old| old.symlink_metadata().is_ok_and(|meta| meta.is_file()));
    order::sort(&mut rotated);
    let mut pruned = Ok(());
    for old in &rotated[..rotated.len().saturating_sub(keep)] {
        match std::fs::remove_file(old) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                let named = format!("unable to remove {}: {error}", old.display());
                pruned = pruned.and(Err(io::Error::new(error.kind(), named)));
            }
            _ => {}
        }
    }
    pruned
}

/// The files that `name` has named for this path.
pub fn rotated(path: &Path) -> io::Result<Vec<PathBuf>> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let prefix = path.file_name().unwrap_or_default().as_encoded_bytes();
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let name = entry?.file_name();
        let suffix = name.as_encoded_bytes().strip_prefix(prefix).and_then(|rest| rest.strip_prefix(b"."));
        if suffix.is_some_and(is_stamp) {
            found.push(directory.join(name));
        }
    }
    Ok(found)
}

fn since_epoch(time: SystemTime) -> Duration {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// ISO 8601, basic form, UTC, with milliseconds.
fn stamp(millis: u128) -> String {
    let Date { year, month, day, hour, minute, second } = Date::of(u64::try_from(millis / 1000).unwrap_or(0));
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}.{:03}Z", millis % 1000)
}

const PATTERN: &[u8; 20] = b"00000000T000000.000Z";

/// What `stamp` has written.
fn millis_of(stamp: &[u8; PATTERN.len()]) -> Option<u128> {
    let number = |from: usize, to: usize| std::str::from_utf8(&stamp[from..to]).ok()?.parse::<i64>().ok();
    let days = calendar::days_since_1970(number(0, 4)?, number(4, 6)?, number(6, 8)?)?;
    let seconds = days * 86_400 + number(9, 11)? * 3600 + number(11, 13)? * 60 + number(13, 15)?;
    u128::try_from(seconds * 1000 + number(16, 19)?).ok()
}

fn is_stamp(name: &[u8]) -> bool {
    let pattern = PATTERN;
    name.len() == pattern.len()
        && name
            .iter()
            .zip(pattern)
            .all(|(byte, like)| if *like == b'0' { byte.is_ascii_digit() } else { byte == like })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_are_dates() {
        for (seconds, date) in [
            (0, "19700101T000000.000Z"),
            (951_782_400, "20000229T000000.000Z"),
            (1_795_343_880, "20261122T103800.000Z"),
            (4_107_542_399, "21000228T235959.000Z"),
            (4_107_542_400, "21000301T000000.000Z"),
        ] {
            assert_eq!(stamp(seconds * 1000), date);
            assert!(is_stamp(date.as_bytes()));
            assert_eq!(date.as_bytes().last_chunk().and_then(millis_of), Some(seconds * 1000));
        }
        assert!(!is_stamp(b"20261122T103800.123Z.gz") && !is_stamp(b"1") && !is_stamp(b""));
    }
}
