//! The text of a format becomes pieces: literals and fields. Languages, the vocabulary and presets are tables.

pub mod apache;
pub mod dialect;
pub mod envoy;
pub mod error;
pub mod field;
pub mod haproxy;
pub mod language;
pub mod map;
pub mod nginx;
pub mod parentheses;
pub mod presets;
pub mod questions;
pub mod vocabulary;
pub mod w3c;
