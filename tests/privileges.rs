//! Started by root with `--user`: nothing is opened through a link, nothing is given away that the program did not
//! make, and what cannot be opened as the user does not stop the counting.

use crate::harness::{BINARY, Exporter, Process, TempDir, free_low_port, free_port, run, scrape, wait_for};
use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, lchown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const LINE: &str =
    "198.51.100.7 - - [03/Feb/2026:04:05:06 +0100] \"GET / HTTP/1.1\" 200 512 \"-\" \"curl/8.5.0\"\n";

const USER: &str = "www-data";

fn user_id() -> u32 {
    let output = Command::new("id").args(["-u", USER]).output().expect("id runs");
    String::from_utf8_lossy(&output.stdout).trim().parse().expect("a user id")
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it is there").permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("the mode is set");
}

/// A directory of the user's, in one of root's.
fn users_directory(dir: &TempDir) -> PathBuf {
    let logs = dir.join("logs");
    fs::create_dir(&logs).expect("a directory");
    chown(&logs, Some(user_id()), Some(user_id())).expect("root gives it away");
    logs
}

/// A file that only root may read.
fn secret(dir: &TempDir) -> PathBuf {
    let secret = dir.write("secret", "root's\n");
    set_mode(&secret, 0o600);
    secret
}

fn stays_roots(path: &Path) {
    let meta = fs::symlink_metadata(path).expect("it is there");
    assert_eq!((meta.uid(), meta.gid()), (0, 0), "{} was given away", path.display());
}

fn run_as_user(option: &str, path: &Path, mode: &str) -> crate::harness::Ended {
    let port = format!("127.0.0.1:{}", free_port());
    let path = path.display().to_string();
    let mut args = vec!["--format", "combined", "--user", USER, option, &path];
    args.extend(if mode == "--once" { vec!["--once"] } else { vec!["--web.listen-address", &port] });
    run(&args, LINE.as_bytes())
}

/// What a user can put in place of the file: a symbolic link, a hard link, a link on the way to it, and a path into a
/// directory that is root's.
#[test]
#[ignore = "needs root, to give it up"]
fn a_tee_is_opened_as_the_user() {
    for mode in ["--once", "--serve"] {
        for variant in ["link", "hard link", "link on the way", "directory of root's"] {
            let dir = TempDir::new();
            let (logs, secret) = (users_directory(&dir), secret(&dir));
            let path = match variant {
                "link" => logs.join("access.log"),
                "hard link" => logs.join("access.log"),
                "link on the way" => logs.join("there/secret"),
                _ => dir.join("new"),
            };
            match variant {
                "link" => symlink(&secret, &path).expect("a link"),
                "hard link" => fs::hard_link(&secret, &path).expect("a link"),
                "link on the way" => symlink(dir.path(), logs.join("there")).expect("a link"),
                _ => {}
            }
            let ended = run_as_user("--tee", &path, mode);
            assert_eq!(ended.status.code(), Some(1), "{variant}: {}", ended.stderr);
            assert!(ended.stderr.contains("--tee: unable to open"), "{variant}: {}", ended.stderr);
            stays_roots(&secret);
            assert_eq!(fs::read(&secret).expect("readable"), b"root's\n", "{variant}");
            assert!(!dir.join("new").exists());
        }
    }
}

#[test]
#[ignore = "needs root, to give it up"]
fn a_tee_in_the_users_directory_is_the_users() {
    let dir = TempDir::new();
    let path = users_directory(&dir).join("access.log");
    let ended = run_as_user("--tee", &path, "--once");
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    assert_eq!(fs::read_to_string(&path).expect("a tee"), LINE);
    assert_eq!((fs::metadata(&path).expect("a tee").uid(), mode(&path)), (user_id(), 0o640));
}

/// Without `--user` the file is opened as root, but not through a link.
#[test]
#[ignore = "needs root"]
fn root_follows_no_link_to_a_tee_or_a_state() {
    let dir = TempDir::new();
    let (logs, secret) = (users_directory(&dir), secret(&dir));
    symlink(&secret, logs.join("access.log")).expect("a link");
    fs::create_dir(dir.join("roots")).expect("a directory");
    symlink(dir.join("roots"), logs.join("state")).expect("a link");
    for (option, name) in [("--tee", "access.log"), ("--state-dir", "state")] {
        let (path, address) = (logs.join(name).display().to_string(), format!("127.0.0.1:{}", free_port()));
        let ended =
            run(&["--format", "combined", option, &path, "--web.listen-address", &address], LINE.as_bytes());
        assert_eq!(ended.status.code(), Some(1), "{}", ended.stderr);
        assert!(ended.stderr.contains("a symbolic link, which root does not follow"), "{}", ended.stderr);
    }
    assert_eq!(fs::read(&secret).expect("readable"), b"root's\n");
    assert_eq!(fs::read_dir(dir.join("roots")).expect("readable").count(), 0);
}

/// What is followed is not written, and yet it would be shown: to the reader of stderr, and on the live page.
#[test]
#[ignore = "needs root"]
fn root_follows_no_log_through_a_link_that_another_may_have_put_there() {
    let dir = TempDir::new();
    let (logs, secret) = (users_directory(&dir), secret(&dir));
    fs::write(&secret, LINE).expect("writable");
    let own = logs.join("own.log");
    fs::write(&own, LINE).expect("writable");
    chown(&own, Some(user_id()), None).expect("root gives it away");
    for (owner, target, is_read) in [(user_id(), &secret, false), (user_id(), &own, true), (0, &secret, true)]
    {
        let link = logs.join(format!("linked-{owner}-{is_read}.log"));
        symlink(target, &link).expect("a link");
        lchown(&link, Some(owner), None).expect("root gives it away");
        let ended = run(&["--format", "combined", "--once", "--follow", &link.display().to_string()], b"");
        let requests = ended.page().sum("httpd_requests_total");
        assert_eq!(requests, f64::from(u8::from(is_read)), "{}", ended.stderr);
        let said = ended.stderr.contains("a symbolic link of another user, which root does not follow");
        assert_eq!(said, !is_read, "{}", ended.stderr);
    }
}

/// As on Debian, where www-data is put into `adm` to read logs: in a namespace with a list of groups of its own.
#[test]
#[ignore = "needs root, to give it up"]
fn the_user_has_all_its_groups_unless_one_is_chosen() {
    let dir = TempDir::new();
    let log = dir.write("access.log", LINE);
    let group = Command::new("getent").args(["group", "adm"]).output().expect("getent runs").stdout;
    let group: u32 =
        String::from_utf8_lossy(&group).split(':').nth(2).and_then(|id| id.parse().ok()).expect("a number");
    chown(&log, Some(0), Some(group)).expect("root gives it to a group");
    set_mode(&log, 0o640);
    let mut groups = fs::read_to_string("/etc/group").expect("readable");
    groups =
        groups.lines().filter(|line| !line.starts_with("adm:")).map(|line| format!("{line}\n")).collect();
    let groups = dir.write("groups", format!("{groups}adm:x:{group}:{USER}\n"));
    for (user, is_read) in [("www-data", true), ("www-data:adm", true), ("www-data:www-data", false)] {
        let script = "mount --bind \"$0\" /etc/group && exec \"$@\"";
        let output = Command::new("unshare")
            .args(["--mount", "sh", "-c", script])
            .arg(&groups)
            .args([BINARY, "--format", "combined", "--once", "--user", user, "--follow"])
            .arg(&log)
            .output()
            .expect("unshare runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.success(), is_read, "{user}: {said}");
        assert_eq!(said.contains("Permission denied"), !is_read, "{user}: {said}");
    }
}

#[test]
#[ignore = "needs root, to give it up"]
fn a_directory_that_the_program_did_not_make_is_not_given_away() {
    for variant in ["with files", "empty", "link", "writable for all"] {
        let dir = TempDir::new();
        let (logs, roots) = (users_directory(&dir), dir.join("roots"));
        fs::create_dir(&roots).expect("a directory");
        let mut path = roots.clone();
        match variant {
            "with files" => fs::write(roots.join("other"), "another program's").expect("writable"),
            "link" => {
                path = logs.join("state");
                symlink(&roots, &path).expect("a link");
            }
            "writable for all" => set_mode(&roots, 0o1777),
            _ => {}
        }
        let ended = run_as_user("--state-dir", &path, "--serve");
        let code = if variant == "writable for all" { 0 } else { 1 };
        assert_eq!(ended.status.code(), Some(code), "{variant}: {}", ended.stderr);
        stays_roots(&roots);
        fs::read_dir(&roots).expect("readable").flatten().for_each(|entry| {
            let is_ours = entry.file_name() != "other";
            assert_eq!(entry.metadata().expect("there").uid() != 0, is_ours, "{variant}: {entry:?}");
        });
    }
}

/// The parents are root's and can be passed, the directory is the user's, and a second life finds the counts.
#[test]
#[ignore = "needs root, to give it up"]
fn a_state_directory_is_made_with_its_parents() {
    let dir = TempDir::new();
    let path = dir.join("a/b/state");
    for lives in 1..=2 {
        let address = format!("127.0.0.1:{}", free_port());
        let mut command = Command::new("sh");
        // The umask of whoever starts it is not that of the directories.
        command.args(["-c", "umask 077; exec \"$0\" \"$@\"", BINARY, "--format", "combined", "--user", USER]);
        // As a shell completes it: with a slash at its end.
        command.args(["--web.listen-address", &address, "--state-dir"]).arg(path.join(""));
        let mut exporter = Exporter::of(Process::start(&mut command));
        exporter.process.feed(LINE.repeat(5).as_bytes());
        exporter.wait_for_lines(5 * lives);
        exporter.process.close();
        assert_eq!(exporter.process.wait().status.code(), Some(0));
    }
    for parent in ["a", "a/b"] {
        assert_eq!(mode(&dir.join(parent)), 0o755);
        stays_roots(&dir.join(parent));
    }
    assert_eq!((mode(&path), fs::metadata(&path).expect("there").uid()), (0o750, user_id()));
    let names: Vec<_> = fs::read_dir(dir.join("a/b")).expect("readable").flatten().collect();
    assert_eq!(names.len(), 1, "{names:?}");
}

/// Under a server it is said and counted, the lines are counted, and what was mended is used.
#[test]
#[ignore = "needs root, to give it up"]
fn a_state_directory_of_roots_does_not_stop_the_counting() {
    let dir = TempDir::new();
    let state = dir.join("state");
    fs::create_dir(&state).expect("a directory");
    let mut command = Command::new(BINARY);
    command.args(["--format", "combined", "--web.listen-address", "127.0.0.1:0", "--user", USER]);
    command.arg("--state-dir").arg(&state);
    let mut exporter = Exporter::of(Process::start_under_server(&command, Stdio::null()));
    exporter.wait_for_stderr("have to belong to the user of --user; lines are counted");
    exporter.process.feed(LINE.as_bytes());
    let page = exporter.wait_for_lines(1);
    assert!(page.value("httpd_exporter_state_errors_total") >= Some(1.0), "{page:?}");
    stays_roots(&state);
    chown(&state, Some(user_id()), None).expect("root gives it away");
    wait_for("the state to be kept", || {
        exporter.process.feed(LINE.as_bytes());
        let kept = fs::read_dir(&state).expect("readable").flatten().count();
        if kept > 0 { Ok(()) } else { Err(exporter.process.stderr()) }
    });
}

/// In a directory of the user's the socket is made by the user; in one that is root's alone it is made by root and
/// given to the user.
#[test]
#[ignore = "needs root, to give it up"]
fn a_unix_socket_is_the_users() {
    let dir = TempDir::new();
    let logs = users_directory(&dir);
    for path in [logs.join("a.sock"), dir.join("b.sock")] {
        let address = format!("unix:{}", path.display());
        let mut command = Command::new(BINARY);
        command.args(["--format", "combined", "--user", USER, "--web.listen-address", &address]);
        let process = Process::start(&mut command);
        wait_for("the socket", || {
            if process.stderr().contains("serving") { Ok(()) } else { Err(process.stderr()) }
        });
        let meta = fs::symlink_metadata(&path).expect("a socket");
        assert_eq!((meta.uid(), meta.mode() & 0o777), (user_id(), 0o660), "{}", path.display());
    }
    stays_roots(dir.path());
}

/// A container may run it as that user from the start.
#[test]
#[ignore = "needs root, to begin as somebody else"]
fn who_is_the_user_already_has_nothing_to_give_up() {
    let mut command = Command::new("setpriv");
    command.args(["--reuid", USER, "--regid", USER, "--clear-groups", BINARY]);
    command.args(["--once", "--format", "combined", "--user", USER]);
    let mut process = Process::start(&mut command);
    process.feed(LINE.as_bytes());
    process.close();
    let ended = process.wait();
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    assert_eq!(ended.page().sum("httpd_requests_total"), 1.0);
}

/// A predecessor under load may keep such a port for longer than anybody may wait as root: stdin is read meanwhile.
#[test]
#[ignore = "needs root, to give it up"]
fn a_low_port_is_had_when_it_becomes_free_however_late_and_lines_are_counted_meanwhile() {
    let Some(port) = free_low_port() else {
        println!("skipped: no port below 1024 may be bound");
        return;
    };
    let holder = TcpListener::bind(("127.0.0.1", port)).expect("nobody else takes it");
    let address = holder.local_addr().expect("bound").to_string();
    let mut command = Command::new(BINARY);
    let high = format!("127.0.0.1:{}", free_port());
    command.args(["--format", "combined", "--user", USER, "--web.listen-address", &address]);
    let mut exporter = Process::start(command.args(["--web.listen-address", &high]));
    exporter.feed(LINE.repeat(7).as_bytes());
    let status = || format!("/proc/{}/task", exporter.id());
    let rights = || {
        let tasks = fs::read_dir(status()).expect("it lives").flatten();
        let texts = tasks.map(|task| fs::read_to_string(task.path().join("status")).unwrap_or_default());
        texts.filter(|text| !text.contains("CapPrm:\t0000000000000000\n")).collect::<Vec<_>>()
    };
    wait_for("the lines", || {
        let seen = scrape(&high)?.sum("httpd_requests_total");
        if seen == 7.0 { Ok(()) } else { Err(format!("{seen}")) }
    });
    let held = rights();
    assert_eq!(held.len(), 1, "{held:?}");
    assert!(held[0].contains("CapPrm:\t0000000000000400\n") && !held[0].contains("Uid:\t0"), "{held:?}");
    // It says so after the time in which a predecessor lets go.
    wait_for("the message", || {
        let said = exporter.stderr();
        if said.contains(&format!("{address} is in use")) { Ok(()) } else { Err(said) }
    });
    drop(holder);
    wait_for("the low port", || scrape(&address).map(|_| ()));
    wait_for("the end of the right", || {
        let held = rights();
        if held.is_empty() { Ok(()) } else { Err(format!("{held:?}")) }
    });
}
