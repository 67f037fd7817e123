//! The tools that read the files of `contrib/` in the world read them here: promtool, systemd, shells, Apache, nginx,
//! logrotate.
//!
//! Files are used as they are, but for addresses and paths, which become the test's own.

use super::{RULES, read, root};
use crate::harness::{BINARY, Page, Process, TempDir, free_port, scrape, wait_for, wait_until};
use crate::servers::apache::Apache;
use crate::servers::nginx::Nginx;
use crate::servers::{load, page_with, wait_for_answer};
use nix::sys::signal::Signal;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a tool says, on both streams, when it is content.
fn content(command: &mut Command) -> String {
    let output = command.current_dir(root()).stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|e| panic!("unable to run {command:?}: {e}"));
    let said =
        [output.stdout, output.stderr].map(|stream| String::from_utf8_lossy(&stream).into_owned()).concat();
    assert!(output.status.success(), "{command:?}: {said}");
    said
}

// ---------------------------------------------------------------------------------------------------- prometheus ---

#[test]
#[ignore = "needs promtool"]
fn promtool_takes_the_rules_their_tests_and_the_configuration() {
    let folder = "contrib/prometheus";
    let promtool = |words: &[&str]| content(Command::new("promtool").args(words));
    let said = promtool(&[&["check", "rules", "--lint-fatal"], &RULES[..]].concat());
    assert_eq!(said.matches("rules found").count(), RULES.len(), "{said}");
    for config in ["prometheus/prometheus", "fleet/lower", "fleet/upper"] {
        promtool(&["check", "config", "--lint-fatal", &format!("contrib/{config}.yml")]);
    }
    for tests in ["recording", "fleet", "opentelemetry", "alerts", "days", "slo"] {
        promtool(&["test", "rules", &format!("{folder}/tests/{tests}.yml")]);
    }
}

/// The script waits for the exact sums itself, in each layer and after each death, and fails where they do not come.
#[test]
#[ignore = "needs prometheus, victoria-metrics, dnsmasq, jq, ip"]
fn a_fleet_of_fifty_is_exact_in_every_layer() {
    let said = content(Command::new("bash").args(["contrib/fleet/run", BINARY]));
    for step in ["requests", "an exporter was killed", "the lower Prometheus was killed"] {
        assert!(said.contains(&format!("  {step}: in each layer api ")), "{said}");
    }
    assert!(said.trim_end().ends_with("exact in every layer"), "{said}");
}

// ------------------------------------------------------------------------------------------------------- systemd ---

#[test]
#[ignore = "needs systemd-analyze"]
fn the_unit_is_sound_and_shut() {
    let unit = "contrib/systemd/httpd_exporter.service";
    let said = content(Command::new("systemd-analyze").args(["verify", "--man=no", unit]));
    assert!(!said.contains("httpd_exporter"), "{said}");
    let said =
        content(Command::new("systemd-analyze").args(["security", "--offline=yes", "--threshold=19", unit]));
    assert!(said.contains("Overall exposure level"), "{said}");
}

/// The command of the unit, run by hand: its variables are what systemd would set.
#[test]
fn the_command_of_the_unit_counts_a_log_that_is_rotated() {
    let dir = TempDir::new();
    let log = dir.write("access.log", "");
    let address = format!("127.0.0.1:{}", free_port());
    let unit = read("contrib/systemd/httpd_exporter.service");
    let command =
        unit.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/bin/env ")).expect("ExecStart");
    let args = format!("--format common --web.listen-address {address} --route /*");
    let words = command.split(' ').flat_map(|word| match word {
        "$ARGS" => args.split(' ').map(str::to_owned).collect(),
        "${LOG}" => vec![log.display().to_string()],
        "${STATE_DIRECTORY}" => vec![dir.join("state").display().to_string()],
        word => vec![word.to_owned()],
    });
    let program = Path::new(BINARY).parent().and_then(Path::to_str).expect("a directory");
    let path = format!("{program}:/usr/bin:/bin");
    let mut process = Process::start(Command::new("/usr/bin/env").args(words).env("PATH", path));
    let line = "192.0.2.1 - - [22/Nov/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 200 12\n";
    let counted = |lines: f64| {
        wait_for("the lines", || match scrape(&address)?.sum("httpd_requests_total") {
            counted if counted == lines => Ok(()),
            counted => Err(format!("{counted}")),
        });
    };
    wait_for("the file to be followed", || {
        let files = scrape(&address)?.value("httpd_exporter_followed_files");
        if files == Some(1.0) { Ok(()) } else { Err(format!("{files:?}")) }
    });
    append(&log, line);
    counted(1.0);
    std::fs::rename(&log, dir.join("access.log.1")).expect("rotates");
    append(&log, line);
    counted(2.0);
    process.signal(Signal::SIGTERM);
    assert!(process.wait().status.success());
}

fn append(file: &Path, text: &str) {
    use std::io::Write;
    let file = std::fs::OpenOptions::new().append(true).create(true).open(file);
    file.and_then(|mut file| file.write_all(text.as_bytes())).expect("writable");
}

// -------------------------------------------------------------------------------------------------------- shells ---

/// What bash offers for a command line of these words, the last of which is being typed.
fn bash_offers(words: &[&str]) -> Vec<String> {
    let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    let script = format!(
        "source contrib/completions/httpd_exporter.bash; COMP_WORDS=({}); COMP_CWORD={}; _httpd_exporter; \
         printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        quoted.join(" "),
        words.len() - 1
    );
    let said = content(Command::new("bash").args(["--norc", "-c", &script]));
    said.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

#[test]
#[ignore = "needs bash"]
fn bash_completes_options_and_values() {
    for (words, offers) in [
        (
            &["httpd_exporter", "--tee."][..],
            &["--tee.rotate-size", "--tee.rotate-interval", "--tee.keep"][..],
        ),
        (&["httpd_exporter", "--once", "--exp"], &["--explain"]),
        (&["httpd_exporter", "--format", "traefik"], &["traefik", "traefik-json"]),
        (&["httpd_exporter", "--format", "=", "cad"], &["caddy"]),
        (&["httpd_exporter", "--tee", "contrib/apache/h"], &["contrib/apache/httpd_exporter.conf"]),
        (&["httpd_exporter", "--state-dir", "contrib/apac"], &["contrib/apache"]),
        (&["httpd_exporter", "--state-dir", "Cargo"], &[]),
        (&["httpd_exporter", "--user", "nobod"], &["nobody"]),
        (&["httpd_exporter", "@contrib/nginx/httpd_exporter.a"], &["@contrib/nginx/httpd_exporter.args"]),
        (&["httpd_exporter", "--route", "@Cargo.t"], &["@Cargo.toml"]),
        (&["httpd_exporter", "--max-values", ""], &[]),
        (&["httpd_exporter", "--max-values", "5", "--vers"], &["--version"]),
    ] {
        assert_eq!(bash_offers(words), offers, "{words:?}");
    }
    assert!(bash_offers(&["httpd_exporter", "--format="]).is_empty(), "bash gives `=` a word of its own");
    assert!(bash_offers(&["httpd_exporter", "--format", "="]).contains(&"auto".to_owned()));
}

#[test]
#[ignore = "needs shellcheck"]
fn shellcheck_takes_the_scripts() {
    assert_eq!(
        content(Command::new("shellcheck").args([
            "contrib/completions/httpd_exporter.bash",
            "contrib/compose/load.sh",
            "contrib/debian/postinst",
            "contrib/debian/postrm",
            "contrib/debian/prerm",
            "contrib/demo.sh",
            "contrib/fleet/run",
            "contrib/release/build",
            "contrib/release/check",
            "contrib/release/in-root"
        ])),
        ""
    );
}

#[test]
#[ignore = "needs zsh"]
fn zsh_takes_its_completions() {
    assert_eq!(content(Command::new("zsh").args(["-n", "contrib/completions/_httpd_exporter"])), "");
}

#[test]
#[ignore = "needs fish"]
fn fish_completes_options_and_values() {
    let offers = |line: &str| {
        let script = format!("source contrib/completions/httpd_exporter.fish; complete -C '{line}'");
        let said =
            content(Command::new("fish").env("HOME", "/nonexistent").args(["--no-config", "-c", &script]));
        // Each with its description behind a tab.
        said.lines().map(|line| line.split('\t').next().unwrap_or("").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(offers("httpd_exporter --tee.ke"), ["--tee.keep"]);
    assert_eq!(offers("httpd_exporter --format cad"), ["caddy"]);
    assert_eq!(
        offers("httpd_exporter @contrib/nginx/httpd_exporter.a"),
        ["@contrib/nginx/httpd_exporter.args"]
    );
}

// ----------------------------------------------------------------------------------------- Apache, nginx, rotation ---

const BY_HAND: &str = "/usr/local/bin/httpd_exporter";
const BY_PACKAGE: &str = "/usr/bin/httpd_exporter";

/// A configuration with the program, its address and its directory put in.
fn with_own_places(text: &str, dir: &Path, address: &str) -> String {
    let text = text.replace(BY_HAND, BINARY).replace(BY_PACKAGE, BINARY);
    let text = text.replace("--web.listen-address :19117 ", "").replace("/var/lib/httpd_exporter", "STATE");
    let text = text.replace("STATE", &dir.join("state").display().to_string());
    let text = text.replace("--state-dir", &format!("--web.listen-address {address} --state-dir"));
    if nix::unistd::geteuid().is_root() { text } else { text.replace("--user www-data ", "") }
}

/// The directory for a tee, made by the command that the snippet shows, in which only its user may write.
fn log_directory(dir: &Path) -> PathBuf {
    let logs = dir.join("logs");
    if nix::unistd::geteuid().is_root() {
        let snippet = read("contrib/apache/httpd_exporter.conf");
        let (_, rest) = snippet.split_once("install -d ").expect("the snippet makes a directory");
        let words: Vec<&str> = rest.lines().next().unwrap_or("").split(' ').collect();
        let (place, options) = words.split_last().expect("a directory");
        assert_eq!(*place, "/var/log/httpd_exporter");
        content(Command::new("install").arg("-d").args(options).arg(&logs));
    } else {
        std::fs::create_dir(&logs).expect("the directory is ours");
    }
    logs
}

fn nothing_malformed(page: &Page) {
    assert_eq!(page.value("httpd_exporter_lines_total{outcome=\"malformed\"}"), Some(0.0), "{page:?}");
}

#[test]
#[ignore = "needs apache2, ab"]
fn the_apache_snippet_counts_every_request_wherever_the_program_is() {
    for elsewhere in [BY_HAND, BY_PACKAGE] {
        let dir = TempDir::new();
        let exporter = format!("127.0.0.1:{}", free_port());
        let snippet =
            read("contrib/apache/httpd_exporter.conf").replace(elsewhere, "/nowhere/httpd_exporter");
        let mut apache = Apache::start("event", &with_own_places(&snippet, dir.path(), &exporter));
        load(&apache.address, "/", 200);
        let page = page_with(&exporter, 201);
        nothing_malformed(&page);
        assert_eq!(page.sum("httpd_request_duration_seconds_count"), 201.0);
        assert!(page.sum("httpd_bytes_received_total") > 0.0);
        let kept = std::fs::read_dir(dir.join("state")).is_ok_and(|mut files| files.next().is_some());
        assert!(kept, "no state is kept");
        apache.stop();
    }
}

/// As root, only the user of `--user` may write to the directory of the log.
#[test]
#[ignore = "needs apache2, ab"]
fn the_log_that_the_snippet_can_keep_is_rotated_by_its_user() {
    let dir = TempDir::new();
    let exporter = format!("127.0.0.1:{}", free_port());
    let snippet = read("contrib/apache/httpd_exporter.conf");
    let (_, tee) = snippet.split_once("#   --tee ").expect("the snippet shows a tee");
    let tee = tee.lines().next().unwrap_or("").replace("100M", "4K");
    let tee = tee.replace("/var/log/httpd_exporter", &log_directory(dir.path()).display().to_string());
    let snippet = snippet.replace("\"|${HTTPD_EXPORTER} ", &format!("\"|${{HTTPD_EXPORTER}} --tee {tee} "));
    let mut apache = Apache::start("event", &with_own_places(&snippet, dir.path(), &exporter));
    load(&apache.address, "/", 200);
    let page = page_with(&exporter, 201);
    assert_eq!(page.sum("httpd_exporter_tee_lost_bytes_total"), 0.0);
    // The tee is written to its end before Apache has ended.
    apache.stop();
    let files = std::fs::read_dir(dir.join("logs")).expect("the directory of the log");
    let logs: Vec<PathBuf> = files.map(|file| file.expect("readable").path()).collect();
    let lines = |log: &PathBuf| std::fs::read_to_string(log).expect("a log").lines().count();
    assert!(logs.len() > 2, "{logs:?}");
    assert_eq!(logs.iter().map(lines).sum::<usize>(), 201, "{logs:?}");
}

#[test]
#[ignore = "needs nginx, ab"]
fn the_nginx_snippet_and_its_arguments_fit_each_other() {
    let snippet =
        read("contrib/nginx/httpd_exporter.conf").replace("access_log /var/log/nginx/", "access_log ");
    let nginx = Nginx::start(&snippet);
    let exporter = format!("127.0.0.1:{}", free_port());
    let args = root().join("contrib/nginx/httpd_exporter.args");
    let mut process = Process::start(
        Command::new(BINARY).arg(format!("@{}", args.display())).args(["--web.listen-address", &exporter]),
    );
    let log = nginx.dir.join("httpd_exporter.log");
    let _tail = Process::start_into(Command::new("tail").args(["-n", "+1", "-F"]).arg(log), &mut process);
    load(&nginx.address, "/", 200);
    let page = page_with(&exporter, 201);
    nothing_malformed(&page);
    assert_eq!(page.sum("httpd_request_duration_seconds_count"), 201.0);
}

/// The web server of compose.yaml with the one of Debian, and a round of the load.
#[test]
#[ignore = "needs apache2, ab"]
fn the_composed_server_and_its_load_show_a_little_of_everything() {
    let dir = TempDir::new();
    let (server, exporter) = (format!("127.0.0.1:{}", free_port()), format!("127.0.0.1:{}", free_port()));
    dir.write("htdocs/index.html", "hello\n");
    let own = |name: &str| dir.join(name).display().to_string();
    let config = with_own_places(&read("contrib/compose/httpd.conf"), dir.path(), &exporter)
        .replace("Listen 8080", &format!("Listen {server}"))
        .replace("*:8080", "*")
        .replace("/usr/local/apache2/htdocs", &own("htdocs"))
        .replace("ErrorLog /dev/stderr", &format!("ErrorLog {}", own("error.log")))
        .replace("TypesConfig conf/mime.types", &format!("TypesConfig {}", own("mime.types")));
    dir.write("mime.types", "text/html html\n");
    let places = format!("PidFile {}\nDefaultRuntimeDir {}\n", own("pid"), dir.path().display());
    let config = dir.write("httpd.conf", format!("{places}{config}"));
    let mut apache = Process::start(
        Command::new("/usr/sbin/apache2")
            .args(["-d", "/usr/lib/apache2", "-k", "start", "-DFOREGROUND", "-f"])
            .arg(config),
    );
    wait_for_answer(&server, "/", &mut apache);
    let script = root().join("contrib/compose/load.sh");
    let load = Process::start(Command::new("sh").arg(script).arg(format!("http://{server}")));
    let wanted = ["200", "302", "403", "404", "410", "503"];
    let page = wait_for("every status of the load", || {
        let page = scrape(&exporter)?;
        let seen = |code: &&str| {
            page.series.keys().any(|series| series.contains(&format!("status_code=\"{code}\"")))
        };
        let missing: Vec<&&str> = wanted.iter().filter(|code| !seen(code)).collect();
        // The route is seen once a user has ordered.
        let learned = page.series.keys().any(|series| series.contains("route=\"/users/:id/orders\""));
        if missing.is_empty() && learned {
            Ok(page)
        } else {
            Err(format!("{missing:?} are missing, of the routes there are {:?}", routes_of(&page)))
        }
    });
    nothing_malformed(&page);
    assert!(page.sum("httpd_time_to_first_byte_seconds_count") > 0.0);
    for label in ["vhost=\"shop.example.org\"", "route=\"/users/:id/orders\"", "quantile=\"0.95\""] {
        assert!(page.series.keys().any(|series| series.contains(label)), "{label} is missing");
    }
    load.signal(Signal::SIGTERM);
    apache.signal(Signal::SIGTERM);
    wait_until("the end of Apache", || apache.has_ended());
}

/// The routes on a page.
fn routes_of(page: &Page) -> BTreeSet<String> {
    let route = |series: &String| Some(series.split_once("route=\"")?.1.split_once('"')?.0.to_owned());
    page.series.keys().filter_map(route).collect()
}

#[test]
#[ignore = "needs logrotate"]
fn logrotate_renames_the_tee_and_no_line_is_lost() {
    let dir = TempDir::new();
    let logs = log_directory(dir.path());
    let tee = logs.join("access.log");
    let rules = read("contrib/logrotate/httpd_exporter")
        .replace("/var/log/httpd_exporter", &logs.display().to_string());
    let address = format!("127.0.0.1:{}", free_port());
    let mut exporter = Command::new(BINARY);
    exporter.args(["--format", "common", "--web.listen-address", &address, "--tee"]).arg(&tee);
    let rules = if nix::unistd::geteuid().is_root() {
        exporter.args(["--user", "www-data"]);
        rules
    } else {
        rules.replace("su www-data adm", "")
    };
    let rules = dir.write("logrotate.conf", format!("{rules}\n"));
    let mut process = Process::start(&mut exporter);
    let line = "192.0.2.1 - - [22/Nov/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 200 12\n";
    process.feed(line.repeat(10).as_bytes());
    page_with(&address, 10);
    let has_lines = || std::fs::metadata(&tee).is_ok_and(|meta| meta.len() > 0);
    wait_until("the lines in the tee", has_lines);
    let state = dir.join("logrotate.state");
    let mut fed = 10;
    // The second rotation compresses what the first one renamed.
    for _ in 0..2 {
        content(Command::new("logrotate").arg("--force").arg("--state").args([&state, &rules]));
        // The exporter looks at the path by itself; what is written until then goes to the renamed file. An empty
        // one is not rotated, even by force.
        wait_for("the new file", || {
            process.feed(line.as_bytes());
            fed += 1;
            if has_lines() { Ok(()) } else { Err("not yet".to_owned()) }
        });
    }
    process.close();
    assert!(process.wait().status.success());
    let lines = |file: &Path| std::fs::read_to_string(file).expect("a log").lines().count();
    let compressed = content(Command::new("zcat").arg(logs.join("access.log.2.gz"))).lines().count();
    assert!(compressed >= 10);
    assert_eq!(compressed + lines(&logs.join("access.log.1")) + lines(&tee), fed);
}
