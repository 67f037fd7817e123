//! Advice for people: how a line is read, why it is not, and what would make it fit.
//!
//! ```text
//! explain   the mode that prints it            reading   how a line is read, field by field
//! remedy    what would make lines fit          changes   what people get wrong
//! draft     a line -> a format for it
//! ```

mod changes;
mod draft;
pub mod explain;
pub mod reading;
pub mod remedy;
