//! One line as read: values on demand.
//!
//! Turns the spans of a line into numbers, words and moments, in the units the format gives them. A record
//! borrows the line, the fields of the format and the spans; it owns nothing, is copied freely and allocates nothing.
//! What is absent (`-`, nothing where the server prints nothing for it, a key that is not there) is `None`.

use crate::bytes::digits::word_at;
use crate::bytes::glob::Glob;
use crate::bytes::scan::find_byte;
use crate::limits::SIZE_BYTES_MAX;
use crate::parse::compile::field::Role;
use crate::parse::envelope::facts::Field as Told;
use crate::parse::read::fields::Fields;
use crate::parse::read::request::{Request, RequestKind, authority_of, query_of, scheme_of};
use crate::parse::read::spans::{Span, Spans};
use crate::parse::read::text::{Escape, decimal_in, percent_decode, scaled, sum, unescape, with_units};
use crate::parse::read::time;

/// A field chosen by name with `Format::field`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldRef(pub Part);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A capture or key, by its place in the format.
    Slot(u16),
    Method,
    Path,
    Protocol,
    Scheme,
    /// A parameter of the query, by its place among the names asked for.
    Query(u16),
    /// What the head of the line tells.
    Envelope(Told),
}

#[derive(Clone, Copy, Debug)]
pub struct Record<'a, 'l> {
    pub fields: &'a Fields,
    /// The text that begins with the line; spans end where the line does.
    pub text: &'l [u8],
    pub spans: &'a Spans,
}

impl<'l> Record<'_, 'l> {
    /// Where the value of a role is, and the scale of its unit.
    #[inline(always)]
    fn place(&self, role: Role) -> Option<(Span, u32)> {
        let (slot, power) = self.fields.roles[role as usize];
        if self.fields.has_several(role) {
            return self.first_present(role);
        }
        self.spans.at.get(usize::from(slot)).map(|&span| (span, power))
    }

    /// The same where several keys play the role: the first that is there.
    #[inline(never)]
    fn first_present(&self, role: Role) -> Option<(Span, u32)> {
        let there = |slot: &usize| {
            let span = self.spans.at.get(*slot).copied().unwrap_or(Span::NONE);
            !matches!(span.of(self.text), None | Some([b'-'] | []))
        };
        let slot = self.fields.players(role).find(there).or(self.fields.slot_of(role))?;
        let scale = self.fields.slots.get(slot)?.meaning.scale();
        self.spans.at.get(slot).map(|&span| (span, scale))
    }

    #[inline]
    fn span(&self, role: Role) -> Option<Span> {
        self.place(role).map(|(span, _)| span)
    }

    /// The bytes behind a role, as logged.
    #[inline]
    fn raw(&self, role: Role) -> Option<&'l [u8]> {
        self.span(role)?.of(self.text)
    }

    /// The same without what stands for nothing.
    #[inline]
    fn present(&self, role: Role) -> Option<&'l [u8]> {
        self.raw(role).filter(|&text| !matches!(text, [b'-'] | []))
    }

    /// Whether the line tells anything of the request, sound or not.
    pub fn has_request(&self) -> bool {
        self.raw(Role::Request).is_some() || self.raw(Role::Method).is_some()
    }

    /// A number in the plain unit (power 0) or in nanoseconds.
    #[inline(always)]
    fn number(&self, role: Role) -> Option<u64> {
        self.number_read(role).or_else(|| {
            let (Span { start, end }, power) = self.place(role)?;
            decimal_in(self.text, start as usize, end as usize, power)
        })
    }

    /// The same if it was read along with the line.
    #[inline(always)]
    fn number_read(&self, role: Role) -> Option<u64> {
        self.spans.number(usize::from(self.fields.roles[role as usize].0))
    }

    /// A time that may be a list, one for each upstream asked.
    #[inline(always)]
    fn total(&self, role: Role) -> Option<u64> {
        self.number_read(role).or_else(|| {
            let (span, power) = self.place(role)?;
            sum(span.of(self.text)?, power)
        })
    }

    /// The status as logged; any number fits, 100 to 599 have a meaning.
    #[inline]
    pub fn status(&self) -> Option<u16> {
        u16::try_from(self.number(Role::Status)?).ok()
    }

    /// The request line in its parts, or what the format logs of them one by one.
    #[inline(always)]
    pub fn request(&self) -> Request<'l> {
        let timed_out = || matches!(self.raw(Role::Status), Some([b'4', b'0', b'8']));
        match self.raw(Role::Request) {
            Some(line) => Request::read(line, timed_out),
            None => {
                let span = self.span(Role::Method).unwrap_or(Span::NONE);
                let method =
                    (span.of(self.text).unwrap_or_default(), word_at(self.text, span.start as usize));
                Request::of_parts(method, self.present(Role::Path), self.present(Role::Protocol), timed_out)
            }
        }
    }

    /// The text from the target of this record's request on.
    #[inline]
    pub fn text_from_target(&self, request: &Request<'_>) -> Option<&'l [u8]> {
        let start = match self.span(Role::Request).filter(|span| *span != Span::NONE) {
            Some(span) => span.start as usize + request.method.len() + 1,
            None => self.span(Role::Path)?.start as usize,
        };
        self.text.get(start..)
    }

    #[inline]
    pub fn vhost(&self) -> Option<&'l [u8]> {
        match self.present(Role::Vhost) {
            None if self.fields.host_but.is_some() => self.host_of_url(),
            host => host,
        }
    }

    /// The host that an absolute URL in the target names, where this server writes such.
    #[cold]
    fn host_of_url(&self) -> Option<&'l [u8]> {
        let nobody = self.fields.host_but?;
        let request = self.request();
        // Varnish and AWS put a dash and a host of their own where no request was.
        let sound = request.kind == RequestKind::Http && request.method != b"-";
        let target = request.target.filter(|_| sound)?;
        authority_of(target).filter(|host| !host.is_empty() && *host != nobody.as_bytes())
    }

    #[inline]
    pub fn bytes_sent(&self) -> Option<u64> {
        self.size(Role::BytesSent)
    }

    #[inline]
    pub fn bytes_received(&self) -> Option<u64> {
        self.size(Role::BytesReceived)
    }

    /// A number of bytes, as far as it can be one.
    #[inline(always)]
    fn size(&self, role: Role) -> Option<u64> {
        self.number(role).map(|bytes| bytes.min(SIZE_BYTES_MAX))
    }

    /// In the unit of the field, or in the value's own (Caddy's `duration_format string`); or the sum of its parts, if
    /// all are there.
    #[inline]
    pub fn duration_nanos(&self) -> Option<u64> {
        match self.number(Role::Duration) {
            None => self.unusual_duration_nanos(),
            nanos => nanos,
        }
    }

    #[inline(never)]
    fn unusual_duration_nanos(&self) -> Option<u64> {
        if self.fields.parts.is_empty() {
            return with_units(self.present(Role::Duration)?);
        }
        let part = |slot: &u16| {
            let scale = self.fields.slots.get(usize::from(*slot))?.meaning.scale();
            scaled(self.spans.at.get(usize::from(*slot))?.of(self.text)?, scale)
        };
        self.fields.parts.iter().try_fold(0u64, |sum, slot| Some(sum.saturating_add(part(slot)?)))
    }

    #[inline]
    pub fn time_to_first_byte_nanos(&self) -> Option<u64> {
        self.total(Role::TimeToFirstByte)
    }

    /// The time spent on upstream servers; several are summed.
    #[inline]
    pub fn upstream_nanos(&self) -> Option<u64> {
        self.total(Role::UpstreamDuration)
    }

    /// A phase of the time spent on upstream servers; several are summed.
    #[inline(never)]
    pub fn phase_nanos(&self, phase: Role) -> Option<u64> {
        self.total(phase)
    }

    /// Whether the client went away before the answer was complete: this status is nginx's 499, or a field says so.
    #[inline]
    pub fn aborted(&self, status: Option<u16>) -> bool {
        let says = |(slot, values): &(u16, Vec<Glob>)| {
            let value = self.spans.at.get(usize::from(*slot)).and_then(|span| span.of(self.text));
            value.is_some_and(|value| values.iter().any(|glob| glob.matches(value)))
        };
        status == Some(499) || self.fields.aborted.iter().any(says)
    }

    /// The time stamp in nanoseconds since 1970, or the head's where the line has none. `None` also for a stamp without
    /// a zone.
    #[inline]
    pub fn unix_time_nanos(&self) -> Option<i64> {
        let Some((span, power)) = self.place(Role::Timestamp) else { return self.spans.facts.moment() };
        match self.spans.moment(span) {
            Some(known) => known,
            None => match self.present(Role::Timestamp) {
                Some(text) => {
                    time::moment(text, power).or_else(|| time::of_day(self.present(Role::Date)?, text))
                }
                None => self.spans.facts.moment(),
            },
        }
    }

    /// Whether the value of a field is one number that was read along with the line.
    #[inline]
    pub fn is_number(&self, field: FieldRef) -> bool {
        matches!(field.0, Part::Slot(slot) if self.spans.number(usize::from(slot)).is_some())
    }

    /// The bytes of a field as they stand in the line, if they do.
    #[inline]
    pub fn logged(&self, field: FieldRef) -> Option<&'l [u8]> {
        match field.0 {
            Part::Slot(slot) => self.spans.at.get(usize::from(slot))?.of(self.text),
            _ => None,
        }
    }

    /// The value of any field without its escapes; `scratch` is used where there are some. `request` is this
    /// record's, which is read once for all its fields.
    pub fn value<'s>(
        &self,
        field: FieldRef,
        request: &Request<'l>,
        scratch: &'s mut Vec<u8>,
    ) -> Option<&'s [u8]>
    where
        'l: 's,
    {
        scratch.clear();
        let escape = self.fields.escape();
        match field.0 {
            Part::Slot(slot) => {
                let slot = usize::from(slot);
                let raw = self.spans.at.get(slot)?.of(self.text)?;
                let known = self.fields.slots.get(slot)?;
                if (raw == b"-" && !known.dash_is_value) || (raw.is_empty() && known.empty_is_absent()) {
                    return None;
                }
                if raw == b"\"\"" && known.escape == Escape::Apache {
                    return Some(b""); // Apache's way to write an empty %u
                }
                Some(plain(raw, known.escape, scratch))
            }
            Part::Method => Some(request.method).filter(|method| !method.is_empty()),
            Part::Protocol => Some(plain(request.protocol?, escape, scratch)),
            Part::Path => Some(plain(request.path()?, escape, scratch)),
            Part::Scheme => self.present(Role::Scheme).or_else(|| request.target.and_then(scheme_of)),
            Part::Query(name) => {
                let name = self.fields.queries.get(usize::from(name))?;
                let query = self.present(Role::Query).or_else(|| request.target.and_then(query_of))?;
                let query = query.strip_prefix(b"?").unwrap_or(query);
                let raw = parameter(query, name.as_bytes())?;
                percent_decode(raw, scratch);
                Some(scratch)
            }
            Part::Envelope(told) => {
                scratch.extend_from_slice(self.spans.facts.get(told));
                Some(scratch).filter(|value| !value.is_empty()).map(|value| &**value)
            }
        }
    }
}

fn plain<'s, 'l: 's>(raw: &'l [u8], escape: Escape, scratch: &'s mut Vec<u8>) -> &'s [u8] {
    let sign = match escape {
        Escape::None => return raw,
        Escape::Form => None,
        Escape::Hash => Some(b'#'),
        _ => Some(b'\\'),
    };
    if sign.is_some_and(|sign| find_byte(raw, 0, sign) == raw.len()) {
        return raw;
    }
    unescape(raw, escape, scratch);
    scratch
}

/// The value of the first parameter `name` in a query (`a=1&b=2`); empty for one without `=`.
fn parameter<'q>(query: &'q [u8], name: &[u8]) -> Option<&'q [u8]> {
    query.split(|&c| c == b'&').find_map(|pair| match pair.strip_prefix(name)? {
        [b'=', value @ ..] => Some(value),
        [] => Some(&[][..]),
        _ => None,
    })
}
