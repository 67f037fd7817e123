//! Snapshots: copies of the ledger become pages, pages become text.

pub mod collect;
pub mod exposition;
pub mod page;
mod process;
