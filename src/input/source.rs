//! A source of bytes: what the reader needs of stdin, and would need of anything else that it reads.

use std::io;

/// Whether there is something to read (the end of input included).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    Nothing,
    Readable,
}

/// Where bytes come from.
pub trait Source {
    /// Waits for input or a signal. With `ending` it only looks.
    fn wait(&mut self, ending: bool) -> io::Result<Readiness>;

    /// Reads what there is; 0 is the end of input. Called when it is readable.
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize>;
}
