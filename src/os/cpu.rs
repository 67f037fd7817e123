//! Processor time of the calling thread: what it has used (getrusage(2)), and who goes first (setpriority(2)).

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use std::time::Duration;

/// What this thread has used so far, in the program and in the kernel; nothing where the kernel does not tell.
pub fn thread_time() -> Duration {
    let Ok(usage) = getrusage(UsageWho::RUSAGE_THREAD) else { return Duration::ZERO };
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

/// As `nice` does, for this thread alone.
const NICE: i32 = 10;

/// Lets all other threads go before the calling one where there is not enough for all. What the system refuses stays.
#[allow(unsafe_code)]
pub fn yield_to_others() {
    // SAFETY: it takes three numbers, and changes how the kernel schedules this thread.
    unsafe {
        // In Linux 0 is the calling thread and not the process.
        nix::libc::setpriority(nix::libc::PRIO_PROCESS, 0, NICE);
    }
}
