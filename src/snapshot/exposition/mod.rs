//! Exposition: the forms of a page on the wire, and the one of them that is read back.
//!
//! A client chooses the form by its Accept header. The text formats of one sample a line share one writer (text.rs);
//! OpenMetrics 2.0 with its composite values (composite.rs) and the delimited protobuf (protobuf.rs) have their own.
//! State files are OpenMetrics 1.0 pages, so `read` takes what `text::write` gives: `read(write(page)) == page`.

mod composite;
mod protobuf;
mod read;
mod spans;
pub mod text;

pub use crate::snapshot::exposition::protobuf::{varint, zigzag};
pub use crate::snapshot::exposition::read::read;

use crate::snapshot::exposition::text::TextForm;
use crate::snapshot::page::Page;
use std::collections::TryReserveError;

/// The forms in which a page is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// Prometheus text exposition format 0.0.4.
    Text,
    /// OpenMetrics 1.0.0.
    OpenMetrics,
    /// OpenMetrics 2.0.0.
    OpenMetrics2,
    /// `io.prometheus.client.MetricFamily`, each with its length before it.
    Protobuf,
}

impl Form {
    /// Whether it has a place for native histograms.
    pub fn has_native(self) -> bool {
        matches!(self, Form::OpenMetrics2 | Form::Protobuf)
    }

    /// Prometheus 3 refuses a scrape whose Content-Type it does not know.
    pub fn content_type(self) -> &'static str {
        match self {
            Form::Text => "text/plain; version=0.0.4; charset=utf-8",
            Form::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Form::OpenMetrics2 => "application/openmetrics-text; version=2.0.0; charset=utf-8",
            Form::Protobuf => {
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
            }
        }
    }
}

/// The whole page, or an error where there is no room for it in memory: a scraper can ask again, and the counting goes
/// on.
pub fn try_write(page: &Page, form: Form) -> Result<Vec<u8>, TryReserveError> {
    let text = |room, write: &dyn Fn(&mut String)| {
        let mut out = String::new();
        out.try_reserve_exact(room)?;
        write(&mut out);
        Ok(out.into_bytes())
    };
    match form {
        Form::Text => text(text::room(page), &|out| text::write_to(out, page, TextForm::Prometheus)),
        Form::OpenMetrics => text(text::room(page), &|out| text::write_to(out, page, TextForm::OpenMetrics)),
        Form::OpenMetrics2 => text(composite::room(page), &|out| composite::write_to(out, page)),
        Form::Protobuf => {
            let mut out = Vec::new();
            out.try_reserve_exact(protobuf::room(page))?;
            protobuf::write_to(&mut out, page);
            Ok(out)
        }
    }
}
