//! The packages of others that are compiled into the program: their licences, their sources, and that none is there
//! twice. The lists are those of deny.toml, for machines that have no cargo-deny.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

/// `name = ["a", "b"]` of deny.toml.
fn list(name: &str) -> BTreeSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deny.toml");
    let text = fs::read_to_string(path).expect("deny.toml is there");
    let start = text.find(&format!("\n{name} = [")).unwrap_or_else(|| panic!("no {name} in deny.toml"));
    let inner = text[start..].split(['[', ']']).nth(1).expect("a list");
    inner.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// A package that is compiled into the program, from cargo's own account of it.
struct Package {
    name: String,
    version: String,
    licence: String,
    source: String,
}

fn packages() -> Vec<Package> {
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--locked", "--offline"])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu", "--manifest-path"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
        .output()
        .expect("cargo runs");
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    let metadata: Value = serde_json::from_slice(&metadata.stdout).expect("cargo prints JSON");
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    // From the program along what is no dependency of tests alone.
    let nodes: BTreeMap<String, Value> =
        list(&metadata["resolve"]["nodes"]).into_iter().map(|node| (text(&node, "id"), node)).collect();
    let mut reached = BTreeSet::new();
    let mut open = vec![text(&metadata["resolve"], "root")];
    while let Some(id) = open.pop() {
        for dependency in list(&nodes[&id]["deps"]) {
            let in_program = list(&dependency["dep_kinds"]).iter().any(|kind| kind["kind"] != "dev");
            let id = text(&dependency, "pkg");
            if in_program && reached.insert(id.clone()) {
                open.push(id);
            }
        }
    }
    let all = list(&metadata["packages"]);
    let ours = all.iter().filter(|package| reached.contains(&text(package, "id")));
    ours.map(|package| Package {
        name: text(package, "name"),
        version: text(package, "version"),
        licence: text(package, "license"),
        source: text(package, "source"),
    })
    .collect()
}

/// Whether an SPDX expression leaves a choice that is allowed: `(MIT OR Apache-2.0) AND Unicode-3.0`.
fn is_allowed(licence: &str, allowed: &BTreeSet<String>) -> bool {
    let choices =
        |part: &str| part.split(" OR ").any(|id| allowed.contains(id.trim_matches(['(', ')', ' '])));
    !licence.is_empty() && licence.replace('/', " OR ").split(" AND ").all(choices)
}

#[test]
fn packages_are_free_to_use_from_the_registry_and_there_once() {
    let (allowed, denied, packages) = (list("allow"), list("deny"), packages());
    assert!(packages.len() > 10, "the program has {} packages", packages.len());
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut faults = Vec::new();
    for package in &packages {
        let Package { name, version, licence, source } = package;
        versions.entry(name).or_default().push(version);
        if !is_allowed(licence, &allowed) {
            faults.push(format!("{name} {version} has the licence {licence:?}"));
        }
        if source != "registry+https://github.com/rust-lang/crates.io-index" {
            faults.push(format!("{name} {version} comes from {source:?}"));
        }
        if denied.contains(name) {
            faults.push(format!("{name} is not wanted"));
        }
    }
    let twice = versions.iter().filter(|(_, versions)| versions.len() > 1);
    faults.extend(twice.map(|(name, versions)| format!("{name} is there as {}", versions.join(" and "))));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn an_expression_of_licences_is_understood() {
    let allowed = BTreeSet::from(["MIT".to_owned(), "Unicode-3.0".to_owned()]);
    for (licence, expected) in [
        ("MIT", true),
        ("Apache-2.0/MIT", true),
        ("GPL-3.0 OR MIT", true),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
        ("MIT AND GPL-3.0", false),
        ("GPL-3.0", false),
        ("", false),
    ] {
        assert_eq!(is_allowed(licence, &allowed), expected, "{licence}");
    }
}
