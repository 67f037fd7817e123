//! `--once`: reads to the end of input and prints the page.

use crate::advise::worker::Advisor;
use crate::clock;
use crate::count::Counter;
use crate::count::distinct::DayKeys;
use crate::generations::publisher::Publisher;
use crate::input::OnTerminate;
use crate::input::follow::{self, Kept};
use crate::modes::shared::{Counting, Failure, Input, install_signals, join, print, read, wait_for_advice};
use crate::modes::start::{self, TeePlan};
use crate::options::Options;
use crate::self_metrics::SelfMetrics;
use crate::snapshot::exposition::text::{self, TextForm};
use std::sync::Arc;

pub fn run(options: Options) -> Result<(), Failure> {
    let signals = install_signals()?;
    let self_metrics = Arc::<SelfMetrics>::default();
    let (rights, tee) = (start::drop_root(&options)?, TeePlan::of(&options));
    let (advisor, reporter) = Advisor::new();
    let begin = Box::new(|| Some(Kept::new()));
    let input = Input::of(&options.follow, follow::Mode::ToTheEnd, begin, &self_metrics)?;
    let shown = options.histograms;
    let mut counter = Counter::new(options, reporter).map_err(Failure::Usage)?;
    counter.share_day_keys(DayKeys::fixed(clock::now_nanos()));
    let tee = tee.open(&rights, &self_metrics)?;
    let counting = Counting::start(counter, Vec::new, &self_metrics)?;
    let stopped = read(input, &signals, tee, counting.chunks, || OnTerminate::EndAtOnce)?;
    let ledger = join(counting.thread)?;
    // What is said of the lines stands above their page.
    wait_for_advice(&advisor, stopped, &signals);
    let publisher = Publisher::new(counting.snapshots, self_metrics, None, None, shown);
    print(&text::write(&publisher.page_of(&ledger), TextForm::Prometheus))
}
