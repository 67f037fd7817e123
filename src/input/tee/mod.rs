//! Tee: appends every byte of stdin to a file, or passes it on to stdout; rotates the file when it is told to.
//!
//! It owns the file it writes. What came in goes out byte for byte, whole lines per write with O_APPEND, so
//! that several generations and logrotate get along; only a line longer than LINE_BYTES_MAX takes several
//! writes. It has a thread of its own (queue.rs), so that a disk that hangs does not stop the reading; where
//! the bytes cannot be written they are dropped and counted. Only in a pipeline does the reader wait for the
//! reader of our stdout, as any filter does, and then a signal ends the waiting.
//!
//! The rule for lines: no line is ever followed by another on the same line of the file. Where a write stops
//! half way (the disk is full), the half line is taken back if nobody has written behind it, else it is
//! closed with a newline before the next line; either way it counts as lost. The same newline closes what a
//! killed process left unfinished. Sources: open(2) O_APPEND, write(2), rename(2), flock(2).

pub mod queue;
pub mod rotate;

use crate::log::{log_info, log_warning};
use crate::os::{StopFlag, UserRights, WriteMode, is_writable, privileges, started_by_server};
use crate::self_metrics::SelfMetrics;
use nix::libc::{ENXIO, O_NONBLOCK};
use nix::poll::PollTimeout;
use std::fs::{File, FileTimes, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Seek, SeekFrom};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime};

/// How often the path is compared with the file we hold, and how long after a failure the next attempt is
/// made.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// A log holds addresses and what they asked for, so only the owner and the group may read it.
const TEE_MODE: u32 = 0o640;

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
    sink: Sink,
    self_metrics: Arc<SelfMetrics>,
    /// When the path was last compared with the file we hold; None: it is to be done at once.
    looked: Option<Instant>,
    outage: Option<Outage>,
    line: Line,
    /// The file ends in a part of a line that will not be completed.
    is_unclosed: bool,
    /// Whether it does is known. Of the file of the start it is asked before the first write, by the thread that
    /// writes: a disk that hangs must not keep the others.
    is_asked: bool,
    rotation: Rotation,
    /// A failure to reopen or to rotate was reported and has not ended.
    is_reported: bool,
    /// An end is asked for: no reader is waited for any more.
    stop_flag: StopFlag,
}

/// What a tee remembers of its rotations.
#[derive(Debug, Default)]
struct Rotation {
    /// No rotation before this, because one has failed.
    retry: Option<Instant>,
    /// The time in the newest name we gave, in milliseconds.
    last_millis: u128,
    /// A failure to remove old files was reported and has not ended.
    is_reported: bool,
}

/// Where the bytes go.
#[derive(Debug)]
enum Sink {
    /// To the file of that path; None: it could not be opened yet.
    Path(Option<File>),
    /// Neither reopened nor rotated.
    Stdout(File, WriteMode),
    /// The reader of stdout went away, and nothing is passed on any more.
    Gone,
}

/// Where in a line the last bytes passed in have ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    AtStart,
    /// More of it follows.
    Within,
    /// More of it follows, but its beginning is lost, so the rest of it is dropped as well.
    Dropping,
}

impl Line {
    /// After these bytes, of which the last are kept or lost.
    fn after(last: u8, otherwise: Line) -> Line {
        if last == b'\n' { Line::AtStart } else { otherwise }
    }
}

/// A time of failing writes.
#[derive(Debug)]
struct Outage {
    retry: Instant,
    lost: u64,
}

impl Tee {
    /// The error names what could not be opened and why.
    pub fn open(options: Options, self_metrics: Arc<SelfMetrics>, _rights: &UserRights) -> io::Result<Tee> {
        if options.path.as_os_str() == "-" {
            let stdout = File::from(io::stdout().as_fd().try_clone_to_owned()?);
            let mode = WriteMode::of(&stdout);
            return Ok(Tee::over(Sink::Stdout(stdout, mode), options, self_metrics));
        }
        let file = open(&options.path, None)?;
        let tee = Tee::over(Sink::Path(Some(file)), options, self_metrics);
        Ok(Tee { is_asked: false, looked: None, ..tee })
    }

    /// One that could not be opened, and will be as soon as that works: what comes before is counted as lost.
    pub fn unopened(options: Options, self_metrics: Arc<SelfMetrics>, _rights: &UserRights) -> Tee {
        let outage = Some(Outage { retry: Instant::now(), lost: 0 });
        let sink = if options.path.as_os_str() == "-" { Sink::Gone } else { Sink::Path(None) };
        Tee { outage, is_reported: true, ..Tee::over(sink, options, self_metrics) }
    }

    fn over(sink: Sink, options: Options, self_metrics: Arc<SelfMetrics>) -> Tee {
        Tee {
            options,
            sink,
            self_metrics,
            looked: Some(Instant::now()),
            outage: None,
            line: Line::AtStart,
            is_unclosed: false,
            is_asked: true,
            rotation: Rotation::default(),
            is_reported: false,
            stop_flag: StopFlag::default(),
        }
    }

    /// Lets a signal end the waiting for a reader.
    pub fn set_stop_flag(&mut self, stop_flag: StopFlag) {
        self.stop_flag = stop_flag;
    }

    pub fn self_metrics(&self) -> Arc<SelfMetrics> {
        self.self_metrics.clone()
    }

    pub fn is_stdout(&self) -> bool {
        !matches!(self.sink, Sink::Path(_))
    }

    /// Whether it is the file that is read.
    pub fn is_stdin(&self) -> bool {
        let stdin = io::stdin().as_fd().try_clone_to_owned().map(File::from);
        let of_file = |file: &File| file.metadata().ok().filter(Metadata::is_file).as_ref().map(identity);
        let tee = self.file().and_then(of_file);
        tee.is_some() && stdin.is_ok_and(|stdin| of_file(&stdin) == tee)
    }

    fn file(&self) -> Option<&File> {
        match &self.sink {
            Sink::Path(file) => file.as_ref(),
            Sink::Stdout(file, _) => Some(file),
            Sink::Gone => None,
        }
    }

    /// SIGHUP: the file may have been renamed.
    pub fn reopen(&mut self) {
        self.looked = None;
    }

    /// Passes whole lines on, or parts of a line longer than LINE_BYTES_MAX. The clock is read once.
    pub fn write(&mut self, mut bytes: &[u8]) {
        if matches!(self.sink, Sink::Gone) {
            return;
        }
        let now = Instant::now();
        if self.line == Line::Dropping {
            let rest = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1);
            self.lose(&bytes[..rest]);
            bytes = &bytes[rest..];
        }
        let is_due = self.looked.is_none_or(|looked| now - looked >= LOOK_INTERVAL);
        if !self.is_stdout() && self.line == Line::AtStart && is_due {
            self.look(now);
        }
        if self.file().is_none() || self.outage.as_ref().is_some_and(|outage| now < outage.retry) {
            self.lose(bytes);
            return;
        }
        self.ask_for_half_a_line();
        while !bytes.is_empty() && self.file().is_some() {
            let end = if self.line == Line::AtStart { self.before_rotation(bytes, now) } else { bytes.len() };
            // A rotation may have made room, so it comes first.
            if self.is_room_left_to_the_state() {
                let error = io::Error::other("the disk has room left for the state alone");
                return self.fail(&error, bytes, 0, now);
            }
            match self.append(&bytes[..end]) {
                Ok(()) => self.line = Line::after(bytes[end - 1], Line::Within),
                Err((error, written)) => return self.fail(&error, bytes, written, now),
            }
            bytes = &bytes[end..];
        }
        self.recover();
    }

    /// On a full disk the counts come first.
    fn is_room_left_to_the_state(&self) -> bool {
        let full = self.self_metrics.full_device.load(Ordering::Relaxed);
        let device = |file: &File| file.metadata().ok().filter(Metadata::is_file).map(|meta| meta.dev());
        full != 0 && self.file().and_then(device) == Some(full)
    }

    fn ask_for_half_a_line(&mut self) {
        if !self.is_asked
            && let Sink::Path(Some(file)) = &self.sink
        {
            self.is_unclosed = ends_in_half_a_line(file, &self.options.path);
            self.is_asked = true;
        }
    }

    /// Writes all of it, or says how much was written and why not more.
    fn append(&mut self, bytes: &[u8]) -> Result<(), (io::Error, usize)> {
        if self.is_unclosed {
            self.put(b"\n").map_err(|(error, _)| (error, 0))?;
            self.is_unclosed = false;
        }
        self.put(bytes)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), (io::Error, usize)> {
        let (file, mode) = match &self.sink {
            Sink::Path(Some(file)) => (file, WriteMode::Plain),
            Sink::Stdout(file, mode) => (file, *mode),
            Sink::Path(None) | Sink::Gone => return Ok(()),
        };
        let (mut written, mut since) = (0, None);
        while written < bytes.len() {
            match mode.write(file, &bytes[written..]) {
                Ok(0) => return Err((ErrorKind::WriteZero.into(), written)),
                Ok(more) => (written, since) = (written + more, None),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // Or another process that shares our stdout has made it non-blocking.
                Err(error) if error.kind() == ErrorKind::WouldBlock && self.is_stdout() => {
                    is_writable(file, PollTimeout::from(STDOUT_TICK));
                    let since: Instant = *since.get_or_insert_with(Instant::now);
                    if self.is_impatient(since) {
                        return Err((io::Error::other("its reader does not read"), written));
                    }
                }
                Err(error) => return Err((error, written)),
            }
        }
        Ok(())
    }

    /// Whether to stop waiting for a reader of stdout that has not read since then.
    fn is_impatient(&self, since: Instant) -> bool {
        // After a failure it is only looked whether it reads again.
        let is_short = self.stop_flag.is_set() || started_by_server();
        is_short && (self.outage.is_some() || since.elapsed() >= STDOUT_PATIENCE)
    }

    /// Of `bytes` the first `written` are in the file. Keeps the whole lines and gives up the rest.
    fn fail(&mut self, error: &io::Error, bytes: &[u8], written: usize, now: Instant) {
        if self.is_stdout() && error.kind() == ErrorKind::BrokenPipe {
            log_info("the reader of stdout has gone; the lines are counted and no longer passed on");
            self.sink = Sink::Gone;
            return;
        }
        if self.outage.is_none() {
            let name = self.name();
            log_warning(format_args!(
                "unable to write {name}: {error}; lines are counted but not written until that works again"
            ));
        }
        let outage = self.outage.get_or_insert(Outage { retry: now, lost: 0 });
        outage.retry = now + LOOK_INTERVAL;
        let whole = bytes[..written].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let half = written - whole;
        let begun_before = self.line != Line::AtStart && whole == 0;
        let taken_back = half == 0 || self.file().is_some_and(|file| take_back(file, half).unwrap_or(false));
        self.is_unclosed |= begun_before || !taken_back;
        self.lose(&bytes[whole..]);
    }

    fn lose(&mut self, bytes: &[u8]) {
        let Some(last) = bytes.last() else { return };
        self.self_metrics.tee_lost_bytes.inc_by(bytes.len() as u64);
        if let Some(outage) = &mut self.outage {
            outage.lost += bytes.len() as u64;
        }
        self.line = Line::after(*last, Line::Dropping);
    }

    /// Logs that an outage is over.
    fn recover(&mut self) {
        if let Some(Outage { lost, .. }) = self.outage.take() {
            let name = self.name();
            log_info(format_args!("{name} is written again; {lost} bytes were counted but not written"));
        }
    }

    fn name(&self) -> String {
        if self.is_stdout() { "stdout".to_owned() } else { self.options.path.display().to_string() }
    }

    /// Turns to the file that has the path now, if it is another than the one we hold.
    fn look(&mut self, now: Instant) {
        self.looked = Some(now);
        let held = self.file().and_then(|file| file.metadata().ok());
        let there = std::fs::metadata(&self.options.path).ok();
        if held.is_some() && there.as_ref().map(identity) == held.as_ref().map(identity) {
            return;
        }
        let result = self.turn_to_path(held.as_ref());
        self.tell(result, "open");
    }

    fn turn_to_path(&mut self, like: Option<&Metadata>) -> io::Result<()> {
        let file = open(&self.options.path, like)?;
        self.sink = Sink::Path(Some(file));
        self.is_asked = false;
        self.ask_for_half_a_line();
        // What was full may have room now.
        if let Some(outage) = &mut self.outage {
            outage.retry = self.looked.unwrap_or(outage.retry);
        }
        Ok(())
    }

    /// Says once that reopening or rotating does not work; meanwhile the file we hold is written.
    fn tell(&mut self, result: io::Result<()>, verb: &str) {
        match result {
            Ok(()) => self.is_reported = false,
            Err(error) if !self.is_reported => {
                self.is_reported = true;
                // An error of `open` names the path itself.
                let what = if verb == "open" {
                    String::new()
                } else {
                    format!("unable to {verb} {}: ", self.options.path.display())
                };
                log_warning(format_args!(
                    "{what}{error}; the old file is written on, and this is tried again every second"
                ));
            }
            Err(_) => {}
        }
    }
}

fn identity(meta: &Metadata) -> (u64, u64) {
    (meta.dev(), meta.ino())
}

/// Opens a file to append to. A new one gets the permissions of the one it stands in for.
fn open(path: &Path, like: Option<&Metadata>) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.mode(like.map_or(TEE_MODE, |meta| meta.mode() & 0o777));
    // Without effect on a file. A fifo without a reader is not waited for, nor one whose reader does not read: this
    // open file description is nobody's but ours.
    let flags = O_NONBLOCK | privileges::no_link_for_root(path);
    options.append(true).create(true).custom_flags(flags).open(path).map_err(|error| {
        let error = privileges::name_link(path, error);
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty() && !parent.is_dir());
        let why = match parent {
            Some(parent) => format!("there is no directory {}", parent.display()),
            None if error.raw_os_error() == Some(ENXIO) => {
                "it is a pipe or socket that nobody reads".to_owned()
            }
            None => error.to_string(),
        };
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
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags(O_NONBLOCK | privileges::no_link_for_root(path))
        .open(path);
    let identity_of = |file: &File| file.metadata().map(|meta| identity(&meta)).ok();
    // Another generation may have renamed it meanwhile, and the name is that of a new file.
    let Some(reader) = opened.ok().filter(|reader| identity_of(reader) == identity_of(file)) else {
        return false;
    };
    loop {
        let mut last = [b'\n'];
        if reader.read_exact_at(&mut last, before - 1).is_err() || last == *b"\n" {
            return false;
        }
        // A write of another generation shows its parts as they are copied, a page each. This is not done per line,
        // it happens at opening, so a moment is cheap.
        wait_for_writes(file);
        std::thread::sleep(Duration::from_millis(2));
        match size() {
            after if after == before => return true,
            0 => return false,
            after => before = after,
        }
    }
}

/// Waits for the end of a write that is under way, however long its process is without a processor. A process that sets
/// the times of a file waits for the one that has its inode locked, as a write has (Linux, `vfs_utimes`), also where it
/// may not set them; and it is the time of the last reading, which this is. Network file systems may lock nothing.
fn wait_for_writes(file: &File) {
    let _ = file.set_times(FileTimes::new().set_accessed(SystemTime::now()));
}

/// Cuts off the last bytes we have written, unless another process has written behind them.
fn take_back(mut file: &File, bytes: usize) -> io::Result<bool> {
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
