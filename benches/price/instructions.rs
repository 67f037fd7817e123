//! Instructions per line, counted by valgrind, which any load of the machine leaves as they are.
//!
//! The difference between two runs over logs of different lengths is divided by the difference of the lengths, so that
//! the start does not count; and only functions of our own program are counted, for those of the C library are chosen
//! by the processor. Searching bytes takes AVX2 where there is that; valgrind shows that to the program on every
//! machine that has it. Other compilers give other counts: the file names the one it was written with, and the count
//! is compared with that one only.

use crate::logs::FORMATS;
use crate::{PROGRAM, log};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::process::{Command, ExitCode, Stdio};

const BOOK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/instructions.txt");

const SHORT: u64 = 5_000;
const LONG: u64 = 25_000;

/// A rise by more than this, in percent, has to be accepted by writing the file anew.
const TOLERANCE: u64 = 5;

/// The formats whose counts are kept, by their numbers.
const KEPT: [usize; 3] = [0, 1, 3];

pub fn compare() -> ExitCode {
    let book = fs::read_to_string(BOOK).unwrap_or_default();
    let known: BTreeMap<&str, &str> = book.lines().filter_map(|line| line.split_once(": ")).collect();
    let compiler = compiler();
    if known.get("compiler").is_some_and(|named| *named != compiler) {
        println!(
            "instructions were counted with another compiler than {compiler}; there is nothing to compare with"
        );
        return ExitCode::SUCCESS;
    }
    let mut code = ExitCode::SUCCESS;
    for number in KEPT {
        let (name, count) = (FORMATS[number].name, per_line(number));
        let before: u64 = known.get(name).and_then(|text| text.parse().ok()).unwrap_or(0);
        println!("{name}: {count} instructions a line, {before} in benches/instructions.txt");
        if count * 100 > before * (100 + TOLERANCE) {
            println!(
                "  more than {TOLERANCE} % above; if that is worth it: cargo bench -- instructions --accept"
            );
            code = ExitCode::FAILURE;
        }
    }
    code
}

pub fn accept() -> ExitCode {
    let mut book = String::from(
        "Instructions per line of log, in our own code: written by `cargo bench -- instructions --accept`.\n",
    );
    let _ = writeln!(book, "compiler: {}", compiler());
    for number in KEPT {
        let _ = writeln!(book, "{}: {}", FORMATS[number].name, per_line(number));
    }
    print!("{book}");
    match fs::write(BOOK, book) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("{BOOK}: {e}");
            ExitCode::FAILURE
        }
    }
}

fn per_line(number: usize) -> u64 {
    (counted(number, LONG) - counted(number, SHORT)) / (LONG - SHORT)
}

/// All instructions of one run in our own program.
fn counted(number: usize, lines: u64) -> u64 {
    let path = log(number, lines, 1);
    let out = path.with_extension("callgrind");
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--quiet"]).arg(format!("--callgrind-out-file={}", out.display()));
    valgrind.args([PROGRAM, "--once", "--format", FORMATS[number].spec]);
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

fn compiler() -> String {
    let version = Command::new("rustc").arg("--version").output();
    version.map_or(String::new(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
