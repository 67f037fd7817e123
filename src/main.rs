//! The program: its arguments go to the library, its exit code comes from there.

#![deny(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    httpd_exporter::run(std::env::args_os().skip(1))
}
