//! The lock of the followed files: of all living generations in a directory, one reads files.
//!
//! Two that read one file would both count its lines, and what is in a rotated file, or in a copy of it, can be told
//! only by the process that has read on. So there is one lock for all files, and the next holder begins where the
//! counts that were saved by the holder before it end. The kernel releases it when the process ends, however that
//! ends.

use crate::generations::state::State;
use crate::log::log_info;
use crate::os::privileges;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::fd::IntoRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

const NAME: &str = ".follow";

/// A process that was replaced ends within moments; that is not worth a message.
const SAID_AFTER: Duration = Duration::from_secs(1);

/// How long errors are waited out: where the files of others cannot be read, what they know of places would be missing.
const ERRORS_WAIT_MAX: Duration = Duration::from_secs(10);

/// How far this process has come to reading files.
#[derive(Debug)]
pub struct FilesLock {
    state: Arc<State>,
    is_held: bool,
    /// Since when another process reads them.
    waiting_since: Option<Instant>,
    was_said: bool,
    /// Since when something fails.
    failing_since: Option<Instant>,
}

impl FilesLock {
    pub fn new(state: Arc<State>) -> FilesLock {
        FilesLock { state, is_held: false, waiting_since: None, was_said: false, failing_since: None }
    }

    /// Where in files the counts of all others end, once this process is the one to read files; None: not yet.
    pub fn take(&mut self) -> Option<BTreeMap<String, String>> {
        if !self.is_held {
            match self.lock() {
                // To the end of the process: until then counts are saved.
                Ok(file) => drop(file.into_raw_fd()),
                Err(TryLockError::WouldBlock) => {
                    self.wait();
                    return None;
                }
                Err(TryLockError::Error(error)) => {
                    self.state.failed("follow", "lock", &error);
                    if self.may_pass() {
                        return None;
                    }
                    // In a directory where no file can be made, no process keeps anything.
                }
            }
            self.is_held = true;
        }
        let (kept, is_whole) = self.state.kept();
        if !is_whole && self.may_pass() {
            return None;
        }
        if self.was_said {
            log_info("--follow: the other process has ended; this one goes on where it stopped");
        }
        Some(kept)
    }

    /// Whether what fails is tried again before the files are read all the same.
    fn may_pass(&mut self) -> bool {
        self.failing_since.get_or_insert_with(Instant::now).elapsed() < ERRORS_WAIT_MAX
    }

    fn lock(&self) -> Result<File, TryLockError> {
        let path = self.state.directory.path.join(NAME);
        let mut options = OpenOptions::new();
        // Where anything may stand under the name: a link is not followed and a fifo not waited for.
        let flags = nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK;
        options.write(true).create(true).mode(0o640).custom_flags(flags);
        let opened = options.open(&path).or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                privileges::open_state_directory(&self.state.directory.path)?;
                options.open(&path)
            }
            _ => Err(error),
        });
        let file = opened.map_err(TryLockError::Error)?;
        file.try_lock()?;
        Ok(file)
    }

    fn wait(&mut self) {
        let since = *self.waiting_since.get_or_insert_with(Instant::now);
        if !self.was_said && since.elapsed() >= SAID_AFTER {
            self.was_said = true;
            log_info(
                "--follow: another process with this --state-dir reads files, so this one waits, and reads on where \
                 that one stops; for other files give it a --state-dir of its own",
            );
        }
    }
}
