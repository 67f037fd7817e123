//! Place: how far a file has been read, and how it is known again: by device, inode and its first bytes.
//!
//! An inode alone does not identify a file: inodes are used again, and a truncated file keeps its own. A place is kept
//! as text in the state file, with the counts of exactly the bytes before it.

use std::fmt::Write;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// As many of the first bytes as tell one log from another: its first lines, with their times.
pub const HEAD_BYTES_MAX: usize = 1024;

/// The numbers of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileId {
    pub device: u64,
    pub inode: u64,
}

impl FileId {
    pub fn of(meta: &Metadata) -> FileId {
        FileId { device: meta.dev(), inode: meta.ino() }
    }
}

/// The first bytes of a file, as far as they have been read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    pub length: usize,
    checksum: u32,
}

impl Head {
    pub fn of(bytes: &[u8]) -> Head {
        let bytes = &bytes[..bytes.len().min(HEAD_BYTES_MAX)];
        Head { length: bytes.len(), checksum: crc32fast::hash(bytes) }
    }

    /// Whether these bytes begin with this head. An empty head matches nothing.
    pub fn begins(&self, bytes: &[u8]) -> bool {
        bytes.get(..self.length).is_some_and(|first| Head::of(first) == *self)
    }
}

/// How far a file has been read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub id: FileId,
    pub head: Head,
    pub offset: u64,
    /// From here to there it is read again, for pieces of lines whose last ones come behind it.
    pub joined_from: u64,
    /// What comes next is the rest of a line that is longer than any may be.
    pub is_skipping: bool,
    /// The name by which the file is followed.
    pub name: String,
    /// The name that it had when it was opened, behind all symbolic links.
    pub path: PathBuf,
}

/// What the keys of places begin with.
const KEY: &str = "follow ";

impl Place {
    pub fn key(id: FileId) -> String {
        format!("{KEY}{} {}", id.device, id.inode)
    }

    /// Behind the number of the process in the row of those that followed: of two texts the one with the greater number
    /// is the later one.
    pub fn text(&self, version: u64) -> String {
        let Head { length, checksum } = self.head;
        let skipping = u8::from(self.is_skipping);
        let mut text =
            format!("{version}\t{}\t{}\t{skipping}\t{length}\t{checksum:08x}", self.offset, self.joined_from);
        let _ = write!(text, "\t{}\t{}", self.name, self.path.display());
        text
    }

    /// What `key` and `text` have written, with the number.
    pub fn parse(key: &str, text: &str) -> Option<(u64, Place)> {
        let (device, inode) = key.strip_prefix(KEY)?.split_once(' ')?;
        let id = FileId { device: device.parse().ok()?, inode: inode.parse().ok()? };
        let mut parts = text.splitn(8, '\t');
        let version = parts.next()?.parse().ok()?;
        let offset = parts.next()?.parse().ok()?;
        let joined_from = parts.next()?.parse().ok().filter(|from| *from <= offset)?;
        let is_skipping = parts.next()? == "1";
        let length = parts.next()?.parse().ok().filter(|length| *length <= HEAD_BYTES_MAX)?;
        let checksum = u32::from_str_radix(parts.next()?, 16).ok()?;
        let (name, path) = (parts.next()?.to_owned(), parts.next()?.into());
        let head = Head { length, checksum };
        Some((version, Place { id, head, offset, joined_from, is_skipping, name, path }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written() {
        let place = Place {
            id: FileId { device: 2049, inode: 131_072 },
            head: Head::of(b"127.0.0.1 - - "),
            offset: 1 << 40,
            joined_from: 1 << 39,
            is_skipping: true,
            name: "/var/log/a b.log".to_owned(),
            path: "/srv/log/a b.log".into(),
        };
        assert_eq!(Place::parse(&Place::key(place.id), &place.text(7)), Some((7, place)));
        for (key, text) in [("routes", "1\t2"), ("follow 1 2", ""), ("follow 1", "1\t2\t2\t0\t0\t0\ta\tb")] {
            assert_eq!(Place::parse(key, text), None, "{key} {text}");
        }
    }

    #[test]
    fn a_head_is_known_again_and_no_other_is() {
        let head = Head::of(b"first line");
        assert!(head.begins(b"first line\nsecond"));
        assert!(!head.begins(b"first lin"));
        assert!(!head.begins(b"other line\n"));
        assert!(Head::default().begins(b""));
    }
}
