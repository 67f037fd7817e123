//! What the documents tell an operator to type works: the first command of the README serves its sample log, and every
//! command line shown anywhere has options that the program takes.

use crate::golden::split_words;
use crate::harness::{BINARY, Process, TempDir, free_port, run, scrape, wait_for};
use std::fs;
use std::path::Path;
use std::process::Command;

fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// What stands in README.md between fences of a language, block by block.
pub fn blocks_of(language: &str) -> Vec<String> {
    let readme = read("README.md");
    let fence = format!("```{language}\n");
    let blocks = readme.split(&fence).skip(1);
    blocks.map(|block| block.split("```").next().unwrap_or("").to_owned()).collect()
}

/// The lines of all of them.
fn code_of(language: &str) -> Vec<String> {
    blocks_of(language).iter().flat_map(|block| block.lines()).map(str::to_owned).collect()
}

/// A pipeline of the README into the program, which cargo has built already: the exporter, its address, its feeder.
fn run_pipeline(pipeline: &str) -> (Process, String, Process) {
    let (feeder, exporter) = pipeline.split_once(" | ").expect("a pipeline");
    let feeder = split_words(feeder);
    let arguments = exporter
        .strip_prefix("cargo run --no-default-features -- ")
        .expect("the README runs the program with cargo");
    let address = format!("127.0.0.1:{}", free_port());
    let mut command = Command::new(BINARY);
    command.args(split_words(arguments)).args(["--web.listen-address", &address]);
    let mut exporter = Process::start(&mut command);
    let mut command = Command::new(&feeder[0]);
    command.args(&feeder[1..]).current_dir(env!("CARGO_MANIFEST_DIR"));
    let feeder = Process::start_into(&mut command, &mut exporter);
    (exporter, address, feeder)
}

#[test]
fn the_first_command_serves_the_sample_log() {
    let first = code_of("sh").first().cloned().expect("the README has a command");
    let (exporter, address, _tail) = run_pipeline(&first);
    let lines = read("tests/data/access.log").lines().count() as f64;
    let page = wait_for("the sample log on the page", || {
        let page = scrape(&address)?;
        let counted = page.sum("httpd_requests_total");
        if counted == lines { Ok(page) } else { Err(format!("{counted} of {lines}")) }
    });
    assert_eq!(page.value("httpd_exporter_lines_total{outcome=\"malformed\"}"), Some(0.0));
    wait_for("the address", || {
        let said = exporter.stderr();
        if said.contains(&format!("http://{address}/metrics")) { Ok(()) } else { Err(said) }
    });
}

#[test]
fn the_second_command_makes_lines_flow_for_every_chart() {
    let second = code_of("sh").get(1).cloned().expect("the README has a second command");
    let (exporter, address, mut demo) = run_pipeline(&second);
    let more_than = |requests: f64| {
        wait_for("more lines on the page", || {
            let page = scrape(&address)?;
            if page.sum("httpd_requests_total") > requests { Ok(page) } else { Err(format!("{page:?}")) }
        })
    };
    let page = more_than(more_than(0.0).sum("httpd_requests_total"));
    assert_eq!(page.value("httpd_exporter_lines_total{outcome=\"malformed\"}"), Some(0.0));
    assert!(
        page.sum("httpd_request_duration_seconds_count") > 0.0 && page.sum("httpd_bytes_sent_total") > 0.0
    );
    assert!(page.series.keys().any(|series| series.contains("vhost=\"shop.example.org\"")), "{page:?}");
    wait_for("the route that is learned", || {
        let page = scrape(&address)?;
        let learned = |series: &String| series.contains("route=\"/users/:id/orders\"");
        if page.series.keys().any(learned) { Ok(()) } else { Err(format!("{page:?}")) }
    });
    drop(exporter);
    wait_for("the end of the demonstration", || if demo.has_ended() { Ok(()) } else { Err(demo.stderr()) });
}

/// The arguments of every command line of the program in a document.
fn shown_arguments(document: &str) -> Vec<Vec<String>> {
    let mut shown = Vec::new();
    for line in document.lines() {
        // A piped log of Apache is one quoted string, in which Apache undoes one level of backslashes.
        if let Some((_, piped)) = line.split_once("\"|/usr/local/bin/httpd_exporter ") {
            let end = piped
                .match_indices('"')
                .find(|(at, _)| !piped[..*at].ends_with('\\'))
                .map_or(piped.len(), |m| m.0);
            shown.push(split_words(&piped[..end].replace("\\\"", "\"")));
        } else if let Some((before, arguments)) = line.split_once("httpd_exporter ") {
            let is_command = before.is_empty() || before.ends_with("| ");
            if is_command && arguments.starts_with("--") {
                shown.push(split_words(arguments));
            }
        }
    }
    shown
}

#[test]
fn every_command_line_shown_is_one_that_the_program_takes() {
    let documents = [
        code_of("sh").join("\n"),
        code_of("apache").join("\n"),
        read("man/httpd_exporter.8"),
        run(&["--help"], b"").stdout,
    ];
    for document in documents {
        let shown = shown_arguments(&document.replace("\\-", "-"));
        assert!(!shown.is_empty(), "no command line in:\n{document}");
        for arguments in shown {
            // Files go to a place of the test's, and `--once` makes all of it compile without serving.
            let dir = TempDir::new();
            let own = |word: &String| word.replace("/var/", &format!("{}/", dir.path().display()));
            let arguments: Vec<String> = arguments.iter().map(own).collect();
            let mut words: Vec<&str> = arguments.iter().map(String::as_str).collect();
            // What is followed is there.
            for file in words.windows(2).filter(|pair| pair[0] == "--follow").map(|pair| Path::new(pair[1])) {
                fs::create_dir_all(file.parent().expect("a file of a directory")).unwrap();
                fs::write(file, "").unwrap();
            }
            if !words.contains(&"--explain") {
                words.push("--once");
            }
            let ended = run(&words, b"");
            assert_eq!(ended.status.code(), Some(0), "{words:?}: {}", ended.stderr);
        }
    }
}
