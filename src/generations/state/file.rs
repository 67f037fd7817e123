//! The state file of one generation: its name, its text, and how it comes to stand in the directory.
//!
//!     # httpd_exporter state 1 <length> <checksum>
//!     # absorbed <name> <name> ...          whose counts are in this file; only where there are any
//!     # wants port                          only while it waits for the port
//!     # HELP ...                            an OpenMetrics page, as exposition.rs writes and reads it
//!
//! Length and checksum are those of everything after the first line, so damage anywhere is found out. A file
//! is written under another name, locked, synced and then renamed. The lock is on the file that is renamed
//! and taken before, so at no moment does the name of a living generation stand for a file without its lock.

use crate::limits::STATE_BYTES_MAX;
use crate::snapshot::exposition;
use crate::snapshot::exposition::Form;
use crate::snapshot::page::Page;
use std::collections::BTreeSet;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// `<start>-<pid>`: when the generation began, in milliseconds since the epoch, so that older names sort
/// first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    pub start: u64,
    pub pid: u32,
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}-{}", self.start, self.pid)
    }
}

impl Name {
    /// Exactly what `Display` writes, or it is no name of ours.
    pub fn parse(text: &str) -> Option<Name> {
        let (start, pid) = text.split_once('-')?;
        let name = Name { start: start.parse().ok()?, pid: pid.parse().ok()? };
        (name.to_string() == text).then_some(name)
    }

    /// The name of the file while it is being written.
    pub fn unfinished(self) -> String {
        format!("{self}.new")
    }
}

/// What a state file says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Content {
    pub page: Page,
    /// The generations whose counts are in the page: where their files still stand, they are not added.
    pub absorbed: BTreeSet<Name>,
    /// The generation waits for the port.
    pub wants_port: bool,
}

const TITLE: &str = "# httpd_exporter state ";
/// Raised when an older program could not read the file, or would read it wrongly.
const VERSION: &str = "1";
const ABSORBED: &str = "# absorbed";
const WANTS_PORT: &str = "# wants port\n";

impl Content {
    pub fn write(&self) -> String {
        let mut body = String::new();
        if !self.absorbed.is_empty() {
            body.push_str(ABSORBED);
            self.absorbed.iter().for_each(|name| body.push_str(&format!(" {name}")));
            body.push('\n');
        }
        if self.wants_port {
            body.push_str(WANTS_PORT);
        }
        body.push_str(&exposition::write(&self.page, Form::OpenMetrics));
        title(&body) + &body
    }

    /// The error says what is wrong with the file.
    pub fn read(text: &str) -> Result<Content, String> {
        let (first, body) = text.split_at(text.find('\n').map_or(text.len(), |at| at + 1));
        let words = first.strip_prefix(TITLE).ok_or("it is no state file")?;
        match words.split(' ').next() {
            Some(VERSION) => {}
            Some(other) => return Err(format!("it is of format {}", other.escape_default())),
            None => return Err("it is no state file".to_owned()),
        }
        if first != title(body) {
            return Err("it is damaged".to_owned());
        }
        let (absorbed, body) = match body.strip_prefix(ABSORBED).and_then(|rest| rest.split_once('\n')) {
            Some((names, body)) => (names.split_ascii_whitespace().map(Name::parse).collect(), body),
            None => (Some(BTreeSet::new()), body),
        };
        let absorbed = absorbed.ok_or("it has absorbed what is no generation")?;
        let (wants_port, body) = body.strip_prefix(WANTS_PORT).map_or((false, body), |body| (true, body));
        Ok(Content { page: exposition::read(body)?, absorbed, wants_port })
    }
}

fn title(body: &str) -> String {
    // FNV-1a: damage is no attack, and the length is there besides.
    let checksum = body.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{TITLE}{VERSION} {} {checksum:016x}\n", body.len())
}

/// Opens a file for a look or a lock. In a directory that belongs to a user, anything may stand under our
/// names: links are not followed and a fifo is not waited for.
pub fn open(path: &Path) -> io::Result<File> {
    let flags = nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK;
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

/// Reads an open state file.
pub fn read(file: &File) -> Result<Content, String> {
    let meta = file.metadata().map_err(|error| error.to_string())?;
    if !meta.is_file() || meta.len() > STATE_BYTES_MAX {
        return Err(format!("it is no regular file of at most {STATE_BYTES_MAX} bytes"));
    }
    let mut text = String::new();
    let read = file.take(STATE_BYTES_MAX).read_to_string(&mut text);
    read.map_err(|error| error.to_string())?;
    Content::read(&text)
}

/// Puts the text under the name, all or nothing, and gives back the file, which is locked. `first`: the name
/// must not be taken yet.
pub fn replace(directory: &Path, name: Name, text: &str, sync: bool, first: bool) -> io::Result<File> {
    if text.len() as u64 > STATE_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "too many series for a state file"));
    }
    let (unfinished, path) = (directory.join(name.unfinished()), directory.join(name.to_string()));
    step();
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o640).custom_flags(nix::libc::O_NOFOLLOW);
    let mut file = options.open(&unfinished).or_else(|error| {
        if first || error.kind() != io::ErrorKind::AlreadyExists {
            return Err(error);
        }
        // The name is ours, so this is what a save has left that could not put it away.
        std::fs::remove_file(&unfinished)?;
        options.open(&unfinished)
    })?;
    let mut put = || {
        // Asked now, for whoever had the name before us had the unfinished file before us too.
        if first && path.symlink_metadata().is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        file.try_lock()?;
        // In two parts, so that a test can end the process between them.
        let (one, two) = text.as_bytes().split_at(text.len() / 2);
        for part in [one, two] {
            step();
            file.write_all(part)?;
        }
        if sync {
            step();
            file.sync_data()?;
        }
        step();
        std::fs::rename(&unfinished, &path)
    };
    put().inspect_err(|_| drop(std::fs::remove_file(&unfinished)))?;
    step();
    Ok(file)
}

/// Comes before and after every change of the directory.
pub fn step() {
    #[cfg(debug_assertions)]
    crash::step();
}

/// The fault layer of the tests: ends the process at a given change.
#[cfg(debug_assertions)]
mod crash {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    pub fn step() {
        static AT: OnceLock<Option<u64>> = OnceLock::new();
        static STEPS: AtomicU64 = AtomicU64::new(0);
        let at = AT.get_or_init(|| std::env::var("HTTPD_EXPORTER_CRASH_AT_STEP").ok()?.parse().ok());
        if at.is_some_and(|at| STEPS.fetch_add(1, Ordering::SeqCst) + 1 == at) {
            // At once, as a kill would: nothing is written and nothing put away any more.
            std::process::exit(99);
        }
    }
}
