//! Short strings compared by loads instead of calls.

/// Whether two short strings are the same. `==` calls `memcmp`, which costs more than these few loads do in
/// place, and, of an empty string that was never allocated, twenty times as much: it looks at an address that
/// is not there.
#[inline]
pub fn same(left: &[u8], right: &[u8]) -> bool {
    if left.len() != right.len() {
        return false;
    }
    match (left.last_chunk::<16>(), right.last_chunk::<16>()) {
        // Up to 32 bytes, the first 16 and the last 16 are all of them.
        (Some(one), Some(other)) => {
            one == other
                && left.first_chunk::<16>() == right.first_chunk::<16>()
                && (left.len() <= 32 || left == right)
        }
        _ => last_words(left) == last_words(right),
    }
}

/// The last 16 bytes, or all there are when they are fewer. For strings of one length only: what overlaps is told
/// apart by it.
#[inline]
pub fn last_words(bytes: &[u8]) -> (u64, u64) {
    if let Some(block) = bytes.last_chunk::<16>() {
        return halves(block);
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        return (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        return (u32::from_le_bytes(*first).into(), u32::from_le_bytes(*last).into());
    }
    match *bytes {
        [] => (0, 0),
        [a] => (a.into(), 0),
        [a, b] => (u16::from_le_bytes([a, b]).into(), 0),
        [a, b, .., c] => (u16::from_le_bytes([a, b]).into(), c.into()),
    }
}

#[inline]
pub fn halves(block: &[u8; 16]) -> (u64, u64) {
    let word = u128::from_le_bytes(*block);
    (low_half(word), low_half(word >> 64))
}

#[expect(clippy::cast_possible_truncation, reason = "the upper half is taken by its own call")]
#[inline]
pub fn low_half(word: u128) -> u64 {
    word as u64
}

#[cfg(test)]
mod tests {
    use super::*;

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
