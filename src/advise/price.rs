//! The prices of advice: of several remedies the cheapest is given, and a price is how much a change changes and how
//! far it is from what people log.

// A format that the operator wrote, changed at one place.

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
/// A placeholder: a field of unknown meaning.
pub const PLACEHOLDER: usize = 9;
/// Several placeholders; cheaper if one of the fields is known by its label.
pub const PLACEHOLDERS: usize = 10;
/// Two neighbours left out.
pub const TWO_LESS: usize = 11;

// Another format altogether.

/// A preset of the same server, where a preset was given: one is easily taken for another.
pub const SAME_SERVER: usize = 2;
/// The keys of the lines, where keys were given.
pub const OWN_KEYS: usize = 3;
/// A preset of another server, where a preset was given.
pub const OTHER_SERVER: usize = 4;
/// A preset, where a format was given: the operator wants that format corrected.
pub const PRESET_FOR_FORMAT: usize = 7;
/// The keys of the lines, where no keys were given.
pub const OTHER_KEYS: usize = 8;
/// A draft, which keeps nothing of the format that was given.
pub const DRAFT: usize = 12;

/// A line that is not read, for every line that is: a format that reads nearly all lines is likelier than one that
/// reads most.
pub const UNREAD_LINE: usize = 20;
/// Each value that is odd for its field, in every line: more than nearly any change, because a value without a name
/// is better than a value with the wrong one.
pub const ODD_VALUE: usize = 10;
