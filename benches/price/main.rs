//! What the program costs, as one table: `cargo bench`. It makes its own logs and compares with `wc -l`, and with
//! mtail, goaccess and a few lines of Python where those are installed.
//!
//! Every ratio is the median of ratios of pairs of runs in turn, so that it means something on a busy machine too.
//!
//! ```text
//! cargo bench                   the table
//! cargo bench -- instructions   instructions per line, against those of version 0.1.0, and the size of the program;
//!                               needs valgrind
//! cargo bench -- labels         what routes, maps and kinds of clients add to a line
//! cargo bench -- reports        a report and a history beside a report of goaccess
//! ```

mod instructions;
mod logs;
mod measure;
mod served;

use logs::{FORMATS, SITE};
use measure::{Cost, Input, installed, line_of, median, ratio, run};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

const PROGRAM: &str = env!("CARGO_BIN_EXE_httpd_exporter");

/// Lines of a log that is timed, and of one that peers a hundred times as slow read to the end.
const LINES: u64 = 2_000_000;
const FEW_LINES: u64 = 100_000;

/// Lines of a log of which a report is made.
const REPORTED_LINES: u64 = 300_000;

/// A log whose times are taken off those of a longer one, so that the difference is that of a line: routes are learned
/// within its first 8 MiB, before lines are counted. Two of which the same is done with instructions.
const BEGUN_LINES: u64 = 200_000;
const LABELLED_LINES: (u64, u64) = (60_000, 120_000);

/// Pairs of runs behind each ratio.
const PAIRS: usize = 7;

/// Runs of which the least is taken: where neighbours want the same processor, so many that each kind had a calm moment.
const LABELLED_RUNS: usize = 25;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] => table(),
        ["labels"] => worked_out_labels(),
        ["instructions"] => return instructions::compare(),
        ["reports"] => reports(),
        ["memory-of", command @ ..] => {
            run(command, Input::File(Path::new("/dev/null")));
            println!("{}", measure::peak_memory());
        }
        _ => {
            eprintln!("no such measurement: {}", words.join(" "));
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

/// The log of a format, written now if it is not there.
pub fn log(number: usize, lines: u64, vhosts: usize) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("price-{number}-{lines}-{vhosts}.log"));
    logs::write(&path, &FORMATS[number], lines, vhosts).expect("there is room for a log");
    path
}

fn row(what: &str, figure: &str, bound: &str) {
    println!("| {what} | {figure} | {bound} |");
}

fn table() {
    let processor = line_of("/proc/cpuinfo", "model name");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default();
    println!("{cores} cores of {processor}, load {load} before; medians of {PAIRS} pairs of runs\n");
    println!("| what | measured | wanted |\n| --- | --- | --- |");
    // First, for the most memory of any child so far is all that the system remembers.
    memory();
    pipes();
    options();
    worked_out_labels();
    one_core();
    peers();
    reports();
    served::trickle();
    served::scrapes();
    served::throughput();
    start();
}

fn memory() {
    let path = log(0, LINES, 1);
    let once = [PROGRAM, "--once", "--format", "combined"];
    run(&once, Input::Pipe(&path, 1));
    let first = measure::peak_memory();
    run(&once, Input::Pipe(&path, 5));
    let last = measure::peak_memory();
    let mebibytes = |bytes: i64| format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20));
    let figure = format!("{} (after {LINES} lines: {})", mebibytes(last), mebibytes(first));
    row("most resident memory in 10,000,000 lines", &figure, "12 MiB");
    let path = log(1, 300_000, 134);
    let kinds = ["classic", "both"].map(|kind| {
        let once = [PROGRAM, "--once", "--format", FORMATS[1].spec, "--histograms", kind];
        run(&once, Input::Pipe(&path, 1));
        measure::peak_memory()
    });
    let figure = format!("{} (without native ones: {})", mebibytes(kinds[1]), mebibytes(kinds[0]));
    row("the same with 1,000 histograms of durations and of sizes", &figure, "32 MiB");
}

/// Through a pipe, against counting the same bytes' newlines.
fn pipes() {
    for (number, (format, wanted)) in FORMATS.iter().zip(["1.25", "1.5", "1.6", "2.5"]).enumerate() {
        let path = log(number, LINES / if number < 2 { 1 } else { 2 }, 1);
        let once = [PROGRAM, "--once", "--format", format.spec];
        let pipe = Input::Pipe(&path, 1);
        let pairs: Vec<(Cost, Cost)> =
            (0..PAIRS).map(|_| (run(&once, pipe), run(&["wc", "-l"], pipe))).collect();
        let times = |part: fn(&Cost) -> Duration| {
            median(pairs.iter().map(|(ours, wc)| part(ours).as_secs_f64() / part(wc).as_secs_f64()).collect())
        };
        // Where other work takes the cores, the second says more than the first.
        let figure = format!("{:.2} (processor time of all: {:.2})", times(|c| c.wall), times(Cost::cpu));
        row(&format!("`cat LOG`, {}: times `wc -l`", format.name), &figure, wanted);
    }
}

/// What one option adds to the same run without it.
fn options() {
    let path = log(0, LINES, 1);
    let plain = [PROGRAM, "--once", "--format", "combined"];
    let routes: Vec<String> = (0..50).map(|n| format!("--route=/part-{n}/:name/*")).collect();
    let routes: Vec<&str> = routes.iter().map(String::as_str).collect();
    let sets: [(&str, &[&str]); 3] = [
        ("one `--label`", &["--label=user=%u"]),
        ("fifty `--route`", &routes),
        ("one `--exclude`", &["--exclude=%h=192.0.2.*"]),
    ];
    for (name, options) in sets {
        let command: Vec<&str> = plain.iter().chain(options).copied().collect();
        let pipe = Input::Pipe(&path, 1);
        let figure = ratio(PAIRS, || run(&command, pipe).wall, || run(&plain, pipe).wall);
        row(&format!("{name}: times the run without"), &format!("{figure:.2}"), "1.3");
    }
}

/// What a label that is worked out adds to a line: routes that are learned, maps of patterns, kinds of clients.
fn worked_out_labels() {
    let (path, begun) = (log(SITE, LINES, 1), log(SITE, BEGUN_LINES, 1));
    let plain = [PROGRAM, "--once", "--format", "combined"];
    let maps: Vec<String> =
        (0..200).map(|n| format!("--label-map=agent=*Browser/{n}.*=old{}", n % 20)).collect();
    let maps = maps.iter().map(String::as_str).chain(["--label-map=agent=*=other"]);
    let maps: Vec<&str> = ["--label=agent=%{User-Agent}i", "--label-map=agent=i:*chrome*=chrome"]
        .into_iter()
        .chain(maps)
        .collect();
    let sets: [(&str, &[&str], &str); 3] = [
        ("`--route auto`", &["--route=auto"], "60 ns"),
        ("`--label-map` with 200 patterns", &maps, "80 ns"),
        ("`--label client=client`", &["--label=client=client"], "60 ns"),
    ];
    let instructions = |options: &[&str]| instructions::per_line(SITE, options, LABELLED_LINES);
    let without = installed("valgrind").then(|| instructions(&[]));
    for (name, options, wanted) in sets {
        let command: Vec<&str> = plain.iter().chain(options).copied().collect();
        // The least of each, for whatever else the machine does is added to them.
        let mut least = [[f64::MAX; 2]; 2];
        for _ in 0..LABELLED_RUNS {
            for (command, least) in [&plain[..], &command].into_iter().zip(&mut least) {
                for (path, least) in [&begun, &path].into_iter().zip(least) {
                    *least = run(command, Input::File(path)).cpu().as_secs_f64().min(*least);
                }
            }
        }
        let [plain, labelled] = least.map(|[begun, all]| (all - begun) / (LINES - BEGUN_LINES) as f64 * 1e9);
        let more = labelled - plain;
        let counted = without.map(|without| format!(", {} instructions", instructions(options) - without));
        row(
            &format!("{name}: more for each line"),
            &format!("{more:.0} ns{}", counted.unwrap_or_default()),
            wanted,
        );
    }
}

/// From a file, where all that the process does is its own: as if it had one core.
fn one_core() {
    let path = log(0, LINES, 1);
    let once = [PROGRAM, "--once", "--format", "combined"];
    let runs: Vec<Cost> = (0..PAIRS).map(|_| run(&once, Input::File(&path))).collect();
    let of = |part: fn(&Cost) -> Duration| median(runs.iter().map(|cost| part(cost).as_secs_f64()).collect());
    let per_line = |seconds: f64| seconds * 1e9 / LINES as f64;
    let speed = format!("{:.1} million", 1e3 / per_line(of(Cost::cpu)));
    row(
        "combined lines in a second of processor time, `< LOG`",
        &speed,
        "5 million where `wc -l` reads 1.3 GB/s",
    );
    let bytes = fs::metadata(&path).map_or(0, |meta| meta.len()) as f64;
    let count = (0..PAIRS).map(|_| run(&["wc", "-l"], Input::File(&path)).cpu().as_secs_f64()).collect();
    row("`wc -l < LOG`", &format!("{:.1} GB/s", bytes / 1e9 / median(count)), "");
    let times =
        format!("{:.0} ns user, {:.0} ns system", per_line(of(|c| c.user)), per_line(of(|c| c.system)));
    row("of each line", &times, "");
}

/// The same few lines read by others, each compared with the time that we take for them.
fn peers() {
    let path = log(0, FEW_LINES, 1);
    let text = path.display().to_string();
    let here = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/price");
    let (program, regex, client) =
        (format!("{here}/combined.mtail"), format!("{here}/regex.py"), format!("{here}/client.py"));
    let report = format!("{text}.json");
    let python = python_with_client().unwrap_or("python3");
    let peers: [(&str, &[&str], &str); 4] = [
        ("mtail", &["mtail", "--one_shot", "--progs", &program, "--logs", &text], "150"),
        ("goaccess", &["goaccess", "--log-format=COMBINED", "--no-progress", "-o", &report, "-"], ""),
        ("Python with its Prometheus client", &[python, &client], "50"),
        ("Python's regular expression alone", &[python, &regex], ""),
    ];
    for (name, command, wanted) in peers {
        if !installed(command[0]) || name.contains("client") && python_with_client().is_none() {
            continue;
        }
        let once = [PROGRAM, "--once", "--format", "combined"];
        let ours = median(
            (0..PAIRS).map(|_| run(&once, Input::File(&log(0, LINES, 1))).wall.as_secs_f64()).collect(),
        );
        let theirs = median((0..3).map(|_| run(command, Input::File(&path)).wall.as_secs_f64()).collect());
        let figure = (theirs / FEW_LINES as f64) / (ours / LINES as f64);
        row(&format!("times as fast as {name}"), &format!("{figure:.0}"), wanted);
    }
}

/// A report and a history, beside what goaccess takes for a report of the same file.
fn reports() {
    let path = log(SITE, REPORTED_LINES, 1);
    let text = path.display().to_string();
    let page = format!("{text}.html");
    let directory = format!("{text}.history");
    let history = [PROGRAM, "--history", &directory, "--format", "combined", &text];
    let as_blocks = [&history[..], &["--history.format", "blocks"]].concat();
    let commands: [(&str, &[&str]); 4] = [
        ("`--report`", &[PROGRAM, "--report", "--format", "combined", &text]),
        ("`--history`", &history),
        ("`--history --history.format blocks`", &as_blocks),
        ("goaccess", &["goaccess", "--log-format=COMBINED", "--no-progress", "-o", &page, &text]),
    ];
    for (name, command) in commands {
        if name == "goaccess" && !installed(name) {
            continue;
        }
        let made = || {
            let _ = fs::remove_dir_all(&directory);
        };
        made();
        let memory = measure::memory_of(command) as f64 / f64::from(1 << 20);
        let run = || {
            made();
            run(command, Input::File(Path::new("/dev/null"))).cpu().as_secs_f64()
        };
        let seconds = median((0..3).map(|_| run()).collect());
        row(&format!("{name} of {REPORTED_LINES} lines"), &format!("{seconds:.2} s, {memory:.0} MiB"), "");
    }
}

/// The interpreter that has the package; Debian's own need not be the first in PATH.
fn python_with_client() -> Option<&'static str> {
    let has = |python: &&str| {
        let import =
            Command::new(python).args(["-c", "import prometheus_client"]).stderr(Stdio::null()).status();
        import.is_ok_and(|status| status.success())
    };
    ["python3", "/usr/bin/python3"].into_iter().find(has)
}

fn start() {
    let path = log(0, 1, 1);
    let once = [PROGRAM, "--once", "--format", "combined"];
    let runs = (0..20).map(|_| run(&once, Input::File(&path)).wall.as_secs_f64() * 1e3).collect();
    row(
        "from its start to the page of one line",
        &format!("{:.1} ms", median(runs)),
        "5 ms to the first byte read",
    );
    let size = fs::metadata(PROGRAM).map_or(0, |meta| meta.len());
    row("the program", &format!("{:.2} MB", size as f64 / 1e6), "5 MB");
}
