//! Text: samples as OpenMetrics, a file for each window, which promtool reads; or as one stream with milliseconds,
//! which VictoriaMetrics reads.

use crate::fixed_point;
use crate::history::samples::{Figure, Row, Scrape, Writer};
use crate::snapshot::exposition::text::{self, TextForm};
use std::io::{self, Write};

/// Bytes that are written at once.
const PIECE_BYTES: usize = 64 << 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// With times in seconds.
    OpenMetrics,
    /// Without metadata and with times in milliseconds.
    Milliseconds,
}

/// Where windows go.
pub trait Files {
    fn open(&mut self, window: u64) -> io::Result<Box<dyn WindowFile>>;
}

/// Where one window goes.
pub trait WindowFile: Write {
    /// Writes what is still to be written.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

pub struct TextWriter {
    form: Form,
    scrape: String,
    files: Box<dyn Files>,
    file: Option<Box<dyn WindowFile>>,
    /// On its way to the file.
    text: String,
    /// What stands before the figure, series by series.
    heads: Vec<String>,
    figures: Vec<String>,
    /// The metric whose samples come, by its name.
    metric: &'static str,
    bytes: u64,
}

impl TextWriter {
    pub fn new(form: Form, scrape: &Scrape, files: Box<dyn Files>) -> TextWriter {
        TextWriter {
            form,
            scrape: scrape.labels(),
            files,
            file: None,
            text: String::with_capacity(2 * PIECE_BYTES),
            heads: Vec::new(),
            figures: Vec::new(),
            metric: "",
            bytes: 0,
        }
    }

    fn write_all(&mut self) -> io::Result<()> {
        if let Some(file) = &mut self.file {
            file.write_all(self.text.as_bytes())?;
        }
        self.bytes += self.text.len() as u64;
        self.text.clear();
        Ok(())
    }
}

impl Writer for TextWriter {
    fn wants_lone_bucket(&self) -> bool {
        self.form == Form::OpenMetrics
    }

    fn announce(&mut self, _row: &Row<'_>) {}

    fn begin_window(&mut self, window: u64) -> io::Result<()> {
        self.metric = "";
        self.file = Some(self.files.open(window)?);
        Ok(())
    }

    fn begin_row(&mut self, row: &Row<'_>) -> io::Result<()> {
        let metric = row.metric;
        let is_another = std::mem::replace(&mut self.metric, metric.name) != metric.name;
        if is_another && self.form == Form::OpenMetrics {
            text::open_metrics_metadata(&mut self.text, metric.name, metric.kind, metric.help);
        }
        let form = match self.form {
            Form::OpenMetrics => TextForm::OpenMetrics,
            Form::Milliseconds => TextForm::Prometheus,
        };
        let (name, labels, scrape) = (metric.name, row.labels, &self.scrape);
        let comma = if labels.is_empty() { "" } else { "," };
        let heads = row.parts.iter().map(|part| {
            let suffix = part.suffix();
            let le = part.le(form).map_or_else(String::new, |le| format!(",{le}"));
            format!("{name}{suffix}{{{labels}{comma}{scrape}{le}}} ")
        });
        self.heads.clear();
        self.heads.extend(heads);
        self.figures.resize(row.parts.len(), String::new());
        Ok(())
    }

    fn sample(&mut self, second: u64, figures: &[Figure], has_changed: bool) -> io::Result<()> {
        if has_changed {
            for (text, figure) in self.figures.iter_mut().zip(figures) {
                text.clear();
                figure.push_to(text);
            }
        }
        let time = second * if self.form == Form::Milliseconds { 1000 } else { 1 };
        for (head, figure) in self.heads.iter().zip(&self.figures) {
            self.text.push_str(head);
            self.text.push_str(figure);
            self.text.push(' ');
            fixed_point::push_count(&mut self.text, time);
            self.text.push('\n');
        }
        if self.text.len() >= PIECE_BYTES { self.write_all() } else { Ok(()) }
    }

    fn end_row(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn end_window(&mut self) -> io::Result<()> {
        if self.form == Form::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        self.write_all()?;
        self.file.take().map_or(Ok(()), WindowFile::finish)
    }

    fn bytes(&self) -> u64 {
        self.bytes
    }
}
