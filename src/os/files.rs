//! Files: how many may be open, and whether stderr is one in which nobody else writes down the time.
//!
//! Sources: getrlimit(2), and systemd.exec(5) for JOURNAL_STREAM.

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::stat::{SFlag, fstat};

/// What fails leaves the limit as it was; the first file that cannot be opened then says so.
pub fn allow_many_files() {
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE)
        && soft < hard
    {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
}

/// Whether somebody else tells when a line of stderr was written: the journal, the reader of a pipe (a container's
/// runtime, a logger), a person at a terminal. A file, such as the error log of Apache, has what is written into it and
/// no more.
pub fn stderr_is_stamped() -> bool {
    let kind = fstat(std::io::stderr()).map(|found| SFlag::from_bits_truncate(found.st_mode) & SFlag::S_IFMT);
    kind != Ok(SFlag::S_IFREG)
}
