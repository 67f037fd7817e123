//! Handler of the HTTP server's requests: the page of metrics, whether the program is well, and the page at `/`.

use crate::calendar::Date;
use crate::count::ledger::Native;
use crate::generations::publisher::Publisher;
use crate::serve::http;
use crate::serve::http::Handler;
use crate::serve::landing;
use crate::serve::landing::LandingFacts;
use crate::serve::live::Live;
use crate::serve::{documents, live};
use crate::snapshot::exposition;
use crate::snapshot::exposition::Form;
use std::sync::Arc;

#[derive(Debug)]
pub struct MetricsSite {
    pub publisher: Arc<Publisher>,
    pub live: Arc<Live>,
    pub telemetry_path: String,
}

/// Whether a page of ours other than the metrics has that path.
pub fn is_taken(path: &str) -> bool {
    path == live::PATH || documents::page(path).is_some() || landing::asset(path).is_some()
}

impl Handler for MetricsSite {
    fn exposition(&self, form: Form) -> Result<Vec<u8>, &'static str> {
        let native = if form.has_native() { Native::Wanted } else { Native::LeftOut };
        let page = self.publisher.page(native)?;
        exposition::try_write(&page, form).map_err(|_| http::NO_MEMORY)
    }

    fn ready(&self) -> Result<(), String> {
        let summary = self.publisher.summary().ok_or("the counting thread does not answer")?;
        summary.why_not_ready.map_or(Ok(()), |why| Err(why.into_owned()))
    }

    fn landing(&self) -> String {
        let summary = self.publisher.summary();
        let format = match summary.as_ref().and_then(|summary| summary.format.as_ref()) {
            Some((name, text)) => format!("{name}: {text}"),
            None => "not chosen yet".to_owned(),
        };
        landing::page(&LandingFacts {
            name: "httpd_exporter".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            telemetry_path: self.telemetry_path.clone(),
            format,
            lines_read: summary.as_ref().map_or(0, |summary| summary.lines),
            lines_foreign: summary.as_ref().map_or(0, |summary| summary.foreign),
            lines_malformed: summary.as_ref().map_or(0, |summary| summary.malformed),
            since: Date::of(self.publisher.since).to_string(),
        })
    }

    fn extra(&self, path: &str) -> Option<(&'static str, Vec<u8>)> {
        if path == live::PATH {
            return Some((http::JSON, self.live.answer().into_bytes()));
        }
        let document = documents::page(path).map(|html| (http::HTML, html.into_bytes()));
        document.or_else(|| landing::asset(path).map(|(content_type, bytes)| (content_type, bytes.to_vec())))
    }
}
