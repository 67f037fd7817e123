//! Tells the program which commit it is built from: HTTPD_EXPORTER_REVISION of the environment, or what git says of a
//! release. Other builds have none, so that a commit does not have everything compiled again.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-env-changed=HTTPD_EXPORTER_REVISION");
    println!("cargo::rerun-if-changed=build.rs");
    let given = std::env::var("HTTPD_EXPORTER_REVISION").ok().filter(|given| !given.is_empty());
    let is_release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let revision = given.or_else(|| is_release.then(revision_of_git).flatten());
    let revision = revision.unwrap_or_else(|| "unknown".to_owned());
    println!("cargo::rustc-env=HTTPD_EXPORTER_REVISION={revision}");
}

fn revision_of_git() -> Option<String> {
    // Every commit and every checkout writes a line into this file.
    let log = git(&["rev-parse", "--git-path", "logs/HEAD"])?;
    if Path::new(&log).exists() {
        println!("cargo::rerun-if-changed={log}");
    }
    git(&["rev-parse", "--short=12", "HEAD"])
}

fn git(arguments: &[&str]) -> Option<String> {
    let said = Command::new("git").args(arguments).output().ok().filter(|said| said.status.success())?;
    Some(String::from_utf8(said.stdout).ok()?.trim().to_owned()).filter(|said| !said.is_empty())
}
