//! Counter of the bytes that searches look at, for tests that hold what a line costs. Counts nothing in the program.

#[cfg(test)]
use std::cell::Cell;

#[cfg(test)]
thread_local! {
    static SCANNED: Cell<u64> = const { Cell::new(0) };
}

/// So many bytes were looked at.
#[inline(always)]
pub fn scanned(_bytes: usize) {
    #[cfg(test)]
    SCANNED.set(SCANNED.get() + _bytes as u64);
}

/// How many bytes a piece of work looks at.
#[cfg(test)]
pub fn scanned_by(work: impl FnOnce()) -> u64 {
    let before = SCANNED.get();
    work();
    SCANNED.get() - before
}
