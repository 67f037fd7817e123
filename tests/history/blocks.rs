//! `--history.format blocks`: what Prometheus reads of them is what promtool would have made of the text.

use super::{BEGIN, FORMAT, Line, history, lines, text};
use crate::harness::{BINARY, Ended, TempDir, run};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const BLOCKS: [&str; 2] = ["--history.format", "blocks"];

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("a directory");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name")).collect();
    names.sort();
    names
}

/// A directory of data, and what the script of a history said that moved its blocks there.
fn import(history: &Path, data: &Path) -> Ended {
    fs::create_dir_all(data).expect("a directory of ours");
    let output = Command::new("sh").arg(history.join("import.sh")).arg(data).output().expect("a shell");
    let [stdout, stderr] =
        [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
    Ended { status: output.status, stdout, stderr }
}

#[test]
fn blocks_are_moved_whole_and_once() {
    let directory = TempDir::new();
    let lines = lines(BEGIN);
    let shown = directory.join("history");
    let ended = history(directory.path(), &lines, &BLOCKS);
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    assert!(ended.stdout.contains("in 8 windows of two hours, "), "{}", ended.stdout);
    assert!(ended.stdout.contains(" of blocks\n"), "{}", ended.stdout);
    assert_eq!(names(&shown), ["blocks", "import.sh"]);
    let blocks = names(&shown.join("blocks"));
    assert_eq!(blocks.len(), 8);
    for block in &blocks {
        assert_eq!(names(&shown.join("blocks").join(block)), ["chunks", "index", "meta.json", "tombstones"]);
    }
    // Another history does not mix with this one.
    for more in [&BLOCKS[..], &[]] {
        let again = history(directory.path(), &lines, more);
        assert_eq!(again.status.code(), Some(2));
        assert!(again.stderr.contains("of another history"), "{}", again.stderr);
    }
    let data = directory.join("data");
    let moved = import(&shown, &data);
    assert!(moved.status.success(), "{}", moved.stderr);
    assert_eq!((names(&data), names(&shown)), (blocks.clone(), vec!["import.sh".to_owned()]));
    let again = import(&shown, &data);
    assert_eq!(again.status.code(), Some(1));
    assert!(again.stderr.contains("they have been moved already"), "{}", again.stderr);
    // The same lines give the same blocks, which take no room twice.
    let other = TempDir::new();
    assert_eq!(history(other.path(), &lines, &BLOCKS).status.code(), Some(0));
    assert_eq!(names(&other.join("history/blocks")), blocks);
    let again = import(&other.join("history"), &data);
    assert_eq!(again.status.code(), Some(1));
    assert!(again.stderr.contains("is there already"), "{}", again.stderr);
    assert_eq!((names(&data), names(&other.join("history/blocks"))), (blocks.clone(), blocks));
}

/// What a full disk does, too: an error of writing in the middle of it.
#[test]
fn what_cannot_be_written_leaves_nothing() {
    let lines = lines(BEGIN);
    for more in [&BLOCKS[..], &[]] {
        let directory = TempDir::new();
        let log = directory.write("access.log", text(&lines));
        let [output, state] = ["history", "state"].map(|name| directory.join(name));
        // No file may be longer than so many blocks of 512 bytes, which the index and the text are.
        let limited = "ulimit -f 4; exec \"$@\"";
        let ended = Command::new("sh")
            .args(["-c", limited, "sh", BINARY, "--format", FORMAT, "--history"])
            .arg(&output)
            .arg("--state-dir")
            .arg(&state)
            .args(more)
            .arg(&log)
            .output()
            .expect("a shell");
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(1), "{said}");
        assert!(said.contains("unable to write the history to "), "{said}");
        assert_eq!(names(&output), [] as [&str; 0]);
        assert!(!state.exists(), "nothing to go on from");
    }
}

/// Every sample in a directory of data, in the order of the text.
fn dump(data: &Path) -> Vec<String> {
    // Prometheus has one, and promtool looks for it.
    fs::create_dir_all(data.join("wal")).expect("a directory of ours");
    let output = Command::new("promtool").args(["tsdb", "dump"]).arg(data).output().expect("promtool");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

/// Lines of which the samples are of every kind: escaped labels, routes, a quiet night, weeks without anything, and a
/// last window that has one sample.
fn odd_log() -> String {
    let mut all = lines(BEGIN);
    all.extend(lines(BEGIN + 40 * 86_400));
    let last = all.last().expect("there are lines").second;
    all.push(Line { second: last.next_multiple_of(7200) - 1, ..all[0] });
    let agents = ["curl/8.5.0", "a \\\"quoted\\\" one", "back\\\\slash", "b\u{fc}cher"];
    let paths = ["/page", "/user/17", "/user/18?x=1"];
    let text = text(&all);
    let lines = text.lines().enumerate().map(|(number, line)| {
        let line = line.replace("curl/8.5.0", agents[number / 7 % agents.len()]);
        line.replace("/page", paths[number % paths.len()])
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
#[ignore = "needs promtool"]
fn promtool_has_the_same_samples_of_text_and_of_blocks() {
    let directory = TempDir::new();
    let log = directory.write("access.log", odd_log()).display().to_string();
    let options = ["--label", "agent=%{User-Agent}i", "--route", "/user/*", "--slo", "fast=duration<0.3"];
    for (name, more) in [
        ("labels", &options[..]),
        ("native", &["--histograms", "native", "--history.job", "a \"job\"", "--quantiles", "0.9"]),
        ("seconds", &["--history.step", "19", "--duration-buckets", "0.001,0.5,1", "--size-buckets", "1000"]),
    ] {
        let both: Vec<PathBuf> = ["openmetrics", "blocks"]
            .map(|format| {
                let [output, data] =
                    ["history", "data"].map(|what| directory.join(&format!("{name}-{format}-{what}")));
                let shown = output.display().to_string();
                let args = ["--format", FORMAT, "--history", &shown, "--history.format", format];
                let ended = run(&[&args[..], more, &[&log]].concat(), b"");
                assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
                let moved = import(&output, &data);
                assert!(moved.status.success(), "{}", moved.stderr);
                data
            })
            .into();
        let [by_promtool, ours] = [&both[0], &both[1]].map(|data| dump(data));
        assert!(by_promtool.len() > 50_000, "{name}: {}", by_promtool.len());
        assert!(by_promtool == ours, "{name}: {:?}", first_difference(&by_promtool, &ours));
        let list = Command::new("promtool").args(["tsdb", "list"]).arg(&both[1]).output().expect("promtool");
        assert!(list.status.success(), "{}", String::from_utf8_lossy(&list.stderr));
        let analysed =
            Command::new("promtool").args(["tsdb", "analyze"]).arg(&both[1]).output().expect("promtool");
        assert!(analysed.status.success(), "{}", String::from_utf8_lossy(&analysed.stderr));
        // As many samples, series and blocks, and the same times.
        assert_eq!(stats(&both[0]), stats(&both[1]), "{name}");
    }
}

fn first_difference<'l>(one: &'l [String], other: &'l [String]) -> Option<(&'l String, &'l String)> {
    one.iter().zip(other).find(|(one, other)| one != other)
}

/// What each block says of itself, by its first time.
fn stats(data: &Path) -> BTreeMap<u64, [u64; 3]> {
    let metas =
        names(data).into_iter().filter_map(|name| fs::read_to_string(data.join(name).join("meta.json")).ok());
    let stats = metas.map(|meta| {
        let meta: serde_json::Value = serde_json::from_str(&meta).expect("JSON");
        let number = |value: &serde_json::Value| value.as_u64().expect("a number");
        let of = &meta["stats"];
        (number(&meta["minTime"]), [&meta["maxTime"], &of["numSamples"], &of["numSeries"]].map(number))
    });
    stats.collect()
}
