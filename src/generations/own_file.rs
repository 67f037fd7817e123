//! Our own state file: written under another name, locked, synced and renamed; grown by changes; with room in reserve.
//!
//! The lock is on the file that is renamed and taken before, so at no moment does the name of a living generation stand
//! for a file without its lock. A small file is written whole each time. To a long one what has changed is appended,
//! until the changes are as long as the rest: the longer it is, the more seldom it is written whole.
//!
//! For a full disk there is a file in the directory that only reserves room. A process that finds no other room takes
//! it, and makes a new one when the disk has room again.

use crate::generations::content::{Content, Name};
use crate::limits::STATE_BYTES_MAX;
use crate::os::is_root;
use nix::fcntl::posix_fallocate;
use nix::sys::statvfs::{Statvfs, statvfs};
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

/// Files of up to so many bytes are written whole each time.
const WHOLE_BYTES_MAX: usize = 64 << 10;

/// The name of the file that holds room, and the least it holds: the files of some generations, each twice while it is
/// being replaced.
const RESERVE: &str = ".reserve";
const RESERVE_BYTES_MIN: u64 = 256 << 10;

/// Our file as it stands.
#[derive(Debug, Default)]
pub struct OwnFile {
    /// None until it could be made.
    pub file: Option<File>,
    pub content: Content,
    /// How long it was when it was written whole, and is now.
    whole_bytes: usize,
    bytes: usize,
    /// The last append failed: it may be there in part, or not be on the disk.
    torn: bool,
}

impl OwnFile {
    /// Notes that this file, written whole, is ours now.
    pub fn replaced(&mut self, file: File, content: Content, bytes: usize) {
        *self = OwnFile { file: Some(file), content, whole_bytes: bytes, bytes, torn: false };
    }

    /// Appends what is new. False where the file has to be written whole instead.
    pub fn append(&mut self, content: &Content) -> bool {
        if self.torn || self.whole_bytes <= WHOLE_BYTES_MAX {
            return false;
        }
        let (Some(file), Some(changes)) = (&self.file, content.changes_since(&self.content)) else {
            return false;
        };
        if self.bytes + changes.len() > 2 * self.whole_bytes {
            return false;
        }
        self.torn = append(file, &changes, self.bytes).is_err();
        if !self.torn {
            self.bytes += changes.len();
            self.content = content.clone();
        }
        !self.torn
    }

    /// Room for what is written while the disk is full.
    pub fn reserve_bytes(&self) -> u64 {
        RESERVE_BYTES_MIN.max(4 * self.bytes as u64)
    }
}

fn append(file: &File, text: &str, end: usize) -> io::Result<()> {
    // In two parts, so that a test can end the process between them.
    let (one, two) = text.as_bytes().split_at(text.len() / 2);
    step();
    file.write_all_at(one, end as u64)?;
    step();
    file.write_all_at(two, (end + one.len()) as u64)?;
    step();
    file.sync_data()?;
    step();
    Ok(())
}

/// Puts the text under the name, all or nothing, and gives back the file, which is locked. `first`: the name
/// must not be taken yet.
pub fn replace(directory: &Path, name: Name, text: &str, sync: bool, first: bool) -> io::Result<File> {
    if text.len() as u64 > STATE_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "too many series for a state file"));
    }
    let (unfinished, path) = (directory.join(name.unfinished()), directory.join(name.to_string()));
    step();
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o640).custom_flags(nix::libc::O_NOFOLLOW);
    let mut file = options.open(&unfinished).or_else(|error| {
        if first || error.kind() != io::ErrorKind::AlreadyExists {
            return Err(error);
        }
        // The name is ours, so this is what a save has left that could not put it away.
        std::fs::remove_file(&unfinished)?;
        options.open(&unfinished)
    })?;
    let mut put = || {
        // Asked only now: a process that had the name before us had the unfinished file before us too.
        if first && path.symlink_metadata().is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        file.try_lock()?;
        // In two parts, so that a test can end the process between them.
        let (one, two) = text.as_bytes().split_at(text.len() / 2);
        for part in [one, two] {
            step();
            file.write_all(part)?;
        }
        if sync {
            step();
            file.sync_data()?;
        }
        step();
        std::fs::rename(&unfinished, &path)
    };
    put().inspect_err(|_| drop(std::fs::remove_file(&unfinished)))?;
    step();
    Ok(file)
}

/// Whether there is no room on the disk, or none for us.
pub fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Whether there is a reserve, or was one that is taken: then it is a file with nothing in it.
pub fn has_had_reserve(directory: &Path) -> bool {
    directory.join(RESERVE).symlink_metadata().is_ok()
}

/// Frees the reserved room for the next write; false where there is none.
pub fn take_reserve(directory: &Path) -> bool {
    step();
    let Ok(file) = open_reserve(directory, false) else { return false };
    file.metadata().is_ok_and(|meta| meta.len() > 0) && file.set_len(0).is_ok()
}

/// Where anything may stand under the name: a link is not followed and a fifo not waited for.
fn open_reserve(directory: &Path, create: bool) -> io::Result<File> {
    let flags = nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK;
    let mut options = OpenOptions::new();
    options.write(true).create(create).mode(0o640).custom_flags(flags).open(directory.join(RESERVE))
}

/// Makes sure that there is a reserve, unless that would take much of the room there is. False where it was taken and
/// there is no room for another.
pub fn keep_reserve(directory: &Path, bytes: u64) -> bool {
    let meta = directory.join(RESERVE).symlink_metadata().ok();
    let held = meta.as_ref().map_or(0, Metadata::len);
    if held >= bytes / 2 {
        return true;
    }
    let is_made = make_reserve(directory, held, bytes);
    is_made || held > 0 || meta.is_none()
}

/// A quarter of the room there is at most, and room for the state's file at least.
fn make_reserve(directory: &Path, held: u64, wanted: u64) -> bool {
    // Root may take the last blocks of a file system too.
    let blocks = |disk: Statvfs| if is_root() { disk.blocks_free() } else { disk.blocks_available() };
    let free = statvfs(directory).map_or(0, |disk| blocks(disk) * disk.fragment_size());
    let bytes = wanted.min(free / 4);
    if bytes < RESERVE_BYTES_MIN || bytes < wanted / 4 || bytes <= held {
        return false;
    }
    let Ok(file) = open_reserve(directory, true) else { return false };
    // A file of holes holds nothing.
    let is_made = posix_fallocate(&file, 0, i64::try_from(bytes).unwrap_or(i64::MAX)).is_ok();
    if !is_made {
        let _ = file.set_len(held);
    }
    is_made
}

/// Comes before and after every change of the directory.
pub fn step() {
    #[cfg(debug_assertions)]
    crash::step();
}

/// The fault layer of the tests: ends the process at a given change.
#[cfg(debug_assertions)]
mod crash {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    pub fn step() {
        static AT: OnceLock<Option<u64>> = OnceLock::new();
        static STEPS: AtomicU64 = AtomicU64::new(0);
        let at = AT.get_or_init(|| std::env::var("HTTPD_EXPORTER_CRASH_AT_STEP").ok()?.parse().ok());
        if at.is_some_and(|at| STEPS.fetch_add(1, Ordering::SeqCst) + 1 == at) {
            // At once, as a kill would: nothing is written and nothing put away any more.
            std::process::exit(99);
        }
    }
}
