//! Generations: pages are kept in files, and all processes that share a directory add up to one page.

pub mod publisher;
pub mod state;
pub mod writer;
