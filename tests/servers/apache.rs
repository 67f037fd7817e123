//! A real Apache of Debian's package on a free port of the loopback, with a configuration of its own.

use super::wait_for_answer;
use crate::harness::{BINARY, Process, TempDir, free_port, wait_for, wait_until};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

const PROGRAM: &str = "/usr/sbin/apache2";
const MODULES: &str = "/usr/lib/apache2/modules";

/// How Apache is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// As a child of the test, in its session: what a container does.
    Foreground,
    /// As a daemon: what a service does.
    Daemon,
}

pub struct Apache {
    pub address: String,
    pub dir: TempDir,
    run: Run,
    server: Option<Process>,
}

impl Apache {
    /// Starts it with one of the MPMs and the lines of configuration that say how it logs; waits for an answer to one
    /// request for `/`.
    pub fn start(mpm: &str, logging: &str) -> Apache {
        Apache::start_in(TempDir::new(), Run::Foreground, mpm, logging)
    }

    /// The same in a directory that may hold more already.
    pub fn start_in(dir: TempDir, run: Run, mpm: &str, logging: &str) -> Apache {
        let address = format!("127.0.0.1:{}", free_port());
        dir.write("htdocs/index.html", "hello\n");
        dir.write("apache.conf", configuration(&dir, &address, mpm, logging));
        let mut apache = Apache { address, dir, run, server: None };
        apache.start_again();
        apache
    }

    /// Starts it anew after it has ended, with the same configuration.
    pub fn start_again(&mut self) {
        let mut command = Command::new(PROGRAM);
        command.args(["-k", "start", "-f"]).arg(self.dir.join("apache.conf"));
        match self.run {
            Run::Foreground => {
                // In a process group of its own, for prefork signals its whole group, which would be the tests.
                let mut server = Process::start(command.arg("-DFOREGROUND").process_group(0));
                wait_for_answer(&self.address, "/", &mut server);
                self.server = Some(server);
            }
            Run::Daemon => {
                // Its first piped logs inherit stdout; nobody here shall wait for those.
                command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
                // A client's connection, which takes any port that is free, may just have ours.
                wait_for("Apache to start", || {
                    let started = command.status().is_ok_and(|status| status.success());
                    if started { Ok(()) } else { Err(self.error_log()) }
                });
                wait_for(&format!("an answer from {}", self.address), || {
                    let answer = crate::harness::get(&self.address, "/");
                    answer.map(|_| ()).map_err(|e| format!("{e}; {}", self.error_log()))
                });
            }
        }
    }

    /// Its parent process, from the file that Apache writes for this purpose.
    pub fn pid(&self) -> i32 {
        let file = self.dir.join("apache.pid");
        wait_for("Apache's pid file", || {
            let text = fs::read_to_string(&file).map_err(|e| e.to_string())?;
            text.trim().parse().map_err(|_| text)
        })
    }

    /// Sends its parent a signal.
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid()), signal).expect("Apache is ours");
    }

    /// Restarts it with SIGUSR1 (graceful) or SIGHUP and waits until it says that it has.
    pub fn restart(&self, signal: Signal) {
        let resumed = || self.error_log().matches("resuming normal operations").count();
        let before = resumed();
        self.signal(signal);
        wait_until("Apache to resume", || resumed() > before);
    }

    /// All its processes, which name its configuration in their arguments.
    pub fn processes(&self) -> Vec<i32> {
        let config = self.dir.join("apache.conf").display().to_string();
        let named = |pid: &i32| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            runs_apache(*pid) && String::from_utf8_lossy(&line).contains(&config)
        };
        pids().filter(named).collect()
    }

    /// Kills its parent alone.
    pub fn kill(&mut self) {
        let pid = self.pid();
        self.signal(Signal::SIGKILL);
        wait_until("the end of Apache's parent", || !runs_apache(pid));
        self.server = None;
        fs::remove_file(self.dir.join("apache.pid")).expect("a killed parent leaves its pid file");
    }

    /// Waits until its parent is gone.
    pub fn wait_for_end(&mut self) {
        match &mut self.server {
            Some(server) => wait_until("the end of Apache", || server.has_ended()),
            None => {
                let file = self.dir.join("apache.pid");
                wait_until("the end of Apache", || !file.exists());
            }
        }
        self.server = None;
    }

    /// The exporters that it has started and that still run, whatever stands between: their directory is its root.
    pub fn piped_logs(&self) -> Vec<i32> {
        let is = |pid: &i32, link: &str, what: &Path| {
            fs::read_link(format!("/proc/{pid}/{link}")).is_ok_and(|to| to == what)
        };
        pids().filter(|pid| is(pid, "exe", Path::new(BINARY)) && is(pid, "cwd", self.dir.path())).collect()
    }

    /// Stops it, and waits until its piped logs have read to their end and are gone as well.
    pub fn stop(&mut self) {
        self.signal(Signal::SIGTERM);
        self.wait_for_end();
        wait_until("the end of the piped logs", || self.piped_logs().is_empty());
    }

    pub fn error_log(&self) -> String {
        fs::read_to_string(self.dir.join("error.log")).unwrap_or_default()
    }
}

impl Drop for Apache {
    fn drop(&mut self) {
        // A kill would leave its children and its piped logs behind; and these write into directories of the test.
        if let Ok(text) = fs::read_to_string(self.dir.join("apache.pid"))
            && let Ok(pid) = text.trim().parse().map(Pid::from_raw)
            && runs_apache(pid.as_raw())
            && kill(pid, Signal::SIGTERM).is_ok()
        {
            wait_until("the end of Apache", || !runs_apache(pid.as_raw()));
        }
        // Those whose parent was killed, in a test that has failed.
        for pid in self.processes() {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
        wait_until("the end of the piped logs", || self.piped_logs().is_empty());
    }
}

fn pids() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").expect("Linux has /proc").flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Whether the process is there and an Apache; one that has ended and was not waited for has no program any more.
fn runs_apache(pid: i32) -> bool {
    fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|program| program == Path::new(PROGRAM))
}

fn configuration(dir: &TempDir, address: &str, mpm: &str, logging: &str) -> String {
    let dir = dir.path().display();
    let user = if nix::unistd::geteuid().is_root() { "User www-data\nGroup www-data\n" } else { "" };
    let modules = ["authz_core", "dir", "proxy", "proxy_http", "unique_id"];
    let modules: String =
        modules.map(|name| format!("LoadModule {name}_module {MODULES}/mod_{name}.so\n")).concat();
    format!(
        "ServerRoot {dir}\n\
         ServerName test.example\n\
         DefaultRuntimeDir {dir}\n\
         PidFile {dir}/apache.pid\n\
         ErrorLog {dir}/error.log\n\
         Listen {address}\n\
         LoadModule mpm_{mpm}_module {MODULES}/mod_mpm_{mpm}.so\n\
         {modules}\
         {user}\
         DocumentRoot {dir}/htdocs\n\
         StartServers 2\n\
         LogFormat \"%v:%p %h %l %u %t \\\"%r\\\" %>s %O \\\"%{{Referer}}i\\\" \\\"%{{User-Agent}}i\\\"\" vhost_combined\n\
         {logging}\n"
    )
}
