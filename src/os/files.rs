//! How many files may be open: as many as the hard limit lets, where many are followed. Source: getrlimit(2).

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// What fails leaves the limit as it was; the first file that cannot be opened then says so.
pub fn allow_many_files() {
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE)
        && soft < hard
    {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
}
