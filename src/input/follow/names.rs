//! Names that are followed: paths as they were given, and what globs stand for by now.

use glob::{MatchOptions, Pattern, glob_with};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Files that are followed at a time; each has a descriptor and costs a system call ten times a second.
pub const NAMES_MAX: usize = 10_000;

/// As a shell has them: a star is no slash and no hidden file.
const OPTIONS: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

#[derive(Debug)]
pub struct Names {
    plain: Vec<PathBuf>,
    globs: Vec<Pattern>,
}

impl Names {
    /// An error names the pattern that cannot be parsed.
    pub fn new(given: &[String]) -> Result<Names, String> {
        let mut names = Names { plain: Vec::new(), globs: Vec::new() };
        for name in given {
            let is_glob = name.contains(['*', '?', '[']) && Path::new(name).symlink_metadata().is_err();
            if is_glob {
                names
                    .globs
                    .push(Pattern::new(name).map_err(|e| format!("`{name}` is not a pattern: {}", e.msg))?);
            } else {
                names.plain.push(name.into());
            }
        }
        Ok(names)
    }

    pub fn has_globs(&self) -> bool {
        !self.globs.is_empty()
    }

    /// All names there are now; those that were given as they are also where there is no such file.
    pub fn all(&self) -> BTreeSet<PathBuf> {
        let mut names: BTreeSet<PathBuf> = self.plain.iter().cloned().collect();
        for pattern in &self.globs {
            let found = glob_with(pattern.as_str(), OPTIONS).into_iter().flatten().flatten();
            names.extend(found.take(NAMES_MAX.saturating_sub(names.len())));
        }
        names
    }

    pub fn is_plain(&self, path: &Path) -> bool {
        self.plain.iter().any(|plain| plain == path)
    }

    /// Whether a file of that name would be followed.
    pub fn contains(&self, path: &Path) -> bool {
        self.is_plain(path) || self.globs.iter().any(|glob| glob.matches_path_with(path, OPTIONS))
    }
}
