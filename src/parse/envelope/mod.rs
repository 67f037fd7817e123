//! Envelopes: what container runtimes, syslog, shippers and tools put around each line, taken off before the format.
//!
//! A head is a row of a table (heads.rs) with a reader of its own; heads may stand one in another (`docker compose logs
//! -t` puts a name and a stamp in front), so an envelope is a chain of them. Which chain the lines have is found once,
//! by the first lines; then each line goes one way. Lines without a head take no step here. A line that does not fit
//! gets a second chance, for streams are mixed and heads appear late.
//!
//! ```text
//! heads   the table of heads          lines, syslog, json   their readers
//! chain   heads one in another        facts                 what a head tells
//! peel    takes a chain off a line    join                  pieces of lines
//! choose  which chain lines have
//! ```

pub mod chain;
pub mod choose;
pub mod facts;
pub mod heads;
mod join;
mod json;
mod lines;
pub mod peel;
mod syslog;
