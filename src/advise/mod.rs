//! Advice for people: how a line is read, why it is not, and what would make it fit.
//!
//! ```text
//! worker    the thread that logs it            explain   the mode that prints it
//! reading   how a line is read, or why not     remedy    what would make lines fit
//! changes   what people get wrong              draft     lines -> a format for them
//! columns   what lines have in common           budget    what all that may cost
//! price     what of several remedies is best   units     asks what no line tells
//! routes    the tree of --route auto              paste     formats as words of a command line
//! ```

mod budget;
mod changes;
mod columns;
mod draft;
pub mod explain;
mod no_access_log;
mod objectives;
mod paste;
mod price;
pub mod reading;
pub mod remedy;
mod routes;
#[cfg(test)]
mod tests;
mod units;
pub mod worker;
