//! Cache of the keys of the line before, in their order.
//!
//! A server writes the same keys in every line, so the next key is compared with the one that stood there last,
//! and only another one is searched: for its end, and among the wanted keys. That took a quarter of the
//! instructions away (of 12 keys a line). Owned by the reader of the lines and bounded; only keys of the very same
//! bytes are taken from it.

use crate::bytes::words::chunk_at;
use std::sync::Arc;

/// So many keys have a place in the order; what follows in a line is searched.
const KEYS_MAX: usize = 64;

/// Bytes of a key with its quotes and colon that are compared at once.
const BLOCK: usize = 32;

/// What is wanted of a key that was met at a node: the node it leads to.
#[derive(Debug)]
struct Key {
    node: u16,
    text: [u128; 2],
    /// Which bytes of the text count.
    mask: [u128; 2],
    len: usize,
    child: u16,
}

#[derive(Debug, Default)]
pub struct KeyCache {
    /// Of the wanted keys whose nodes these are.
    token: Option<Arc<()>>,
    keys: Vec<Key>,
}

impl KeyCache {
    /// The numbers of nodes are those of the wanted keys with this token from now on.
    #[inline]
    pub fn reset_for(&mut self, token: &Arc<()>) {
        if !self.token.as_ref().is_some_and(|known| Arc::ptr_eq(known, token)) {
            (self.token, self.keys) = (Some(Arc::clone(token)), Vec::new());
        }
    }

    /// The length of the n-th key of a line, if it is the one that stands at a place, and where it leads.
    #[inline(always)]
    pub fn find(&self, place: usize, node: u16, line: &[u8], at: usize) -> Option<(usize, u16)> {
        let words = words(chunk_at(line, at)?);
        let key = self.keys.get(place)?;
        if words[0] & key.mask[0] != key.text[0] || words[1] & key.mask[1] != key.text[1] || key.node != node
        {
            return None;
        }
        Some((key.len, key.child))
    }

    /// Remembers the n-th key: so many bytes of the text.
    #[cold]
    pub fn insert(&mut self, place: usize, node: u16, text: &[u8], len: usize, child: u16) {
        let Some(block) = text.first_chunk::<BLOCK>().filter(|_| len <= BLOCK && place < KEYS_MAX) else {
            return;
        };
        let mut counts = [0; BLOCK];
        counts[..len].fill(0xff);
        let (block, mask) = (words(block), words(&counts));
        let key = Key { node, text: [block[0] & mask[0], block[1] & mask[1]], mask, len, child };
        if let Some(known) = self.keys.get_mut(place) {
            *known = key;
        } else if place == self.keys.len() {
            self.keys.push(key);
        }
    }
}

#[inline(always)]
fn words(block: &[u8; BLOCK]) -> [u128; 2] {
    let (halves, _) = block.as_chunks();
    [u128::from_le_bytes(halves[0]), u128::from_le_bytes(halves[1])]
}
