//! Stop flag: whether an end was asked for, for threads that are busy and cannot take signals.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Set by the first signal that asks for an end.
#[derive(Clone, Debug, Default)]
pub struct StopFlag(Arc<AtomicBool>);

impl StopFlag {
    pub fn of(flag: Arc<AtomicBool>) -> StopFlag {
        StopFlag(flag)
    }

    /// SIGTERM or SIGINT has come, whether it was taken or not: whoever asks must not see less than the reader, which
    /// takes it.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
