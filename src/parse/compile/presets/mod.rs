//! Formats by name: what servers write unless they are told otherwise.
//!
//! Turns a name into the text of a format, with what it takes to read the log around it: which lines are requests, and
//! which values tell of clients that went away. One table feeds the compiler, the help text and `--format auto`. A
//! preset more is a row; its facts come from where `source` says.

mod applications;
mod clouds;
mod proxies;
mod row;
mod servers;

use crate::parse::compile::presets::row::PRESET;
pub use crate::parse::compile::presets::row::Preset;

/// The preset that a format is, by name or word for word.
pub fn of_text(text: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.text == text)
}

const TABLES: [&[Preset]; 4] = [servers::ROWS, proxies::ROWS, applications::ROWS, clouds::ROWS];

const COUNT: usize = TABLES[0].len() + TABLES[1].len() + TABLES[2].len() + TABLES[3].len();

/// In the order of preference when several read the same lines equally well.
pub const PRESETS: &[Preset] = &{
    let mut all = [PRESET; COUNT];
    let (mut table, mut count) = (0, 0);
    while table < TABLES.len() {
        let mut row = 0;
        while row < TABLES[table].len() {
            all[count] = TABLES[table][row];
            row += 1;
            count += 1;
        }
        table += 1;
    }
    all
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_whole_and_its_name_its_own() {
        for (at, preset) in PRESETS.iter().enumerate() {
            assert!(!PRESETS[..at].iter().any(|other| other.name == preset.name), "{}", preset.name);
            assert!(!preset.about.is_empty() && !preset.source.is_empty(), "{}", preset.name);
        }
    }
}
