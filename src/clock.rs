//! The clocks: the time of day, and the time since the system was booted.

use nix::time::{ClockId, clock_gettime};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Nanoseconds since the epoch; a clock before 1970 is 1970.
pub fn now_nanos() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// Seconds since the epoch.
pub fn now_seconds() -> u64 {
    now_nanos() / 1_000_000_000
}

/// Milliseconds since the system was booted: nobody sets this clock back, and all processes have the same.
pub fn since_boot_millis() -> u64 {
    let since = clock_gettime(ClockId::CLOCK_BOOTTIME).map(Duration::from).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
