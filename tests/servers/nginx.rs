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
        let dir = TempDir::new();
        let address = format!("127.0.0.1:{}", free_port());
        dir.write("htdocs/index.html", "hello\n");
        let config = dir.write("nginx.conf", configuration(&dir, &address, logging));
        let mut nginx = Command::new("/usr/sbin/nginx");
        nginx.arg("-p").arg(dir.path()).arg("-e").arg(dir.join("error.log")).arg("-c").arg(config);
        let mut server = Process::start(&mut nginx);
        wait_for_answer(&address, "/", &mut server);
        Nginx { address, dir, server }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        if !self.server.has_ended() {
            self.server.signal(Signal::SIGTERM);
            wait_until("the end of nginx", || self.server.has_ended());
        }
    }
}

fn configuration(dir: &TempDir, address: &str, logging: &str) -> String {
    let logging = logging.replace("access_log ", &format!("access_log {}/", dir.path().display()));
    let dir = dir.path().display();
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let temporary: String =
        temporary.iter().map(|kind| format!("{kind}_temp_path {dir}/{kind};\n")).collect();
    format!(
        "daemon off;\n\
         pid {dir}/nginx.pid;\n\
         error_log {dir}/error.log;\n\
         events {{ worker_connections 128; }}\n\
         http {{\n\
         {temporary}\
         {logging}\n\
         server {{ listen {address}; server_name test.example; root {dir}/htdocs; }}\n\
         }}\n"
    )
}
