//! History: what finished logs count, as samples with the log's own times, for Prometheus and VictoriaMetrics.
//!
//! Lines come in any order, and samples are wanted in the order of time. So each line adds to the increments of its
//! step in the journal, which is bounded and spills sorted runs to disk; at the end they are merged and summed up,
//! window by window.
//!
//! ```text
//! recorder  sees the lines             increment  whose it is, in one number
//! journal   increments, and runs       series     what the samples of each series begin with
//! totals    the sums so far            samples    windows of two hours, for a writer
//! text      writes them as text        blocks     writes them as Prometheus does
//! script    imports them
//! ```

pub mod blocks;
mod increment;
mod journal;
pub mod recorder;
pub mod samples;
pub mod script;
mod series;
pub mod text;
mod totals;

pub use crate::history::increment::WINDOW_SECONDS;
