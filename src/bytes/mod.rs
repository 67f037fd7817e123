//! Bytes: searches, short numbers and paths, below parse and count alike. Knows nothing of logs.

pub mod digits;
pub mod distance;
pub mod glob;
pub mod glob_set;
pub mod hex;
pub mod path;
#[allow(unsafe_code, reason = "many bytes at once")]
pub mod scan;
pub mod words;
pub mod work;
