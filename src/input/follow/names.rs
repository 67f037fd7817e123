//! Names that are followed: paths as they were given, and what globs stand for by now.
//!
//! A file that comes or goes changes the time of its directory, so a glob is walked again only when one of the
//! directories that it reads has changed. A time that is young does not count: file systems keep it in steps, of two
//! seconds on FAT, and a second change within a step does not show. Neither does any on a file system that keeps no
//! such times; there a file is found with the walk that comes every [`WALK_INTERVAL_MAX`] whatever the times say.

use crate::input::follow::place::FileId;
use glob::{MatchOptions, Pattern, glob_with};
use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// Files that are followed at a time; each has a descriptor and costs a system call ten times a second.
pub const NAMES_MAX: usize = 10_000;

/// As a shell has them: a star is no slash and no hidden file.
const OPTIONS: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// Globs are walked at least so often.
const WALK_INTERVAL_MAX: Duration = Duration::from_secs(30);

/// A directory that was changed so lately may change again without another time.
const TIME_STEP_MAX: Duration = Duration::from_secs(3);

#[derive(Debug)]
pub struct Names {
    plain: Vec<PathBuf>,
    globs: Vec<Pattern>,
    /// The directories that the globs read when they were walked last, as they were before; none where one of them
    /// reads directories of any depth.
    read: Option<Vec<(PathBuf, Option<Stamp>)>>,
    walked: Option<Instant>,
}

/// A directory as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stamp {
    id: FileId,
    modified: SystemTime,
    /// When its entries, its owner or its rights were changed: seconds and nanoseconds.
    changed: (i64, i64),
}

fn stamp(directory: &Path) -> Option<Stamp> {
    let meta = directory.metadata().ok()?;
    let changed = (meta.ctime(), meta.ctime_nsec());
    Some(Stamp { id: FileId::of(&meta), modified: meta.modified().ok()?, changed })
}

impl Names {
    /// An error names the pattern that cannot be parsed.
    pub fn new(given: &[String]) -> Result<Names, String> {
        let mut names = Names { plain: Vec::new(), globs: Vec::new(), read: None, walked: None };
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

    /// Whether there may be other names than when all were asked for last.
    pub fn may_have_changed(&self, now: Instant) -> bool {
        let Some(walked) = self.walked else { return true };
        if self.globs.is_empty() {
            return false;
        }
        let Some(read) = &self.read else { return true };
        now.saturating_duration_since(walked) >= WALK_INTERVAL_MAX
            || read.iter().any(|(directory, before)| {
                let stamp = stamp(directory);
                stamp != *before || stamp.is_some_and(|stamp| is_young(stamp.modified))
            })
    }

    /// All names there are now; those that were given as they are also where there is no such file.
    pub fn all(&mut self, now: Instant) -> BTreeSet<PathBuf> {
        self.walked = Some(now);
        // What changes while names are looked for has another time than is noted here.
        self.read = self.globs.iter().map(directories).collect::<Option<Vec<_>>>().map(|all| all.concat());
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

fn is_young(modified: SystemTime) -> bool {
    // One ahead of the clock is another machine's, and tells nothing.
    SystemTime::now().duration_since(modified).map_or(true, |age| age < TIME_STEP_MAX)
}

/// The directories that a glob reads: the one before its first part with a star, and those before each further part.
fn directories(glob: &Pattern) -> Option<Vec<(PathBuf, Option<Stamp>)>> {
    let path = Path::new(glob.as_str());
    let has_star = |part: &Path| part.to_string_lossy().contains(['*', '?', '[']);
    if glob.as_str().contains("**") {
        return None;
    }
    let mut found = BTreeSet::new();
    for before in path.ancestors().skip(1) {
        if has_star(before) {
            found.extend(glob_with(&before.to_string_lossy(), OPTIONS).into_iter().flatten().flatten());
            continue;
        }
        // It is noted where it is missing, too.
        found.insert(if before.as_os_str().is_empty() { ".".into() } else { before.to_owned() });
        break;
    }
    let noted = |directory: PathBuf| (directory.clone(), stamp(&directory));
    Some(found.into_iter().map(noted).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// Makes a directory one that was changed long ago.
    fn age(directory: &Path) {
        let file = fs::File::open(directory).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(3600)).unwrap();
    }

    #[test]
    fn a_glob_is_walked_again_when_a_directory_that_it_reads_has_changed() {
        let root = std::env::temp_dir().join(format!("httpd_exporter-names-{}", std::process::id()));
        let site = root.join("site-1/log");
        fs::create_dir_all(&site).unwrap();
        let all = || [root.clone(), root.join("site-1"), site.clone(), root.join("site-2")];
        let age_all =
            || all().iter().filter(|directory| directory.exists()).for_each(|directory| age(directory));
        let mut names = Names::new(&[format!("{}/site-*/log/*.log", root.display())]).unwrap();
        let start = Instant::now();
        assert!(names.may_have_changed(start), "it was never walked");
        for (change, found) in [
            (site.join("a.log"), 1),
            // Of no file that matches, but it might have been.
            (site.join("a.txt"), 1),
            (root.join("site-2"), 1),
            (root.join("site-1/other"), 1),
            (site.join("b.log"), 2),
        ] {
            // However long this takes: a time that is to come is a moment ago as well.
            let soon = SystemTime::now() + Duration::from_secs(3600);
            fs::File::open(&root).unwrap().set_modified(soon).unwrap();
            names.all(start);
            assert!(names.may_have_changed(start), "what has changed a moment ago may change again");
            age_all();
            names.all(start);
            assert!(!names.may_have_changed(start), "{}", change.display());
            if change.extension().is_some() {
                fs::write(&change, "").unwrap();
            } else {
                fs::create_dir(&change).unwrap();
            }
            assert!(names.may_have_changed(start), "{}", change.display());
            assert_eq!(names.all(start).len(), found, "{}", change.display());
        }
        age_all();
        names.all(start);
        assert!(!names.may_have_changed(start));
        assert!(names.may_have_changed(start + WALK_INTERVAL_MAX), "whatever the times say");
        fs::remove_dir_all(&root).unwrap();
    }

    #[test]
    fn names_without_a_star_are_looked_for_once_and_globs_of_any_depth_always() {
        let start = Instant::now();
        for (given, may) in [("/no/such.log", false), ("/no/such/**/x*.log", true)] {
            let mut names = Names::new(&[given.to_owned()]).unwrap();
            names.all(start);
            assert_eq!(names.may_have_changed(start), may, "{given}");
        }
    }
}
