//! Compressed input: a gzip stream (RFC 1952) is read as what is in it; other compressions are named. Frames of syslog
//! that no newline parts are read as lines.
//!
//! `access.log.2.gz` on stdin is an easy mistake. It is known by its first bytes, with which no line of a log begins.
//! Decompression is driven by input: what was read is put in, what comes out waits to be taken, so the reader never
//! waits for input anywhere but in `wait`.

use crate::input::frames::{Frames, Start, starts_with_frames};
use crate::input::source::{Readiness, Source};
use crate::log::{log_info, log_warning};
use flate2::write::MultiGzDecoder;
use std::io::{self, BufRead, BufReader, Read, Write};

const GZIP: &[u8] = &[0x1f, 0x8b];

/// First bytes of what is not read here, its name, and the tool that reads it.
const OTHERS: &[(&[u8], &str, &str)] = &[
    (&[0x28, 0xb5, 0x2f, 0xfd], "zstd", "zstdcat"),
    (&[0xfd, b'7', b'z', b'X', b'Z'], "xz", "xzcat"),
    (b"BZh", "bzip2", "bzcat"),
    (&[0x04, 0x22, 0x4d, 0x18], "lz4", "lz4cat"),
    (b"PK\x03\x04", "zip", "unzip -p"),
];

/// Compressed bytes that are put in at once: a thousand times as many may come out.
const PIECE_BYTES: usize = 4096;

/// A source, decompressed if need be.
pub struct Decompressed<S> {
    source: S,
    state: State,
    /// How messages call the source.
    name: String,
}

enum State {
    /// Nothing was read yet, or too little to tell.
    Unknown(Vec<u8>),
    Plain,
    Turned {
        turner: Turner,
        taken: usize,
        ended: bool,
    },
}

/// What turns the bytes of the source into those of the log.
enum Turner {
    Gzip(Box<MultiGzDecoder<Vec<u8>>>),
    Frames(Frames, Vec<u8>),
}

impl Turner {
    fn out(&self) -> &[u8] {
        match self {
            Turner::Gzip(decoder) => decoder.get_ref(),
            Turner::Frames(_, out) => out,
        }
    }

    fn clear(&mut self) {
        match self {
            Turner::Gzip(decoder) => decoder.get_mut().clear(),
            Turner::Frames(_, out) => out.clear(),
        }
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Turner::Gzip(decoder) => decoder.write_all(bytes).map_err(|error| broken(&error)),
            Turner::Frames(frames, out) => {
                frames.put(bytes, out);
                Ok(())
            }
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        match self {
            Turner::Gzip(decoder) => decoder.try_finish().map_err(|error| broken(&error)),
            Turner::Frames(..) => Ok(()),
        }
    }
}

impl<S: Source> Decompressed<S> {
    pub fn new(source: S) -> Decompressed<S> {
        Decompressed::named(source, "stdin".to_owned())
    }

    pub fn named(source: S, name: String) -> Decompressed<S> {
        Decompressed { source, state: State::Unknown(Vec::new()), name }
    }

    fn turn(&mut self, mut turner: Turner, seen: &[u8], room: &mut [u8]) -> io::Result<usize> {
        turner.put(seen)?;
        self.state = State::Turned { turner, taken: 0, ended: false };
        self.read(room)
    }
}

impl<S: Source> Source for Decompressed<S> {
    fn wait(&mut self, ending: bool) -> io::Result<Readiness> {
        match &self.state {
            State::Turned { turner, taken, ended } if *ended || *taken < turner.out().len() => {
                Ok(Readiness::Readable)
            }
            _ => self.source.wait(ending),
        }
    }

    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        match &mut self.state {
            State::Plain => self.source.read(room),
            State::Unknown(seen) => {
                let most = room.len() - seen.len();
                let read = self.source.read(&mut room[..most])?;
                seen.extend_from_slice(&room[..read]);
                // A frame that fills half the room is none that a syslog sends.
                let start = starts_with_frames(seen, read == 0 || seen.len() > room.len() / 2);
                if read > 0 && (*seen == GZIP[..1] || start == Start::Unknown) {
                    // Too little to tell: the next read brings more.
                    return Err(io::ErrorKind::Interrupted.into());
                }
                let seen = std::mem::take(seen);
                if seen.starts_with(GZIP) {
                    return self.turn(Turner::Gzip(Box::new(MultiGzDecoder::new(Vec::new()))), &seen, room);
                }
                if start == Start::Frames {
                    log_info(FRAMED);
                    return self.turn(Turner::Frames(Frames::new(), Vec::new()), &seen, room);
                }
                self.state = State::Plain;
                tell_of_others(&seen, &self.name);
                room[..seen.len()].copy_from_slice(&seen);
                Ok(seen.len())
            }
            State::Turned { turner, taken, ended } => loop {
                let out = turner.out();
                if *taken < out.len() {
                    let count = room.len().min(out.len() - *taken);
                    room[..count].copy_from_slice(&out[*taken..*taken + count]);
                    *taken += count;
                    return Ok(count);
                }
                turner.clear();
                *taken = 0;
                if *ended {
                    return Ok(0);
                }
                let mut piece = [0; PIECE_BYTES];
                match self.source.read(&mut piece)? {
                    0 => {
                        *ended = true;
                        turner.finish()?;
                    }
                    read => turner.put(&piece[..read])?,
                }
                if turner.out().is_empty() && !*ended {
                    return Err(io::ErrorKind::Interrupted.into());
                }
            },
        }
    }
}

const FRAMED: &str =
    "stdin is syslog with octet counts and no newlines (RFC 6587): each frame is read as a line";

fn broken(error: &io::Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the gzip stream is damaged or cut off ({error})"))
}

fn tell_of_others(first: &[u8], source: &str) {
    if let Some((_, name, tool)) = OTHERS.iter().find(|(magic, ..)| first.starts_with(magic)) {
        log_warning(format!(
            "{source} is compressed with {name}, which is not read here: put `{tool} FILE |` in front"
        ));
    }
}

/// The same for a caller that reads to the end and waits for nothing else.
pub fn reader(input: impl BufRead + 'static) -> Box<dyn BufRead> {
    let mut input = input;
    let first = input.fill_buf().unwrap_or_default();
    if first.starts_with(GZIP) {
        return Box::new(BufReader::new(flate2::bufread::MultiGzDecoder::new(input)));
    }
    if starts_with_frames(first, false) == Start::Frames {
        log_info(FRAMED);
        return Box::new(BufReader::new(Unframed {
            input,
            frames: Frames::new(),
            out: Vec::new(),
            taken: 0,
        }));
    }
    tell_of_others(first, "stdin");
    Box::new(input)
}

/// Frames read as lines.
struct Unframed<R> {
    input: R,
    frames: Frames,
    out: Vec<u8>,
    taken: usize,
}

impl<R: BufRead> Read for Unframed<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.out.len() {
            let bytes = self.input.fill_buf()?;
            let length = bytes.len();
            if length == 0 {
                return Ok(0);
            }
            self.out.clear();
            self.taken = 0;
            self.frames.put(bytes, &mut self.out);
            self.input.consume(length);
        }
        let count = room.len().min(self.out.len() - self.taken);
        room[..count].copy_from_slice(&self.out[self.taken..self.taken + count]);
        self.taken += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::collections::VecDeque;

    /// Hands out pieces.
    struct Pieces(VecDeque<Vec<u8>>);

    impl Source for Pieces {
        fn wait(&mut self, _ending: bool) -> io::Result<Readiness> {
            Ok(Readiness::Readable)
        }

        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            let Some(mut piece) = self.0.pop_front() else { return Ok(0) };
            let rest = piece.split_off(piece.len().min(room.len()));
            if !rest.is_empty() {
                self.0.push_front(rest);
            }
            room[..piece.len()].copy_from_slice(&piece);
            Ok(piece.len())
        }
    }

    fn all(bytes: &[u8], piece: usize) -> io::Result<Vec<u8>> {
        let pieces = bytes.chunks(piece).map(<[u8]>::to_vec).collect();
        let (mut source, mut read, mut room) = (Decompressed::new(Pieces(pieces)), Vec::new(), [0; 50]);
        loop {
            match source.read(&mut room) {
                Ok(0) => return Ok(read),
                Ok(count) => read.extend_from_slice(&room[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn what_is_in_a_gzip_stream_or_a_frame_is_read_in_pieces_of_any_size_and_all_else_as_it_is() {
        let text = "a line of some length that repeats itself\n".repeat(400).into_bytes();
        let two = [gzip(&text), gzip(b"and another\n")].concat();
        let both = [text.as_slice(), b"and another\n"].concat();
        for piece in [1, 2, 7, 5000] {
            assert_eq!(all(&two, piece).unwrap(), both);
            assert_eq!(all(&text, piece).unwrap(), text);
            assert_eq!(all(b"\x1f\x8a no gzip\n", piece).unwrap(), b"\x1f\x8a no gzip\n");
            assert_eq!(all(b"\x1f", piece).unwrap(), b"\x1f");
        }
        assert_eq!(all(b"", 1).unwrap(), b"");
        for piece in [1, 7, 40] {
            let frames = b"11 <14>1 - a -5 <1>b\n7 <14>1 x";
            assert_eq!(all(frames, piece).unwrap(), b"<14>1 - a -\n<1>b\n<14>1 x\n");
            assert_eq!(all(b"11 <14>1 - a -", piece).unwrap(), b"11 <14>1 - a -");
        }
        let cut = all(&two[..two.len() - 9], 100).unwrap_err().to_string();
        assert!(cut.contains("cut off"), "{cut}");
    }
}
