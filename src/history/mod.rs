//! History: what finished logs count, as samples with the log's own times, for Prometheus and VictoriaMetrics.
//!
//! Lines come in any order, and samples are wanted in the order of time. So each line adds to the increments of its
//! step in the journal, which is bounded and spills sorted runs to disk; at the end they are merged and summed up,
//! window by window.
//!
//! ```text
//! recorder  sees the lines             increment  whose it is, in one number
//! journal   increments, and runs       series     what the samples of each series begin with
//! totals    the sums so far            writer     windows of two hours as text
//! script    imports them
//! ```

mod increment;
mod journal;
pub mod recorder;
pub mod script;
mod series;
mod totals;
pub mod writer;

pub use crate::history::increment::WINDOW_SECONDS;
