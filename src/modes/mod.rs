//! What is done with the options: one file for each mode, and the way from the command line to it.

mod drain;
mod health_check;
mod history;
mod once;
mod progress;
mod report;
mod serve;
mod shared;
mod start;

use crate::advise::explain;
use crate::input::compressed;
use crate::log::{self, Style, log_error};
use crate::modes::shared::{Failure, print, written};
use crate::options::{Mode, Options};
use crate::parse::compile::language;
use crate::parse::compile::presets::PRESETS;
use crate::self_metrics::BUILD;
use crate::{options, os};
use std::ffi::OsString;
use std::process::ExitCode;

/// The whole program: what a command line asks for, and the exit code.
pub fn run_program(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    os::close_inherited(&arguments);
    let (wrong, code) = match options::parse(arguments).map_err(Failure::Usage).and_then(run) {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Usage(wrong)) => (wrong, 2),
        Err(Failure::System(wrong)) => (wrong, 1),
        Err(Failure::Broken(wrong)) => {
            log_error(&wrong);
            return ExitCode::FAILURE;
        }
    };
    log_error(&wrong);
    if os::started_by_server() {
        drain::read_and_discard();
    }
    ExitCode::from(code)
}

fn run(options: Options) -> Result<(), Failure> {
    // What is said by a program that soon ends is read by whoever started it.
    let stamps = options.mode == Mode::Serve;
    log::set_style(Style { least: options.log_level, form: options.log_form, stamps });
    match options.mode {
        Mode::Help => print(&(options::help() + &presets_help())),
        Mode::Fields => print(&language::help()),
        Mode::Version => print(&version()),
        Mode::HealthCheck => health_check::run(&options),
        Mode::Explain => {
            let _rights = start::drop_root(&options)?;
            let mut input = compressed::reader(std::io::stdin().lock());
            written(explain::run(&options, &mut input).map_err(Failure::Usage)?)
        }
        Mode::Once | Mode::Report | Mode::History | Mode::Serve => {
            os::check_address_space(options.max_series).map_err(Failure::System)?;
            match options.mode {
                Mode::Once => once::run(options),
                Mode::Report => report::run(options),
                Mode::History => history::run(options),
                _ => serve::run(options),
            }
        }
    }
}

fn version() -> String {
    let [(_, features), (_, revision), (_, version)] = BUILD;
    format!("httpd_exporter {version} (revision {revision}, features {features})\n")
}

/// The presets, for `--help`.
fn presets_help() -> String {
    let rows = PRESETS.iter().map(|preset| format!("  {:18} {}\n", preset.name, preset.about));
    format!("\nPresets for --format:\n{}", rows.collect::<String>())
}
