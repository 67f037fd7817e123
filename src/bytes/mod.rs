//! Bytes: searches and short numbers, below parse and count alike. Knows nothing of logs.

pub mod digits;
pub mod glob;
#[allow(unsafe_code, reason = "many bytes at once")]
pub mod scan;
pub mod words;
pub mod work;
