//! Handler: what the server asks of the program, and what it reports to it.

use crate::snapshot::exposition::Form;
use std::sync::Arc;

/// What the server asks for pages. It is called on the threads of render.rs, which may wait for it.
pub trait Handler: Send + Sync + 'static {
    /// The metrics, or why there are none at the moment.
    fn exposition(&self, form: Form) -> Result<Vec<u8>, &'static str>;
    /// Whether counts can be relied upon, or the reason why not yet.
    fn ready(&self) -> Result<(), String>;
    /// The HTML of `/`.
    fn landing(&self) -> String;
    /// Any other page: its content type and its bytes.
    fn extra(&self, path: &str) -> Option<(&'static str, Vec<u8>)>;
}

/// Why a page is not made.
pub const NO_MEMORY: &str = "there is not enough memory for the page";

/// What the server reports, for the program's counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerEvent {
    /// A request was answered with this status code.
    Answered(u16),
    /// A connection was ended, or could not be taken, because there was no room.
    Refused,
}

/// Called on the serving thread; it must not wait.
pub type EventSink = Arc<dyn Fn(ServerEvent) + Send + Sync>;
