//! Why a format cannot be compiled, and where in what the user wrote.

use std::fmt;

/// Why a format cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormatError {
    /// Where, from 1, in the text that was given.
    pub column: usize,
    message: String,
}

impl FormatError {
    pub fn new(column: usize, message: String) -> FormatError {
        FormatError { column, message }
    }
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for FormatError {}
