//! What a segment of a path looks like: whether it names one thing, and what sets words apart from each other.

use crate::bytes::path::Segment;
use crate::bytes::scan::{places, places_between};

/// A segment longer than this is not a word and counts as an identifier.
const WORD_BYTES_MAX: usize = 64;

/// Hexadecimal digits that make an identifier; short commit hashes and CRCs have seven or eight.
const HEX_DIGITS_MIN: u32 = 8;

/// Characters of the shortest random-looking identifier: 12 bytes in base64 are 16 characters.
const RANDOM_BYTES_MIN: u32 = 16;

/// What stands for a segment that names one thing, with its extension behind it.
pub const ID: &[u8] = b":id";

/// What stands for a segment of which there are many.
pub const ANY: &[u8] = b":any";

/// Names of people and packages may have a mark before them, `/@name` and `/~name`; so they are told from other words.
const MARKED: [&[u8]; 2] = [b"@:any", b"~:any"];

/// An extension has so many characters behind its dot, at most.
const EXTENSION_BYTES_MAX: usize = 5;

/// The longest placeholder.
pub const PLACEHOLDER_BYTES_MAX: usize = ID.len() + 1 + EXTENSION_BYTES_MAX;

/// The name of one thing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Name<'s> {
    /// With a mark before it.
    Marked(u8),
    /// With its extension, which may be empty.
    Id(Segment<'s>),
}

impl Name<'_> {
    /// With nothing to tell it by.
    const PLAIN: Name<'static> = Name::Id(Segment::EMPTY);

    #[inline]
    pub fn is_plain(self) -> bool {
        matches!(self, Name::Id(extension) if extension.is_empty())
    }

    /// What stands for it. `text` is where that is written.
    pub fn placeholder(self, text: &mut [u8; PLACEHOLDER_BYTES_MAX]) -> &[u8] {
        let (begin, end) = match &self {
            Name::Marked(mark) => (std::slice::from_ref(mark), ANY),
            Name::Id(extension) => (ID, extension.bytes()),
        };
        let length = begin.len() + end.len();
        text[..begin.len()].copy_from_slice(begin);
        text[begin.len()..length].copy_from_slice(end);
        &text[..length]
    }

    /// What a placeholder stands for.
    pub fn of_placeholder(placeholder: &[u8]) -> Option<Name<'_>> {
        match placeholder.strip_prefix(ID) {
            Some(extension) => Some(Name::Id(Segment::of(extension))),
            None => is_marked(placeholder).then(|| Name::Marked(placeholder[0])),
        }
    }
}

/// Whether it stands for a segment that names one thing.
pub fn is_placeholder(segment: &[u8]) -> bool {
    segment.starts_with(ID) || is_marked(segment)
}

pub fn is_marked(segment: &[u8]) -> bool {
    MARKED.contains(&segment)
}

/// What the bytes of a segment are, as one bit for each, the first lowest. What is seldom asked for is worked out then.
struct Bytes<'b, const N: usize> {
    block: &'b [u8; N],
    digits: u64,
    hex: u64,
    dashes: u64,
    dots: u64,
}

impl<const N: usize> Bytes<'_, N> {
    #[inline]
    fn of(block: &[u8; N], digits: u64) -> Bytes<'_, N> {
        let letters = places_between(block, b'A', b'F') | places_between(block, b'a', b'f');
        let (dashes, dots) = (places(block, b'-', b'-'), places(block, b'.', b'.'));
        Bytes { block, digits, hex: digits | letters, dashes, dots }
    }

    /// Where names are made of parts.
    #[inline]
    fn marks(&self) -> u64 {
        self.dashes | self.dots | places(self.block, b'_', b'_')
    }

    /// What may be in numbers, dates, times and versions.
    fn of_numbers(&self) -> u64 {
        let either = |a, b| places(self.block, a, b);
        self.digits | self.marks() | either(b'T', b'Z') | either(b':', b',') | either(b'+', b'+')
    }

    /// Digits, small and capital letters, and what else may be in tokens.
    fn of_tokens(&self) -> ([u64; 3], u64) {
        let either = |a, b| places(self.block, a, b);
        let letters = |first, last| places_between(self.block, first, last);
        let others = self.dashes | either(b'_', b'+') | either(b'=', b'~');
        ([self.digits, letters(b'a', b'z'), letters(b'A', b'Z')], others)
    }

    /// Where the extension of a segment begins, as [`cut_extension`] has it.
    #[inline]
    fn extension(&self, all: u64) -> Option<u32> {
        let dot = (self.dots & all).checked_ilog2().filter(|&dot| dot > 0)?;
        let behind = |bits: u64| (bits & all) >> dot >> 1;
        let letters = |first, last| behind(places_between(self.block, first, last));
        let letters = letters(b'A', b'Z') | letters(b'a', b'z');
        let is_extension = letters & 1 != 0
            && behind(all) >> EXTENSION_BYTES_MAX == 0
            && letters | behind(self.digits) == behind(all);
        is_extension.then_some(dot)
    }
}

/// Whether a segment names one thing. `app.3f2a9c1b.js` does as well, and so does what would be read as a placeholder
/// or a rest. All bytes are looked at at once, for a loop over them ends where the processor does not expect it to.
/// Sixteen are compared by one instruction, and most segments are no longer.
#[inline]
pub fn name_of(segment: Segment<'_>) -> Option<Name<'_>> {
    match (segment.bytes(), segment.len()) {
        ([], _) => None,
        ([mark @ (b'@' | b'~'), _, ..], _) => Some(Name::Marked(*mark)),
        ([b':', ..], _) => Some(Name::PLAIN),
        (_, 1..=16) => name_in(segment, segment.block(&mut [0; 16])),
        (_, 17..=32) => name_in(segment, segment.block(&mut [0; 32])),
        (_, 33..=WORD_BYTES_MAX) => name_in(segment, segment.block(&mut [0; WORD_BYTES_MAX])),
        _ => Some(Name::PLAIN),
    }
}

/// The same of a segment that begins this block and is no longer.
#[inline]
fn name_in<'s, const N: usize>(segment: Segment<'s>, block: &[u8; N]) -> Option<Name<'s>> {
    let all = u64::MAX >> (WORD_BYTES_MAX - segment.len());
    let (digits, stars) = (places_between(block, b'0', b'9') & all, places(block, b'*', b'*') & all);
    if digits == all || stars != 0 {
        return Some(Name::PLAIN);
    }
    if digits == 0 { None } else { identifier(segment, all, &Bytes::of(block, digits)).map(Name::Id) }
}

/// The extension of a segment with digits that names one thing.
#[inline]
fn identifier<'s, const N: usize>(
    segment: Segment<'s>,
    all: u64,
    bytes: &Bytes<'_, N>,
) -> Option<Segment<'s>> {
    if is_identifier(all, bytes) {
        return Some(Segment::EMPTY);
    }
    let Some(dot) = bytes.extension(all) else {
        return has_hash(all, bytes).then_some(Segment::EMPTY);
    };
    let stem = (1 << dot) - 1;
    (is_identifier(stem, bytes) || has_hash(stem, bytes)).then(|| segment.skip(dot as usize))
}

/// `17.json` is `17` and `.json`: an extension begins with a letter. Without one, the whole is the stem.
pub fn cut_extension(segment: &[u8]) -> (&[u8], &[u8]) {
    match segment.iter().rposition(|&byte| byte == b'.') {
        Some(dot) if dot > 0 && is_extension(&segment[dot + 1..]) => segment.split_at(dot),
        _ => (segment, b""),
    }
}

/// Whether this stands behind the dot of an extension.
#[inline]
fn is_extension(behind: &[u8]) -> bool {
    behind.first().is_some_and(u8::is_ascii_alphabetic)
        && behind.len() <= EXTENSION_BYTES_MAX
        && behind.iter().all(u8::is_ascii_alphanumeric)
}

/// Whether one part of several is a hash, as in the names that bundlers give to scripts and styles.
fn has_hash<const N: usize>(stem: u64, bytes: &Bytes<'_, N>) -> bool {
    if !has_eight_in_a_row(bytes.hex & stem) {
        return false;
    }
    let marks = bytes.marks() & stem;
    let mut left = if marks == 0 { 0 } else { stem & !marks };
    while left != 0 {
        let start = left & left.wrapping_neg();
        // Adding to a row of ones carries over to the first place behind it.
        let part = left & !left.wrapping_add(start);
        let is_hash = part & !bytes.hex == 0 && part & bytes.digits != 0 && part & !bytes.digits != 0;
        if is_hash && part.count_ones() >= HEX_DIGITS_MIN {
            return true;
        }
        left &= !part;
    }
    false
}

/// What has no such row has no hash, and needs no loop over its parts.
fn has_eight_in_a_row(bits: u64) -> bool {
    const { assert!(HEX_DIGITS_MIN == 8) };
    let two = bits & bits >> 1;
    let four = two & two >> 2;
    four & four >> 4 != 0
}

/// Whether the beginning of a segment that these bits stand for names one thing rather than a kind of things:
///
/// - a number, a date, a time, a version: digits, with `-._:,+` and the `T` and `Z` of ISO 8601 between and
///   after;
/// - a UUID or a hash: at least [`HEX_DIGITS_MIN`] hexadecimal digits with dashes, one of them a decimal
///   digit (which `facade` and other words of those letters lack);
/// - a token: at least [`RANDOM_BYTES_MIN`] of the characters of base64 and base64url, with digits and
///   letters, where upper case, lower case and digits change places a quarter of the time or more, as they do
///   not in words.
///
/// What is longer than [`WORD_BYTES_MAX`] is one anyway.
fn is_identifier<const N: usize>(all: u64, bytes: &Bytes<'_, N>) -> bool {
    let hex = bytes.hex & all;
    if bytes.digits & all == 0 {
        return false;
    }
    bytes.digits & 1 != 0 && all & !bytes.of_numbers() == 0
        || all & !(hex | bytes.dashes) == 0 && hex.count_ones() >= HEX_DIGITS_MIN
        || all >> (RANDOM_BYTES_MIN - 1) != 0 && is_random(all, bytes.of_tokens())
}

fn is_random(all: u64, (kinds, others): ([u64; 3], u64)) -> bool {
    let [digits, lower, upper] = kinds.map(|kind| kind & all);
    all & !(digits | lower | upper | others) == 0
        && changes([digits, lower, upper]) * 4 >= all.trailing_ones()
}

/// How often two neighbours are both letters or digits, but of different kinds.
fn changes(kinds: [u64; 3]) -> u32 {
    let any = kinds.iter().fold(0, |any, kind| any | kind);
    let alike = kinds.iter().fold(0, |alike, kind| alike | kind & kind >> 1);
    (any & any >> 1 & !alike).count_ones()
}

/// Extensions of files that are kept in folders and sent as they are: pages, pictures, fonts, sounds, archives. What
/// a server makes by a program (`.php`, `.json`) is a place of the site like any other.
const KEPT_FILES: &[&str] = &[
    "7z", "apk", "asc", "au", "avi", "avif", "bin", "bmp", "bz2", "class", "css", "csv", "dat", "deb", "dmg",
    "doc", "docx", "eot", "eps", "epub", "exe", "flac", "gif", "gz", "htm", "html", "ico", "iso", "jar",
    "jpeg", "jpg", "js", "lzma", "m3u8", "m4a", "m4s", "map", "md", "mjs", "mov", "mp3", "mp4", "mpeg",
    "mpg", "odt", "ogg", "otf", "pbf", "pdf", "png", "ppt", "pptx", "ps", "rar", "rpm", "rtf", "sh", "shtml",
    "sig", "srt", "svg", "swf", "tar", "tgz", "tif", "tiff", "ts", "ttf", "txt", "vtt", "wasm", "wav",
    "webm", "webp", "whl", "woff", "woff2", "wrl", "xbm", "xhtml", "xls", "xlsx", "xz", "zip", "zst",
];

/// Whether it is the name of a file that is kept in a folder.
pub fn is_kept_file(segment: &[u8]) -> bool {
    let (_, extension) = cut_extension(segment);
    extension
        .get(1..)
        .is_some_and(|name| KEPT_FILES.iter().any(|kept| name.eq_ignore_ascii_case(kept.as_bytes())))
}

/// A language, as BCP 47 and locales write most of them: `en`, `pt-BR`, `zh_Hant`.
pub fn is_language(segment: &[u8]) -> bool {
    let (language, region) = segment.split_at(segment.len().min(2));
    language.len() == 2
        && language.iter().all(u8::is_ascii_lowercase)
        && match region {
            [] => true,
            [b'-' | b'_', rest @ ..] => {
                (2..=4).contains(&rest.len()) && rest.iter().all(u8::is_ascii_alphabetic)
            }
            _ => false,
        }
}

/// What has versions below it, that are places of the site: `/rest/api/2/issue`, `/api/1.1/users`.
pub fn is_api(segment: &[u8]) -> bool {
    [&b"api"[..], b"rest"].contains(&segment)
}

/// A number of one or two digits, perhaps with another digit behind a dot.
pub fn is_version(segment: &[u8]) -> bool {
    let (number, part) = match segment {
        [number @ .., b'.', part] => (number, *part),
        _ => (segment, b'0'),
    };
    matches!(number.len(), 1 | 2) && number.iter().chain([&part]).all(u8::is_ascii_digit)
}

/// Branches that most repositories have; what stands beside them are branches as well.
pub fn is_branch(word: &[u8]) -> bool {
    [&b"main"[..], b"master", b"HEAD", b"trunk", b"develop"].contains(&word)
}

/// What can be seen of how a name is written. Names of one kind of things are often written alike.
pub const LOOKS: [fn(&[u8]) -> bool; 6] = [
    |name| !name[0].is_ascii_alphanumeric() && name[0] != b'%',
    |name| cut_extension(name).0[1..].iter().any(|byte| b"-_".contains(byte)),
    |name| cut_extension(name).0.iter().any(u8::is_ascii_digit),
    |name| name.iter().any(u8::is_ascii_uppercase),
    |name| name.contains(&b'%'),
    has_extension,
];

pub fn has_extension(name: &[u8]) -> bool {
    !cut_extension(name).1.is_empty()
}

/// Words that name a place of its own on most sites that have them at their root, also beside many names.
const PLACES: &[&str] = &[
    "about",
    "about-us",
    "account",
    "admin",
    "api",
    "assets",
    "auth",
    "basket",
    "blog",
    "careers",
    "cart",
    "cgi-bin",
    "checkout",
    "community",
    "contact",
    "contact-us",
    "css",
    "dashboard",
    "docs",
    "documentation",
    "download",
    "downloads",
    "events",
    "explore",
    "faq",
    "features",
    "feed",
    "files",
    "fonts",
    "forum",
    "gallery",
    "graphql",
    "health",
    "healthz",
    "help",
    "home",
    "image",
    "images",
    "img",
    "imprint",
    "impressum",
    "index",
    "jobs",
    "js",
    "legal",
    "live",
    "login",
    "logout",
    "media",
    "metrics",
    "my-account",
    "news",
    "notifications",
    "oauth",
    "orders",
    "ping",
    "pricing",
    "privacy",
    "privacy-policy",
    "profile",
    "public",
    "ready",
    "register",
    "rpc",
    "rss",
    "search",
    "settings",
    "shop",
    "sign-in",
    "sign-up",
    "signin",
    "signout",
    "signup",
    "static",
    "status",
    "store",
    "support",
    "team",
    "terms",
    "tos",
    "upload",
    "uploads",
    "version",
    "wishlist",
    "wp-admin",
    "wp-content",
    "wp-includes",
    "wp-json",
];

/// Words that often stand beside the names of things but are words of the site.
const BESIDE_NAMES: &[&str] = &["all", "count", "current", "latest", "me", "new", "search", "self"];

/// Folders of what pages are made of.
const FOLDERS: &[&str] = &[
    "assets",
    "css",
    "fonts",
    "icons",
    "images",
    "img",
    "js",
    "media",
    "pics",
    "scripts",
    "static",
    "styles",
    "thumb",
    "thumbnails",
    "thumbs",
];

/// Whether a word is known to name a place rather than a thing among others.
pub fn is_known_place(word: &[u8], at_root: bool, is_folder: bool) -> bool {
    let is_in = |words: &[&str]| words.iter().any(|known| known.as_bytes() == word);
    at_root && is_in(PLACES) || is_folder && is_in(FOLDERS) || is_in(BESIDE_NAMES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(segment: &str) -> Option<String> {
        let text =
            |name: Name<'_>| String::from_utf8(name.placeholder(&mut [0; PLACEHOLDER_BYTES_MAX]).to_vec());
        name_of(Segment::of(segment.as_bytes())).map(|name| text(name).unwrap())
    }

    #[test]
    fn things_are_told_from_words() {
        for (segment, stands_for) in [
            ("17", ":id"),
            ("2026-11-27T08:00:00Z", ":id"),
            ("1.2.3", ":id"),
            ("17.json", ":id.json"),
            ("6ba7b810-9dad-11d1-80b4-00c04fd430c8", ":id"),
            ("3f2a9c1b", ":id"),
            ("app.3f2a9c1b.js", ":id.js"),
            ("theme-0a1b2c3d", ":id"),
            ("dQw4w9WgXcQ7aB9z", ":id"),
            ("@name", "@:any"),
            ("~name", "~:any"),
            (":any", ":id"),
            ("*", ":id"),
            ("what-is-longer-than-any-word-of-a-site-and-so-tells-of-one-thing-only", ":id"),
        ] {
            assert_eq!(name(segment).as_deref(), Some(stands_for), "{segment}");
            assert_eq!(
                Name::of_placeholder(stands_for.as_bytes()).is_some(),
                is_placeholder(stands_for.as_bytes())
            );
        }
        for word in
            ["a", "v2", "facade", "faceb00", "x17", "index.html", "mp3-player-2", "a.1234567.js", "@", ""]
        {
            assert_eq!(name(word), None, "{word}");
        }
    }

    proptest! {
        #[test]
        fn a_short_segment_is_named_as_in_a_long_block(
            segment in "[a-f0-9A-Z._:,+=~@*-]{1,32}|[a-z-]{1,20}[.-][0-9a-f]{7,9}[.]?[a-zA-Z0-9]{0,6}",
        ) {
            let (segment, mut long) = (Segment::of(segment.as_bytes()), [0; WORD_BYTES_MAX]);
            prop_assume!(segment.len() <= 32);
            let block = segment.block(&mut long);
            prop_assert_eq!(name_in(segment, segment.block(&mut [0; 32])), name_in(segment, block));
            if segment.len() <= 16 {
                prop_assert_eq!(name_in(segment, segment.block(&mut [0; 16])), name_in(segment, block));
            }
            let all = u64::MAX >> (64 - segment.len());
            let bytes = Bytes::of(block, places_between(block, b'0', b'9') & all);
            let cut = bytes.extension(all).map_or(segment.len(), |dot| dot as usize);
            prop_assert_eq!(cut, cut_extension(segment.bytes()).0.len());
        }

        #[test]
        fn what_stands_behind_a_segment_is_no_part_of_it(
            segment in "[a-f0-9A-Z._:,+=~@*-]{1,70}|[0-9]{1,9}[.]?[a-z]{0,6}|[a-z]{1,9}[.-][0-9a-f]{7,9}[.]?[a-z]{0,3}",
            behind in "[ -~]{0,80}",
        ) {
            let text = format!("{segment}{behind}");
            let in_line = Segment::in_text(text.as_bytes(), segment.len());
            prop_assert_eq!(name_of(in_line), name_of(Segment::of(segment.as_bytes())));
        }
    }

    #[test]
    fn versions_are_short_numbers() {
        for (segment, is) in [
            ("2", true),
            ("12", true),
            ("1.1", true),
            ("10.0", true),
            ("123", false),
            ("1.", false),
            (".1", false),
        ] {
            assert_eq!(is_version(segment.as_bytes()), is, "{segment}");
        }
        assert!(!is_version(b"v2") && !is_version(b"") && !is_version(b"1.10") && !is_version(b"1.1.1"));
    }
}
