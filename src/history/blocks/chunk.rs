//! Chunk: up to 120 samples of one series, each as its difference to the one before, in as few bits as it needs.
//!
//! Source: Prometheus' tsdb/docs/format/chunks.md. Times are written as differences of differences, and figures as the
//! bits that differ, between the zeros around them. A series that stands still takes two bits for a sample.

use crate::history::blocks::checksum::checksum;
use crate::snapshot::exposition::{varint, zigzag};

/// As many samples as Prometheus puts into a chunk itself.
pub const SAMPLES_MAX: u16 = 120;

/// The number of the encoding.
const XOR: u8 = 1;

#[derive(Debug)]
pub struct Chunk {
    bits: Bits,
    samples: u16,
    /// Of the first and the latest sample, in milliseconds.
    pub first: i64,
    pub last: i64,
    /// Between the latest sample and the one before.
    pause: i64,
    /// The bits of the latest figure.
    figure: u64,
    /// The zeros around the bits that differed when they were written last.
    leading: u32,
    trailing: u32,
}

/// No figure has so many zeros behind what differs.
const NEVER: u32 = u64::BITS;

/// How a difference of differences begins, how many bits that is, and how many it has itself.
const PAUSES: [(u64, u32, u32); 3] = [(0b10, 2, 14), (0b110, 3, 17), (0b1110, 4, 20)];
const WHOLE_PAUSE: (u64, u32) = (0b1111, 4);

/// The zeros before what differs are counted in five bits.
const LEADING_MAX: u32 = 31;

impl Chunk {
    pub fn new() -> Chunk {
        let (first, last, pause, figure) = (0, 0, 0, 0);
        Chunk { bits: Bits::default(), samples: 0, first, last, pause, figure, leading: 0, trailing: NEVER }
    }

    pub fn samples(&self) -> u16 {
        self.samples
    }

    /// Times must rise.
    pub fn push(&mut self, time: i64, figure: f64) {
        let figure = figure.to_bits();
        match self.samples {
            0 => {
                self.first = time;
                self.bits.push_varint(zigzag(time));
                self.bits.push(figure, u64::BITS);
            }
            1 => {
                self.pause = time - self.last;
                self.bits.push_varint(self.pause.unsigned_abs());
                self.push_figure(figure);
            }
            _ => {
                let pause = time - self.last;
                self.push_pause(pause - self.pause);
                self.pause = pause;
                self.push_figure(figure);
            }
        }
        (self.last, self.figure) = (time, figure);
        self.samples += 1;
    }

    fn push_pause(&mut self, change: i64) {
        if change == 0 {
            return self.bits.push(0, 1);
        }
        for (prefix, length, bits) in PAUSES {
            let half = 1 << (bits - 1);
            if (1 - half..=half).contains(&change) {
                self.bits.push(prefix, length);
                return self.bits.push(change.cast_unsigned() & ((1 << bits) - 1), bits);
            }
        }
        let (prefix, length) = WHOLE_PAUSE;
        self.bits.push(prefix, length);
        self.bits.push(change.cast_unsigned(), u64::BITS);
    }

    fn push_figure(&mut self, figure: u64) {
        let differs = figure ^ self.figure;
        if differs == 0 {
            return self.bits.push(0, 1);
        }
        let (leading, trailing) = (differs.leading_zeros().min(LEADING_MAX), differs.trailing_zeros());
        if leading >= self.leading && trailing >= self.trailing {
            self.bits.push(0b10, 2);
        } else {
            (self.leading, self.trailing) = (leading, trailing);
            self.bits.push(0b11, 2);
            self.bits.push(u64::from(leading), 5);
            // All of 64 are written as 0.
            self.bits.push(u64::from(u64::BITS - leading - trailing) % 64, 6);
        }
        self.bits.push(differs >> self.trailing, u64::BITS - self.leading - self.trailing);
    }

    /// Writes it as it stands in a file, and begins anew. Gives the checksum.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> u32 {
        let bits = self.bits.finish();
        varint(out, (size_of::<u16>() + bits.len()) as u64);
        let start = out.len();
        out.push(XOR);
        out.extend(self.samples.to_be_bytes());
        out.extend_from_slice(bits);
        let checksum = checksum(&out[start..]);
        out.extend(checksum.to_be_bytes());
        self.bits.clear();
        (self.samples, self.trailing) = (0, NEVER);
        checksum
    }
}

/// Bits behind each other, the highest of each number first.
#[derive(Debug, Default)]
struct Bits {
    bytes: Vec<u8>,
    /// What is not in the bytes yet, at the low end: fewer than 64.
    open: u128,
    many: u32,
}

impl Bits {
    /// The lowest bits of a number that has no others.
    fn push(&mut self, number: u64, bits: u32) {
        self.open = self.open << bits | u128::from(number);
        self.many += bits;
        if self.many >= u64::BITS {
            self.many -= u64::BITS;
            self.bytes.extend(low_half(self.open >> self.many).to_be_bytes());
        }
    }

    fn push_varint(&mut self, number: u64) {
        let mut bytes = Vec::with_capacity(10);
        varint(&mut bytes, number);
        bytes.iter().for_each(|byte| self.push(u64::from(*byte), u8::BITS));
    }

    /// All bytes, the last one filled up with zeros.
    fn finish(&mut self) -> &[u8] {
        let whole = self.bytes.len() + self.many.div_ceil(u8::BITS) as usize;
        self.push(0, (u64::BITS - self.many) % u64::BITS);
        &self.bytes[..whole]
    }

    fn clear(&mut self) {
        self.bytes.clear();
        (self.open, self.many) = (0, 0);
    }
}

#[allow(clippy::cast_possible_truncation, reason = "the low half is what is wanted")]
fn low_half(bits: u128) -> u64 {
    bits as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::blocks::tests::{Sample, read_chunk};
    use proptest::prelude::*;

    fn written(samples: &[Sample]) -> Vec<u8> {
        let (mut chunk, mut file) = (Chunk::new(), Vec::new());
        // What was in it before is gone.
        chunk.push(7, 1.5);
        chunk.finish(&mut file);
        file.clear();
        samples.iter().for_each(|(time, figure)| chunk.push(*time, *figure));
        assert_eq!(usize::from(chunk.samples()), samples.len());
        assert_eq!((chunk.first, chunk.last), (samples[0].0, samples[samples.len() - 1].0));
        chunk.finish(&mut file);
        file
    }

    #[test]
    fn samples_stand_as_the_documentation_has_them() {
        // A length of 13 and the encoding; one sample; 1000 as a signed varint; the figure 1.
        let one = [13 - 1, XOR, 0, 1, 0xD0, 0x0F, 0x3F, 0xF0, 0, 0, 0, 0, 0, 0];
        let file = written(&[(1000, 1.0)]);
        assert_eq!((&file[..one.len()], file.len()), (&one[..], one.len() + 4));
        // A second after 60,000 ms, as large: a varint of three bytes and a bit, filled up.
        let file = written(&[(1000, 1.0), (61_000, 1.0)]);
        assert_eq!(file[2..4], [0, 2]);
        assert_eq!(file[14..18], [0xE0, 0xD4, 0x03, 0]);
        // Each further one in the same rhythm is two bits, and 118 of them are 30 bytes with the one bit before.
        let still: Vec<Sample> = (0..120).map(|number| (number * 60_000, 5.0)).collect();
        assert_eq!(written(&still).len(), 2 + 2 + 1 + 8 + 3 + 30 + 4);
    }

    /// Counters that rise, stand still and begin anew, sums, and whatever else has bits.
    fn figures() -> impl Strategy<Value = Vec<f64>> {
        let step = prop_oneof![
            Just(0.0),
            (0u32..1000).prop_map(f64::from),
            (0u32..1_000_000).prop_map(|n| f64::from(n) / 1e3)
        ];
        let counter = prop::collection::vec((step, prop::bool::weighted(0.05)), 1..=120).prop_map(|steps| {
            let mut sum = 0.0;
            let add = |(step, is_reset): (f64, bool)| {
                sum = if is_reset { 0.0 } else { sum + step };
                sum
            };
            steps.into_iter().map(add).collect()
        });
        let any_bits = prop::collection::vec(any::<u64>().prop_map(f64::from_bits), 1..=120);
        prop_oneof![counter, any_bits]
    }

    /// Mostly in one rhythm, and otherwise at the borders of the lengths.
    fn pauses() -> impl Strategy<Value = Vec<i64>> {
        let borders = [13, 16, 19].into_iter().flat_map(|bits| [-1, 0, 1].map(|by| (1 << bits) + by));
        let borders: Vec<i64> = borders.collect();
        let odd = prop_oneof![prop::sample::select(borders), 1i64..1 << 40, Just(1 << 55)];
        prop::collection::vec(prop_oneof![6 => Just(60_000i64), 1 => odd], 120)
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(start in -(1i64 << 50)..1 << 50, figures in figures(), pauses in pauses()) {
            let mut time = start;
            let times = pauses.into_iter().map(|pause| { time += pause; time });
            let samples: Vec<Sample> = times.zip(figures).collect();
            let bits = |samples: &[Sample]| {
                samples.iter().map(|(time, figure)| (*time, figure.to_bits())).collect::<Vec<_>>()
            };
            prop_assert_eq!(bits(&read_chunk(&written(&samples))), bits(&samples));
        }
    }
}
