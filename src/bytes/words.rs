//! Short strings compared by loads instead of calls.

/// Whether two short strings are the same. `==` calls `memcmp`, which costs more than these few loads do in
/// place, and, of an empty string that was never allocated, twenty times as much: it looks at an address that
/// is not there.
#[inline]
pub fn same(left: &[u8], right: &[u8]) -> bool {
    if left.len() != right.len() {
        return false;
    }
    match left.len() {
        0..8 => short_words(left) == short_words(right),
        8..16 => same_ends::<8>(left, right),
        // Up to 32 bytes, the first 16 and the last 16 are all of them.
        length => same_ends::<16>(left, right) && (length <= 32 || left == right),
    }
}

/// Whether the first and the last bytes of two strings of one length are the same, of which there are as many.
#[inline(always)]
fn same_ends<const N: usize>(left: &[u8], right: &[u8]) -> bool {
    let at = |text: &[u8], at: usize| {
        let mut bytes = [0; N];
        bytes.copy_from_slice(&text[at..at + N]);
        bytes
    };
    let last = left.len() - N;
    at(left, last) == at(right, last) && at(left, 0) == at(right, 0)
}

/// Spreads words over so many bits: 2^64 divided by the golden ratio, made odd, is what they are multiplied by (Knuth,
/// The Art of Computer Programming, volume 3, section 6.4), and the upper bits of a product depend on every bit below.
#[inline(always)]
pub fn spread(word: u64, bits: u32) -> usize {
    usize::try_from(word.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - bits)).unwrap_or(0)
}

/// The bytes of a text from a place on, as many as the array has. `text.get(at..)?.first_chunk()` is the same; but
/// where code is compiled to be small, each step is asked whether there was anything, and this once.
#[inline(always)]
pub fn chunk_at<const N: usize>(text: &[u8], at: usize) -> Option<&[u8; N]> {
    if at > text.len() || text.len() - at < N {
        return None;
    }
    text[at..].first_chunk()
}

/// The byte at a place, and zero behind the end; for the same reason.
#[inline(always)]
pub fn byte_at(text: &[u8], at: usize) -> u8 {
    if at < text.len() { text[at] } else { 0 }
}

/// All bytes of a string of fewer than eight. For strings of one length only: what overlaps is told apart by it.
#[inline]
fn short_words(bytes: &[u8]) -> (u64, u64) {
    if bytes.len() >= 4
        && let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>())
    {
        return (u32::from_le_bytes(*first).into(), u32::from_le_bytes(*last).into());
    }
    match *bytes {
        [] => (0, 0),
        [a] => (a.into(), 0),
        [a, b] => (u16::from_le_bytes([a, b]).into(), 0),
        [a, b, .., c] => (u16::from_le_bytes([a, b]).into(), c.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_end_where_the_text_does() {
        let text = b"abcd";
        for at in 0..7 {
            let chunk = text.get(at..).and_then(<[u8]>::first_chunk::<3>);
            assert_eq!(chunk_at::<3>(text, at), chunk);
            assert_eq!(byte_at(text, at), text.get(at).copied().unwrap_or(0));
        }
        assert_eq!(chunk_at::<3>(text, usize::MAX), None);
    }

    #[test]
    fn the_same_is_the_same_and_a_byte_makes_a_difference() {
        let text: Vec<u8> = (0..70).collect();
        let copy = text.clone();
        for length in 0..=text.len() {
            assert!(same(&text[..length], &copy[..length]));
            assert!(!same(&text[..length], &[&text[..length], b"x"].concat()));
            for place in 0..length {
                let mut changed = text[..length].to_vec();
                changed[place] ^= 1;
                assert!(!same(&text[..length], &changed), "byte {place} of {length}");
            }
        }
    }
}
