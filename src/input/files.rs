//! Files as a source: named ones, each read from beginning to end, one after the other, compressed or not.

use crate::input::compressed::Decompressed;
use crate::input::source::{Readiness, Source};
use crate::log;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many bytes of the files were read, compressed as they are, and how many there are.
#[derive(Debug, Default)]
pub struct Progress {
    pub read: AtomicU64,
    pub all: u64,
}

/// What is read next of a file.
struct Counted {
    file: File,
    progress: Arc<Progress>,
}

impl Source for Counted {
    fn wait(&mut self, _ending: bool) -> io::Result<Readiness> {
        Ok(Readiness::Readable)
    }

    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(room)?;
        self.progress.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

pub struct Files {
    left: VecDeque<PathBuf>,
    current: Option<(PathBuf, Decompressed<Counted>)>,
    /// Whether the line before is complete: a file need not end with a newline.
    is_at_line_start: bool,
    pub progress: Arc<Progress>,
}

impl Files {
    /// All of them can be opened; an error names the one that cannot.
    pub fn new(names: &[String]) -> Result<Files, String> {
        let mut all = 0;
        for name in names {
            let why = |error: &io::Error| format!("unable to read {name}: {}", log::reason(error));
            let meta = File::open(name).and_then(|file| file.metadata()).map_err(|e| why(&e))?;
            if meta.is_dir() {
                return Err(format!("unable to read {name}: it is a directory"));
            }
            all += meta.len();
        }
        Ok(Files {
            left: names.iter().map(PathBuf::from).collect(),
            current: None,
            is_at_line_start: true,
            progress: Arc::new(Progress { read: AtomicU64::new(0), all }),
        })
    }

    fn open_next(&mut self) -> io::Result<bool> {
        let Some(path) = self.left.pop_front() else { return Ok(false) };
        let file = File::open(&path).map_err(|error| named(&path, &error))?;
        let counted = Counted { file, progress: self.progress.clone() };
        let name = path.display().to_string();
        self.current = Some((path, Decompressed::named(counted, name)));
        Ok(true)
    }
}

fn named(path: &std::path::Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {}", path.display(), log::reason(error)))
}

impl Source for Files {
    fn wait(&mut self, _ending: bool) -> io::Result<Readiness> {
        Ok(Readiness::Readable)
    }

    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        loop {
            let Some((path, source)) = &mut self.current else {
                match self.open_next()? {
                    true => continue,
                    false => return Ok(0),
                }
            };
            match source.read(room) {
                Ok(0) => {
                    self.current = None;
                    if !std::mem::replace(&mut self.is_at_line_start, true) {
                        room[0] = b'\n';
                        return Ok(1);
                    }
                }
                Ok(read) => {
                    self.is_at_line_start = room[..read].ends_with(b"\n");
                    return Ok(read);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
                Err(error) => return Err(named(path, &error)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::tee::tests::TempDir;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    #[test]
    fn files_follow_one_another_line_by_line_whether_compressed_or_not() {
        let directory = TempDir::new();
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        packed.write_all(b"c\nd").unwrap();
        let contents: [(&str, Vec<u8>); 4] = [
            ("one", b"a\nb".to_vec()),
            ("two", Vec::new()),
            ("three.gz", packed.finish().unwrap()),
            ("four", b"e\n".to_vec()),
        ];
        let mut names = Vec::new();
        for (name, content) in &contents {
            let path = directory.path().join(name);
            std::fs::write(&path, content).unwrap();
            names.push(path.display().to_string());
        }
        let mut files = Files::new(&names).unwrap();
        let (mut all, mut room) = (Vec::new(), [0; 64]);
        loop {
            match files.read(&mut room) {
                Ok(0) => break,
                Ok(read) => all.extend_from_slice(&room[..read]),
                Err(error) => assert_eq!(error.kind(), io::ErrorKind::Interrupted),
            }
        }
        assert_eq!(all, b"a\nb\nc\nd\ne\n");
        assert_eq!(files.progress.read.load(Ordering::Relaxed), files.progress.all);
        let missing = directory.path().join("none").display().to_string();
        let error = Files::new(&[missing]).err().unwrap();
        assert!(error.ends_with("none: No such file or directory"), "{error}");
    }
}
