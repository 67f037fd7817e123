//! Runs whole processes and takes their time and memory from outside.

use nix::sys::resource::{UsageWho, getrusage};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What the processes of one run cost together.
#[derive(Clone, Copy, Default)]
pub struct Cost {
    pub wall: Duration,
    pub user: Duration,
    pub system: Duration,
}

impl Cost {
    pub fn cpu(&self) -> Duration {
        self.user + self.system
    }
}

/// Where a command's input comes from.
#[derive(Clone, Copy)]
pub enum Input<'a> {
    /// `cat FILE |`, so many times the same file.
    Pipe(&'a Path, usize),
    /// `< FILE`
    File(&'a Path),
}

/// Runs a command to its end.
pub fn run(command: &[&str], input: Input<'_>) -> Cost {
    costs(|| match input {
        Input::File(path) => {
            let file = File::open(path).expect("the log was written");
            wait(spawn(command, file.into()));
        }
        Input::Pipe(path, times) => {
            let mut cat = Command::new("cat");
            cat.args(std::iter::repeat_n(path, times)).stdout(Stdio::piped());
            let mut cat = cat.spawn().expect("cat can be started");
            let pipe = cat.stdout.take().expect("it is piped");
            wait(spawn(command, pipe.into()));
            wait(cat);
        }
    })
}

/// What the child processes that `work` starts and waits for cost.
pub fn costs(work: impl FnOnce()) -> Cost {
    let (before, since) = (children(), Instant::now());
    work();
    let (after, wall) = (children(), since.elapsed());
    Cost { wall, user: after.0 - before.0, system: after.1 - before.1 }
}

fn children() -> (Duration, Duration) {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("it cannot fail");
    let duration = |time: nix::sys::time::TimeVal| {
        Duration::from_micros(u64::try_from(time.tv_sec() * 1_000_000 + time.tv_usec()).unwrap_or(0))
    };
    (duration(usage.user_time()), duration(usage.system_time()))
}

/// The most memory that any child waited for so far has had, in bytes.
pub fn peak_memory() -> i64 {
    getrusage(UsageWho::RUSAGE_CHILDREN).expect("it cannot fail").max_rss() * 1024
}

/// The most memory that a command has, in bytes. A process of its own starts it, since the system remembers the most of
/// all children.
pub fn memory_of(command: &[&str]) -> u64 {
    let mut this = Command::new(std::env::current_exe().expect("it runs"));
    let output =
        this.arg("memory-of").args(command).stderr(Stdio::inherit()).output().expect("it can be started");
    String::from_utf8_lossy(&output.stdout).trim().parse().expect("a number of bytes")
}

pub fn spawn(command: &[&str], input: Stdio) -> Child {
    let mut child = Command::new(command[0]);
    child.args(&command[1..]).stdin(input).stdout(Stdio::null()).stderr(Stdio::null());
    child.spawn().unwrap_or_else(|e| panic!("{}: {e}", command[0]))
}

pub fn wait(mut child: Child) {
    let status = child.wait().expect("it was started");
    assert!(status.success(), "{child:?}: {status}");
}

/// The median of the ratios of pairs of runs, taken in turn: pairs share the moods of the machine.
pub fn ratio(pairs: usize, ours: impl Fn() -> Duration, theirs: impl Fn() -> Duration) -> f64 {
    median((0..pairs).map(|_| ours().as_secs_f64() / theirs().as_secs_f64()).collect())
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Whether a command is there to be compared with.
pub fn installed(command: &str) -> bool {
    // A path stays what it is when it is joined to another.
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths).any(|folder| folder.join(command).is_file())
}

/// The first line of a file of /proc that begins so.
pub fn line_of(path: &str, beginning: &str) -> String {
    let mut text = String::new();
    let _ = File::open(path).and_then(|mut file| file.read_to_string(&mut text));
    let line = text.lines().find(|line| line.starts_with(beginning)).unwrap_or_default();
    line.split_once(':').map_or(String::new(), |(_, value)| value.trim().to_owned())
}
