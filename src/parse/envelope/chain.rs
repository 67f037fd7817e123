//! Chains of heads, from the outermost inwards, and what the user may say of them.

use crate::parse::envelope::heads::{HEADS, Head, NAMES};

/// Heads that may stand one in another.
const CHAIN_MAX: usize = 3;

/// Heads from the outermost inwards, by their places in the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Chain {
    places: [u8; CHAIN_MAX],
    length: u8,
}

impl Chain {
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    #[inline]
    pub fn heads(&self) -> impl DoubleEndedIterator<Item = &'static Head> {
        self.places[..usize::from(self.length)].iter().filter_map(|place| HEADS.get(usize::from(*place)))
    }

    pub fn with(mut self, place: usize) -> Option<Chain> {
        *self.places.get_mut(usize::from(self.length))? = u8::try_from(place).ok()?;
        self.length += 1;
        Some(self)
    }

    /// The envelopes' names, from the outermost inwards: `prefix+stamp`; `none`.
    pub fn name(&self) -> String {
        let names: Vec<&str> = self.heads().map(|head| head.envelope).collect();
        if names.is_empty() { "none".to_owned() } else { names.join("+") }
    }

    /// What its heads look like, for people.
    pub fn example(&self) -> String {
        self.heads().map(|head| head.example).collect::<Vec<_>>().join(", in it ")
    }
}

/// What the user said of the envelope.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wanted {
    /// Whatever the lines have.
    #[default]
    Auto,
    /// The lines have no head, whatever they look like.
    Nothing,
    /// The outermost head is one of this name.
    Named(&'static str),
}

impl Wanted {
    /// Reads the value of `--envelope`.
    pub fn parse(name: &str) -> Option<Wanted> {
        match *NAMES.iter().find(|known| **known == name)? {
            "auto" => Some(Wanted::Auto),
            "none" => Some(Wanted::Nothing),
            name => Some(Wanted::Named(name)),
        }
    }

    pub fn allows(self, place: usize) -> bool {
        match self {
            Wanted::Auto => true,
            Wanted::Nothing => false,
            Wanted::Named(name) => HEADS[place].envelope == name,
        }
    }
}
