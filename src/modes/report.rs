//! `--report`: reads to the end of the input, or until Ctrl-C, and prints a page for a person.

use crate::advise::worker::{self, Advisor};
use crate::count::Counter;
use crate::count::ledger::Ledger;
use crate::input::OnTerminate;
use crate::input::follow;
use crate::modes::progress::ProgressLine;
use crate::modes::shared::{
    Counting, Failure, Input, install_signals, join, leave_out_distinct, print, read, wait_for_advice,
};
use crate::modes::start::{self, TeePlan};
use crate::options::Options;
use crate::parse::compile::presets::PRESETS;
use crate::report::tallies::{Tallies, Tallying};
use crate::report::{html, page, text};
use crate::self_metrics::SelfMetrics;
use std::io::IsTerminal;
use std::sync::{Arc, mpsc};

pub fn run(mut options: Options) -> Result<(), Failure> {
    let signals = install_signals()?;
    leave_out_distinct(&mut options, "--report");
    let self_metrics = Arc::<SelfMetrics>::default();
    let (rights, tee) = (start::drop_root(&options)?, TeePlan::of(&options));
    let (advisor, reporter) = Advisor::new();
    let input = Input::of_report(&options, follow::Mode::GoOn, &self_metrics)?;
    if options.routes.is_empty() {
        options.routes.push("auto".to_owned());
    }
    let is_html = options.report_html;
    let (done, tallied) = mpsc::channel();
    let observer = Tallying { tallies: Tallies::new().map_err(Failure::Broken)?, done };
    let format = options.format.clone();
    let counter = Counter::observed(options, reporter, Some(Box::new(observer))).map_err(Failure::Usage)?;
    let tee = tee.open(&rights, &self_metrics)?;
    let progress = ProgressLine::start(&input, &self_metrics);
    let counting = Counting::start(counter, Vec::new, &self_metrics)?;
    let stopped = read(input, &signals, tee, counting.chunks, || OnTerminate::EndAtOnce)?;
    let ledger = join(counting.thread)?;
    drop(progress);
    // What is said of the lines stands above their page.
    wait_for_advice(&advisor, stopped, &signals);
    let tallies =
        tallied.recv().map_err(|_| Failure::Broken("the counting thread has ended early".to_owned()))?;
    let advice = advice(format, &ledger, &tallies);
    let page = page::page(&ledger, tallies, advice);
    match is_html {
        true => print(&html::write(&page)),
        false => print(&text::write(&page, text::Style { has_colours: wants_colours() })),
    }
}

/// What to do about lines that do not fit.
fn advice(format: Option<String>, ledger: &Ledger, tallies: &Tallies) -> Option<String> {
    let lines: Vec<&[u8]> = tallies.malformed.iter().map(Vec::as_slice).collect();
    // A format that is no preset is known by its text.
    let (name, text) = &ledger.format;
    let is_preset = PRESETS.iter().any(|preset| preset.name == *name);
    let found = || ledger.format_known.then(|| if is_preset { name } else { text }.clone());
    let format = format.or_else(found);
    (!lines.is_empty()).then(|| format!("What may help: {}.", worker::what_to_do(format.as_deref(), &lines)))
}

/// A terminal that has not been told otherwise (no-color.org).
fn wants_colours() -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    std::io::stdout().is_terminal() && !is_set("NO_COLOR") && !is_dumb
}
