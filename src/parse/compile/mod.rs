//! The text of a format becomes pieces: literals and fields. Dialects and presets are tables.

pub mod apache;
pub mod dialect;
pub mod field;
pub mod nginx;
pub mod presets;
