//! Instructions per line, counted by valgrind, which any load of the machine leaves as they are.
//!
//! The difference between two runs over logs of different lengths is divided by the difference of the lengths, so that
//! the start does not count; and only functions of our own program are counted, for those of the C library are chosen
//! by the processor. Searching bytes takes AVX2 where there is that; valgrind shows that to the program on every
//! machine that has it. Another compiler gives other counts, mostly by less than what is tolerated here: a new compiler
//! that makes the program slower is a matter to look into as well.

use crate::logs::FORMATS;
use crate::{PROGRAM, log};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::process::{Command, ExitCode, Stdio};

/// Formats by their numbers, with the instructions that a line takes, compiled by rustc 1.95.0. Version 0.1.0 took
/// 1130, 1662 and 2311, without native histograms, which take 20, 47 and 92 for one, two and four values.
const ACCEPTED: [(usize, u64); 3] = [(0, 1134), (1, 1662), (3, 2334)];

/// What a line may take more than that, in percent.
const TOLERANCE_PERCENT: u64 = 3;

/// What the program may be with all that it has, as it is released.
const PROGRAM_BYTES_MAX: u64 = 5_000_000;

const SHORT_LINES: u64 = 5_000;
const LONG_LINES: u64 = 25_000;

pub fn compare() -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    for (number, accepted) in ACCEPTED {
        let name = FORMATS[number].name;
        let count = per_line(number, &[], (SHORT_LINES, LONG_LINES));
        println!("{name}: {count} instructions a line, {accepted} accepted");
        if count * 100 > accepted * (100 + TOLERANCE_PERCENT) {
            println!("  more than {TOLERANCE_PERCENT} % above");
            code = ExitCode::FAILURE;
        }
    }
    // What makes lines cheaper makes the program larger, so one is not to be had without a look at the other.
    let size = fs::metadata(PROGRAM).map_or(u64::MAX, |meta| meta.len());
    println!("the program: {size} bytes, {PROGRAM_BYTES_MAX} at most");
    if size > PROGRAM_BYTES_MAX {
        code = ExitCode::FAILURE;
    }
    code
}

/// With these options, by logs of two lengths.
pub fn per_line(number: usize, options: &[&str], (short, long): (u64, u64)) -> u64 {
    (counted(number, options, long) - counted(number, options, short)) / (long - short)
}

/// All instructions of one run in our own program.
fn counted(number: usize, options: &[&str], lines: u64) -> u64 {
    let path = log(number, lines, 1);
    let out = path.with_extension("callgrind");
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--quiet"]).arg(format!("--callgrind-out-file={}", out.display()));
    valgrind.args([PROGRAM, "--once", "--format", FORMATS[number].spec]).args(options);
    valgrind
        .stdin(File::open(path).expect("the log was written"))
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let status = valgrind.status().expect("valgrind is installed");
    assert!(status.success(), "valgrind: {status}");
    in_program(&fs::read_to_string(out).expect("valgrind has written it"))
}

/// Adds up the costs in objects of callgrind's output that are our program (Callgrind Format Specification).
fn in_program(text: &str) -> u64 {
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    let (mut ours, mut call, mut sum) = (false, false, 0);
    for line in text.lines() {
        if let Some(object) = line.strip_prefix("ob=").or_else(|| line.strip_prefix("cob=")) {
            // `(3) /path` gives a name its number, `(3)` alone refers to it.
            let (number, name) = object.split_once(' ').unwrap_or((object, ""));
            if !name.is_empty() {
                names.insert(number, name);
            }
            if line.starts_with("ob=") {
                ours = names.get(number) == Some(&PROGRAM);
            }
        } else if line.starts_with("calls=") {
            // The line that follows has the cost of the called.
            call = true;
        } else if line.starts_with(['+', '-', '*']) || line.starts_with(|c: char| c.is_ascii_digit()) {
            let cost = line.split(' ').nth(1).and_then(|text| text.parse::<u64>().ok());
            if ours && !std::mem::take(&mut call) {
                sum += cost.unwrap_or(0);
            }
            call = false;
        }
    }
    sum
}
