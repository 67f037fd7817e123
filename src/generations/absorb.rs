//! Absorbing: the counts of dead generations become part of our file, and their files are removed.
//!
//! Once, soon after the start. What cannot be absorbed now is summed as a file until the next start.

use crate::clock;
use crate::generations::content::{self, Content, Name};
use crate::generations::directory;
use crate::generations::distinct_files;
use crate::generations::fold;
use crate::generations::own_file::step;
use crate::generations::state::{Own, READS_MAX, State, lock, stamp};
use crate::log::log_warning;
use crate::snapshot::page::{Page, Value};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Dead files absorbed with one save; each takes a file descriptor until it is removed, of 1024 that are
/// usual.
const BATCH_FILES_MAX: usize = 256;

/// An unfinished file that has not changed for so long was left by a process that was killed.
const UNFINISHED_AGE_MIN: Duration = Duration::from_secs(60);

/// Dead generations whose files may go once ours is saved.
#[derive(Debug, Default)]
struct Absorbed {
    files: Vec<(Name, File)>,
    /// The generations that they have absorbed in their turn.
    noted: BTreeSet<Name>,
    /// What they have kept.
    kept: BTreeMap<String, String>,
}

impl State {
    /// Takes the counts of dead generations into our file and removes their files.
    pub fn absorb(&self) -> io::Result<()> {
        let absorbed = self.absorb_all();
        self.has_absorbed.store(true, Ordering::Relaxed);
        // A process that waits for the port does not need the pages of the others. One that serves keeps them, or what
        // it has shown would be missing where they cannot be read again.
        if self.waits_for_port() {
            lock(&self.view).forget_peers();
        }
        absorbed
    }

    fn absorb_all(&self) -> io::Result<()> {
        let mut mine = lock(&self.own);
        self.sweep();
        // Each file is tried once: what cannot be absorbed now can be at the next start.
        let mut seen = BTreeSet::from([self.me()]);
        loop {
            let names = self.directory.names().inspect_err(|error| self.failed("list", "list", error))?;
            // The youngest first: it has the buckets that were asked for last.
            let batch: Vec<Name> =
                names.into_iter().rev().filter(|name| seen.insert(*name)).take(BATCH_FILES_MAX).collect();
            if batch.is_empty() {
                return Ok(());
            }
            let dead: Vec<(Name, File)> =
                batch.iter().filter_map(|name| Some((*name, self.lock_dead(*name)?))).collect();
            if !dead.is_empty() {
                self.absorb_locked(&mut mine, dead)?;
            }
        }
    }

    /// Files whose writer was killed before they had their name, and what `--distinct` does not use any more.
    fn sweep(&self) {
        let _ = distinct_files::sweep(&self.directory.path, clock::now_nanos(), false);
        for entry in std::fs::read_dir(&self.directory.path).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let ours = name.to_str().and_then(|name| name.strip_suffix(".new")).and_then(Name::parse);
            let age =
                entry.metadata().and_then(|meta| meta.modified()).ok().and_then(|time| time.elapsed().ok());
            if ours.is_some_and(|name| name != self.me()) && age.is_some_and(|age| age > UNFINISHED_AGE_MIN) {
                step();
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }

    /// The file with its lock, if its generation is dead and no other process is absorbing it.
    fn lock_dead(&self, name: Name) -> Option<File> {
        let path = self.directory.path_of(name);
        if path.symlink_metadata().is_ok_and(|meta| !meta.is_file()) {
            self.quarantine(name, "it is not a regular file");
            return None;
        }
        let file = match self.directory.open_for_lock(name) {
            Ok(file) => file,
            Err(error) => {
                self.unopened(name, &error);
                return None;
            }
        };
        // A scrape that checks whether the generation lives holds the lock for a moment.
        for _ in 0..3 {
            match file.try_lock() {
                Ok(()) => return self.is_at(name, &file).then_some(file),
                Err(TryLockError::WouldBlock) => std::thread::yield_now(),
                Err(TryLockError::Error(error)) => {
                    self.failed("lock", "lock a file of", &error);
                    return None;
                }
            }
        }
        None
    }

    /// Rule 1, for files whose locks we hold.
    fn absorb_locked(&self, mine: &mut Own, dead: Vec<(Name, File)>) -> io::Result<()> {
        let (mut sum, gone) = self.merge(mine, dead)?;
        if let Some(folded) = fold::fold(&sum, &mine.own, self.bounds(), &stamp()) {
            sum = folded;
        }
        let mut content = Content { page: mine.own.clone(), ..mine.file.content.clone() };
        self.add(&mut content.page, &sum);
        content.kept = gone.kept;
        content::take_over(&mut content.kept, &mine.file.content.kept);
        content.head.absorbed.extend(gone.files.iter().map(|(name, _)| *name));
        let stands = |name: &&Name| self.directory.path_of(**name).symlink_metadata().is_ok();
        content.head.absorbed.extend(gone.noted.iter().filter(stands));
        self.put(mine, &content)?;
        let mut view = lock(&self.view);
        view.absorbed_sum = Arc::new(sum);
        view.absorbed.clone_from(&mine.file.content.head.absorbed);
        drop(view);
        self.sync_names(mine)?;
        for (name, _locked) in &gone.files {
            step();
            match std::fs::remove_file(self.directory.path_of(*name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    self.failed("remove", "remove a file of", &error);
                }
                _ => {}
            }
        }
        step();
        Ok(())
    }

    /// What was absorbed before with the counts of the dead, and which of them are in it now.
    fn merge(&self, mine: &Own, dead: Vec<(Name, File)>) -> io::Result<(Page, Absorbed)> {
        // A process that noted one of them did so before we got its lock, so now is the time to look for notes.
        let mut noted = self.all_notes()?;
        noted.extend(&mine.file.content.head.absorbed);
        let mut read = Vec::new();
        for (name, file) in dead {
            // Read now, under its lock, and not taken from what was known of it.
            match directory::read(&file) {
                Ok(Ok((content, _))) => read.push((name, file, content)),
                Ok(Err(why)) => self.quarantine(name, &why),
                Err(error) => self.unopened(name, &error),
            }
        }
        let mut gone = Absorbed::default();
        let mut sum = Page::clone(&lock(&self.view).absorbed_sum);
        // Of two with different buckets, those of the one that is like us are kept, and then those of the younger one.
        read.sort_by_cached_key(|(name, _, content)| {
            (have_other_buckets(&mine.own, &content.page), Reverse(*name))
        });
        for (name, file, content) in read {
            if !noted.contains(&name) {
                self.add(&mut sum, &content.page);
                // The youngest come first.
                let older = std::mem::replace(&mut gone.kept, content.kept);
                content::take_over(&mut gone.kept, &older);
            }
            gone.files.push((name, file));
            gone.noted.extend(&content.head.absorbed);
        }
        Ok((sum, gone))
    }

    /// Which generations the others have absorbed.
    pub(super) fn all_notes(&self) -> io::Result<BTreeSet<Name>> {
        let read = (0..READS_MAX).find_map(|_| self.notes().transpose());
        read.unwrap_or_else(|| Err(io::ErrorKind::WouldBlock.into()))
    }

    /// The same. None when one of them has gone meanwhile: its notes are in the file of the one that absorbed it, which
    /// perhaps was read before.
    fn notes(&self) -> io::Result<Option<BTreeSet<Name>>> {
        let mut noted = BTreeSet::new();
        for name in self.directory.names()?.into_iter().filter(|name| *name != self.me()) {
            match self.directory.head(name) {
                Ok((head, _)) => noted.extend(head.unwrap_or_default().absorbed),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                // No file of ours, which has absorbed nobody.
                Err(_)
                    if self.directory.path_of(name).symlink_metadata().is_ok_and(|meta| !meta.is_file()) => {}
                // A generation whose notes cannot be read may have absorbed any of them.
                Err(error) => return Err(error),
            }
        }
        Ok(Some(noted))
    }

    fn quarantine(&self, name: Name, why: &str) {
        let path = self.directory.path_of(name);
        let mut aside = path.clone().into_os_string();
        aside.push(".damaged");
        while Path::new(&aside).symlink_metadata().is_ok() {
            aside.push("+");
        }
        self.self_metrics.state_errors.inc();
        let aside = PathBuf::from(aside);
        step();
        match std::fs::rename(&path, &aside) {
            Ok(()) => log_warning(format_args!(
                "the state file {} cannot be used and is now {}: {why}",
                path.display(),
                aside.display()
            )),
            Err(error) => self.failed("move aside", "move aside a file of", &error),
        }
    }
}

/// Whether two pages have histograms with different buckets. The first of each will do: a family has one set
/// of buckets.
fn have_other_buckets(one: &Page, other: &Page) -> bool {
    let bounds = |page: &Page, name: &String| match page.families.get(name)?.series.first()?.value {
        Value::Histogram(ref histogram) => Some(histogram.bounds.clone()),
        _ => None,
    };
    let differ = |name| bounds(one, name).zip(bounds(other, name)).is_some_and(|(one, other)| one != other);
    one.families.keys().any(differ)
}
