//! The manual, the README and the completions are held against the tables they tell of.

mod completions;
mod manual;
