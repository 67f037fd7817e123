//! Turns the option table into shell completions and keeps `contrib/completions/` equal to it.
//!
//! Exists in tests only: the program itself prints no completions, packages install the files. `BLESS=1 cargo test`
//! writes them anew. Sources: bash's manual ("Programmable Completion"), zshcompsys(1) (`_arguments`), fish's
//! `complete(1)`. It must never list an option or a preset that the program's own tables do not have.

use crate::options::{Flag, TABLE};
use crate::parse::compile::presets::PRESETS;
use std::fmt::Write;

/// What can stand for an option's value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Value {
    /// A switch.
    None,
    Files,
    Directories,
    Users,
    Formats,
    /// Anything; there is nothing to offer.
    Free,
}

fn value_of(flag: &Flag) -> Value {
    match (flag.name, flag.value) {
        (_, value) if value.is_empty() || value.starts_with('[') => Value::None,
        (_, "DIR") => Value::Directories,
        ("format", _) => Value::Formats,
        (_, "USER[:GROUP]") => Value::Users,
        // The other PATH is one of a URL.
        ("tee" | "web.config.file", _) => Value::Files,
        _ => Value::Free,
    }
}

/// What fits beside an option's name.
const ABOUT_CHARS: usize = 80;

/// The first thought of an option's help; of a long one, what comes before its last comma or bracket that fits.
fn about(flag: &Flag) -> &'static str {
    let end = [": ", "; ", ". "].iter().filter_map(|mark| flag.help.find(mark)).min();
    let thought = flag.help[..end.unwrap_or(flag.help.len())].trim_end_matches('.');
    match thought.get(..ABOUT_CHARS) {
        None => thought,
        Some(short) => &thought[..short.rfind(", ").max(short.rfind(" (")).unwrap_or(thought.len())],
    }
}

fn formats() -> String {
    let names = PRESETS.iter().map(|preset| preset.name);
    std::iter::once("auto").chain(names).collect::<Vec<_>>().join(" ")
}

/// Options whose value is of one kind, as a pattern of `case`.
fn options_of(kind: Value) -> String {
    let named = TABLE.iter().filter(|flag| value_of(flag) == kind);
    named.map(|flag| format!("--{}", flag.name)).collect::<Vec<_>>().join(" | ")
}

const ORIGIN: &str = "Made from the program's table of options: BLESS=1 cargo test completions";

fn bash() -> String {
    let all = TABLE.iter().map(|flag| format!("--{}", flag.name)).collect::<Vec<_>>().join("\n        ");
    format!(
        r#"# shellcheck shell=bash
# bash completion for httpd_exporter.
# {ORIGIN}

_httpd_exporter() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} option=${{COMP_WORDS[COMP_CWORD - 1]}} options
    # Readline takes an option, `=` and its value for three words.
    if [[ $current == "=" ]]; then
        current=
    elif [[ $option == "=" ]]; then
        option=${{COMP_WORDS[COMP_CWORD - 2]}}
    fi
    COMPREPLY=()
    # @FILE stands for its lines, as arguments and as values.
    if [[ $current == @* ]]; then
        mapfile -t COMPREPLY < <(compgen -P @ -f -- "${{current#@}}")
        return
    fi
    case $option in
    {formats})
        mapfile -t COMPREPLY < <(compgen -W '{presets}' -- "$current")
        return ;;
    {files})
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return ;;
    {directories})
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -d -- "$current")
        return ;;
    {users})
        mapfile -t COMPREPLY < <(compgen -u -- "$current")
        return ;;
    {free})
        return ;;
    esac
    options='
        {all}
    '
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")
}}

complete -F _httpd_exporter httpd_exporter
"#,
        formats = options_of(Value::Formats),
        presets = formats(),
        files = options_of(Value::Files),
        directories = options_of(Value::Directories),
        users = options_of(Value::Users),
        free = options_of(Value::Free),
    )
}

fn zsh() -> String {
    let mut text = format!(
        "#compdef httpd_exporter\n# zsh completion for httpd_exporter.\n# {ORIGIN}\n\n_arguments \\\n"
    );
    for flag in TABLE {
        let action = match value_of(flag) {
            Value::None => None,
            Value::Files => Some("_files".to_owned()),
            Value::Directories => Some("_files -/".to_owned()),
            Value::Users => Some("_users".to_owned()),
            Value::Formats => Some(format!("({})", formats())),
            Value::Free => Some(" ".to_owned()),
        };
        let repeats = if flag.repeats { "*" } else { "" };
        let (equals, value) = match action {
            None => ("", String::new()),
            Some(action) => ("=", format!(":{}:{action}", zsh_escaped(flag.value))),
        };
        let about = zsh_escaped(about(flag));
        let _ = writeln!(text, "    '{repeats}--{}{equals}[{about}]{value}' \\", flag.name);
    }
    text.push_str("    '*:file of arguments:{ compset -P @ && _files }'\n");
    text
}

/// Within a quoted specification of `_arguments`.
fn zsh_escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '\'' => escaped.push_str("'\\''"),
            ':' | '[' | ']' | '\\' => escaped.extend(['\\', c]),
            c => escaped.push(c),
        }
    }
    escaped
}

fn fish() -> String {
    let mut text = format!(
        "# fish completion for httpd_exporter.\n# {ORIGIN}\n\n\
         complete -c httpd_exporter -f\n\
         complete -c httpd_exporter -a '@(__fish_complete_path (string replace -r \"^@\" \"\" -- (commandline -ct)))' \
         -n 'string match -q \"@*\" -- (commandline -ct)'\n"
    );
    for flag in TABLE {
        let value = match value_of(flag) {
            Value::None => String::new(),
            Value::Files => " -rF".to_owned(),
            Value::Directories => " -xa '(__fish_complete_directories)'".to_owned(),
            Value::Users => " -xa '(__fish_complete_users)'".to_owned(),
            Value::Formats => format!(" -xa '{}'", formats()),
            Value::Free => " -x".to_owned(),
        };
        let about = about(flag).replace('\\', "\\\\").replace('\'', "\\'");
        let _ = writeln!(text, "complete -c httpd_exporter -l {}{value} -d '{about}'", flag.name);
    }
    text
}

#[test]
fn completions_are_those_of_the_option_table() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/contrib/completions");
    for (name, text) in
        [("httpd_exporter.bash", bash()), ("_httpd_exporter", zsh()), ("httpd_exporter.fish", fish())]
    {
        let path = format!("{directory}/{name}");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(kept == text, "{path} is stale: BLESS=1 cargo test completions writes it anew");
    }
}

#[test]
fn what_stands_beside_an_option_fits_a_line() {
    for flag in TABLE {
        let about = about(flag);
        assert!((10..=ABOUT_CHARS).contains(&about.len()), "--{}: {about}", flag.name);
        assert!(!about.ends_with(['.', ',', ':']), "--{}: {about}", flag.name);
    }
}
