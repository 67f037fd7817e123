//! Stop flag: whether an end is wanted, for threads that are busy and cannot take signals.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The flags of the signals that want an end.
#[derive(Clone, Debug, Default)]
pub struct StopFlag(Vec<Arc<AtomicBool>>);

impl StopFlag {
    pub fn of(flags: impl Iterator<Item = Arc<AtomicBool>>) -> StopFlag {
        StopFlag(flags.collect())
    }

    /// SIGTERM or SIGINT has come and was not taken yet.
    pub fn is_set(&self) -> bool {
        self.0.iter().any(|flag| flag.load(Ordering::Relaxed))
    }
}
