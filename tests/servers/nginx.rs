//! A real nginx of Debian's package on a free port of the loopback, with a configuration of its own.

use super::wait_for_answer;
use crate::harness::{Process, TempDir, free_port, wait_until};
use nix::sys::signal::Signal;
use std::process::Command;

pub struct Nginx {
    pub address: String,
    pub dir: TempDir,
    server: Process,
}

impl Nginx {
    /// Starts it with the lines of configuration that say how it logs, relative to its directory; waits for an answer
    /// to one request for `/`.
    pub fn start(logging: &str) -> Nginx {
        Nginx::start_with(logging, "", |_| {})
    }

    /// The same with more lines for its server, which has what `prepare` puts into the directory.
    pub fn start_with(logging: &str, of_server: &str, prepare: impl Fn(&TempDir)) -> Nginx {
        let dir = TempDir::new();
        let address = format!("127.0.0.1:{}", free_port());
        dir.write("htdocs/index.html", "hello\n");
        dir.write("nginx.conf", configuration(&dir, &address, logging, of_server));
        prepare(&dir);
        let server = Nginx::run(&dir, &address);
        Nginx { address, dir, server }
    }

    fn run(dir: &TempDir, address: &str) -> Process {
        let mut nginx = Command::new("/usr/sbin/nginx");
        nginx
            .arg("-p")
            .arg(dir.path())
            .arg("-e")
            .arg(dir.join("error.log"))
            .arg("-c")
            .arg(dir.join("nginx.conf"));
        let mut server = Process::start(&mut nginx);
        wait_for_answer(address, "/", &mut server);
        server
    }

    pub fn signal(&self, signal: Signal) {
        self.server.signal(signal);
    }

    /// Ends it in the middle of its work, and starts it again.
    pub fn restart(&mut self) {
        self.end();
        self.server = Nginx::run(&self.dir, &self.address);
    }

    fn end(&mut self) {
        if !self.server.has_ended() {
            self.server.signal(Signal::SIGTERM);
            wait_until("the end of nginx", || self.server.has_ended());
        }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        self.end();
    }
}

fn configuration(dir: &TempDir, address: &str, logging: &str, of_server: &str) -> String {
    let log_here = format!("access_log {}/", dir.path().display());
    let [logging, of_server] = [logging, of_server].map(|text| text.replace("access_log ", &log_here));
    let dir = dir.path().display();
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let temporary: String =
        temporary.iter().map(|kind| format!("{kind}_temp_path {dir}/{kind};\n")).collect();
    format!(
        "daemon off;\n\
         pid {dir}/nginx.pid;\n\
         error_log {dir}/error.log;\n\
         events {{ worker_connections 512; }}\n\
         http {{\n\
         {temporary}\
         {logging}\n\
         server {{ listen {address}; server_name test.example; root {dir}/htdocs;\n{of_server}\n}}\n\
         }}\n"
    )
}
