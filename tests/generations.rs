//! Generations of the program by hand, without a server: what they leave on disk, what signals do to them, and that a
//! death at any step of a save costs nothing that was saved.

use crate::harness::{BINARY, Exporter, Process, TempDir, free_port, run, scrape, wait_for, wait_until};
use nix::sys::signal::Signal;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const LINE: &str =
    "198.51.100.7 - - [03/Feb/2026:04:05:06 +0100] \"GET / HTTP/1.1\" 200 512 \"-\" \"curl/8.5.0\"\n";

fn arguments(state: &Path) -> Vec<String> {
    ["--format", "combined", "--state-dir", &state.display().to_string()].map(str::to_owned).to_vec()
}

fn started(state: &Path) -> Exporter {
    let arguments = arguments(state);
    Exporter::start(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Counts so many lines and ends.
fn live(state: &Path, lines: usize) {
    let mut exporter = started(state);
    exporter.process.feed(LINE.repeat(lines).as_bytes());
    exporter.process.close();
    assert_eq!(exporter.process.wait().status.code(), Some(0));
}

fn files(state: &Path) -> Vec<String> {
    let entries = fs::read_dir(state).expect("the directory is there").flatten();
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    // Room in reserve for a full disk.
    names.retain(|name| !name.starts_with('.'));
    names.sort();
    names
}

#[test]
fn two_hundred_dead_are_absorbed_at_once_and_the_damaged_stay() {
    let dir = TempDir::new();
    let state = dir.join("state");
    live(&state, 10);
    let [only] = &files(&state)[..] else { panic!("{:?}", files(&state)) };
    let whole = fs::read(state.join(only)).expect("readable");
    for number in 0..199 {
        // Some are cut short at one place or another, some are not ours at all.
        let content = match number % 20 {
            7 => &whole[..whole.len() * (number / 20) / 10],
            13 => b"[Unit]\nDescription=not ours\n".as_slice(),
            _ => &whole,
        };
        fs::write(state.join(format!("{}-{}", 1_700_000_000_000_u64 + number as u64, number + 2)), content)
            .expect("writable");
    }
    let sound = 200.0 - 20.0;
    for start in 0..2 {
        let since = Instant::now();
        let mut exporter = started(&state);
        let page = exporter.scrape();
        assert_eq!(page.sum("httpd_requests_total"), sound * 10.0, "start {start}");
        wait_until("one file to be left of the sound ones", || {
            files(&state).iter().filter(|name| !name.ends_with(".damaged")).count() == 1
        });
        println!("start {start}: served and absorbed after {} ms", since.elapsed().as_millis());
        exporter.process.close();
        let said = exporter.process.wait().stderr;
        assert_eq!(files(&state).iter().filter(|name| name.ends_with(".damaged")).count(), 20);
        // Each is said once, at the start that found it.
        assert_eq!(
            said.matches("cannot be used and is now").count(),
            if start == 0 { 20 } else { 0 },
            "{said}"
        );
    }
}

/// Only builds for tests have the steps.
#[test]
fn a_death_at_any_step_loses_and_doubles_nothing() {
    let dir = TempDir::new();
    let mut steps = 0;
    loop {
        let state = dir.join(&steps.to_string());
        live(&state, 3);
        live(&state, 4);
        let before = files(&state);
        let mut exporter = Process::start(
            Command::new(BINARY)
                .args(arguments(&state))
                .args(["--web.listen-address", &format!("127.0.0.1:{}", free_port())])
                .env("HTTPD_EXPORTER_CRASH_AT_STEP", (steps + 1).to_string()),
        );
        // It absorbs the seven, and then ends: with a save of nothing new, or at the step.
        wait_until("the absorption or the death", || {
            let is_absorbed =
                matches!(&files(&state)[..], [only] if !before.contains(only) && !only.ends_with(".new"));
            is_absorbed || exporter.has_ended()
        });
        exporter.close();
        let crashed = exporter.wait().status.code() == Some(99);
        let page = {
            let next = started(&state);
            next.scrape()
        };
        assert_eq!(page.sum("httpd_requests_total"), 7.0, "killed at step {}", steps + 1);
        if !crashed {
            break;
        }
        steps += 1;
    }
    println!("{steps} steps");
    assert!(steps >= 18, "there are more steps in a life than {steps}");
}

#[test]
fn signals_that_come_twice_do_no_harm_and_a_later_one_ends_it() {
    let dir = TempDir::new();
    let mut command = Command::new(BINARY);
    command.args(arguments(&dir.join("state"))).args(["--web.listen-address", "127.0.0.1:0"]);
    let mut exporter = Exporter::of(Process::start_under_server(&command, Stdio::null()));
    for signal in [Signal::SIGHUP, Signal::SIGTERM, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGHUP] {
        exporter.process.signal_child(signal);
    }
    wait_until("the port to be free", || scrape(&exporter.address).is_err());
    exporter.process.feed(LINE.repeat(5).as_bytes());
    let since = Instant::now();
    wait_until("a second", || since.elapsed() > Duration::from_millis(1_050));
    assert!(!exporter.process.has_ended(), "{}", exporter.process.stderr());
    exporter.process.feed(LINE.repeat(5).as_bytes());
    exporter.process.signal_child(Signal::SIGTERM);
    // Without an end of input.
    let ended = exporter.process.wait();
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    let next = started(&dir.join("state"));
    assert_eq!(next.scrape().sum("httpd_requests_total"), 10.0);
}

/// A kill takes nothing back that a scrape has been told.
#[test]
fn what_a_scrape_has_seen_survives_a_kill() {
    let dir = TempDir::new();
    let mut seen = 0.0;
    for _ in 0..3 {
        let mut exporter = started(&dir.join("state"));
        assert!(exporter.scrape().sum("httpd_requests_total") >= seen);
        exporter.process.feed(LINE.repeat(1_000).as_bytes());
        seen = wait_for("something new", || {
            let now = exporter.saved().sum("httpd_requests_total");
            if now > seen { Ok(now) } else { Err(format!("{now}")) }
        });
        exporter.process.signal(Signal::SIGKILL);
        wait_until("its death", || exporter.process.has_ended());
    }
    assert_eq!(started(&dir.join("state")).scrape().sum("httpd_requests_total"), seen);
}

/// In a quiet time nothing is saved, for nothing is new. What comes then is on disk before a scrape is told of it.
#[test]
fn what_a_scrape_has_seen_after_a_quiet_time_survives_a_kill() {
    let dir = TempDir::new();
    let states: Vec<_> = (0..12).map(|number| dir.join(&number.to_string())).collect();
    let mut exporters: Vec<Exporter> = states.iter().map(|state| started(state)).collect();
    exporters.iter_mut().for_each(|exporter| exporter.process.feed(LINE.as_bytes()));
    let since = Instant::now();
    wait_until("the quiet time", || since.elapsed() > Duration::from_secs(8));
    for (exporter, state) in exporters.iter_mut().zip(&states) {
        exporter.process.feed(LINE.repeat(10).as_bytes());
        let seen = wait_for("something new", || {
            let now = exporter.saved().sum("httpd_requests_total");
            if now > 1.0 { Ok(now) } else { Err(format!("{now}")) }
        });
        exporter.process.signal(Signal::SIGKILL);
        wait_until("its death", || exporter.process.has_ended());
        assert!(started(state).scrape().sum("httpd_requests_total") >= seen);
    }
}

/// What earlier starts have left takes the places first, so that the page does not grow with each start.
#[test]
fn bounds_hold_over_restarts() {
    let dir = TempDir::new();
    let state = dir.join("state");
    let mut starts = 0.0;
    for start in 0..8 {
        let mut more = arguments(&state);
        more.extend(["--label", "user=%u", "--max-values", "10"].map(str::to_owned));
        let mut exporter = Exporter::start(&more.iter().map(String::as_str).collect::<Vec<_>>());
        let lines = (0..20).map(|user| LINE.replace("- - [", &format!("- user-{start}-{user} [")));
        exporter.process.feed(lines.collect::<String>().as_bytes());
        starts += 20.0;
        exporter.wait_for_lines(20 * (start + 1));
        let page = exporter.scrape();
        assert_eq!(page.sum("httpd_requests_total"), starts);
        let users = page.series.keys().filter(|series| series.starts_with("httpd_requests_total{")).count();
        // Each with the usual statuses of GET, most of them at zero.
        assert!(users <= 11 * 4, "{users} at start {start}");
        exporter.process.close();
        exporter.process.wait();
    }
}

/// The sum of sizes that are all the largest has more digits than 64 bits.
#[test]
fn sums_of_any_length_are_read_again() {
    let dir = TempDir::new();
    let state = dir.join("state");
    let mut exporter = started(&state);
    exporter.process.feed(LINE.replace(" 512 ", " 18446744073709551615 ").repeat(2_000).as_bytes());
    exporter.process.close();
    exporter.process.wait();
    let page = started(&state).scrape();
    assert_eq!(page.sum("httpd_requests_total"), 2_000.0);
}

/// A file system of its own, for as long as this lives.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(path: &Path) -> SmallDisk {
        fs::create_dir(path).expect("writable");
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"]).arg(path).status();
        assert!(mount.is_ok_and(|status| status.success()), "only root can mount");
        SmallDisk(path.to_owned())
    }

    fn fill(&self) {
        let mut file = fs::File::create(self.0.join("full")).expect("writable");
        while std::io::Write::write_all(&mut file, &[0; 4096]).is_ok() {}
    }

    fn empty(&self) {
        fs::remove_file(self.0.join("full")).expect("it was filled");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Generations come and go on a disk that fills and empties, and there is room in reserve.
#[test]
#[ignore = "needs root, to mount a small file system"]
fn a_full_disk_takes_nothing_back_that_a_scrape_was_told() {
    let dir = TempDir::new();
    let disk = SmallDisk::mount(&dir.join("disk"));
    let state = disk.0.join("state");
    live(&state, 10);
    let mut lines = 10;
    for round in 0..12 {
        if round % 3 == 0 {
            disk.fill();
        }
        let mut exporter = started(&state);
        exporter.process.feed(LINE.repeat(100).as_bytes());
        lines += 100;
        exporter.wait_for_lines(lines);
        assert_eq!(exporter.scrape().value("httpd_exporter_state_saved"), Some(1.0), "round {round}");
        exporter.process.feed(LINE.repeat(7).as_bytes());
        lines += 7;
        exporter.process.close();
        assert_eq!(exporter.process.wait().stderr.matches("unable to").count(), 0);
        // The next one has room again, and makes the reserve anew.
        if round % 3 == 1 {
            disk.empty();
        }
    }
}

/// More bytes than were in reserve, and all of them saved.
fn count_eight_thousand(exporter: &mut Exporter, lines: &mut u64) {
    for _ in 0..8 {
        exporter.process.feed(LINE.repeat(1000).as_bytes());
        *lines += 1000;
        exporter.wait_for_lines(*lines);
        exporter.saved();
    }
}

/// The tee is on the disk as well, and is what fills it: what is freed for the state is the state's.
#[test]
#[ignore = "needs root, to mount a small file system"]
fn a_tee_takes_no_room_that_is_kept_for_the_state() {
    let dir = TempDir::new();
    let disk = SmallDisk::mount(&dir.join("disk"));
    let (state, tee) = (disk.0.join("state"), disk.0.join("tee.log"));
    let mut arguments = arguments(&state);
    arguments.extend(["--tee".to_owned(), tee.display().to_string()]);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut exporter = Exporter::start(&arguments);
    let mut lines = 60_000;
    exporter.process.feed(LINE.repeat(60_000).as_bytes());
    exporter.wait_for_lines(lines);
    count_eight_thousand(&mut exporter, &mut lines);
    exporter.process.signal(Signal::SIGKILL);
    exporter.process.wait();
    let mut exporter = Exporter::start(&arguments);
    exporter.wait_for_lines(lines);
    // The process that had the room in reserve taken is not the one that must leave it alone.
    count_eight_thousand(&mut exporter, &mut lines);
    fs::remove_file(&tee).expect("it is there");
    wait_until("the tee to be written again", || {
        exporter.process.feed(LINE.as_bytes());
        fs::metadata(&tee).is_ok_and(|meta| meta.len() > 0)
    });
}

/// Somebody has changed the directory behind its back, and it does not become right again.
#[test]
fn counts_that_are_lost_at_the_end_are_said_to_be() {
    let dir = TempDir::new();
    let state = dir.join("state");
    let mut exporter = started(&state);
    fs::rename(&state, dir.join("elsewhere")).expect("it is there");
    fs::write(&state, "no directory").expect("writable");
    exporter.process.feed(LINE.as_bytes());
    exporter.process.close();
    let said = exporter.process.wait().stderr;
    assert!(said.contains("what was counted since the last save is lost: "), "{said}");
}

/// A small disk with a directory for the state, and no room for more: nothing can be kept in reserve.
fn full_disk(dir: &TempDir) -> (SmallDisk, PathBuf) {
    let disk = SmallDisk::mount(&dir.join("disk"));
    let state = disk.0.join("state");
    fs::create_dir(&state).expect("there is room");
    disk.fill();
    (disk, state)
}

/// A process that has counted ten lines.
fn counted_ten(state: &Path) -> Exporter {
    let mut exporter = started(state);
    exporter.process.feed(LINE.repeat(10).as_bytes());
    exporter.wait_for_lines(10);
    exporter
}

/// Nothing is in reserve yet, and no server started it: the lines are counted, and saved when there is room.
#[test]
#[ignore = "needs root, to mount a small file system"]
fn a_disk_that_is_full_at_the_start_does_not_stop_the_counting() {
    let dir = TempDir::new();
    let (disk, state) = full_disk(&dir);
    let mut exporter = counted_ten(&state);
    assert_eq!(exporter.scrape().value("httpd_exporter_state_saved"), Some(0.0));
    disk.empty();
    wait_for("the state to be kept", || match exporter.scrape().value("httpd_exporter_state_saved") {
        Some(1.0) => Ok(()),
        other => Err(format!("{other:?}")),
    });
    exporter.process.close();
    exporter.process.wait();
    started(&state).wait_for_lines(10);
}

/// The disk is full at the very end, and has room a moment later: what a scrape was told is not taken back.
#[test]
#[ignore = "needs root, to mount a small file system"]
fn the_last_save_is_tried_again_where_the_disk_is_full_for_a_moment() {
    let dir = TempDir::new();
    let (disk, state) = full_disk(&dir);
    let mut exporter = counted_ten(&state);
    exporter.process.close();
    exporter.wait_for_stderr("the last counts are not saved yet");
    disk.empty();
    assert_eq!(exporter.process.wait().stderr.matches("is lost").count(), 0);
    started(&state).wait_for_lines(10);
}

/// `tail | httpd_exporter &` and the shell goes: nobody took its place, so it serves on.
#[test]
fn a_pipeline_whose_shell_has_gone_goes_on_serving() {
    let dir = TempDir::new();
    let address = format!("127.0.0.1:{}", free_port());
    let fifo = dir.join("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().is_ok_and(|status| status.success()));
    let pipeline = format!(
        "cat {} | {BINARY} --format combined --state-dir {} --web.listen-address {address} 2>{} &",
        fifo.display(),
        dir.join("state").display(),
        dir.join("stderr").display()
    );
    let shell =
        Command::new("sh").args(["-c", &pipeline]).stdin(Stdio::null()).stdout(Stdio::null()).status();
    assert!(shell.is_ok_and(|status| status.success()));
    // Its end is the end of the pipeline's input, also when this test fails.
    let mut writer = fs::OpenOptions::new().write(true).open(&fifo).expect("cat reads it");
    for lines in 1..=10 {
        std::io::Write::write_all(&mut writer, LINE.as_bytes()).expect("cat reads it");
        wait_for("each line", || {
            let seen = scrape(&address)?.sum("httpd_requests_total");
            if seen == f64::from(lines) { Ok(()) } else { Err(format!("{seen}")) }
        });
    }
    let said = fs::read_to_string(dir.join("stderr")).expect("written");
    assert_eq!(said.matches("serving http://").count(), 1, "{said}");
    assert!(!said.contains("handed over"), "{said}");
    drop(writer);
    wait_until("its end", || scrape(&address).is_err());
}

/// Whoever asks for counts at that moment is not waited for, and what was counted is on disk at once.
#[test]
fn the_end_of_input_ends_it_at_once() {
    let dir = TempDir::in_memory();
    let mut late = 0;
    for round in 0..60 {
        let state = dir.join(&round.to_string());
        let mut exporter = started(&state);
        exporter.process.feed(LINE.as_bytes());
        exporter.wait_for_lines(1);
        exporter.process.feed(LINE.as_bytes());
        exporter.process.close();
        exporter.process.signal(Signal::SIGTERM);
        let since = Instant::now();
        assert_eq!(exporter.process.wait().status.code(), Some(0));
        late += usize::from(since.elapsed() >= Duration::from_secs(4));
        let text = fs::read_to_string(state.join(&files(&state)[0])).expect("a state file");
        assert!(text.contains("httpd_requests_total{method=\"GET\",status_code=\"200\"} 2\n"), "{text}");
    }
    // Whoever waited for the one who asks would be late in many rounds; a busy machine is in one or two.
    assert!(late < 3, "{late} of 60 took four seconds");
}

/// Starts it as somebody's child who goes at once: an orphan, as Apache's `|$` and a shell's `&` leave it.
fn orphaned(dir: &TempDir, name: &str, more: &[&str]) -> fs::File {
    let fifo = dir.join(name);
    assert!(Command::new("mkfifo").arg(&fifo).status().is_ok_and(|status| status.success()));
    let line =
        format!("\"$0\" \"$@\" <{} 2>{} &", fifo.display(), dir.join(&format!("{name}.err")).display());
    let mut shell = Command::new("sh");
    shell.args(["-c", &line, BINARY]).args(arguments(&dir.join("state"))).args(more);
    assert!(shell.stdin(Stdio::null()).stdout(Stdio::null()).status().is_ok_and(|status| status.success()));
    fs::OpenOptions::new().write(true).open(&fifo).expect("it reads the fifo")
}

/// It is told of no successor, so it leaves the port to whoever is younger; when that one has gone, it serves again.
/// An address that can never be had does not keep it from that.
#[test]
fn an_orphan_leaves_the_port_and_takes_it_again() {
    let dir = TempDir::new();
    let (port, said) = (free_port(), || fs::read_to_string(dir.join("old.err")).unwrap_or_default());
    let address = format!("127.0.0.1:{port}");
    // The second one is held by a stranger.
    let stranger = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let taken = stranger.local_addr().expect("bound").to_string();
    let more = ["--web.listen-address", &address, "--web.listen-address", &taken];
    let mut writer = orphaned(&dir, "old", &more);
    std::io::Write::write_all(&mut writer, LINE.repeat(7).as_bytes()).expect("it reads");
    let serves = |count: f64| {
        wait_for("the sum", || {
            let seen = scrape(&address)?.sum("httpd_requests_total");
            if seen == count { Ok(()) } else { Err(format!("{seen}; {}", said())) }
        });
    };
    serves(7.0);
    let state = dir.join("state").display().to_string();
    let mut visitor = Exporter::start_on(port, &["--format", "combined", "--state-dir", &state]);
    visitor.wait_for_stderr("serving ");
    wait_for("the word of the old one", || {
        match said().matches("is handed over to a newer process").count() {
            1 => Ok(()),
            _ => Err(said()),
        }
    });
    visitor.process.feed(LINE.repeat(3).as_bytes());
    serves(10.0);
    visitor.process.close();
    visitor.process.wait();
    serves(10.0);
    assert_eq!(said().matches(&format!("serving http://{address}")).count(), 2, "{}", said());
    drop(writer);
    wait_until("its end", || scrape(&address).is_err());
}

/// In a container the server is process 1, and so is the parent of all its logs from the first moment on.
#[test]
#[ignore = "needs root, for a PID namespace"]
fn a_server_that_is_process_1_is_no_dead_parent() {
    let dir = TempDir::new();
    let (address, state) = (format!("127.0.0.1:{}", free_port()), dir.join("state"));
    let server = "exec 4<&0 5>/proc/self/fd/0; for log in 1 2 3; do \"$0\" \"$@\" <&4 4<&- 5>&- & done; wait";
    let mut unshare = Command::new("unshare");
    unshare.args(["--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-c", server, BINARY]);
    let server = Process::start(unshare.args(arguments(&state)).args(["--web.listen-address", &address]));
    wait_for("three logs", || {
        let page = scrape(&address)?;
        let living = page.value("httpd_exporter_generations");
        if living == Some(3.0) { Ok(()) } else { Err(format!("{living:?}; {}", server.stderr())) }
    });
    let since = Instant::now();
    wait_until("a second with all scrapes answered", || {
        scrape(&address).expect("nobody gives the port away");
        since.elapsed() > Duration::from_secs(1)
    });
    assert_eq!(server.stderr().matches("serving http://").count(), 1, "{}", server.stderr());
}

/// Whichever thread the system refuses, what the server writes is in the tee, and the input is read to its end.
#[test]
#[ignore = "needs root, to become a user with a limit"]
fn threads_that_cannot_be_started_cost_no_line_of_the_log() {
    let dir = TempDir::new();
    fs::create_dir(dir.join("logs")).expect("writable");
    // The limit is one of all processes of a user: so nobody else may be this one.
    let user = 100_000 + std::process::id();
    std::os::unix::fs::chown(dir.join("logs"), Some(user), Some(user)).expect("we are root");
    // Two read and count; with the last of them nothing is said.
    for threads in 2..=9 {
        let tee = dir.join(&format!("logs/{threads}"));
        let mut command = Command::new("setpriv");
        let user = user.to_string();
        command.args(["--reuid", &user, "--regid", &user, "--clear-groups", "prlimit"]);
        command.args([&format!("--nproc={threads}"), BINARY, "--web.listen-address", "127.0.0.1:0"]);
        command.args(["--format", "combined", "--tee", &tee.display().to_string()]);
        let mut process = Process::start(&mut command);
        process.feed(LINE.repeat(1_000).as_bytes());
        process.close();
        let ended = process.wait();
        assert_eq!(ended.status.code(), Some(0), "{threads} threads: {}", ended.stderr);
        assert_eq!(fs::read(&tee).unwrap_or_default().len(), LINE.len() * 1_000, "{}", ended.stderr);
        let said = |what: &str| ended.stderr.contains(what);
        assert!(said("unable to start") || said("serving http"), "{threads} threads: {}", ended.stderr);
        assert!(said("nothing is served") != said("serving http"), "{threads} threads: {}", ended.stderr);
    }
}

/// The counts of the others are served meanwhile, and ours are kept as soon as that works.
#[test]
fn a_state_that_cannot_be_kept_at_the_start_is_kept_later() {
    let dir = TempDir::new();
    let (state, aside) = (dir.join("state"), dir.join("aside"));
    live(&state, 10);
    let others = files(&state);
    fs::rename(&state, &aside).expect("writable");
    fs::write(&state, "no directory").expect("writable");
    let mut command = Command::new(BINARY);
    command.args(arguments(&state)).args(["--web.listen-address", "127.0.0.1:0"]);
    let mut exporter = Exporter::of(Process::start_under_server(&command, Stdio::null()));
    exporter.process.feed(LINE.repeat(3).as_bytes());
    exporter.wait_for_lines(3);
    // They can only be shown, and that is said.
    let saved = |exporter: &Exporter| exporter.scrape().value("httpd_exporter_state_saved");
    assert_eq!(saved(&exporter), Some(0.0));
    fs::remove_file(&state).expect("writable");
    // A save may make the directory first.
    fs::create_dir_all(&state).expect("writable");
    others.iter().for_each(|name| fs::rename(aside.join(name), state.join(name)).expect("writable"));
    exporter.wait_for_lines(13);
    // The other one may have been absorbed by then.
    wait_until("its own file", || files(&state).iter().any(|name| !others.contains(name)));
    wait_until("the word that it is saved", || saved(&exporter) == Some(1.0));
    let said = exporter.process.stderr();
    assert_eq!(said.matches("unable to").count(), 1, "{said}");
}

#[test]
fn a_tee_in_a_missing_directory_is_said_at_the_start() {
    let dir = TempDir::new();
    let tee = dir.join("no/such/tee.log").display().to_string();
    let ended = run(&["--format", "combined", "--tee", &tee], LINE.as_bytes());
    assert_eq!(ended.status.code(), Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains(&format!("there is no directory {}", dir.join("no/such").display())));
}

/// Good and bad of every objective and vhost add up over restarts.
#[test]
fn objectives_are_counted_over_generations() {
    let dir = TempDir::new();
    let state = dir.join("state").display().to_string();
    let args = [
        "--format",
        "%v \"%r\" %>s",
        "--slo",
        "up=status<500",
        "--slo.labels",
        "vhost",
        "--state-dir",
        &state,
    ];
    for run in 1..=3 {
        let mut exporter = Exporter::start(&args);
        exporter.process.feed(b"a \"GET / HTTP/1.1\" 200\na \"GET / HTTP/1.1\" 503\n");
        let page = exporter.wait_for_lines(2 * run);
        for result in ["good", "bad"] {
            let series = format!("httpd_slo_requests_total{{result=\"{result}\",slo=\"up\",vhost=\"a\"}}");
            assert_eq!(page.value(&series), Some(run as f64), "{result}");
        }
        exporter.process.close();
        assert!(exporter.process.wait().status.success());
    }
}
