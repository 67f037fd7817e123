//! W3C extended log format: lines of columns that the log itself names.
//!
//! Turns a line into spans of the values in the wanted columns. A line `#Fields:` says which columns follow, and may
//! come again in mid-file and say something else; who writes the log is told by `#Software:`, or by columns
//! that one server has only. So the reader remembers what the headers said, in the scratch space that it uses
//! again for every line.
//! Tabs part the columns if there is one in the line (CloudFront), blanks otherwise (IIS). A value in quotes may hold
//! blanks, with `""` for a quote (Tomcat). Source: the working draft WD-logfile, IIS, CloudFront, Tomcat's
//! ExtendedAccessLogValve and ASP.NET Core's W3CLogger. Must never panic.

use crate::bytes::scan::find_byte;
use crate::parse::compile::w3c::Writer;
use crate::parse::read::headers::Headers;
use crate::parse::read::spans::{Span, Spans};
use std::sync::Arc;

/// Columns that are read; a header that names more is not that of an access log.
const COLUMNS_MAX: usize = 256;

const NONE: u16 = u16::MAX;

/// The wanted columns: the name, who must have written it for the slot to be meant, and the slot.
#[derive(Debug)]
pub struct Columns {
    wanted: Vec<(Box<[u8]>, Option<Writer>, u16)>,
    token: Arc<()>,
}

/// Why a line gives no values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRow {
    /// It is a header.
    Header,
    /// No header has named the columns.
    Unnamed,
    /// It has more columns than were named; here the first of them begins.
    TooMany(usize),
}

impl Columns {
    /// The n-th goes to the slot named beside it.
    pub fn new<'n>(wanted: impl Iterator<Item = ((&'n str, Option<Writer>), usize)>) -> Columns {
        let entry = |((name, writer), slot): ((&str, Option<Writer>), usize)| {
            (name.as_bytes().into(), writer, u16::try_from(slot).unwrap_or(NONE))
        };
        Columns { wanted: wanted.map(entry).collect(), token: Arc::default() }
    }

    /// These of the columns, and those that were not wanted yet.
    pub fn only<'n>(&self, slots: impl Iterator<Item = (&'n str, usize)>) -> Columns {
        let writer = |slot: usize| {
            let known = self.wanted.iter().find(|(_, _, known)| usize::from(*known) == slot);
            known.and_then(|(_, writer, _)| *writer)
        };
        Columns::new(slots.map(|(name, slot)| ((name, writer(slot)), slot)))
    }

    /// Reads a line and fills the spans of the wanted columns.
    pub fn read(&self, line: &[u8], spans: &mut Spans) -> Result<(), NoRow> {
        spans.clear();
        let headers = &mut spans.headers;
        if !headers.token.as_ref().is_some_and(|token| Arc::ptr_eq(token, &self.token)) {
            headers.token = Some(Arc::clone(&self.token));
            self.assign(headers);
        }
        if line.first() == Some(&b'#') {
            self.header(line, headers);
            return Err(NoRow::Header);
        }
        if headers.slots.is_empty() {
            return Err(NoRow::Unnamed);
        }
        let tab = find_byte(line, 0, b'\t') < line.len();
        let parting = if tab { b'\t' } else { b' ' };
        let (mut at, mut column) = (0, 0);
        while at <= line.len() {
            let (span, end) = value(line, at, parting);
            // A blank at the end of the line begins no column.
            let Some(&slot) = headers.slots.get(column) else {
                return if at == line.len() { Ok(()) } else { Err(NoRow::TooMany(at)) };
            };
            if let Some(place) = spans.at.get_mut(usize::from(slot)) {
                *place = span;
            }
            column += 1;
            at = end + 1;
        }
        Ok(())
    }

    #[cold]
    fn header(&self, line: &[u8], headers: &mut Headers) {
        let colon = find_byte(line, 0, b':');
        let (name, text) = (&line[1..colon.max(1)], line.get(colon + 1..).unwrap_or_default());
        if name.eq_ignore_ascii_case(b"Fields") {
            headers.fields.clear();
            headers.fields.extend_from_slice(text);
            headers.writer = Writer::of_columns(text).or(headers.writer);
        } else if name.eq_ignore_ascii_case(b"Software") {
            headers.writer = Some(Writer::of_software(text));
        } else if name.eq_ignore_ascii_case(b"Start-Date") && headers.writer.is_none() {
            headers.writer = Some(Writer::Kestrel);
        } else {
            return;
        }
        self.assign(headers);
    }

    /// Finds the slot of each column.
    fn assign(&self, headers: &mut Headers) {
        let named = headers.fields.split(u8::is_ascii_whitespace).filter(|name| !name.is_empty());
        let slot = |name: &[u8]| {
            let meant = |writer: &Option<Writer>| writer.is_none() || *writer == headers.writer;
            let found = self
                .wanted
                .iter()
                .find(|(known, writer, _)| known.eq_ignore_ascii_case(name) && meant(writer));
            found.map_or(NONE, |(_, _, slot)| *slot)
        };
        headers.slots = named.take(COLUMNS_MAX).map(slot).collect();
    }
}

/// The value at `start` without its quotes, and where what follows it stands.
fn value(line: &[u8], start: usize, parting: u8) -> (Span, usize) {
    if line.get(start) == Some(&b'"') {
        let mut at = start + 1;
        loop {
            at = find_byte(line, at, b'"');
            match line.get(at + 1) {
                Some(b'"') => at += 2,
                None if at < line.len() => return (Span::new(start + 1, at), at + 1),
                Some(&next) if next == parting => return (Span::new(start + 1, at), at + 1),
                Some(_) => at += 1,
                None => break, // It is never closed, so the quote is a part of the value.
            }
        }
    }
    let end = find_byte(line, start, parting);
    (Span::new(start, end), end)
}
