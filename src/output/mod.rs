//! The way out: copies of the ledger become pages, pages become text, text is served, printed and kept.

pub mod collect;
pub mod exposition;
pub mod http;
pub mod keep;
pub mod landing;
pub mod page;
mod process;
pub mod save;
pub mod site;
pub mod state;
