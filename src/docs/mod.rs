//! The manual, the tables of docs/ and the completions are held against the tables they tell of.

mod completions;
mod manual;
