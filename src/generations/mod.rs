//! Generations: pages are kept in files, and all processes that share a directory add up to one page.
//!
//! A generation is a file, a locked file is a living generation. It owns `DIR/<start>-<pid>`, which holds all
//! it has persisted: its own counts and the sum of those of the dead it has absorbed. There is no protocol
//! between generations, only sums, and three rules that make each count appear in a sum exactly once:
//!
//! 1. Absorbing holds the lock of the dead file, then saves ours with the sum and a note of what it absorbed (one
//!    rename: that is the moment it happens), and only then removes theirs. A process that ends in between leaves
//!    files that are noted in another one; those are not added, and the next start removes them. A process that
//!    absorbs the file with the note takes over the note too, for as long as the noted file exists.
//! 2. A scrape reads what the directory lists, and reads it again if anything it read has gone meanwhile; so does a
//!    process that looks for notes. So it sees an absorbed file either itself or as a note, never neither. (Linux
//!    lists a directory of some hundred entries in one call under the directory's lock, so a listing cannot miss a
//!    file that is being replaced.)
//! 3. A file that cannot be read is put in quarantine under another name when its generation is dead; it is never
//!    removed.
//!
//! The way of a page: [`publisher`] makes it and says what a scrape may be told, [`writer`] is the thread that saves
//! it, [`state`] puts it into [`own_file`] together with what was absorbed ([`absorb`], [`fold`]) and adds what the
//! others have in the [`directory`]; [`content`] and [`series`] are the text of the files. [`files_lock`] says which
//! process follows files, and [`distinct_files`] is what `--distinct` shares, which goes another way.

mod absorb;
mod content;
mod directory;
pub mod distinct_files;
pub mod files_lock;
pub mod fold;
mod native;
mod own_file;
pub mod publisher;
mod series;
pub mod state;
#[cfg(test)]
mod tests;
pub mod writer;

pub use crate::generations::own_file::is_full;

#[cfg(any(test, fuzzing))]
pub use crate::generations::content::check as check_state;
