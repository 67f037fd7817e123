//! Place: how far a file has been read, and how it is known again: by device, inode, its first bytes and those before
//! the place.
//!
//! An inode alone does not identify a file: inodes are used again, and a truncated file keeps its own. A place is kept
//! as text in the state file, with the counts of exactly the bytes before it.

use std::fmt::Write;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

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
    /// Those of its beginnings, as far as it goes.
    parts: [u32; PARTS.len()],
}

/// Beginnings of a head, by which a file is known that is shorter than the head.
const PARTS: [usize; 6] = [HEAD_BYTES_MIN, 32, 64, 128, 256, 512];

/// Fewer bytes tell nothing; no line of an access log is so short.
pub const HEAD_BYTES_MIN: usize = 16;

impl Head {
    pub fn of(bytes: &[u8]) -> Head {
        let bytes = &bytes[..bytes.len().min(HEAD_BYTES_MAX)];
        let part = |length: usize| bytes.get(..length).map_or(0, crc32fast::hash);
        Head { length: bytes.len(), checksum: crc32fast::hash(bytes), parts: PARTS.map(part) }
    }

    /// Whether these bytes, all of a file or as many as a head may have, are what files with this head begin with.
    pub fn goes_with(&self, bytes: &[u8]) -> bool {
        if bytes.len() >= self.length {
            return self.begins(bytes);
        }
        let longest = PARTS.iter().zip(self.parts).rfind(|(length, _)| **length <= bytes.len());
        longest.is_some_and(|(length, part)| crc32fast::hash(&bytes[..*length]) == part)
    }

    fn text(&self) -> String {
        let parts = PARTS.iter().zip(self.parts).filter(|(length, _)| **length <= self.length);
        let parts: String = parts.map(|(_, part)| format!("{part:08x}")).collect();
        format!("{}\t{:08x}{parts}", self.length, self.checksum)
    }

    fn parse(length: &str, checksums: &str) -> Option<Head> {
        let length = length.parse().ok().filter(|length| *length <= HEAD_BYTES_MAX)?;
        let mut words = checksums
            .as_bytes()
            .chunks(8)
            .map(|word| std::str::from_utf8(word).ok().and_then(|word| u32::from_str_radix(word, 16).ok()));
        let checksum = words.next()??;
        let mut parts = [0; PARTS.len()];
        for (part, word) in parts.iter_mut().zip(words) {
            *part = word?;
        }
        Some(Head { length, checksum, parts })
    }

    /// Whether these bytes begin with this head. An empty head matches nothing.
    pub fn begins(&self, bytes: &[u8]) -> bool {
        bytes.get(..self.length).is_some_and(|first| Head::of(first) == *self)
    }
}

/// The last bytes before a place: a file that was truncated, and has grown past the place with the same first bytes,
/// has others there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tail {
    pub length: usize,
    checksum: u32,
}

/// As many bytes as a line has.
pub const TAIL_BYTES_MAX: usize = 256;

impl Tail {
    /// None with a zero byte in it, which is what a file system shows of bytes that are not written yet.
    pub fn of(bytes: &[u8]) -> Tail {
        let bytes = &bytes[bytes.len().saturating_sub(TAIL_BYTES_MAX)..];
        let is_written = !bytes.contains(&0);
        if is_written {
            Tail { length: bytes.len(), checksum: crc32fast::hash(bytes) }
        } else {
            Tail::default()
        }
    }

    pub fn is(&self, bytes: &[u8]) -> bool {
        bytes.len() == self.length && (self.length == 0 || crc32fast::hash(bytes) == self.checksum)
    }

    fn parse(length: &str, checksum: &str) -> Option<Tail> {
        let length = length.parse().ok().filter(|length| *length <= TAIL_BYTES_MAX)?;
        Some(Tail { length, checksum: u32::from_str_radix(checksum, 16).ok()? })
    }
}

/// How far a file has been read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub id: FileId,
    pub head: Head,
    pub tail: Tail,
    pub offset: u64,
    /// From here to there it is read again, for pieces of lines whose last ones come behind it.
    pub joined_from: u64,
    /// What comes next is the rest of a line that is longer than any may be.
    pub is_skipping: bool,
    /// A rotation is making, or has made, this file as a copy of another one, which is not truncated yet: until then
    /// all lines come from that one.
    pub is_copy: bool,
    /// When it had been changed last when nothing of it was read: what was written to it since, copied and truncated is
    /// in younger copies.
    pub unread: Option<SystemTime>,
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

    /// Behind the number of the process in the row of those that followed: of two texts the one with the greater
    /// number is the later one.
    pub fn text(&self, version: u64) -> String {
        let state = u8::from(self.is_skipping) | u8::from(self.is_copy) << 1;
        let unread = self.unread.filter(|_| self.offset == 0);
        let unread = unread.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let unread = unread.map(|time| format!("@{}", time.as_nanos())).unwrap_or_default();
        let (offset, from, head) = (self.offset, self.joined_from, self.head.text());
        let mut text = format!("{version}\t{offset}\t{from}\t{state}{unread}\t{head}");
        let _ = write!(text, "\t{}\t{:08x}", self.tail.length, self.tail.checksum);
        let _ = write!(text, "\t{}\t{}", self.name, self.path.display());
        text
    }

    /// What `key` and `text` have written, with the number.
    pub fn parse(key: &str, text: &str) -> Option<(u64, Place)> {
        let (device, inode) = key.strip_prefix(KEY)?.split_once(' ')?;
        let id = FileId { device: device.parse().ok()?, inode: inode.parse().ok()? };
        let mut parts = text.splitn(10, '\t');
        let version = parts.next()?.parse().ok()?;
        let offset = parts.next()?.parse().ok()?;
        let joined_from = parts.next()?.parse().ok().filter(|from| *from <= offset)?;
        let (state, unread) = parts.next().map(|part| part.split_once('@').unwrap_or((part, "")))?;
        let state: u8 = state.parse().ok()?;
        let unread = unread.parse().ok().map(|nanos| UNIX_EPOCH + Duration::from_nanos(nanos));
        let (is_skipping, is_copy) = (state & 1 != 0, state & 2 != 0);
        let head = Head::parse(parts.next()?, parts.next()?)?;
        let tail = Tail::parse(parts.next()?, parts.next()?).filter(|tail| tail.length as u64 <= offset)?;
        let (name, path) = (parts.next()?.to_owned(), parts.next()?.into());
        Some((
            version,
            Place { id, head, tail, offset, joined_from, is_skipping, is_copy, unread, name, path },
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written() {
        let place = Place {
            id: FileId { device: 2049, inode: 131_072 },
            head: Head::of(&b"127.0.0.1 - - ".repeat(10)),
            tail: Tail::of(b"the last line"),
            offset: 1 << 40,
            joined_from: 1 << 39,
            is_skipping: true,
            is_copy: true,
            unread: None,
            name: "/var/log/a b.log".to_owned(),
            path: "/srv/log/a b.log".into(),
        };
        let unread = Some(UNIX_EPOCH + Duration::from_nanos(1_795_799_999_123_456_789));
        let empty = Place { offset: 0, joined_from: 0, tail: Tail::default(), unread, ..place.clone() };
        for place in [place, empty] {
            assert_eq!(Place::parse(&Place::key(place.id), &place.text(7)), Some((7, place)));
        }
        for (key, text) in
            [("routes", "1\t2"), ("follow 1 2", ""), ("follow 1", "1\t2\t2\t0\t0\t0\t0\t0\ta\tb")]
        {
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

    #[test]
    fn a_copy_that_is_shorter_than_a_head_goes_with_it_as_far_as_it_goes() {
        let log: Vec<u8> = (0..900u32).map(|n| b'a' + u8::try_from(n * n % 26).unwrap()).collect();
        let head = Head::of(&log);
        for length in [16, 31, 64, 65, 300, 899, 900] {
            assert!(head.goes_with(&log[..length]), "{length}");
            assert!(!head.goes_with(&vec![b'x'; length]), "{length}");
        }
        assert!(head.goes_with(&[&log, &b"and more"[..]].concat()));
        assert!(!head.goes_with(&log[..15]), "so few bytes tell nothing");
        assert!(!head.goes_with(&[&log[..200], &[b'x'; 400]].concat()));
    }

    #[test]
    fn zeros_are_nothing_to_know_a_file_by() {
        assert_eq!(Tail::of(b"half a line\0\0\0"), Tail::default());
        assert!(Tail::of(b"a line\n").is(b"a line\n"));
        assert!(!Tail::of(b"a line\n").is(b"b line\n"));
    }
}
