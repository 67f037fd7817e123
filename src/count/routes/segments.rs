//! What a segment of a path looks like: whether it names one thing, and what sets words apart from each other.

use foldhash::fast::RandomState;
use std::hash::{BuildHasher, Hasher};

/// A segment longer than this is not a word and counts as an identifier.
const WORD_BYTES_MAX: usize = 64;

/// Hexadecimal digits that make an identifier; short commit hashes and CRCs have seven or eight.
const HEX_DIGITS_MIN: usize = 8;

/// Characters of the shortest random-looking identifier: 12 bytes in base64 are 16 characters.
const RANDOM_BYTES_MIN: usize = 16;

/// The hash of a segment below a node of a tree of segments, or behind what was hashed before.
#[inline]
pub fn hash_below(seed: &RandomState, above: u64, segment: &[u8]) -> u64 {
    let mut hasher = seed.build_hasher();
    hasher.write_u64(above);
    hasher.write(segment);
    hasher.finish()
}

/// What stands for a segment that names one thing, with its extension behind it.
pub const ID: &[u8] = b":id";

/// What stands for a segment of which there are many.
pub const ANY: &[u8] = b":any";

/// Names of people and packages may have a mark before them, `/@name` and `/~name`; so they are told from other words.
const MARKED: [&[u8]; 2] = [b"@:any", b"~:any"];

/// The longest placeholder: an extension has a dot and five characters.
pub const PLACEHOLDER_BYTES_MAX: usize = ID.len() + 6;

/// What stands for a segment if it names one thing. `name` is where that is written.
#[inline]
pub fn placeholder<'n>(segment: &[u8], name: &'n mut [u8; PLACEHOLDER_BYTES_MAX]) -> Option<&'n [u8]> {
    if let [mark @ (b'@' | b'~'), _, ..] = segment {
        let marked = name.get_mut(..=ANY.len())?;
        marked[0] = *mark;
        marked[1..].copy_from_slice(ANY);
        return Some(marked);
    }
    let extension = extension_of_name(segment)?;
    let name = name.get_mut(..ID.len() + extension.len())?;
    name[..ID.len()].copy_from_slice(ID);
    name[ID.len()..].copy_from_slice(extension);
    Some(name)
}

/// Whether it stands for a segment that names one thing.
pub fn is_placeholder(segment: &[u8]) -> bool {
    segment.starts_with(ID) || is_marked(segment)
}

pub fn is_marked(segment: &[u8]) -> bool {
    MARKED.contains(&segment)
}

/// What the bytes of identifiers are, as bits.
mod kind {
    pub const DIGIT: u8 = 1;
    /// What decides by being there at all.
    pub const STAR: u8 = 1 << 1;
    /// What may be in numbers, dates, times and versions; in hashes and UUIDs; in tokens.
    pub const NUMBER: u8 = 1 << 2;
    pub const HASH: u8 = 1 << 3;
    pub const TOKEN: u8 = 1 << 4;

    /// The kinds of every byte, to be looked up.
    pub const OF: [u8; 256] = {
        let mut table = [0; 256];
        let mut byte = 0u8;
        while byte < 0x80 {
            table[byte as usize] = of(byte);
            byte += 1;
        }
        table
    };

    const fn of(byte: u8) -> u8 {
        let digit = if byte.is_ascii_digit() { DIGIT } else { 0 };
        let star = if byte == b'*' { STAR } else { 0 };
        let of_number =
            byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b'_' | b':' | b',' | b'+' | b'T' | b'Z');
        let of_hash = byte.is_ascii_hexdigit() || byte == b'-';
        let of_token = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'+' | b'=' | b'~');
        let number = if of_number { NUMBER } else { 0 };
        let hash = if of_hash { HASH } else { 0 };
        let token = if of_token { TOKEN } else { 0 };
        digit | star | number | hash | token
    }
}

/// The kinds that some bytes of a text have, and those that all have.
#[inline]
fn kinds(text: &[u8]) -> (u8, u8) {
    text.iter().fold((0, u8::MAX), |(some, all), byte| {
        let kinds = kind::OF[usize::from(*byte)];
        (some | kinds, all & kinds)
    })
}

/// Whether a segment names one thing: then its extension, which may be empty. `app.3f2a9c1b.js` names one thing as
/// well, and so does what would be read as a placeholder or a rest.
#[inline]
fn extension_of_name(segment: &[u8]) -> Option<&[u8]> {
    if segment.len() > WORD_BYTES_MAX {
        return Some(b"");
    }
    let (some, all) = kinds(segment);
    if some & (kind::DIGIT | kind::STAR) == 0 {
        return (segment.first() == Some(&b':')).then_some(b"");
    }
    if is_identifier(segment, some, all) || segment[0] == b':' || some & kind::STAR != 0 {
        return Some(b"");
    }
    let (stem, extension) = cut_extension(segment);
    let (some, all) = kinds(stem);
    (!extension.is_empty() && is_identifier(stem, some, all) || has_hash(stem)).then_some(extension)
}

/// `17.json` is `17` and `.json`: an extension begins with a letter and has at most five characters. Without
/// one, the whole is the stem.
pub fn cut_extension(segment: &[u8]) -> (&[u8], &[u8]) {
    let dot = segment.iter().rposition(|&byte| byte == b'.').unwrap_or(segment.len());
    match &segment[dot..] {
        extension @ [b'.', first, rest @ ..]
            if dot > 0
                && first.is_ascii_alphabetic()
                && rest.len() < 5
                && rest.iter().all(u8::is_ascii_alphanumeric) =>
        {
            (&segment[..dot], extension)
        }
        _ => (segment, b""),
    }
}

/// Whether one part of several is a hash, as in the names that bundlers give to scripts and styles.
fn has_hash(stem: &[u8]) -> bool {
    let is_mark = |byte: &u8| matches!(byte, b'.' | b'_' | b'-');
    let is_hash = |part: &[u8]| {
        part.len() >= HEX_DIGITS_MIN && {
            let (some, all) = kinds(part);
            // Without a dash, what is no letter is a digit.
            all & kind::HASH != 0 && some & kind::DIGIT != 0 && all & kind::DIGIT == 0
        }
    };
    stem.len() > HEX_DIGITS_MIN && stem.iter().any(is_mark) && stem.split(is_mark).any(is_hash)
}

/// Whether a segment names one thing rather than a kind of things:
///
/// - a number, a date, a time, a version: digits, with `-._:,+` and the `T` and `Z` of ISO 8601 between and
///   after;
/// - a UUID or a hash: at least [`HEX_DIGITS_MIN`] hexadecimal digits with dashes, one of them a decimal
///   digit (which `facade` and other words of those letters lack);
/// - a token: at least [`RANDOM_BYTES_MIN`] of the characters of base64 and base64url, with digits and
///   letters, where upper case, lower case and digits change places a quarter of the time or more, as they do
///   not in words.
///
/// What is longer than [`WORD_BYTES_MAX`] is one anyway. The kinds are those of its bytes.
fn is_identifier(segment: &[u8], some: u8, all: u8) -> bool {
    if some & kind::DIGIT == 0 {
        return false;
    }
    all & kind::NUMBER != 0 && segment[0].is_ascii_digit()
        || all & kind::HASH != 0 && segment.iter().filter(|&&byte| byte != b'-').count() >= HEX_DIGITS_MIN
        || segment.len() >= RANDOM_BYTES_MIN
            && all & kind::TOKEN != 0
            && changes(segment) * 4 >= segment.len()
}

/// How often two neighbours are both letters or digits, but of different kinds.
fn changes(segment: &[u8]) -> usize {
    let kind = |byte: u8| match byte {
        b'0'..=b'9' => 1,
        b'a'..=b'z' => 2,
        b'A'..=b'Z' => 3,
        _ => 0,
    };
    let pairs = segment.windows(2).map(|pair| (kind(pair[0]), kind(pair[1])));
    pairs.filter(|&(left, right)| left != right && left != 0 && right != 0).count()
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
