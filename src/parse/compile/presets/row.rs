//! A row of the table of presets.

/// A format known by name.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    pub name: &'static str,
    /// The language of `text`.
    pub dialect: &'static str,
    pub text: &'static str,
    /// One line for the help text.
    pub about: &'static str,
    /// Where its server is told what to log, where that is neither LogFormat nor log_format.
    pub set_by: &'static str,
    /// Fields that tell requests from other lines that fit, with their values: patterns parted by `|`, an empty one
    /// for an absent field.
    pub conditions: &'static [(&'static str, &'static str)],
    /// Keys that mean what the text says if all lines have them; where only some have, `auto` takes them for something
    /// else.
    pub in_every_line: &'static [&'static str],
    /// Patterns of whole lines that do not fit and are no requests.
    pub others: &'static [&'static str],
    /// Fields with values that tell of a client that went away, beside those of the language.
    pub aborted: &'static [(&'static str, &'static [&'static str])],
    /// A field that has a value in the lines of this log alone: `auto` counts no line without it.
    pub known_by: &'static str,
    /// Though it ends in a number without a name, no other server writes a line of its shape.
    pub tells_unit: bool,
    /// No line tells it from another, whose unit differs: it has to be asked for by its name.
    pub by_name: bool,
    /// Where the facts come from.
    #[allow(dead_code, reason = "for whoever checks a row; a test sees that it is there")]
    pub source: &'static str,
}

/// What a row leaves out.
pub const PRESET: Preset = Preset {
    name: "",
    dialect: "",
    text: "",
    about: "",
    set_by: "",
    conditions: &[],
    in_every_line: &[],
    others: &[],
    aborted: &[],
    known_by: "",
    tells_unit: false,
    by_name: false,
    source: "",
};
