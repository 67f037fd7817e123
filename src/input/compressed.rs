//! Compressed input: a gzip stream (RFC 1952) is read as what is in it; other compressions are named.
//!
//! `access.log.2.gz` on stdin is an easy mistake. It is known by its first bytes, with which no line of a log begins.
//! Decompression is driven by input: what was read is put in, what comes out waits to be taken, so the reader never
//! waits for input anywhere but in `wait`.

use crate::input::source::{Readiness, Source};
use crate::log::log_warning;
use flate2::write::MultiGzDecoder;
use std::io::{self, BufRead, BufReader, Write};

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
}

enum State {
    /// Nothing was read yet, or too little to tell.
    Unknown(Vec<u8>),
    Plain,
    Gzip {
        decoder: Box<MultiGzDecoder<Vec<u8>>>,
        taken: usize,
        ended: bool,
    },
}

impl<S: Source> Decompressed<S> {
    pub fn new(source: S) -> Decompressed<S> {
        Decompressed { source, state: State::Unknown(Vec::new()) }
    }
}

impl<S: Source> Source for Decompressed<S> {
    fn wait(&mut self, ending: bool) -> io::Result<Readiness> {
        match &self.state {
            State::Gzip { decoder, taken, ended } if *ended || *taken < decoder.get_ref().len() => {
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
                if read > 0 && *seen == GZIP[..1] {
                    // Too little to tell: the next read brings more.
                    return Err(io::ErrorKind::Interrupted.into());
                }
                let seen = std::mem::take(seen);
                if seen.starts_with(GZIP) {
                    let mut decoder = Box::new(MultiGzDecoder::new(Vec::new()));
                    decoder.write_all(&seen).map_err(|error| broken(&error))?;
                    self.state = State::Gzip { decoder, taken: 0, ended: false };
                    return self.read(room);
                }
                self.state = State::Plain;
                tell_of_others(&seen);
                room[..seen.len()].copy_from_slice(&seen);
                Ok(seen.len())
            }
            State::Gzip { decoder, taken, ended } => loop {
                let out = decoder.get_ref();
                if *taken < out.len() {
                    let count = room.len().min(out.len() - *taken);
                    room[..count].copy_from_slice(&out[*taken..*taken + count]);
                    *taken += count;
                    return Ok(count);
                }
                decoder.get_mut().clear();
                *taken = 0;
                if *ended {
                    return Ok(0);
                }
                let mut piece = [0; PIECE_BYTES];
                match self.source.read(&mut piece)? {
                    0 => {
                        *ended = true;
                        decoder.try_finish().map_err(|error| broken(&error))?;
                    }
                    read => decoder.write_all(&piece[..read]).map_err(|error| broken(&error))?,
                }
                if decoder.get_ref().is_empty() && !*ended {
                    return Err(io::ErrorKind::Interrupted.into());
                }
            },
        }
    }
}

fn broken(error: &io::Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the gzip stream is damaged or cut off ({error})"))
}

fn tell_of_others(first: &[u8]) {
    if let Some((_, name, tool)) = OTHERS.iter().find(|(magic, ..)| first.starts_with(magic)) {
        log_warning(format!(
            "stdin is compressed with {name}, which is not read here: put `{tool} FILE |` in front"
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
    tell_of_others(first);
    Box::new(input)
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
    fn what_is_in_a_gzip_stream_is_read_in_pieces_of_any_size_and_all_else_as_it_is() {
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
        let cut = all(&two[..two.len() - 9], 100).unwrap_err().to_string();
        assert!(cut.contains("cut off"), "{cut}");
    }
}
