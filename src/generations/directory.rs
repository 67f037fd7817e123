//! The state directory: which generations have a file there, what the files say, and which generations live.
//!
//! In a directory that belongs to a user, anything may stand under our names: links are not followed and a fifo is not
//! waited for.

use crate::generations::content::{Content, Head, Name, TITLE_BYTES_MAX};
use crate::limits::STATE_BYTES_MAX;
use crate::order;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A head is read in pieces of this size. Nearly all are shorter.
const HEAD_BYTES: usize = 512;

#[derive(Debug)]
pub struct Directory {
    pub path: PathBuf,
}

impl Directory {
    pub fn path_of(&self, name: Name) -> PathBuf {
        self.path.join(name.to_string())
    }

    /// The generations that have a file, oldest first.
    pub fn names(&self) -> io::Result<Vec<Name>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.path)? {
            names.extend(entry?.file_name().to_str().and_then(Name::parse));
        }
        order::sort(&mut names);
        Ok(names)
    }

    /// A short text that is no generation's.
    pub fn read_beside(&self, name: &str, bytes_max: u64) -> io::Result<Option<String>> {
        let file = open(&self.path.join(name), false)?;
        let meta = file.metadata()?;
        if !meta.is_file() || meta.len() > bytes_max {
            return Ok(None);
        }
        Ok(String::from_utf8(bytes_from(&file, 0, meta.len())?).ok())
    }

    pub fn write_beside(&self, name: &str, text: &str) -> io::Result<()> {
        let (path, new) = (self.path.join(name), self.path.join(format!("{name}.new")));
        let flags = nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK;
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o640).custom_flags(flags);
        options.open(&new)?.write_all(text.as_bytes())?;
        std::fs::rename(&new, &path)
    }

    /// Opens a file for a look.
    pub fn open(&self, name: Name) -> io::Result<File> {
        open(&self.path_of(name), false)
    }

    /// Opens a file for an exclusive lock, for which NFS wants a descriptor that may write.
    pub fn open_for_lock(&self, name: Name) -> io::Result<File> {
        let path = self.path_of(name);
        open(&path, true).or_else(|error| match error.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => open(&path, false),
            _ => Err(error),
        })
    }

    /// Whether the name still stands for this very file.
    pub fn is_at(&self, name: Name, meta: &Metadata) -> bool {
        self.path_of(name).symlink_metadata().is_ok_and(|there| identity(&there) == identity(meta))
    }

    /// Waits until the names are on the disk, as what is in the files is already.
    pub fn sync(&self) -> io::Result<()> {
        match File::open(&self.path)?.sync_all() {
            // Some file systems do not support this and need no waiting.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
            synced => synced,
        }
    }

    /// What others have to know of a generation, without its page; and its file.
    pub fn head(&self, name: Name) -> io::Result<(Option<Head>, File)> {
        let file = self.open(name)?;
        let mut bytes = Vec::new();
        loop {
            let before = bytes.len();
            bytes.resize(2 * before + HEAD_BYTES, 0);
            let read = read_at(&file, &mut bytes[before..], before)?;
            bytes.truncate(before + read);
            if let Some(head) = Head::read(&bytes) {
                return Ok((Some(head), file));
            }
            if read == 0 || bytes.len() as u64 > STATE_BYTES_MAX {
                return Ok((None, file));
            }
        }
    }
}

fn open(path: &Path, write: bool) -> io::Result<File> {
    let flags = nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK;
    OpenOptions::new().read(true).write(write).custom_flags(flags).open(path)
}

/// Whether the generation of this file lives: it holds the lock to its end. Asked for a shared one, so that two
/// processes that look do not take each other for it.
pub fn is_living(file: &File) -> bool {
    match file.try_lock_shared() {
        Ok(()) => {
            let _ = file.unlock();
            false
        }
        Err(_) => true,
    }
}

/// What an open state file says, and how many of its bytes say it; or what is wrong with it.
pub fn read(file: &File) -> io::Result<Result<(Content, usize), String>> {
    let meta = file.metadata()?;
    if !meta.is_file() || meta.len() > STATE_BYTES_MAX {
        return Ok(Err(format!("it is not a regular file of at most {STATE_BYTES_MAX} bytes")));
    }
    Ok(Content::read(&bytes_from(file, 0, meta.len())?))
}

fn bytes_from(file: &File, start: usize, end: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(end).unwrap_or(usize::MAX).saturating_sub(start)];
    let read = read_at(file, &mut bytes, start)?;
    bytes.truncate(read);
    Ok(bytes)
}

/// As much as there is.
fn read_at(file: &File, bytes: &mut [u8], start: usize) -> io::Result<usize> {
    let mut read = 0;
    while read < bytes.len() {
        match file.read_at(&mut bytes[read..], (start + read) as u64) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}

/// Whether an error is temporary and says nothing about the file. Disks, networks and user space file systems have many
/// of them, so it is the others that are listed: nobody may read it, it is no file, or the system cannot do it at all.
pub fn may_pass(error: &io::Error) -> bool {
    use nix::libc::{EACCES, EISDIR, ELOOP, ENODEV, ENOENT, ENOSYS, ENOTDIR, ENXIO, EOPNOTSUPP, EPERM};
    const LASTING: [i32; 10] =
        [EACCES, EISDIR, ELOOP, ENODEV, ENOENT, ENOSYS, ENOTDIR, ENXIO, EOPNOTSUPP, EPERM];
    error.raw_os_error().is_some_and(|code| !LASTING.contains(&code))
}

fn identity(meta: &Metadata) -> (u64, u64) {
    (meta.dev(), meta.ino())
}

/// The files of the others as they were read last.
#[derive(Debug, Default)]
pub struct PeerCache {
    peers: BTreeMap<Name, Peer>,
}

#[derive(Debug)]
struct Peer {
    /// What makes it the same file as last time, with changes at most: the inode may have been used again, and then the
    /// first line, which has a checksum, is another.
    identity: (u64, u64),
    title: Vec<u8>,
    /// So many bytes are in the content.
    bytes: usize,
    content: Result<Arc<Content>, String>,
    /// Kept open while the generation lives.
    living: Option<File>,
    said: bool,
}

/// What became of a look at a file.
pub enum Loaded {
    Whole {
        content: Arc<Content>,
        living: bool,
    },
    /// It is no state file, or damaged.
    Unreadable,
    /// It could not be read just now, nor before: what it says is not known.
    Unknown,
    Gone,
}

impl PeerCache {
    /// What a file says. Of one that was read before, only what is new is read. Where it cannot be read just now, what
    /// was known of it is not less for that; `failed` is told.
    pub fn load(&mut self, directory: &Directory, name: Name, failed: impl FnOnce(&io::Error)) -> Loaded {
        let mut unknown = false;
        match self.read(directory, name) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Loaded::Gone,
            Err(error) => {
                unknown = may_pass(&error);
                failed(&error);
            }
        }
        match self.peers.get(&name).map(|peer| (peer.content.clone(), peer.living.is_some())) {
            Some((Ok(content), living)) => Loaded::Whole { content, living },
            _ if unknown => Loaded::Unknown,
            _ => Loaded::Unreadable,
        }
    }

    fn read(&mut self, directory: &Directory, name: Name) -> io::Result<()> {
        let file = directory.open(name)?;
        let meta = file.metadata()?;
        let mut title = vec![0; TITLE_BYTES_MAX];
        let length = if meta.is_file() { read_at(&file, &mut title, 0)? } else { 0 };
        title.truncate(title[..length].iter().position(|byte| *byte == b'\n').unwrap_or(length));
        let same = |peer: &&mut Peer| peer.identity == identity(&meta) && peer.title == title;
        match self.peers.get_mut(&name).filter(same) {
            Some(peer) => peer.read_on(&file, meta.len())?,
            None => {
                let (content, bytes) = match read(&file)? {
                    Ok((content, bytes)) => (Ok(Arc::new(content)), bytes),
                    Err(why) => (Err(why), 0),
                };
                let peer =
                    Peer { identity: identity(&meta), title, bytes, content, living: None, said: false };
                self.peers.insert(name, peer);
            }
        }
        if let Some(peer) = self.peers.get_mut(&name) {
            peer.living = Some(file).filter(is_living);
        }
        Ok(())
    }

    /// The others that are known, but for these: for a time in which the directory cannot be read.
    pub fn known(&self, but: &BTreeSet<Name>) -> Vec<(Name, Arc<Content>)> {
        let there = self.peers.iter().filter(|(name, _)| !but.contains(name));
        there.filter_map(|(name, peer)| Some((*name, peer.content.clone().ok()?))).collect()
    }

    /// Forgets who is listed no more, and gives back those of them who live: then it is the directory that has gone,
    /// and they will be in the next one.
    pub fn forget_all_but(&mut self, listed: &[Name]) -> Vec<(Name, Arc<Content>)> {
        self.peers.retain(|name, peer| {
            listed.binary_search(name).is_ok() || peer.living.as_ref().is_some_and(is_living)
        });
        let unlisted = self.peers.iter().filter(|(name, _)| listed.binary_search(name).is_err());
        unlisted.filter_map(|(name, peer)| Some((*name, peer.content.clone().ok()?))).collect()
    }

    /// Gives the memory back; a scrape reads them again.
    pub fn clear(&mut self) {
        self.peers.clear();
    }

    /// What is wrong with a file; only the first time.
    pub fn fault(&mut self, name: Name) -> Option<&str> {
        let peer = self.peers.get_mut(&name).filter(|peer| !peer.said)?;
        peer.said = true;
        peer.content.as_ref().err().map(String::as_str)
    }
}

impl Peer {
    fn read_on(&mut self, file: &File, length: u64) -> io::Result<()> {
        let Ok(content) = &mut self.content else { return Ok(()) };
        if length > self.bytes as u64 && length <= STATE_BYTES_MAX {
            let more = bytes_from(file, self.bytes, length)?;
            match Arc::make_mut(content).read_changes(&more) {
                Ok(bytes) => self.bytes += bytes,
                Err(why) => self.content = Err(why),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::libc::{EACCES, EHOSTDOWN, EIO, ELOOP, EMFILE, ENOENT, ENOMEM, ENOSPC, ENOTCONN, ETIMEDOUT};

    /// What a peer has counted stays on the page while its file cannot be read for a reason of the moment.
    #[test]
    fn an_error_that_says_nothing_of_a_file_may_pass() {
        for code in [EIO, ENOMEM, EMFILE, ETIMEDOUT, ENOTCONN, EHOSTDOWN, ENOSPC] {
            assert!(may_pass(&io::Error::from_raw_os_error(code)), "{code}");
        }
        for code in [ENOENT, EACCES, ELOOP] {
            assert!(!may_pass(&io::Error::from_raw_os_error(code)), "{code}");
        }
    }
}
