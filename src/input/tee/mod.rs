//! Appends every byte of stdin to a file, or passes it on to stdout; rotates the file when it is told to.
//!
//! It owns the file it writes. What came in goes out byte for byte, whole lines per write with O_APPEND, so
//! that several generations and logrotate get along; only a line longer than LINE_BYTES_MAX takes several
//! writes. It must never end or stop the reading: where the bytes cannot be written they are dropped and
//! counted. Only in a pipeline by hand does the reader wait for whoever reads our stdout, as any filter does, and then
//! a signal ends the waiting.
//!
//! The rule for lines: no line is ever followed by another on the same line of the file. Where a write stops
//! half way (the disk is full), the half line is taken back if nobody has written behind it, else it is
//! closed with a newline before the next line; either way it counts as lost. The same newline closes what a
//! killed process left unfinished. Sources: open(2) O_APPEND, write(2), rename(2), flock(2).

mod rotate;
mod stdout;

use crate::input::tee::stdout::Way;
use crate::log::log_line;
use crate::os::{Identity, Knock, started_by_server};
use crate::self_metrics::SelfMetrics;
use nix::libc::O_NONBLOCK;
use nix::poll::PollTimeout;
use nix::unistd::{Gid, Uid, fchown};
use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Seek, SeekFrom};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// How often the path is compared with the file we hold, and how long after a failure the next attempt is
/// made.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// How long a server's lines wait for the reader of our stdout. A pipe of 1 MiB holds far more than comes meanwhile.
const STDOUT_PATIENCE: Duration = Duration::from_millis(100);

/// How long is waited before it is looked whether the waiting is to end; a signal ends it at once.
const STDOUT_TICK: u8 = 20;

/// What the options say.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `-` is stdout.
    pub path: PathBuf,
    pub rotate_size: Option<u64>,
    pub rotate_interval: Option<Duration>,
    /// How many rotated files are kept; None: all.
    pub keep: Option<usize>,
}

#[derive(Debug)]
pub struct Tee {
    options: Options,
    /// None: it could not be opened yet; or the reader of stdout went away, and nothing is passed on any more.
    file: Option<File>,
    /// Stdout is neither reopened nor rotated.
    named: bool,
    self_metrics: Arc<SelfMetrics>,
    /// When the path was last compared with the file we hold.
    looked: Instant,
    reopen: bool,
    outage: Option<Outage>,
    /// The file ends in a part of a line that will not be completed.
    unclosed: bool,
    /// The last bytes passed in did not end a line: more of it follows.
    mid_line: bool,
    /// ... and the beginning of that line is lost, so the rest of it is dropped as well.
    line_lost: bool,
    /// No rotation before this, because one has failed.
    rotate_after: Option<Instant>,
    /// The time in the newest name we gave, in milliseconds.
    rotated: u128,
    /// A failure to reopen or to rotate was reported and has not ended.
    told: bool,
    /// The same for the removal of old files.
    told_of_old: bool,
    /// How stdout is written.
    way: Way,
    /// An end is near: nobody is waited for any more.
    hurried: bool,
    /// Whether somebody asks for an end just now.
    knock: Knock,
}

/// A time of failing writes.
#[derive(Debug)]
struct Outage {
    retry: Instant,
    lost: u64,
}

impl Tee {
    /// The error names what could not be opened and why.
    pub fn open(options: Options, self_metrics: Arc<SelfMetrics>) -> io::Result<Tee> {
        let named = options.path.as_os_str() != "-";
        let file = if named {
            open(&options.path, None)
        } else {
            io::stdout().as_fd().try_clone_to_owned().map(File::from)
        }?;
        let unclosed = named && ends_in_half_a_line(&file, &options.path);
        Ok(Tee { unclosed, named, ..Tee::over(Some(file), options, self_metrics) })
    }

    /// One that could not be opened, and will be as soon as that works: what comes before is counted as lost.
    pub fn unopened(options: Options, self_metrics: Arc<SelfMetrics>) -> Tee {
        let outage = Some(Outage { retry: Instant::now(), lost: 0 });
        let named = options.path.as_os_str() != "-";
        Tee { named, outage, told: true, ..Tee::over(None, options, self_metrics) }
    }

    fn over(file: Option<File>, options: Options, self_metrics: Arc<SelfMetrics>) -> Tee {
        let stdout = file.as_ref().filter(|_| options.path.as_os_str() == "-");
        let way = stdout.map_or(Way::Plain, Way::of);
        Tee {
            options,
            file,
            named: false,
            self_metrics,
            looked: Instant::now(),
            reopen: false,
            outage: None,
            unclosed: false,
            mid_line: false,
            line_lost: false,
            rotate_after: None,
            rotated: 0,
            told: false,
            told_of_old: false,
            way,
            hurried: false,
            knock: Knock::default(),
        }
    }

    /// Tells the tee how to hear that somebody wants an end while it waits for a reader.
    pub fn listen(&mut self, knock: Knock) {
        self.knock = knock;
    }

    /// An end is near: a reader of stdout that does not read is given up.
    pub fn hurry(&mut self) {
        self.hurried = true;
    }

    /// Gives the file to the user the process is about to become. Only root's own file and one without other
    /// names: in a directory that belongs to that user, a link could stand for any file of the system.
    pub fn hand_over(&self, identity: &Identity) -> io::Result<()> {
        let Some(file) = self.file.as_ref().filter(|_| self.named) else { return Ok(()) };
        let meta = file.metadata()?;
        if meta.is_file() && meta.uid() == 0 && meta.nlink() == 1 {
            fchown(file, Some(Uid::from_raw(identity.uid)), Some(Gid::from_raw(identity.gid)))?;
        }
        Ok(())
    }

    /// SIGHUP: the file may have been renamed.
    pub fn reopen(&mut self) {
        self.reopen = true;
    }

    /// Passes whole lines on, or parts of a line longer than LINE_BYTES_MAX. The clock is read once.
    pub fn write(&mut self, mut bytes: &[u8]) {
        if self.file.is_none() && !self.named {
            return;
        }
        let now = Instant::now();
        if self.line_lost {
            let rest = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1);
            self.lose(&bytes[..rest]);
            bytes = &bytes[rest..];
        }
        if self.named && !self.mid_line && (self.reopen || now - self.looked >= LOOK_INTERVAL) {
            self.look(now);
        }
        if self.file.is_none() || self.outage.as_ref().is_some_and(|outage| now < outage.retry) {
            self.lose(bytes);
            return;
        }
        while !bytes.is_empty() && self.file.is_some() {
            let end = if self.mid_line { bytes.len() } else { self.before_rotation(bytes, now) };
            match self.append(&bytes[..end]) {
                Ok(()) => self.mid_line = !bytes[..end].ends_with(b"\n"),
                Err((error, written)) => return self.fail(&error, bytes, written, now),
            }
            bytes = &bytes[end..];
        }
        self.recover();
    }

    /// Writes all of it, or says how much was written and why not more.
    fn append(&mut self, bytes: &[u8]) -> Result<(), (io::Error, usize)> {
        if self.unclosed {
            self.put(b"\n").map_err(|(error, _)| (error, 0))?;
            self.unclosed = false;
        }
        self.put(bytes)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), (io::Error, usize)> {
        let Some(file) = &self.file else { return Ok(()) };
        let (mut written, mut since) = (0, None);
        while written < bytes.len() {
            match self.way.write(file, &bytes[written..]) {
                Ok(0) => return Err((ErrorKind::WriteZero.into(), written)),
                Ok(more) => (written, since) = (written + more, None),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // Or somebody who shares our stdout has made it non-blocking.
                Err(error) if error.kind() == ErrorKind::WouldBlock && !self.named => {
                    stdout::is_writable(file, PollTimeout::from(STDOUT_TICK));
                    let since: Instant = *since.get_or_insert_with(Instant::now);
                    self.hurried |= self.knock.is_heard();
                    if self.is_impatient(since) {
                        return Err((io::Error::other("its reader does not read"), written));
                    }
                }
                Err(error) => return Err((error, written)),
            }
        }
        Ok(())
    }

    /// Whether the reader of stdout, who has not read since then, is to be waited for no longer.
    fn is_impatient(&self, since: Instant) -> bool {
        // After a failure it is only looked whether it reads again.
        let short = self.hurried || started_by_server();
        short && (self.outage.is_some() || since.elapsed() >= STDOUT_PATIENCE)
    }

    /// Of `bytes` the first `written` are in the file. Keeps the whole lines and gives up the rest.
    fn fail(&mut self, error: &io::Error, bytes: &[u8], written: usize, now: Instant) {
        if !self.named && error.kind() == ErrorKind::BrokenPipe {
            log_line("the reader of stdout has gone; the lines are counted and no longer passed on");
            self.file = None;
            return;
        }
        if self.outage.is_none() {
            let name = self.name();
            log_line(format_args!(
                "unable to write {name}: {error}; lines are counted and not kept until that works again"
            ));
        }
        let outage = self.outage.get_or_insert(Outage { retry: now, lost: 0 });
        outage.retry = now + LOOK_INTERVAL;
        let whole = bytes[..written].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let half = written - whole;
        let begun_before = self.mid_line && whole == 0;
        let taken_back =
            half == 0 || self.file.as_mut().is_some_and(|file| take_back(file, half).unwrap_or(false));
        self.unclosed |= begun_before || !taken_back;
        self.lose(&bytes[whole..]);
    }

    fn lose(&mut self, bytes: &[u8]) {
        let Some(last) = bytes.last() else { return };
        self.self_metrics.tee_lost_bytes.inc_by(bytes.len() as u64);
        if let Some(outage) = &mut self.outage {
            outage.lost += bytes.len() as u64;
        }
        self.mid_line = *last != b'\n';
        self.line_lost = self.mid_line;
    }

    /// Says that an outage is over.
    fn recover(&mut self) {
        if let Some(Outage { lost, .. }) = self.outage.take() {
            let name = self.name();
            log_line(format_args!("{name} is written again; {lost} bytes were counted and not kept"));
        }
    }

    fn name(&self) -> String {
        if self.named { self.options.path.display().to_string() } else { "stdout".to_owned() }
    }

    /// Turns to the file that has the path now, if it is another than the one we hold.
    fn look(&mut self, now: Instant) {
        (self.looked, self.reopen) = (now, false);
        let held = self.file.as_ref().and_then(|file| file.metadata().ok());
        let there = std::fs::metadata(&self.options.path).ok();
        if held.is_some() && there.as_ref().map(identity) == held.as_ref().map(identity) {
            return;
        }
        let result = self.turn_to_path(held.as_ref());
        self.tell(result, "open");
    }

    fn turn_to_path(&mut self, like: Option<&Metadata>) -> io::Result<()> {
        let file = open(&self.options.path, like)?;
        self.unclosed = ends_in_half_a_line(&file, &self.options.path);
        self.file = Some(file);
        // What was full may have room now.
        if let Some(outage) = &mut self.outage {
            outage.retry = self.looked;
        }
        Ok(())
    }

    /// Says once that reopening or rotating does not work; meanwhile the file we hold is written.
    fn tell(&mut self, result: io::Result<()>, verb: &str) {
        match result {
            Ok(()) => self.told = false,
            Err(error) if !self.told => {
                self.told = true;
                // An error of `open` names the path itself.
                let what = if verb == "open" {
                    String::new()
                } else {
                    format!("unable to {verb} {}: ", self.options.path.display())
                };
                log_line(format_args!(
                    "{what}{error}; the old file is written on, and this is tried again every second"
                ));
            }
            Err(_) => {}
        }
    }

    /// How many of these bytes, which begin a line, belong into the file before it has to be rotated next;
    /// rotates it first where that is due. Always at least a line.
    fn before_rotation(&mut self, bytes: &[u8], now: Instant) -> usize {
        let wanted = self.options.rotate_size.is_some() || self.options.rotate_interval.is_some();
        if !wanted || !self.named || self.rotate_after.is_some_and(|after| now < after) {
            return bytes.len();
        }
        // Twice: before and after a rotation.
        for _ in 0..2 {
            let Some(meta) =
                self.file.as_ref().and_then(|file| file.metadata().ok()).filter(Metadata::is_file)
            else {
                return bytes.len();
            };
            let overdue =
                self.options.rotate_interval.is_some_and(|i| rotate::is_overdue(&meta, i, SystemTime::now()));
            if !overdue {
                let room =
                    self.options.rotate_size.map_or(u64::MAX, |limit| limit.saturating_sub(meta.len()));
                let room = usize::try_from(room).unwrap_or(usize::MAX);
                if bytes.len() <= room {
                    return bytes.len();
                }
                match bytes[..room].iter().rposition(|byte| *byte == b'\n') {
                    Some(last) => return last + 1,
                    // A line longer than the size has a file of its own.
                    None if meta.len() == 0 => break,
                    None => {}
                }
            }
            match self.rotate(&meta) {
                Ok(true) => {}
                Ok(false) => return bytes.len(),
                Err(error) => {
                    self.rotate_after = Some(now + LOOK_INTERVAL);
                    self.tell(Err(error), "rotate");
                    return bytes.len();
                }
            }
        }
        bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1)
    }

    /// Renames the file and begins a new one, or turns to the one that another generation has begun. False
    /// when that one is at it just now: then the lines still belong to the old file, and the next look
    /// settles it.
    fn rotate(&mut self, held: &Metadata) -> io::Result<bool> {
        let Some(file) = &self.file else { return Ok(false) };
        // The lock is on the file that is to be renamed: whoever gets it and still finds that file under the
        // path is the one who renames it. It goes with the descriptor.
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                self.reopen = true;
                return Ok(false);
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let path = self.options.path.clone();
        if !std::fs::metadata(&path).is_ok_and(|there| identity(&there) == identity(held)) {
            return self.turn_to_path(Some(held)).map(|()| true);
        }
        let (aside, millis) = rotate::name(&path, SystemTime::now(), self.rotated);
        self.rotated = millis;
        let renamed = std::fs::rename(&path, &aside);
        let turned = renamed.and_then(|()| {
            self.turn_to_path(Some(held)).inspect_err(|_| drop(std::fs::rename(&aside, &path)))
        });
        if turned.is_err() {
            let _ = self.file.as_ref().map(File::unlock);
        }
        turned?;
        self.told = false;
        if let Some(keep) = self.options.keep {
            let pruned = rotate::prune(&path, keep);
            let told = std::mem::replace(&mut self.told_of_old, pruned.is_err());
            if let (Err(error), false) = (pruned, told) {
                log_line(format_args!("--tee.keep: {error}; the others are removed when their time comes"));
            }
        }
        Ok(true)
    }
}

fn identity(meta: &Metadata) -> (u64, u64) {
    (meta.dev(), meta.ino())
}

/// Opens a file to append to. A new one gets the permissions of the one it stands in for.
fn open(path: &Path, like: Option<&Metadata>) -> io::Result<File> {
    let mut options = OpenOptions::new();
    if let Some(meta) = like {
        options.mode(meta.mode() & 0o777);
    }
    // Without effect on a file. A fifo without a reader is not waited for, nor one whose reader does not read: this
    // open file description is nobody's but ours.
    options.append(true).create(true).custom_flags(O_NONBLOCK).open(path).map_err(|error| {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty() && !parent.is_dir());
        let why = parent.map_or_else(
            || error.to_string(),
            |parent| format!("there is no directory {}", parent.display()),
        );
        io::Error::new(error.kind(), format!("unable to open {}: {why}", path.display()))
    })
}

/// Whether the file's last byte is no newline, and nobody is writing just now. A file that cannot be read is
/// taken for whole.
fn ends_in_half_a_line(file: &File, path: &Path) -> bool {
    let size = || file.metadata().ok().filter(Metadata::is_file).map_or(0, |meta| meta.len());
    let mut before = size();
    if before == 0 {
        return false;
    }
    let opened = OpenOptions::new().read(true).custom_flags(O_NONBLOCK).open(path);
    let Ok(reader) = opened else { return false };
    loop {
        let mut last = [b'\n'];
        if reader.read_exact_at(&mut last, before - 1).is_err() || last == *b"\n" {
            return false;
        }
        // A long write of another generation shows its parts as they are copied. This is no line's business,
        // it happens at opening, so a moment is cheap.
        std::thread::sleep(Duration::from_millis(2));
        match size() {
            after if after == before => return true,
            0 => return false,
            after => before = after,
        }
    }
}

/// Cuts off the last bytes we have written, unless somebody has written behind them.
fn take_back(file: &mut File, bytes: usize) -> io::Result<bool> {
    let meta = file.metadata()?;
    let end = if meta.is_file() { file.stream_position()? } else { 0 };
    if end == 0 || end != meta.len() {
        return Ok(false);
    }
    let whole = end.saturating_sub(bytes as u64);
    file.set_len(whole)?;
    file.seek(SeekFrom::Start(whole))?;
    Ok(true)
}

#[cfg(test)]
pub mod tests;
