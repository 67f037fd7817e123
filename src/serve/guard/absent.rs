//! The guard of a program that was built without the feature `tls`: there is none.

use std::io::{self, IoSlice};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

#[derive(Clone, Copy, Debug)]
enum Never {}

#[derive(Clone, Debug)]
pub struct Guard(Never);

impl Guard {
    pub fn open(
        _path: &Path,
        _open: &dyn Fn(&Path) -> io::Result<Vec<u8>>,
    ) -> Result<(Guard, Option<String>), String> {
        Err("this program was built without the feature `tls`".to_owned())
    }

    pub fn settings(&self) -> Option<Arc<Settings>> {
        match self.0 {}
    }

    pub fn scheme(&self) -> Option<&'static str> {
        match self.0 {}
    }

    pub fn is_stale(&self, _now: Instant) -> bool {
        match self.0 {}
    }

    pub fn refresh(&self) -> Option<Arc<Settings>> {
        match self.0 {}
    }
}

#[derive(Debug)]
pub struct Settings {
    pub headers: Vec<(String, String)>,
    never: Never,
}

impl Settings {
    pub fn has_tls(&self) -> bool {
        match self.never {}
    }

    pub fn session(&self) -> Option<Session> {
        match self.never {}
    }

    pub fn admits(&self, _now: Instant) -> bool {
        match self.never {}
    }

    pub fn judge(&self, _authorization: Option<&[u8]>) -> Verdict {
        match self.never {}
    }
}

#[derive(Debug)]
#[expect(dead_code, reason = "nobody is judged")]
pub enum Verdict {
    Right,
    Wrong,
    Open(Attempt),
}

#[derive(Debug)]
pub struct Attempt(Never);

impl Attempt {
    pub fn is_right(&self) -> bool {
        match self.0 {}
    }
}

#[derive(Debug)]
pub struct Session(Never);

impl Session {
    pub fn feed(&mut self, _bytes: &[u8]) -> Result<(), ()> {
        match self.0 {}
    }

    pub fn is_handshaking(&self) -> bool {
        match self.0 {}
    }

    pub fn has_data(&self) -> bool {
        match self.0 {}
    }

    pub fn wants_write(&self) -> bool {
        match self.0 {}
    }

    pub fn read(&mut self, _socket: &TcpStream, _into: &mut [u8]) -> io::Result<usize> {
        match self.0 {}
    }

    pub fn write_vectored(&mut self, _socket: &TcpStream, _bytes: &[IoSlice<'_>]) -> io::Result<usize> {
        match self.0 {}
    }

    pub fn flush(&mut self, _socket: &TcpStream) -> io::Result<bool> {
        match self.0 {}
    }

    pub fn close(&mut self) {
        match self.0 {}
    }
}

pub fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    std::fs::read(path)
}
