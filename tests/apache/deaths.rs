//! What must not happen and does: the program is killed, the tee's disk is full, the tee's directory is missing.

use super::*;

/// Killed once a second under load. Apache starts it again on the same pipe, and nothing doubles. The counts lack what
/// was read in the second before each kill, at most, and the tee what was read and not yet written: as a rule nothing,
/// and where the machine is busy a few pages of memory.
#[test]
#[ignore = "needs apache2, ab"]
fn killed_once_a_second_it_goes_on() {
    const KILLS: usize = 4;
    /// What was logged before and waits in the pipe: 64 KiB of lines of more than 100 bytes.
    const PIPE_LINES: usize = (64 << 10) / 100;
    const LAST: &str = "/the-last-request";
    let _alone = alone();
    let mut site = Site::start("event", "|", Run::Daemon);
    let watch = Watch::begin(&site.exporter);
    let mut load = ab(&site.apache.address, 24_000);
    let (mut killed, mut at_risk) = (Vec::new(), 0);
    for _ in 0..KILLS {
        let (since, before) = (Instant::now(), site.witnessed());
        wait_until("a second", || since.elapsed() > Duration::from_secs(1));
        let pid = wait_for("a living program", || {
            let alive = site.generations().into_iter().find(|pid| !killed.contains(pid));
            alive.ok_or_else(|| "none yet".to_owned())
        });
        at_risk += site.witnessed() - before + PIPE_LINES;
        signal(pid, Signal::SIGKILL);
        killed.push(pid);
    }
    assert_eq!(failed(&mut load), 0);
    // The pipe keeps the order: when the last request is in the tee, all before it has been read.
    assert_eq!(get(&site.apache.address, LAST).expect("Apache lives").status, 404);
    let counted = wait_for("the last request in the tee, and the counts", || {
        let is_last = site.lines("tee.log").iter().any(|line| line.contains(LAST));
        let counted = scrape(&site.exporter)?.sum("httpd_exporter_lines_total");
        let witness = site.witnessed();
        if is_last && counted + at_risk as f64 >= witness as f64 {
            Ok(counted)
        } else {
            Err(format!("{is_last}, {witness}, {counted}"))
        }
    });
    watch.end("killed once a second");
    site.apache.stop();
    let (tee, witness) = (site.lines("tee.log"), site.lines("witness.log"));
    let logged: BTreeSet<&String> = witness.iter().collect();
    let kept: BTreeSet<&String> = tee.iter().filter(|line| logged.contains(line)).collect();
    let lost = logged.len() - kept.len();
    println!(
        "killed {KILLS} times: {counted} of {} lines counted, {lost} not in the tee, at most {at_risk} at risk",
        logged.len()
    );
    assert!(counted <= logged.len() as f64, "lines are counted twice");
    assert!(lost <= at_risk, "{lost} lines are not in the tee, of {at_risk} at risk");
    // A killed write leaves a beginning of a line, which the next process closes, and a killed read leaves the end of
    // one, which is malformed.
    assert!(
        tee.len() <= kept.len() + 2 * KILLS,
        "{} lines of the tee are doubled or were never logged",
        tee.len() - kept.len()
    );
    site.nothing_is_wrong_but(&["line 1 does not fit"]);
}

/// A missing directory is no reason to leave Apache with a full pipe: the lines are counted and the loss is, and the
/// tee begins when the directory is there.
#[test]
#[ignore = "needs apache2, ab"]
fn a_tee_without_a_directory_does_not_stop_apache() {
    let _alone = alone();
    let mut site =
        Site::with("event", "|", Run::Daemon, |dir| format!("--tee {}/logs/tee.log", dir.display()));
    assert_eq!(failed(&mut ab(&site.apache.address, 2_000)), 0);
    wait_until("all lines to be witnessed", || site.witnessed() == 2_001);
    wait_until("the loss of all that was read", || {
        let page = site.page_with(2_001);
        let lost = page.sum("httpd_exporter_tee_lost_bytes_total");
        lost == page.sum("httpd_exporter_input_bytes_total")
    });
    fs::create_dir(site.path("logs")).expect("writable");
    let (first, since) = (site.witnessed(), Instant::now());
    wait_until("the tee's next attempt", || since.elapsed() > Duration::from_millis(1_100));
    assert_eq!(failed(&mut ab(&site.apache.address, 100)), 0);
    site.page_with(first + 100);
    site.apache.stop();
    let (mut tee, witness) = (site.lines("logs/tee.log"), site.lines("witness.log"));
    let mut kept = witness[first..].to_vec();
    // Two children write to two files in their own order.
    tee.sort();
    kept.sort();
    assert_eq!(tee, kept);
    assert!(site.said().contains("there is no directory"), "{}", site.said());
}

/// Wrong options under Apache: the message is in the error log, and Apache serves on, for nobody lets the pipe fill.
#[test]
#[ignore = "needs apache2, ab"]
fn called_wrongly_it_does_not_stop_apache() {
    let _alone = alone();
    let dir = TempDir::new();
    let logging = format!("CustomLog \"|{BINARY} --no-such-option\" vhost_combined");
    let mut apache = Apache::start_in(dir, Run::Daemon, "event", &logging);
    // Far more than a pipe holds.
    assert_eq!(failed(&mut ab(&apache.address, 4_000)), 0);
    let said = apache.error_log();
    assert!(said.contains("--no-such-option"), "{said}");
    assert!(said.matches("--no-such-option").count() <= 2, "{said}");
    apache.stop();
}

/// The tee's disk is a tmpfs of 1 MiB. Apache answers at its usual speed, the loss is counted to the byte, and the tee
/// goes on when there is room.
#[test]
#[ignore = "needs apache2, ab, and root to mount a tmpfs"]
fn a_full_disk_does_not_stop_apache() {
    let _alone = alone();
    let dir = TempDir::new();
    let disk = Disk::mount(dir.join("disk"));
    let Some(disk) = disk else { return };
    let mut site = Site::with("event", "|", Run::Daemon, |_| format!("--tee {}/tee.log", disk.0.display()));
    let time = |requests| {
        let since = Instant::now();
        assert_eq!(failed(&mut ab(&site.apache.address, requests)), 0);
        since.elapsed()
    };
    // The least of five, for other work may take the processor from any of them.
    let least = || (0..5).map(|_| time(1_000)).min().unwrap_or_default();
    let (roomy, full) = (least(), (time(10_000), least()).1);
    let tee = disk.0.join("tee.log");
    // What is counted may wait for the tee.
    let lost = wait_for("each byte to be written or lost", || {
        let page = site.page_with(20_001);
        let kept = fs::metadata(&tee).map_err(|e| e.to_string())?.len();
        let lost = page.sum("httpd_exporter_tee_lost_bytes_total");
        let read = page.sum("httpd_exporter_input_bytes_total");
        if kept as f64 + lost == read { Ok(lost) } else { Err(format!("{kept} and {lost} of {read}")) }
    });
    assert!(lost > 0.0 && fs::read(&tee).expect("a tee").ends_with(b"\n"));

    // Room is made, as a person would.
    fs::write(&tee, "").expect("writable");
    let since = Instant::now();
    wait_until("the next attempt", || since.elapsed() > Duration::from_millis(1_100));
    let again = least();
    println!("1,000 requests: {roomy:?} with room, {full:?} on the full disk, {again:?} with room again");
    assert!(full < roomy.max(again) * 3, "{roomy:?} and {again:?} with room, {full:?} without");
    let page = site.page_with(25_001);
    assert_eq!(page.sum("httpd_exporter_tee_lost_bytes_total"), lost);
    site.apache.stop();
    let witness = site.lines("witness.log");
    let text = fs::read_to_string(&tee).expect("a tee");
    let kept: BTreeSet<&str> = text.lines().collect();
    assert_eq!(kept, witness[20_001..].iter().map(String::as_str).collect());
    assert_eq!(text.lines().count(), 5_000);
    assert_eq!(site.said().matches("unable to write").count(), 1, "{}", site.said());
}

/// A disk of 1 MiB, until it is dropped.
struct Disk(PathBuf);

impl Disk {
    fn mount(at: PathBuf) -> Option<Disk> {
        fs::create_dir(&at).expect("writable");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"]).arg(&at).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Disk(at));
        }
        println!("skipped: no tmpfs can be mounted here");
        None
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}
