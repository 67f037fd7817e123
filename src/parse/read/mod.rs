//! Lines are read by a compiled format: the fast path, the careful one, and lines with keys.

pub mod careful;
pub mod columns;
pub mod fast;
pub mod fields;
pub mod headers;
pub mod keyed;
pub mod record;
pub mod request;
pub mod retry;
pub mod spans;
pub mod text;
pub mod time;
pub mod values;
