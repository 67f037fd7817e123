//! The fields of a format: what each capture or key is, and which of them plays which role.
//!
//! A format is compiled into these and into the steps or keys that find them in a line; a record reads its values by
//! them.

use crate::bytes::glob::Glob;
use crate::parse::compile::field::{Kind, Role, Slot, Trust};
use crate::parse::read::spans::{Span, Spans};
use crate::parse::read::text::Escape;
use crate::parse::read::time::Style;

/// No capture plays this role.
pub const NO_SLOT: u16 = u16::MAX;

/// Several play it together: their sum.
const SUM: u16 = u16::MAX - 1;

#[derive(Debug)]
pub struct Fields {
    pub slots: Vec<Slot>,
    /// The capture that plays each role, and the scale that turns its unit into ours.
    pub roles: [(u16, u32); Role::ALL.len()],
    /// By the place of a JSON key, the next one that plays the same role where that key is absent: logs differ
    /// in their keys, and even lines do. Empty when no role has two, and for text, whose fields are in every line.
    instead: Vec<u16>,
    /// The roles that several keys play, a bit for each.
    several: u32,
    /// Names of query parameters asked for with `field`.
    pub queries: Vec<String>,
    /// The captures that tell of a client that went away, each with the values that do.
    pub aborted: Vec<(u16, Vec<Glob>)>,
    /// The captures that add up to the duration.
    pub parts: Vec<u16>,
    /// Captures whose values may have quotes of their own.
    own_quotes: Vec<u16>,
    /// An absolute URL in the target names the virtual host, unless it is this one.
    pub host_but: Option<&'static str>,
}

impl Fields {
    pub fn new(slots: Vec<Slot>) -> Fields {
        let own = |(slot, index): (&Slot, u16)| (slot.kind == Kind::MaybeQuoted).then_some(index);
        let mut fields = Fields {
            own_quotes: slots.iter().zip(0..).filter_map(own).collect(),
            host_but: host_but(&slots),
            slots,
            roles: [(NO_SLOT, 0); Role::ALL.len()],
            instead: Vec::new(),
            several: 0,
            queries: Vec::new(),
            aborted: Vec::new(),
            parts: Vec::new(),
        };
        for role in Role::ALL {
            fields.roles[role as usize] = fields.best(role);
        }
        fields.find_aborted();
        fields.find_parts();
        fields
    }

    /// The capture that plays a role best.
    pub fn best(&self, role: Role) -> (u16, u32) {
        let played = self.slots.iter().zip(0u16..).filter(|(slot, _)| slot.meaning.role == Some(role));
        let best = played.min_by_key(|(slot, _)| slot.meaning.rank);
        best.map_or((NO_SLOT, 0), |(slot, index)| (index, slot.meaning.scale()))
    }

    /// Compiles the values that tell of clients that went away.
    fn find_aborted(&mut self) {
        let telling = self.slots.iter().zip(0u16..).filter(|(slot, _)| !slot.meaning.aborted.is_empty());
        let globs = |values: &[&str]| values.iter().map(|value| Glob::compile(value.as_bytes())).collect();
        self.aborted = telling.map(|(slot, index)| (index, globs(slot.meaning.aborted))).collect();
    }

    /// Where no field is the duration, its parts are, together with what the upstream took.
    fn find_parts(&mut self) {
        let of = |role: Role| {
            self.slots.iter().zip(0u16..).filter(move |(slot, _)| slot.meaning.role == Some(role))
        };
        let mut parts: Vec<u16> = of(Role::DurationPart).map(|(_, index)| index).collect();
        if parts.is_empty() || self.slot_of(Role::Duration).is_some() {
            return;
        }
        parts.extend(of(Role::UpstreamDuration).map(|(_, index)| index));
        self.parts = parts;
        self.roles[Role::Duration as usize] = (SUM, 0);
    }

    /// Orders the keys that play the same role, the best first.
    pub fn line_up(&mut self) {
        let mut instead = vec![NO_SLOT; self.slots.len()];
        for role in Role::ALL {
            let played = self.slots.iter().zip(0u16..).filter(|(slot, _)| slot.meaning.role == Some(role));
            let mut line: Vec<(u8, u16)> = played.map(|(slot, index)| (slot.meaning.rank, index)).collect();
            line.sort_unstable();
            for pair in line.windows(2) {
                instead[usize::from(pair[0].1)] = pair[1].1;
                self.several |= bit(role);
            }
        }
        if instead.iter().any(|&next| next != NO_SLOT) {
            self.instead = instead;
        }
    }

    /// Whether several keys play a role, so that each line has to say which one does.
    #[inline(always)]
    pub fn has_several(&self, role: Role) -> bool {
        self.several & bit(role) != 0
    }

    /// The captures or keys that play a role, the best first.
    pub fn players(&self, role: Role) -> impl Iterator<Item = usize> {
        let next = |&slot: &usize| self.instead.get(slot).filter(|&&next| next != NO_SLOT).copied();
        std::iter::successors(self.slot_of(role), move |slot| next(slot).map(usize::from))
    }

    /// The directive, variable or key, as written, that plays a role. What the request line tells (method,
    /// path, protocol) is answered with it.
    pub fn source_of(&self, role: Role) -> Option<&str> {
        let from_request = matches!(role, Role::Method | Role::Path | Role::Protocol);
        let slot = self.slot_of(Role::Request).filter(|_| from_request).or_else(|| self.slot_of(role))?;
        let slot = if slot == usize::from(SUM) { usize::from(*self.parts.first()?) } else { slot };
        self.slots.get(slot).map(|slot| slot.name.as_str())
    }

    /// The fields that play a role, the best first.
    pub fn keys_of(&self, role: Role) -> impl Iterator<Item = &str> {
        self.players(role).filter_map(|slot| self.slots.get(slot)).map(|slot| slot.name.as_str())
    }

    /// Whether the server or the client chooses the virtual host; `None` when the format has none. In doubt, the
    /// client.
    pub fn trust_of_vhost(&self) -> Option<Trust> {
        if self.host_but.is_some() {
            return Some(Trust::Client);
        }
        self.players(Role::Vhost).last().map(|slot| self.slots[slot].meaning.trust())
    }

    #[inline]
    pub fn slot_of(&self, role: Role) -> Option<usize> {
        let (slot, _) = self.roles[role as usize];
        (slot != NO_SLOT).then_some(usize::from(slot))
    }

    /// How the request line is escaped.
    pub fn escape(&self) -> Escape {
        let slot = self.slot_of(Role::Request).or_else(|| self.slot_of(Role::Path)).unwrap_or(0);
        self.slots.get(slot).map_or(Escape::None, |slot| slot.escape)
    }

    /// The place of the field of this name; modifiers and, in JSON keys, upper and lower case may differ.
    pub fn find(&self, name: &str) -> Option<usize> {
        let alike = |slot: &Slot| bare(&slot.name).eq_ignore_ascii_case(&bare(name));
        let position = self.slots.iter().position(|slot| slot.name == name);
        position.or_else(|| self.slots.iter().position(alike))
    }

    /// Whether a field tells of clients that went away.
    #[cfg(test)]
    pub fn tells_aborted(&self) -> bool {
        !self.aborted.is_empty()
    }

    /// Whether an absolute URL names the virtual host.
    pub fn names_host(&self) -> bool {
        self.host_but.is_some()
    }

    /// The quotes that values bring along are no part of them.
    #[inline(always)]
    pub fn leave_out_quotes(&self, text: &[u8], spans: &mut Spans) {
        for &slot in &self.own_quotes {
            let Some(span) = spans.at.get_mut(usize::from(slot)) else { continue };
            if let Some([b'"', .., b'"']) = span.of(text) {
                *span = Span { start: span.start + 1, end: span.end - 1 };
            }
        }
    }

    /// Reads the time stamp of a line with names: most lines have that of the line before, which the cache knows.
    #[inline]
    pub fn read_stamp(&self, line: &[u8], spans: &mut Spans) {
        let (slot, _) = self.roles[Role::Timestamp as usize];
        let Some(&span) = spans.at.get(usize::from(slot)) else { return };
        let Some(text) = span.of(line) else { return };
        let style = match text {
            [_, _, b'/', ..] => Style::Clf,
            [_, _, _, _, b'-', ..] => Style::Iso,
            _ => return,
        };
        if spans.stamp.length(style, text, span.start as usize) != Some(text.len()) {
            spans.stamp.start = Span::NONE.start;
        }
    }

    /// A JSON line is a record when it has the status, or any wanted key where the map names no status.
    pub fn has_status(&self, spans: &Spans) -> bool {
        match self.slot_of(Role::Status) {
            Some(_) => self.players(Role::Status).any(|status| spans.at[status] != Span::NONE),
            None => spans.at.iter().any(|span| *span != Span::NONE),
        }
    }
}

#[inline(always)]
const fn bit(role: Role) -> u32 {
    1 << role as u32
}

const _: () = assert!(Role::ALL.len() <= u32::BITS as usize);

/// Where no field is the virtual host, an absolute URL names it, if this server writes such.
fn host_but(slots: &[Slot]) -> Option<&'static str> {
    let named = slots.iter().any(|slot| slot.meaning.role == Some(Role::Vhost));
    slots.iter().find_map(|slot| slot.meaning.host_but).filter(|_| !named)
}

/// A field's name without the modifiers and braces that do not change which field it is.
fn bare(name: &str) -> String {
    let Some(directive) = name.strip_prefix('%') else { return name.replace(['{', '}'], "") };
    let (argument, rest) = match (directive.find('{'), directive.rfind('}')) {
        (Some(open), Some(close)) if open < close => {
            (&directive[open..=close], [&directive[..open], &directive[close + 1..]].concat())
        }
        _ => ("", directive.to_owned()),
    };
    let letter: String = rest.chars().filter(|c| !matches!(c, '<' | '>' | '!' | ',' | '0'..='9')).collect();
    // Letters differ by case (%u is no %U), names of headers do not; so the letter goes in as a number.
    let code: Vec<String> = letter.bytes().map(|byte| byte.to_string()).collect();
    format!("%{argument}{}", code.join("."))
}
