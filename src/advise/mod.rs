//! Advice for people: how a line is read, why it is not, and what would make it fit.
//!
//! ```text
//! worker    the thread that says it            explain   the mode that prints it
//! reading   how a line is read, or why not     remedy    what would make lines fit
//! changes   what people get wrong              draft     a line -> a format for it
//! price     what of several remedies is best
//! ```

mod changes;
mod draft;
pub mod explain;
mod price;
pub mod reading;
pub mod remedy;
#[cfg(test)]
mod tests;
pub mod worker;
