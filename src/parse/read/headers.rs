//! What the headers of a W3C log said so far: kept in the reader's scratch space from line to line.

use crate::parse::compile::w3c::Writer;
use std::sync::Arc;

#[derive(Debug, Default)]
pub struct Headers {
    /// For whose wanted columns the slots are.
    pub token: Option<Arc<()>>,
    pub writer: Option<Writer>,
    /// The line of the columns without `#Fields:`.
    pub fields: Vec<u8>,
    /// The slot of each column.
    pub slots: Vec<u16>,
}
