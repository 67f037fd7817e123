//! Byte search with SIMD: the inner loop of every matcher.
//!
//! Has the only `unsafe` of this room: 16 bytes are compared at once with SSE2, which every x86_64 processor has, or
//! 32 with AVX2 where the processor has it; that is proved by a value of the type `Avx2`, which only detection makes.
//! Nothing is read outside a slice. Other processors take the plain version, and tests compare all of them.
//!
//! There are two interfaces. `find_byte` and `find_either` search a slice of any length, and are for occasional use.
//! `Simd` looks at a block of fixed size; `work` compiles all the reading of lines around it, once for each kind of
//! processor, so that the loop calls no function.

use crate::bytes::work::scanned;

/// The index of the first `byte` in `hay` at or after `from`; `hay.len()` when there is none.
#[inline]
pub fn find_byte(hay: &[u8], from: usize, byte: u8) -> usize {
    let found = imp::find(hay, from, byte, byte);
    scanned(found.saturating_sub(from) + 1);
    found
}

/// The index of the first `a` or `b` in `hay` at or after `from`; `hay.len()` when there is none.
#[inline]
pub fn find_either(hay: &[u8], from: usize, a: u8, b: u8) -> usize {
    let found = imp::find(hay, from, a, b);
    scanned(found.saturating_sub(from) + 1);
    found
}

/// The places of two bytes among sixteen, thirty-two or sixty-four, as one bit for each.
#[inline(always)]
pub fn places<const N: usize>(block: &[u8; N], a: u8, b: u8) -> u64 {
    by_sixteens(block, |bytes| imp::which(bytes, a, b))
}

/// The places of the bytes from `first` to `last`, likewise.
#[inline(always)]
pub fn places_between<const N: usize>(block: &[u8; N], first: u8, last: u8) -> u64 {
    by_sixteens(block, |bytes| imp::between(bytes, first, last))
}

/// One bit for each byte, sixteen at a time. No loop, for the program is compiled to be small and would have one.
#[inline(always)]
fn by_sixteens<const N: usize>(block: &[u8; N], bits: impl Fn(&[u8; 16]) -> u32) -> u64 {
    const { assert!(N == 16 || N == 32 || N == 64) };
    match *block.as_chunks().0 {
        [ref only] => bits(only).into(),
        [ref one, ref two] => (bits(one) | bits(two) << 16).into(),
        [ref one, ref two, ref three, ref four] => {
            let (low, high) = (bits(one) | bits(two) << 16, bits(three) | bits(four) << 16);
            u64::from(low) | u64::from(high) << 32
        }
        _ => 0,
    }
}

/// Bytes compared at once.
pub const LANES: usize = 32;

/// How a processor compares that many bytes at once.
pub trait Simd: Copy {
    /// One bit for each byte that is `a`, `b` or a newline.
    fn stops(self, block: &[u8; LANES], a: u8, b: u8) -> u32;
}

/// Work on many lines, compiled for every kind of processor.
pub trait SimdTask {
    fn run<L: Simd>(self, lanes: L);
}

/// Does work in the fastest way this processor has.
pub fn work(work: impl SimdTask) {
    imp::work(work);
}

/// The same byte by byte: for other processors, and for tests of the fast version.
#[cfg(any(test, not(target_arch = "x86_64")))]
pub mod plain {
    use super::{LANES, Simd, SimdTask};

    #[derive(Clone, Copy)]
    pub struct Plain;

    impl Simd for Plain {
        fn stops(self, block: &[u8; LANES], a: u8, b: u8) -> u32 {
            let stop = |&byte: &u8| u32::from(byte == a || byte == b || byte == b'\n');
            block.iter().rev().fold(0, |bits, byte| bits << 1 | stop(byte))
        }
    }

    #[cfg_attr(target_arch = "x86_64", expect(dead_code, reason = "the fast version is used"))]
    pub fn which(block: &[u8; 16], a: u8, b: u8) -> u32 {
        block.iter().rev().fold(0, |bits, &c| bits << 1 | u32::from(c == a || c == b))
    }

    #[cfg_attr(target_arch = "x86_64", expect(dead_code, reason = "the fast version is used"))]
    pub fn between(block: &[u8; 16], first: u8, last: u8) -> u32 {
        block.iter().rev().fold(0, |bits, c| bits << 1 | u32::from((first..=last).contains(c)))
    }

    #[cfg_attr(target_arch = "x86_64", expect(dead_code, reason = "the fast version is used"))]
    pub fn work(work: impl SimdTask) {
        work.run(Plain);
    }

    pub fn find(hay: &[u8], from: usize, a: u8, b: u8) -> usize {
        let tail = hay.get(from..).unwrap_or_default();
        tail.iter().position(|&c| c == a || c == b).map_or(hay.len(), |at| from + at)
    }
}

#[cfg(not(target_arch = "x86_64"))]
use plain as imp;

#[cfg(target_arch = "x86_64")]
mod imp {
    use super::super::digits::word_at;
    use super::{Simd, SimdTask};
    use std::arch::x86_64::{
        _mm_cmpeq_epi8, _mm_loadu_si128, _mm_max_epu8, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128,
        _mm_set1_epi8, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_or_si256,
        _mm256_set1_epi8,
    };
    use std::sync::atomic::{AtomicU8, Ordering};

    const LANES: usize = 16;

    #[inline(always)]
    pub fn which(block: &[u8; LANES], a: u8, b: u8) -> u32 {
        // SAFETY: SSE2 is part of every x86_64.
        unsafe { sixteen(block, a, b) }
    }

    #[inline(always)]
    pub fn between(block: &[u8; LANES], first: u8, last: u8) -> u32 {
        // SAFETY: SSE2 is part of every x86_64.
        unsafe { sixteen_between(block, first, last) }
    }

    /// SSE2 is part of every x86_64, so anybody may have one of these.
    #[derive(Clone, Copy)]
    pub struct Sse2;

    impl Simd for Sse2 {
        #[inline(always)]
        fn stops(self, block: &[u8; super::LANES], a: u8, b: u8) -> u32 {
            // SAFETY: SSE2 is part of every x86_64.
            unsafe { stops_by_sse2(block, a, b) }
        }
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn stops_by_sse2(block: &[u8; super::LANES], a: u8, b: u8) -> u32 {
        let (halves, _) = block.as_chunks();
        let [low, high] = halves else { return 0 };
        let stops = |half| sixteen(half, a, b) | sixteen(half, b'\n', b'\n');
        stops(low) | stops(high) << LANES
    }

    pub use proof::Avx2;

    /// A module of its own, so that nothing else can make the proof.
    mod proof {
        /// Proves that this processor has AVX2, BMI1, BMI2 and LZCNT.
        #[derive(Clone, Copy)]
        pub struct Avx2(());

        impl Avx2 {
            pub fn detect() -> Option<Avx2> {
                let has_all = is_x86_feature_detected!("avx2")
                    && is_x86_feature_detected!("bmi1")
                    && is_x86_feature_detected!("bmi2")
                    && is_x86_feature_detected!("lzcnt");
                has_all.then_some(Avx2(()))
            }
        }
    }

    impl Simd for Avx2 {
        #[inline(always)]
        fn stops(self, block: &[u8; super::LANES], a: u8, b: u8) -> u32 {
            // SAFETY: `self` proves that the processor has AVX2.
            unsafe { stops_by_avx2(block, a, b) }
        }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn stops_by_avx2(block: &[u8; super::LANES], a: u8, b: u8) -> u32 {
        // SAFETY: there are thirty-two bytes, and this load asks for no alignment.
        let bytes = unsafe { _mm256_loadu_si256(block.as_ptr().cast()) };
        let equal = |byte: u8| _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(byte.cast_signed()));
        let stops = _mm256_or_si256(_mm256_or_si256(equal(a), equal(b)), equal(b'\n'));
        _mm256_movemask_epi8(stops).cast_unsigned()
    }

    pub fn work(work: impl SimdTask) {
        match Avx2::detect() {
            // SAFETY: `avx2` proves that the processor has all that this function is compiled for.
            Some(avx2) => unsafe { work_by_avx2(work, avx2) },
            None => work.run(Sse2),
        }
    }

    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt")]
    fn work_by_avx2(work: impl SimdTask, avx2: Avx2) {
        work.run(avx2);
    }

    /// Bytes looked at in one turn of the loop over long values: one bit for each fills a register.
    const STRIDE: usize = 64;

    #[inline(always)]
    pub fn find(hay: &[u8], from: usize, a: u8, b: u8) -> usize {
        let Some(block) = hay.get(from..).and_then(<[u8]>::first_chunk) else {
            return find_at_end(hay, from, a, b);
        };
        // SAFETY: SSE2 is part of every x86_64.
        let found = unsafe { sixteen(block, a, b) };
        if found != 0 {
            return from + found.trailing_zeros() as usize;
        }
        find_far(hay, from + LANES, a, b)
    }

    /// One bit for each of these bytes that is one of the two looked for.
    #[inline]
    #[target_feature(enable = "sse2")]
    fn sixteen(block: &[u8; LANES], a: u8, b: u8) -> u32 {
        // SAFETY: there are sixteen bytes, and this load asks for no alignment.
        let bytes = unsafe { _mm_loadu_si128(block.as_ptr().cast()) };
        let equal = |byte: u8| _mm_cmpeq_epi8(bytes, _mm_set1_epi8(byte.cast_signed()));
        _mm_movemask_epi8(if a == b { equal(a) } else { _mm_or_si128(equal(a), equal(b)) }).cast_unsigned()
    }

    /// One bit for each of these bytes that is one of these or between them.
    #[inline]
    #[target_feature(enable = "sse2")]
    fn sixteen_between(block: &[u8; LANES], first: u8, last: u8) -> u32 {
        // SAFETY: there are sixteen bytes, and this load asks for no alignment.
        let bytes = unsafe { _mm_loadu_si128(block.as_ptr().cast()) };
        let all = |byte: u8| _mm_set1_epi8(byte.cast_signed());
        let nearest = _mm_min_epu8(_mm_max_epu8(bytes, all(first)), all(last));
        _mm_movemask_epi8(_mm_cmpeq_epi8(nearest, bytes)).cast_unsigned()
    }

    /// Those of two among sixty-four bytes, of which most turns find none.
    #[inline]
    #[target_feature(enable = "sse2")]
    fn sixty_four_by_sse2(block: &[u8; STRIDE], a: u8, b: u8) -> u64 {
        super::by_sixteens(block, |bytes| sixteen(bytes, a, b))
    }

    /// The same for processors that compare thirty-two bytes at once.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn sixty_four_by_avx2(block: &[u8; STRIDE], a: u8, b: u8) -> u64 {
        let bits = |half: &[u8; 32]| {
            // SAFETY: there are thirty-two bytes, and this load asks for no alignment.
            let bytes = unsafe { _mm256_loadu_si256(half.as_ptr().cast()) };
            let equal = |byte: u8| _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(byte.cast_signed()));
            let equal = if a == b { equal(a) } else { _mm256_or_si256(equal(a), equal(b)) };
            u64::from(_mm256_movemask_epi8(equal).cast_unsigned())
        };
        let ([low, high], _) = block.as_chunks() else { return 0 };
        bits(low) | bits(high) << 32
    }

    /// The rest of a long value.
    #[inline(never)]
    fn find_far(hay: &[u8], from: usize, a: u8, b: u8) -> usize {
        if hay.len() < STRIDE {
            return find_in_short(hay, from, a, b);
        }
        // What the standard library detects is kept here as well: its own way to a bit in memory goes by a call the
        // first time, and for that the registers would be saved each time.
        match HAS_AVX2.load(Ordering::Relaxed) {
            // SAFETY: only `find_first_far` says so, where the processor has it.
            YES => unsafe { find_far_by_avx2(hay, from, a, b) },
            // SAFETY: SSE2 is part of every x86_64.
            NO => unsafe { find_far_by_sse2(hay, from, a, b) },
            _ => find_first_far(hay, from, a, b),
        }
    }

    const YES: u8 = 1;
    const NO: u8 = 2;
    static HAS_AVX2: AtomicU8 = AtomicU8::new(0);

    /// The first search of a process.
    #[cold]
    #[inline(never)]
    fn find_first_far(hay: &[u8], from: usize, a: u8, b: u8) -> usize {
        HAS_AVX2.store(if is_x86_feature_detected!("avx2") { YES } else { NO }, Ordering::Relaxed);
        find_far(hay, from, a, b)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn find_far_by_avx2(hay: &[u8], from: usize, a: u8, b: u8) -> usize {
        find_by_strides(hay, from, |block| sixty_four_by_avx2(block, a, b))
            .unwrap_or_else(|| find_in_short(hay, from, a, b))
    }

    #[inline(never)]
    #[target_feature(enable = "sse2")]
    pub fn find_far_by_sse2(hay: &[u8], from: usize, a: u8, b: u8) -> usize {
        find_by_strides(hay, from, |block| sixty_four_by_sse2(block, a, b))
            .unwrap_or_else(|| find_in_short(hay, from, a, b))
    }

    /// `None` for a text of less than a stride.
    #[inline(always)]
    fn find_by_strides(hay: &[u8], from: usize, hits: impl Fn(&[u8; STRIDE]) -> u64) -> Option<usize> {
        let last: &[u8; STRIDE] = hay.last_chunk()?;
        let mut at = from;
        while let Some(block) = hay.get(at..).and_then(<[u8]>::first_chunk) {
            let found = hits(block);
            if found != 0 {
                return Some(at + found.trailing_zeros() as usize);
            }
            at += STRIDE;
        }
        if at >= hay.len() {
            return Some(hay.len());
        }
        // The last stride is compared as a whole, and what was seen already is shifted away: a loop over what is
        // left would cost a mispredicted branch.
        let found = hits(last) >> (at + STRIDE - hay.len());
        Some(if found == 0 { hay.len() } else { at + found.trailing_zeros() as usize })
    }

    #[inline(never)]
    fn find_in_short(hay: &[u8], from: usize, a: u8, b: u8) -> usize {
        let mut at = from;
        while let Some(block) = hay.get(at..).and_then(<[u8]>::first_chunk) {
            // SAFETY: SSE2 is part of every x86_64.
            let found = unsafe { sixteen(block, a, b) };
            if found != 0 {
                return at + found.trailing_zeros() as usize;
            }
            at += LANES;
        }
        find_at_end(hay, at, a, b)
    }

    /// Fewer than sixteen bytes are left to look at: the last sixteen are compared, and those before `from`
    /// are shifted away. A text that has no sixteen is filled up with zeros, which are no hits.
    #[inline(never)]
    fn find_at_end(hay: &[u8], from: usize, a: u8, b: u8) -> usize {
        if from >= hay.len() {
            return hay.len();
        }
        let (block, before, real) = match hay.last_chunk() {
            Some(last) => (*last, from + LANES - hay.len(), u32::MAX),
            None => (padded(hay), from, (1 << hay.len()) - 1),
        };
        // SAFETY: SSE2 is part of every x86_64.
        let found = (unsafe { sixteen(&block, a, b) } & real) >> before;
        if found == 0 { hay.len() } else { from + found.trailing_zeros() as usize }
    }

    /// A text of fewer than sixteen bytes, with zeros behind it.
    #[inline]
    fn padded(text: &[u8]) -> [u8; LANES] {
        let both = u128::from(word_at(text, 8)) << 64 | u128::from(word_at(text, 0));
        both.to_le_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_length_start_and_place_of_a_hit() {
        for len in 0..160 {
            for place in 0..len {
                let mut hay = vec![b'.'; len];
                hay[place] = b'"';
                for from in 0..len + 2 {
                    assert_eq!(
                        find_byte(&hay, from, b'"'),
                        plain::find(&hay, from, b'"', b'"'),
                        "{len} {place} {from}"
                    );
                }
            }
        }
    }

    proptest! {
        #[test]
        fn blocks_look_the_same_to_every_processor(
            block in prop::array::uniform32(0u8..12), second in prop::array::uniform32(0u8..12),
            a in 0u8..12, b in 0u8..12,
        ) {
            let both: [u8; 64] = std::array::from_fn(|at| if at < 32 { block[at] } else { second[at - 32] });
            let placed = both.iter().rev().fold(0, |bits, &c| bits << 1 | u64::from(c == a || c == b));
            prop_assert_eq!(places(&both, a, b), placed);
            let (first, last) = (a.min(b), a.max(b));
            let between = both.iter().rev().fold(0, |bits, c| bits << 1 | u64::from((first..=last).contains(c)));
            prop_assert_eq!(places_between(&both, first, last), between);
            let seen = plain::Plain.stops(&block, a, b);
            let stops = block.iter().rev().fold(0, |bits, &c| bits << 1 | u32::from(c == a || c == b || c == b'\n'));
            prop_assert_eq!(seen, stops);
            #[cfg(target_arch = "x86_64")]
            {
                prop_assert_eq!(imp::Sse2.stops(&block, a, b), seen);
                if let Some(avx2) = imp::Avx2::detect() {
                    prop_assert_eq!(avx2.stops(&block, a, b), seen);
                }
            }
        }

        #[test]
        fn the_fast_version_agrees_with_the_plain_one(
            hay in proptest::collection::vec(any::<u8>().prop_map(|b| b % 7), 0..300),
            from in 0usize..320, a in 0u8..7, b in 0u8..9,
        ) {
            let plainly = plain::find(&hay, from, a, b);
            prop_assert_eq!(find_either(&hay, from, a, b), plainly);
            prop_assert_eq!(find_byte(&hay, from, a), plain::find(&hay, from, a, a));
            // The path of processors without AVX2, which are rare among those that run this test.
            #[cfg(target_arch = "x86_64")]
            // SAFETY: SSE2 is part of every x86_64.
            prop_assert_eq!(unsafe { imp::find_far_by_sse2(&hay, from, a, b) }, plainly);
        }
    }
}
