//! Every way in which Apache ends or starts over: nothing that it wrote is lost, and the counts go on from where they
//! were.

use super::*;

/// Restart, graceful-stop, stop and a killed parent, one after the other, each with requests in flight.
fn every_end(mpm: &str, form: &str, run: Run) {
    let _alone = alone();
    let mut site = Site::start(mpm, form, run);
    let watch = Watch::begin(&site.exporter);

    // Restart: the children are ended under load; connections break, lines do not.
    let mut load = ab(&site.apache.address, 3_000);
    wait_until("half of the load", || site.witnessed() > 1_500);
    site.apache.restart(Signal::SIGHUP);
    failed(&mut load);

    // Graceful stop: Apache waits for the request in flight, and so does the program.
    let slow = Slow::begin(&site);
    site.apache.signal(Signal::SIGWINCH);
    slow.end(&site, Duration::from_millis(500));
    site.apache.wait_for_end();
    site.wait_for_nobody();
    let lines = site.tee_holds_every_line_once(true);
    site.apache.start_again();
    site.page_with(lines + 1);

    // Stop, under load.
    let mut load = ab(&site.apache.address, 3_000);
    wait_until("half of the load", || site.witnessed() > lines + 1_500);
    site.apache.stop();
    failed(&mut load);
    let lines = site.tee_holds_every_line_once(true);
    site.apache.start_again();
    site.page_with(lines + 1);

    // The parent is killed: no signal, no end of input; its children go on serving and logging.
    site.apache.kill();
    failed(&mut ab(&site.apache.address, 500));
    let served = site.lines_when_quiet();
    assert!(served > lines + 100, "orphans served");
    // They do not mind a SIGTERM any more.
    site.apache.processes().iter().for_each(|pid| signal(*pid, Signal::SIGKILL));
    site.wait_for_nobody();
    let lines = site.tee_holds_every_line_once(true);
    site.apache.start_again();
    site.page_with(lines + 1);
    watch.end(&format!("every end, {mpm}, {form}"));
    site.apache.stop();
    site.nothing_is_wrong_but(&["AH00646"]);
}

#[test]
#[ignore = "needs apache2, ab"]
fn every_end_of_event() {
    every_end("event", "|", Run::Daemon);
}

#[test]
#[ignore = "needs apache2, ab"]
fn every_end_of_worker_through_a_shell() {
    every_end("worker", "|$", Run::Foreground);
}

#[test]
#[ignore = "needs apache2, ab"]
fn every_end_of_prefork() {
    every_end("prefork", "|", Run::Foreground);
}

/// Apache starts the program twice; the first one lives some milliseconds and gets no line.
#[test]
#[ignore = "needs apache2"]
fn the_first_instance_leaves_nothing_behind() {
    let _alone = alone();
    let mut site = Site::start("event", "|", Run::Daemon);
    let mut dead = BTreeSet::new();
    for starts in 1..=5 {
        // The line of the request that starting makes is on the page: so it is the second instance that is there.
        // Apache may serve before that one has come as far as to handle signals, and a stop then ends it unread.
        site.page_with(starts);
        // Where the first one lives long enough to absorb the dead, its own file stays until the next start.
        wait_until("one generation, and one file or two", || {
            let files = site.state_files();
            site.generations().len() == 1 && files.len() <= 2 && files.is_disjoint(&dead)
        });
        site.apache.stop();
        dead = site.state_files();
        site.apache.start_again();
    }
    site.page_with(6);
    site.apache.stop();
    assert_eq!(site.tee_holds_every_line_once(false), 6);
    site.nothing_is_wrong_but(&[]);
}

/// Ctrl-C reaches the program too when Apache runs in the foreground; what is in the pipe then is not lost.
#[test]
#[ignore = "needs apache2, ab"]
fn an_interrupt_in_the_foreground_loses_nothing() {
    let _alone = alone();
    let mut site = Site::start("event", "|", Run::Foreground);
    let slow = Slow::begin(&site);
    let generation = site.generation();
    signal(generation, Signal::SIGINT);
    signal(generation, Signal::SIGHUP);
    let mut load = ab(&site.apache.address, 500);
    assert_eq!(failed(&mut load), 0);
    slow.end(&site, Duration::ZERO);
    site.apache.signal(Signal::SIGINT);
    site.apache.wait_for_end();
    site.wait_for_nobody();
    assert!(site.tee_holds_every_line_once(true) >= 502);
}

/// A person's second SIGTERM ends the program, and Apache starts it again on the same pipe: so a binary is upgraded.
#[test]
#[ignore = "needs apache2, ab"]
fn ended_by_hand_it_is_started_again_on_the_same_pipe() {
    let _alone = alone();
    let mut site = Site::start("event", "|", Run::Daemon);
    let watch = Watch::begin(&site.exporter);
    let first = site.generation();
    let mut load = ab(&site.apache.address, 8_000);
    watch.look();
    signal(first, Signal::SIGTERM);
    let told = Instant::now();
    wait_until("a second", || told.elapsed() > Duration::from_millis(1_100));
    signal(first, Signal::SIGTERM);
    wait_until("a successor", || matches!(site.generations()[..], [pid] if pid != first));
    assert_eq!(failed(&mut load), 0);
    site.page_with(8_001);
    watch.end("ended by hand");
    site.apache.stop();
    assert_eq!(site.tee_holds_every_line_once(false), 8_001);
}

/// One SIGTERM of a person is taken for Apache's; when nobody takes the place, Apache is made to fill it.
#[test]
#[ignore = "needs apache2, ab"]
fn ended_by_hand_once_it_comes_back_by_itself() {
    let _alone = alone();
    let mut site = Site::start("event", "|", Run::Daemon);
    let first = site.generation();
    signal(first, Signal::SIGTERM);
    assert_eq!(failed(&mut ab(&site.apache.address, 500)), 0);
    wait_until("a successor", || matches!(site.generations()[..], [pid] if pid != first));
    site.page_with(501);
    assert_eq!(site.said().matches("did not replace this process").count(), 1, "{}", site.said());
    site.apache.stop();
    assert_eq!(site.tee_holds_every_line_once(false), 501);
}
