//! Report: a page for a person of what was read to the end: figures, a chart, the busiest of each kind.
//!
//! ```text
//! tallies   what is counted beside the ledger     page   both as titles, charts and tables
//! figures   numbers as people read them           text   the page for a terminal
//!                                                 html   the page for a browser
//! ```

pub mod figures;
pub mod html;
pub mod page;
pub mod tallies;
pub mod text;
