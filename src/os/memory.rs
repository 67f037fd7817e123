//! Memory: freed memory that the allocator keeps, whether there is room for more, and a limit of the address space
//! that is too small. Sources: malloc_trim(3), getrlimit(2).

use crate::limits::SERIES_MAX;
use nix::sys::resource::{Resource, getrlimit};

/// Gives freed memory back to the system. glibc keeps what was freed below something that is still in use, which after
/// a page of 50 MB were 90 MB; other C libraries give it back by themselves.
#[allow(unsafe_code)]
pub fn release_freed_memory() {
    #[cfg(target_env = "gnu")]
    // SAFETY: it may be called by any thread at any time, and touches nothing that is in use.
    unsafe {
        nix::libc::malloc_trim(0);
    }
}

/// Whether so many bytes can be had now. What is allocated without asking ends the process where it fails, so who needs
/// much, and can do without, asks before.
pub fn has_room(bytes: usize) -> bool {
    let mut room = Vec::<u8>::new();
    // Seen by nobody, the allocation would be left out.
    std::hint::black_box(&mut room).try_reserve_exact(bytes).is_ok()
}

/// What code, the stacks of the threads, the buffers of a usual log and a page of `SERIES_MAX` series take of the
/// address space (`ulimit -v`).
const ADDRESS_SPACE_BYTES_MIN: u64 = 64 << 20;

/// What each further series takes, in the ledger, its copy, the page and the page's forms. Measured with 16 scrapers at
/// once: 58 MB with 8,754 series, 109 MB with 26,254, 188 MB with 52,504.
const ADDRESS_SPACE_BYTES_PER_SERIES: u64 = 3 << 10;

/// Below this the allocator must not reserve address space for each thread: 64 MB each, which others then lack.
const ADDRESS_SPACE_BYTES_AMPLE: u64 = 1 << 30;

/// Says why the program could not live under the limit it was started with: an allocation that fails ends it at once.
/// `series` is the bound on the series of the page.
pub fn check_address_space(series: usize) -> Result<(), String> {
    let (limit, _) = getrlimit(Resource::RLIMIT_AS).unwrap_or((u64::MAX, u64::MAX));
    if limit < ADDRESS_SPACE_BYTES_AMPLE {
        share_one_arena();
    }
    let further = u64::try_from(series.saturating_sub(SERIES_MAX)).unwrap_or(u64::MAX);
    let min = ADDRESS_SPACE_BYTES_MIN.saturating_add(further.saturating_mul(ADDRESS_SPACE_BYTES_PER_SERIES));
    if limit >= min {
        return Ok(());
    }
    let (limit, min) = (limit >> 20, min >> 20);
    let reason = if further > 0 { format!(" with --max-series {series}") } else { String::new() };
    Err(format!(
        "an address space of {limit} MB (ulimit -v) is too small; at least {min} MB are needed{reason}"
    ))
}

/// All threads allocate from one arena: mallopt(3).
#[allow(unsafe_code)]
fn share_one_arena() {
    #[cfg(target_env = "gnu")]
    // SAFETY: it changes a number that the allocator reads when a thread asks for its first arena.
    unsafe {
        nix::libc::mallopt(nix::libc::M_ARENA_MAX, 1);
    }
}
