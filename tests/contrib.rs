//! What `contrib/` holds is right: every file it mounts or installs is there, every option it passes is one of the
//! program's, every metric it asks for is on the page, and real tools accept each file.
//!
//! `BLESS=1` writes the dashboard anew. What needs tools of Debian's is in `tools` and `answers`, and ignored without
//! them.

mod answers; // a real Prometheus answers every question that the dashboard and the rules ask
mod dashboard; // the dashboard as rows of panels
mod figures; // panels and rules, held against a count of the lines
mod tools; // promtool, systemd, shells, Apache and nginx read what is theirs

use crate::harness::{BINARY, Exporter, Process, TempDir, run, wait_until};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use yaml_rust2::{Yaml, YamlLoader};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(file: &str) -> String {
    let path = root().join(file);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn yaml(file: &str) -> Yaml {
    let mut documents = YamlLoader::load_from_str(&read(file)).unwrap_or_else(|e| panic!("{file}: {e}"));
    assert_eq!(documents.len(), 1, "{file}");
    documents.remove(0)
}

fn texts(list: &Yaml) -> Vec<&str> {
    list.as_vec().map(|items| items.iter().filter_map(Yaml::as_str).collect()).unwrap_or_default()
}

fn files() -> Vec<String> {
    files_below("contrib")
}

/// Files by their paths from the package's directory.
fn files_below(folder: &str) -> Vec<String> {
    let mut folders: Vec<PathBuf> = vec![root().join(folder)];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the package is complete") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let path = path.strip_prefix(root()).expect("under the root");
                files.push(path.to_str().expect("plain names").to_owned());
            }
        }
    }
    files.sort();
    files
}

// ----------------------------------------------------------------------------------------------------- dashboard ---

/// An expression of the dashboard, with the title of its panel.
struct Question {
    title: String,
    expr: String,
}

/// All panels, those of rows that begin collapsed included.
fn panels(dashboard: &Value) -> Vec<Value> {
    let panels = dashboard["panels"].as_array().expect("panels");
    let inside = |panel: &Value| panel["panels"].as_array().cloned().unwrap_or_default();
    panels.iter().flat_map(|panel| [vec![panel.clone()], inside(panel)].concat()).collect()
}

fn questions(dashboard: &Value) -> Vec<Question> {
    let panels = panels(dashboard);
    let of_panel = |panel: &Value| -> Vec<Question> {
        let title = panel["title"].as_str().expect("a title").to_owned();
        let targets = panel["targets"].as_array().cloned().unwrap_or_default();
        let expr = |target: &Value| target["expr"].as_str().expect("an expression").to_owned();
        targets.iter().map(|target| Question { title: title.clone(), expr: expr(target) }).collect()
    };
    panels.iter().flat_map(of_panel).collect()
}

fn kept_dashboard() -> Value {
    serde_json::from_str(&read("contrib/grafana/httpd.json")).expect("JSON")
}

#[test]
fn the_dashboard_is_the_one_of_its_rows() {
    let path = root().join("contrib/grafana/httpd.json");
    let text = format!("{:#}\n", dashboard::dashboard());
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &text).expect("the sources are writable");
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == text, "{} is stale: BLESS=1 cargo test dashboard writes it anew", path.display());
}

#[test]
fn every_panel_says_what_it_shows_in_which_unit_and_from_when_on_it_is_bad() {
    for panel in panels(&kept_dashboard()) {
        let title = panel["title"].as_str().expect("a title");
        assert!(!title.is_empty() && !title.ends_with('.'), "{title}");
        if panel["type"] == "row" {
            continue;
        }
        let description = panel["description"].as_str().expect("a description");
        assert!(description.len() > 20 && description.ends_with('.'), "{title}: {description}");
        let defaults = &panel["fieldConfig"]["defaults"];
        assert!(defaults["unit"].as_str().is_some_and(|unit| !unit.is_empty()), "{title} has no unit");
        let steps = defaults["thresholds"]["steps"].as_array().expect("thresholds");
        assert!(steps[0]["value"].is_null(), "{title}: the first colour holds from the bottom");
        let bounds: Vec<f64> =
            steps[1..].iter().map(|step| step["value"].as_f64().expect("a number")).collect();
        assert!(bounds.is_sorted(), "{title}: {bounds:?}");
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{title}");
        let targets = panel["targets"].as_array().expect("targets");
        let letters: Vec<&str> = targets.iter().filter_map(|target| target["refId"].as_str()).collect();
        assert!(!letters.is_empty(), "{title} asks nothing");
        assert_eq!(letters.iter().collect::<BTreeSet<&&str>>().len(), letters.len(), "{title}: {letters:?}");
    }
}

#[test]
fn panels_have_numbers_and_places_of_their_own() {
    let dashboard = kept_dashboard();
    let rows = dashboard["panels"].as_array().expect("panels").iter().filter(|panel| panel["type"] == "row");
    // Who opens it sees the golden signals, and Prometheus is asked for nothing else.
    assert!(rows.clone().enumerate().all(|(place, row)| row["collapsed"] == (place > 0)));
    assert_eq!((&dashboard["editable"], rows.count() > 8), (&true.into(), true));
    let panels = panels(&dashboard);
    let ids: BTreeSet<u64> = panels.iter().map(|panel| panel["id"].as_u64().expect("an id")).collect();
    assert_eq!(ids.len(), panels.len(), "ids are unique");
    let mut taken = BTreeSet::new();
    for panel in &panels {
        let at = |side: &str| panel["gridPos"][side].as_u64().expect("a place");
        assert!(at("x") + at("w") <= 24 && at("h") > 0, "{}", panel["title"]);
        for cell in
            (at("x")..at("x") + at("w")).flat_map(|x| (at("y")..at("y") + at("h")).map(move |y| (x, y)))
        {
            assert!(taken.insert(cell), "{} lies on another panel at {cell:?}", panel["title"]);
        }
    }
}

#[test]
fn every_question_is_asked_of_the_chosen_servers_over_the_interval_of_the_scrapes() {
    let dashboard = kept_dashboard();
    for Question { title, expr } in questions(&dashboard) {
        let selectors = expr.matches('{').count();
        assert!(selectors > 0, "{title}: {expr}");
        // What the rules record is of all instances.
        let of_instance = expr.matches(r#"{job=~"$job", instance=~"$instance""#).count();
        let recorded = expr.matches(r#"{job=~"$job", vhost=~"$vhost"}"#).count();
        assert_eq!(of_instance + recorded, selectors, "{title}: {expr}");
        assert_eq!(recorded, expr.matches("slo:").count(), "{title}: {expr}");
        let windows = expr.matches('[').count();
        let known = expr.matches("[$__rate_interval]").count() + expr.matches("[$__range]").count();
        assert_eq!(known, windows, "{title}: {expr}");
        assert_eq!(
            expr.matches("rate(").count(),
            expr.matches("[$__rate_interval]").count() - heats(&expr),
            "{expr}"
        );
    }
    let variables = dashboard["templating"]["list"].as_array().expect("variables");
    let names: Vec<&str> = variables.iter().filter_map(|variable| variable["name"].as_str()).collect();
    assert_eq!(names, ["datasource", "job", "instance", "vhost", "route", "method", "client"]);
}

/// Heat maps count what came in each interval instead of a rate.
fn heats(expr: &str) -> usize {
    expr.matches("increase(").count() - expr.matches("[$__range]").count()
}

// ------------------------------------------------------------------------------------------- metrics and options ---

/// Words that a metric's name could be.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let inside = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let word = text.split(move |c| !inside(c)).map(|word| word.trim_matches(':'));
    word.filter(|word| word.contains('_'))
}

const RULES: [&str; 5] = [
    "contrib/fleet/rules.yml",
    "contrib/prometheus/rules/recording.yml",
    "contrib/prometheus/rules/alerts.yml",
    "contrib/prometheus/rules/slo.yml",
    "contrib/prometheus/opentelemetry.yml",
];

/// All rules, in their order.
fn rules() -> Vec<Yaml> {
    rules_of(&RULES)
}

fn rules_of(files: &[&str]) -> Vec<Yaml> {
    let mut rules = Vec::new();
    for file in files {
        let groups = yaml(file);
        for group in groups["groups"].as_vec().expect("groups") {
            rules.extend(group["rules"].as_vec().expect("rules").iter().cloned());
        }
    }
    rules
}

fn alerts() -> Vec<Yaml> {
    rules().into_iter().filter(|rule| rule["alert"].as_str().is_some()).collect()
}

fn recorded() -> BTreeSet<String> {
    rules().iter().filter_map(|rule| Some(rule["record"].as_str()?.to_owned())).collect()
}

#[test]
fn every_metric_named_is_on_the_page_or_recorded() {
    let page = answers::pages_at_once();
    let on_page: BTreeSet<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .filter_map(|line| line.split(' ').next())
        .collect();
    let recorded = recorded();
    let mut named = 0;
    for file in files().iter().filter(|file| !file.contains("/completions/")) {
        let text = read(file);
        let ours = ["httpd_", "http_server_", "process_"];
        for word in words(&text).filter(|word| *word != "httpd_exporter") {
            let is_level = word.contains(':') && !word.starts_with("man:");
            if is_level && word.contains("httpd_") || word.starts_with("http_server_") {
                assert!(recorded.contains(word), "{file}: nobody records {word}");
            } else if ours.iter().any(|prefix| word.starts_with(prefix)) {
                let family =
                    ["_bucket", "_sum", "_count"].iter().find_map(|suffix| word.strip_suffix(suffix));
                let there = on_page.contains(word) || family.is_some_and(|family| on_page.contains(family));
                assert!(there, "{file}: there is no metric {word}");
                named += 1;
            }
        }
    }
    assert!(named > 100, "only {named} metrics are named");
}

/// Options of other programs that the files of `contrib/` call.
const OF_OTHERS: &[&str] = &[
    "--target",
    "--build",
    "--build-arg",
    "--release",
    "--locked",
    "--bin",
    "--from",
    "--include-ignored",
    "--now",
    "--start-period",
    "--storage.tsdb.retention.time",
    "--timeout",
];

fn is_packaging(file: &str) -> bool {
    ["contrib/debian/", "contrib/rpm/", "contrib/release/"].iter().any(|folder| file.starts_with(folder))
}

/// What makes the packages, and the fleet, call many programs of others.
fn calls_others(file: &str) -> bool {
    is_packaging(file) || file == "contrib/fleet/run"
}

#[test]
fn every_option_named_is_one_of_the_programs() {
    let help = run(&["--help"], b"").stdout;
    let words = help.split_whitespace().filter(|word| word.starts_with("--"));
    // `--report[=FORM]` may stand without a value.
    let known: BTreeSet<&str> = words.filter_map(|word| word.split('[').next()).collect();
    for file in files().iter().filter(|file| !calls_others(file)) {
        let text = read(file);
        let inside = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
        for (at, _) in text.match_indices("--") {
            let begins = !text[..at].ends_with(inside);
            let word = text[at..].split(|c| !inside(c)).next().unwrap_or("").trim_end_matches('.');
            if begins && word[2..].starts_with(|c: char| c.is_ascii_lowercase()) {
                assert!(
                    known.contains(word) || OF_OTHERS.contains(&word),
                    "{file}: there is no option {word}"
                );
            }
        }
    }
}

// --------------------------------------------------------------------------------------------- files of others ---

#[test]
fn every_yaml_file_is_yaml() {
    let yaml_files: Vec<String> =
        files().into_iter().filter(|file| file.ends_with(".yml") || file.ends_with(".yaml")).collect();
    assert!(yaml_files.len() >= 8, "{yaml_files:?}");
    for file in yaml_files {
        assert!(!yaml(&file).is_null(), "{file} is empty");
    }
}

/// The arguments of the exporter in a manifest, with another place for what it mounts.
fn arguments_in_kubernetes(file: &str, mounted: &str, place: &Path) -> Vec<String> {
    let manifest = yaml(file);
    let pod = &manifest["spec"]["template"]["spec"];
    let containers = pod["containers"].as_vec().expect("containers");
    let exporter = containers.iter().find(|one| one["image"].as_str() == Some("httpd_exporter"));
    let exporter = exporter.expect("an exporter");
    let mounts = exporter["volumeMounts"].as_vec().expect("mounts");
    let mounts: Vec<&str> = mounts.iter().filter_map(|mount| mount["mountPath"].as_str()).collect();
    assert!(mounts.iter().any(|mount| mounted.starts_with(mount)), "{file}: {mounts:?}");
    let port = exporter["ports"][0]["containerPort"].as_i64().expect("a port");
    let address = format!("--web.listen-address=:{port}");
    let args = texts(&exporter["args"]);
    assert!(args.contains(&&*address), "{file}: {args:?}");
    for probe in ["startupProbe", "livenessProbe"] {
        let asked = &exporter[probe]["httpGet"];
        assert_eq!(asked["path"].as_str(), Some("/-/healthy"), "{file}: {probe}");
        assert_eq!(asked["port"], exporter["ports"][0]["name"], "{file}: {probe}");
    }
    let rights = &exporter["securityContext"];
    assert_eq!(rights["readOnlyRootFilesystem"].as_bool(), Some(true), "{file}");
    assert_eq!(rights["allowPrivilegeEscalation"].as_bool(), Some(false), "{file}");
    let args = args.into_iter().map(|arg| match arg {
        arg if arg == address => "--web.listen-address=127.0.0.1:0".to_owned(),
        arg if arg.starts_with("--state-dir=") => format!("--state-dir={}/state", place.display()),
        arg => arg.replace(mounted, &place.display().to_string()),
    });
    args.collect()
}

#[test]
fn the_manifests_of_kubernetes_read_what_a_pod_and_a_node_write() {
    let line = "192.0.2.7 - - [26/Nov/2026:12:00:00 +0000] \"GET / HTTP/1.1\" 200 12 \"-\" \"-\"";
    let of_node =
        format!("2026-11-26T12:00:00.1Z stdout F {line}\n2026-11-26T12:00:00.2Z stdout F a remark\n");
    let name = format!("web-6f1c_shop_nginx-{}.log", "0123456789abcdef".repeat(4));
    for (file, mounted, log, text) in [
        ("contrib/kubernetes/sidecar.yaml", "/logs", "access.log", format!("{line}\n").repeat(2)),
        ("contrib/kubernetes/daemonset.yaml", "/var/log/containers", &*name, of_node),
    ] {
        let dir = TempDir::new();
        // The names of links to containers' logs tell the pod where they stand in such a folder.
        let place = dir.join("containers");
        dir.write(&format!("containers/{log}"), "");
        let args = arguments_in_kubernetes(file, mounted, &place);
        let mut command = Command::new(BINARY);
        let exporter = Exporter::of(Process::start(command.args(args)));
        wait_until("the log to be followed", || {
            exporter.scrape().value("httpd_exporter_followed_files") == Some(1.0)
        });
        dir.write(&format!("containers/{log}"), text);
        let page = exporter.wait_for_lines(2);
        assert_eq!(page.value("httpd_exporter_lines_total{outcome=\"malformed\"}"), Some(0.0), "{file}");
        let of_pod =
            "httpd_requests_total{method=\"GET\",namespace=\"shop\",pod=\"web-6f1c\",status_code=\"200\"}";
        let of_nginx = "httpd_requests_total{method=\"GET\",status_code=\"200\"}";
        let counted = [of_pod, of_nginx].map(|series| page.value(series));
        assert!(matches!(counted, [Some(1.0), None] | [None, Some(2.0)]), "{file}: {:?}", page.series.keys());
    }
}

#[test]
fn compose_mounts_what_is_there_and_builds_a_stage_that_is_there() {
    let compose = yaml("contrib/compose.yaml");
    let services = compose["services"].as_hash().expect("services");
    assert_eq!(services.len(), 4);
    let volumes = compose["volumes"].as_hash().expect("volumes");
    let stages = stages();
    for (name, service) in services {
        for mount in texts(&service["volumes"]) {
            let source = mount.split(':').next().expect("a source");
            match source.strip_prefix("./") {
                Some(path) => {
                    assert!(root().join("contrib").join(path).exists(), "{name:?}: {source} is missing");
                }
                None => assert!(volumes.contains_key(&Yaml::String(source.to_owned())), "{name:?}: {source}"),
            }
        }
        for port in texts(&service["ports"]) {
            assert!(port.starts_with("127.0.0.1:"), "{name:?} is open to others: {port}");
        }
        for other in texts(&service["depends_on"]) {
            assert!(services.contains_key(&Yaml::String(other.to_owned())), "{name:?} depends on {other}");
        }
        if let Some(target) = service["build"]["target"].as_str() {
            assert!(stages.iter().any(|stage| stage == target), "{name:?}: there is no stage {target}");
            assert!(
                root()
                    .join("contrib")
                    .join(service["build"]["context"].as_str().expect("a context"))
                    .exists()
            );
            assert!(root().join(service["build"]["dockerfile"].as_str().expect("a Dockerfile")).exists());
        } else {
            let image = service["image"].as_str().expect("an image");
            assert!(
                image.starts_with("httpd_exporter") || image.contains(":v") || image.contains(":1"),
                "{image}"
            );
        }
    }
}

/// What compose gives to Prometheus and Grafana is where they look for it.
#[test]
fn provisioned_paths_are_those_that_compose_mounts() {
    let compose = read("contrib/compose.yaml");
    let dashboards = yaml("contrib/grafana/provisioning/dashboards/httpd.yaml");
    let path = dashboards["providers"][0]["options"]["path"].as_str().expect("a path");
    assert!(compose.contains(&format!("./grafana/httpd.json:{path}/httpd.json:ro")));
    let source = yaml("contrib/grafana/provisioning/datasources/prometheus.yaml");
    assert_eq!(source["datasources"][0]["url"].as_str(), Some("http://prometheus:9090"));
    let prometheus = yaml("contrib/prometheus/prometheus.yml");
    assert_eq!(texts(&prometheus["rule_files"]), ["rules/*.yml"]);
    assert_eq!(prometheus["scrape_configs"][0]["job_name"].as_str(), Some("httpd"));
    assert_eq!(texts(&prometheus["scrape_configs"][0]["static_configs"][0]["targets"]), ["httpd:19117"]);
}

/// What says when a series began would be as many series again.
#[test]
fn every_scrape_leaves_out_when_series_began() {
    for file in ["contrib/prometheus/prometheus.yml", "contrib/fleet/lower.yml"] {
        for job in yaml(file)["scrape_configs"].as_vec().expect("jobs") {
            let rule = &job["metric_relabel_configs"][0];
            assert_eq!(texts(&rule["source_labels"]), ["__name__"], "{file}");
            assert_eq!((rule["regex"].as_str(), rule["action"].as_str()), (Some(".+_created"), Some("drop")));
        }
    }
}

fn stages() -> Vec<String> {
    let dockerfile = read("contrib/Dockerfile");
    let stage = |line: &str| {
        line.starts_with("FROM ").then(|| line.split(" AS ").nth(1).map(str::to_owned)).flatten()
    };
    dockerfile.lines().filter_map(stage).collect()
}

/// What the Dockerfile copies: sources from the package, or `--from=` a stage.
fn copied() -> Vec<String> {
    let mut copied = Vec::new();
    for line in read("contrib/Dockerfile").lines().filter_map(|line| line.strip_prefix("COPY ")) {
        let words: Vec<&str> = line.split(' ').collect();
        let sources = if line.starts_with("--from=") { &words[..1] } else { &words[..words.len() - 1] };
        copied.extend(sources.iter().map(|&source| source.to_owned()));
    }
    copied
}

/// What is not kept from the build.
fn let_in() -> Vec<String> {
    let ignored = read("contrib/Dockerfile.dockerignore");
    ignored.lines().filter_map(|line| line.strip_prefix('!')).map(str::to_owned).collect()
}

/// The tree that the image is built in has every target that cargo looks for.
#[test]
fn cargo_finds_every_target_in_what_the_image_is_built_of() {
    let tree = TempDir::new();
    for source in copied().iter().filter(|source| !source.starts_with("--from=")) {
        let is_file = root().join(source).is_file();
        for file in if is_file { vec![source.clone()] } else { files_below(source) } {
            tree.write(&file, fs::read(root().join(&file)).expect("the package is complete"));
        }
    }
    assert_eq!(targets(tree.path()), targets(root()), "cargo builds nothing where a target is missing");
}

/// What cargo can build of a package: its programs, tests and benches, by their files.
fn targets(package: &Path) -> BTreeSet<PathBuf> {
    let metadata = ["metadata", "--offline", "--no-deps", "--format-version", "1"];
    let cargo = Command::new(env!("CARGO")).args(metadata).current_dir(package).output().expect("cargo");
    assert!(cargo.status.success(), "{}", String::from_utf8_lossy(&cargo.stderr));
    let metadata: Value = serde_json::from_slice(&cargo.stdout).expect("JSON");
    let targets = metadata["packages"][0]["targets"].as_array().expect("targets");
    let file = |target: &Value| PathBuf::from(target["src_path"].as_str().expect("a path"));
    let below = |file: PathBuf| file.strip_prefix(package).expect("of the package").to_owned();
    targets.iter().map(file).map(below).collect()
}

/// The paths that a source compiles in.
fn included(source: &str) -> Vec<&str> {
    let after = ["include_str!(\"", "include_bytes!(\""].iter().flat_map(|word| source.split(word).skip(1));
    after.filter_map(|rest| Some(rest.split_once('"')?.0)).collect()
}

#[test]
fn the_image_is_built_of_what_is_there_and_runs_as_nobody() {
    let dockerfile = read("contrib/Dockerfile");
    assert_eq!(stages(), ["build", "httpd", "exporter"]);
    let let_in = let_in();
    for source in copied() {
        match source.strip_prefix("--from=") {
            Some(stage) => assert!(stages().iter().any(|known| known == stage), "{source}"),
            None => {
                assert!(root().join(&source).exists(), "{source} is missing");
                assert!(
                    let_in.iter().any(|path| Path::new(&source).starts_with(path)),
                    "{source} is ignored"
                );
            }
        }
    }
    // The program compiles in files from beside src/.
    for source in files_below("src") {
        for rest in included(&read(&source)) {
            let path = Path::new(&source).parent().expect("below src").join(rest);
            let path = fs::canonicalize(root().join(path)).expect("what is compiled in is there");
            let path = path.strip_prefix(root()).expect("of the package");
            assert!(let_in.iter().any(|known| path.starts_with(known)), "{} is ignored", path.display());
        }
    }
    let description = format!("image.description=\"{}\"", env!("CARGO_PKG_DESCRIPTION"));
    assert!(dockerfile.contains(&description), "{description}");
    let user = dockerfile.lines().rev().find_map(|line| line.strip_prefix("USER ")).expect("a user");
    assert!(user.split(':').all(|id| id.parse::<u32>().is_ok_and(|id| id > 0)), "{user}");
}

#[test]
fn every_alert_says_what_to_do_and_is_tested_firing_and_silent() {
    let tests = ["alerts", "days", "slo"].map(|file| yaml(&format!("contrib/prometheus/tests/{file}.yml")));
    let tests = tests.iter().flat_map(|file| file["tests"].as_vec().expect("tests"));
    let tested: Vec<&Yaml> = tests.filter_map(|test| test["alert_rule_test"].as_vec()).flatten().collect();
    assert!(read("contrib/README.md").contains("`alerts.yml`: thirteen alerts"));
    assert!(read("contrib/README.md").contains("three alerts on error budgets") && alerts().len() == 16);
    let runbook = read("docs/alerts.md");
    let headings: Vec<&str> = runbook.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let names: Vec<Yaml> = alerts().iter().map(|rule| rule["alert"].clone()).collect();
    assert_eq!(headings, names.iter().filter_map(Yaml::as_str).collect::<Vec<_>>());
    for rule in alerts() {
        let name = rule["alert"].as_str().expect("only alerts");
        let severity = rule["labels"]["severity"].as_str().expect("a severity");
        assert!(["critical", "warning", "info"].contains(&severity), "{name}: {severity}");
        assert!(rule["annotations"]["summary"].as_str().is_some_and(|text| text.len() > 10), "{name}");
        assert!(rule["annotations"]["description"].as_str().is_some_and(|text| text.len() > 100), "{name}");
        let url = rule["annotations"]["runbook_url"].as_str();
        assert!(url.is_some_and(|url| url.ends_with(&format!("/alerts#{name}"))), "{name}: {url:?}");
        let of_rule = || tested.iter().filter(|test| test["alertname"].as_str() == Some(name));
        let firing = |test: &&&Yaml| test["exp_alerts"].as_vec().is_some_and(|alerts| !alerts.is_empty());
        assert!(of_rule().any(|test| firing(&test)), "{name} is never tested firing");
        assert!(of_rule().any(|test| !firing(&test)), "{name} is never tested silent");
    }
}

/// `cargo deb` is not run here; what it would install is there, and is all that an administrator looks for.
#[test]
fn the_package_installs_what_is_there() {
    let manifest = read("Cargo.toml");
    let section = manifest.split("[package.metadata.deb]").nth(1).expect("metadata of the package");
    let section = section.split("\n[").next().unwrap_or("");
    let mut installed = Vec::new();
    for line in section.lines().filter(|line| line.trim_start().starts_with('[')) {
        let words: Vec<&str> = line.split('"').skip(1).step_by(2).collect();
        let [source, target, mode] = words[..] else { panic!("{line}") };
        let is_program = source == "target/release/httpd_exporter";
        assert!(is_program || root().join(source).is_file(), "{source} is missing");
        assert_eq!(mode, if is_program { "755" } else { "644" }, "{source}");
        installed.push(target);
    }
    for target in [
        "usr/bin/",
        "usr/share/man/man8/",
        "usr/share/bash-completion/completions/httpd_exporter",
        "usr/share/zsh/vendor-completions/",
        "usr/share/fish/vendor_completions.d/",
        "usr/lib/systemd/system/",
        "etc/default/httpd_exporter",
        "etc/apache2/conf-available/httpd-exporter.conf",
        "usr/share/doc/httpd-exporter/copyright",
    ] {
        assert!(installed.contains(&target), "nothing goes to {target}");
    }
    // All that an administrator copies is there, but for what builds from the source.
    let guide = read("contrib/README.md");
    let (_, of_the_source) = guide.split_once("\n## From the source\n").expect("a part on the source");
    let of_the_source = of_the_source.split("\n## ").next().unwrap_or("");
    for file in files().iter().filter(|file| !is_packaging(file)) {
        let name = file.trim_start_matches("contrib/");
        let folder = name.split_once('/').map_or(name, |(folder, _)| folder);
        let is_left_out = [name, folder].iter().any(|part| {
            of_the_source.contains(&format!("`{part}`")) || of_the_source.contains(&format!("`{part}/`"))
        });
        assert_ne!(section.contains(&format!("[\"{file}\", ")), is_left_out, "{file}");
    }
}

/// A release is of one version, whichever package it is installed from, and each of Red Hat's files is listed.
#[test]
fn packages_have_the_version_of_the_program() {
    let version = env!("CARGO_PKG_VERSION");
    let debian = read("contrib/debian/changelog");
    assert!(debian.starts_with(&format!("httpd-exporter ({version}-1) ")), "{debian}");
    assert!(read("contrib/Dockerfile").contains(&format!("image.version=\"{version}\"")));
    let spec = read("contrib/rpm/httpd_exporter.spec");
    let (_, changes) = spec.split_once("%changelog\n* ").expect("a changelog");
    let newest = changes.lines().next().expect("an entry");
    assert!(newest.ends_with(&format!(" - {version}-1")), "{newest}");
    for unit in files().iter().filter_map(|file| file.strip_prefix("contrib/systemd/")) {
        if !unit.ends_with(".default") {
            assert!(spec.contains(&format!("\n/usr/lib/systemd/system/{unit}\n")), "the spec lacks {unit}");
            assert!(spec.contains(&format!(" {unit}")), "the spec does not install {unit}");
        }
    }
}

/// By hand the program comes to one place, as a package to another; each file finds it at both.
#[test]
fn the_program_is_looked_for_where_it_is_installed() {
    let places = ["/usr/local/bin", "/usr/bin"];
    assert!(read("README.md").contains(&format!("copy `target/release/httpd_exporter` to `{}`", places[0])));
    assert!(read("Cargo.toml").contains("[\"target/release/httpd_exporter\", \"usr/bin/\", \"755\"]"));
    let snippet = read("contrib/apache/httpd_exporter.conf");
    for place in places {
        assert!(snippet.contains(&format!("Define HTTPD_EXPORTER {place}/httpd_exporter\n")), "{place}");
    }
    // systemd gives its units both in their PATH.
    assert!(read("contrib/systemd/httpd_exporter.service").contains("/usr/bin/env httpd_exporter "));
}

/// On a machine with Apache, nginx and datagrams each has an exporter, of another user: no directory is shared, and
/// Debian's package removes all of them in the end.
#[test]
fn exporters_of_one_machine_keep_their_counts_apart() {
    let directory = |file: &str, before: &str| {
        let text = read(file);
        let rest = text.split(before).nth(1).unwrap_or_else(|| panic!("{file} has no {before}"));
        rest.split_whitespace().next().expect("a directory").to_owned()
    };
    let kept = [
        directory("contrib/apache/httpd_exporter.conf", "|${HTTPD_EXPORTER} --state-dir /var/lib/"),
        directory("contrib/systemd/httpd_exporter.service", "\nStateDirectory="),
        directory("contrib/systemd/httpd_exporter-syslog.service", "\nStateDirectory="),
    ];
    assert_eq!(kept.iter().collect::<BTreeSet<_>>().len(), kept.len(), "{kept:?}");
    assert!(
        read("contrib/debian/postrm").contains(&format!("for name in {}; do", kept.join(" "))),
        "{kept:?}"
    );
}

#[test]
fn the_guide_names_every_file() {
    let guide = read("contrib/README.md");
    for file in files() {
        let name = file.trim_start_matches("contrib/");
        let folder = Path::new(name).parent().and_then(Path::to_str).filter(|folder| !folder.is_empty());
        let named = guide.contains(&format!("`{name}`"))
            || folder.is_some_and(|folder| guide.contains(&format!("`{folder}/`")));
        assert!(named || name == "README.md", "contrib/README.md is silent on {name}");
    }
}
