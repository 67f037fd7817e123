//! The prices of advice: of several remedies the cheapest is given, and a price is how much a change changes and how
//! far it is from what people log.

// A format that somebody wrote, changed at one place.

/// The same fields, written as in another file.
pub const SYNTAX: usize = 1;
/// One field written otherwise.
pub const REWRITE: usize = 2;
/// A field where nearly everybody has it, two that change places, or all in the other server's words.
pub const USUAL: usize = 3;
/// A field more or less.
pub const FIELD: usize = 4;
/// Two usual fields more, or one less that many log.
pub const TWO_FIELDS: usize = 5;
/// A host where few have it; a field less that nearly everybody has.
pub const RARE: usize = 6;
/// A field that is nobody's, with a name of its own.
pub const PLACEHOLDER: usize = 9;
/// Several such fields; one of them known by its label is the cheaper for it.
pub const PLACEHOLDERS: usize = 10;
/// Two neighbours left out.
pub const TWO_LESS: usize = 11;

// Another format altogether.

/// A preset of the same server, for who gave a preset: whoever named one may as well have named another.
pub const SAME_SERVER: usize = 2;
/// Keys of the lines, for who named keys.
pub const OWN_KEYS: usize = 3;
/// A preset of another server, for who gave a preset.
pub const OTHER_SERVER: usize = 4;
/// A preset, for who wrote a format: they want that one put right.
pub const PRESET_FOR_FORMAT: usize = 7;
/// Keys of the lines, for who named none.
pub const OTHER_KEYS: usize = 8;
/// A draft, which knows nothing of the format that somebody wrote.
pub const DRAFT: usize = 12;

/// A line that is not read, for every one that is: what reads nearly all lines is likelier than what reads most.
pub const UNREAD_LINE: usize = 20;
/// Each value that is odd for its field, in every line: it costs more than nearly any change, for to leave a value
/// without a name is better than to give it a wrong one.
pub const ODD_VALUE: usize = 10;
