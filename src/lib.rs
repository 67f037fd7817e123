//! Counts what an HTTP server logs: access-log lines in, Prometheus metrics out.
//!
//! The map of the house, in the order of the data's way:
//!
//! ```text
//! stdin --bytes--> [ input ] --Chunk--> [ count ] --copy of the Ledger--> [ snapshot ] --text--> stdout, state file,
//!                      |  tee              |  ^                         [ generations ]          [ serve ] scrapers
//!                      v                   v  |
//!                    file               [ parse ]   envelope, format, record (functions, no thread)
//!                                       [ advise ]  a thread of its own, fed with samples
//! ```
//!
//! - [`options`] every option once; [`catalogue`] every metric once; [`limits`] the bounds of the whole; [`clock`]
//!   the time, [`calendar`] the dates, [`timeline`] what was when; [`fixed_point`] what figures are made of; [`log`]
//!   what is said to the operator; [`self_metrics`] what the program counts of itself; [`order`] one sort for all.
//! - [`os`] what is asked of the system: signals, privileges, pipes. [`bytes`] searches, below parse and count alike.
//! - [`input`] cuts the bytes of stdin or of followed files into chunks of whole lines, and copies them to the tee.
//! - [`parse`] compiles a format and reads one line by it. It knows no metric, no clock and no option.
//! - [`count`] is the counting thread and its ledger: plain integers with one owner.
//! - [`advise`] is for people: how each line is read, why not, and what would make it fit.
//! - [`snapshot`] makes pages of copies of the ledger, and text of pages.
//! - [`generations`] keeps pages in files and adds up those of all processes that share a directory.
//! - [`serve`] answers scrapers and people.
//! - [`history`] writes what finished logs count with their own times.
//! - [`report`] makes a page for a person of what was read to the end.
//! - [`modes`] are the programs made of the rooms: serve, once, report, history, explain.
//!
//! A room knows the product of the room before it, never its machinery, and never the room after it.

#![deny(unsafe_code)]
#![allow(rustdoc::private_intra_doc_links, reason = "the map is for who reads the sources")]

mod advise;
mod bytes;
mod calendar;
mod catalogue;
mod clock;
mod count;
#[cfg(test)]
mod docs;
mod fixed_point;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod generations;
mod history;
mod input;
mod limits;
mod log;
mod modes;
mod options;
mod order;
mod os;
mod parse;
mod report;
mod self_metrics;
mod serve;
mod snapshot;
mod timeline;

pub use modes::run_program as run;
