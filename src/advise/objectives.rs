//! Objectives (`--slo`) as they will be watched, for `--explain`: by which fields, and what they make of the lines at
//! hand.
//!
//! Lines are judged by what counts them, in a ledger of its own.
//!
//! What counts is compiled into one place for each kind of note. A second caller with the same one would make a call of
//! it, for each line that is counted: so the notes taken here are of a kind of their own.

use crate::count::ledger::Ledger;
use crate::count::meter::Meter;
use crate::count::observer::Note;
use crate::count::slo::role;
use crate::options::Options;
use crate::options::slo::Objective;
use crate::order;
use crate::parse::Format;
use crate::parse::read::spans::Spans;
use std::fmt::Write as _;

pub struct Objectives {
    slos: Vec<Objective>,
    labels: Vec<String>,
    format: Format,
    spans: Spans,
    /// Or why they cannot be watched.
    judges: Result<(Meter, Ledger), String>,
    sums: Sums,
    judged: u64,
}

/// Good and bad ones of each objective.
struct Sums(Vec<[u64; 2]>);

impl Note for Sums {
    fn objective(&mut self, _row: usize, number: usize, is_good: bool) {
        self.0[number][usize::from(!is_good)] += 1;
    }
}

impl Objectives {
    /// The format is theirs alone, for they may want fields that it would not be asked for otherwise.
    pub fn of(options: &Options, mut format: Format) -> Objectives {
        format.mix(options.mixed);
        let judges = Meter::compile(options, &mut format, None);
        let (slos, labels) = (options.slos.clone(), options.slo_labels.clone());
        let (sums, spans) = (Sums(vec![[0; 2]; slos.len()]), Spans::new());
        Objectives { slos, labels, format, spans, judges, sums, judged: 0 }
    }

    /// Judges a line if it fits; one that names columns tells how those behind it are read.
    pub fn judge(&mut self, line: &[u8]) {
        if let Ok((meter, ledger)) = &mut self.judges
            && let Ok(record) = self.format.parse(line, &mut self.spans)
        {
            // Nobody asks when these series began.
            meter.measure_noting(&record, ledger, 0, &mut self.sums);
            self.judged += 1;
        }
    }

    /// What is said of them behind the lines.
    pub fn closing(&self) -> String {
        if let Err(why) = &self.judges {
            return format!("\nThe objectives cannot be watched in this format: {why}.\n");
        }
        let mut text = "\nThe objectives, and what they make of the lines that fit:\n".to_owned();
        for (objective, [good, bad]) in self.slos.iter().zip(&self.sums.0) {
            let what = format!("{}: {}", objective.name, objective.conditions);
            let _ = write!(text, "    {what:46} {good} good, {bad} bad");
            // Other requests are meant, or their line lacks a figure.
            let others = self.judged - good - bad;
            if others > 0 {
                let _ = write!(text, ", {others} neither");
            }
            let _ = writeln!(text, ", from {}", self.sources(objective));
        }
        if !self.labels.is_empty() {
            let _ = writeln!(text, "Each is counted by {}.", self.labels.join(", "));
        }
        text
    }

    fn sources(&self, objective: &Objective) -> String {
        let fields = objective.bounds.iter().map(|bound| role(bound.quantity.kind));
        let fields = order::set(fields.filter_map(|role| self.format.fields.source_of(role)));
        fields.into_iter().collect::<Vec<_>>().join(" and ")
    }
}
