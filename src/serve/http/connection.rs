//! Turns what one client sends, in whatever pieces, into requests, and sends it the answers in order.
//!
//! A connection is one small machine: silent, reading a head, waiting for a page, writing, lingering. It is
//! moved on when its socket is ready and never waits itself. It holds one head's bytes at most and reads
//! nothing while an answer is under way, so pipelined requests wait in the kernel, where they are bounded.

use std::io::{self, Read};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::Instant;

use nix::poll::PollFlags;

use crate::serve::http::answer::{Answer, Manner, PLAIN, Page};
use crate::serve::http::desk::Subject;
use crate::serve::http::request::{
    Head, Method, Refusal, Request, begins_with_head, length_of_blank, parse_head,
};
use crate::serve::http::{Event, LINGER_BYTES, Limits, Meter};

/// What a connection has to know of the house at the moment.
pub struct Rules<'a> {
    pub limits: &'a Limits,
    pub telemetry_path: &'a str,
    pub meter: &'a Meter,
    pub now: Instant,
    /// The ports are given up: every answer is the last of its connection.
    pub closing: bool,
    /// The table is full: every answer is the last of its connection, so that those who ask without pause give
    /// way as well as those who say nothing.
    pub crowded: bool,
    pub healthy: bool,
}

#[derive(Debug)]
enum State {
    /// Nothing of a request has come.
    Silent,
    /// Something of a head has come.
    Reading,
    /// A page is to be made; `begun` when the desk is at it.
    Waiting {
        subject: Subject,
        manner: Manner,
        begun: bool,
    },
    /// `moved` is when the client last took some of it.
    Writing {
        answer: Answer,
        keep_alive: bool,
        moved: Instant,
    },
    /// All is said; what the client still sends is thrown away, so that it can read our answer before its
    /// kernel hears that we are gone (RFC 9112 section 9.6).
    Lingering {
        left: usize,
    },
    Closed,
}

#[derive(Debug)]
pub struct Connection {
    socket: TcpStream,
    /// Bytes read and not yet understood.
    input: Vec<u8>,
    state: State,
    /// When this state began.
    since: Instant,
}

impl Connection {
    pub fn new(socket: TcpStream, now: Instant) -> Connection {
        Connection { socket, input: Vec::new(), state: State::Silent, since: now }
    }

    // ---- What the reactor asks ------------------------------------------------------------------------

    /// What to wait for. A waiting connection is told of nothing but the client's end.
    pub fn interest(&self) -> PollFlags {
        match self.state {
            State::Silent | State::Reading | State::Lingering { .. } => PollFlags::POLLIN,
            State::Writing { .. } => PollFlags::POLLOUT,
            State::Waiting { .. } | State::Closed => PollFlags::empty(),
        }
    }

    /// Another request is already here.
    pub fn has_more(&self) -> bool {
        matches!(self.state, State::Silent) && !self.input.is_empty()
    }

    pub fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed)
    }

    pub fn deadline(&self, limits: &Limits) -> Instant {
        self.since
            + match self.state {
                State::Silent => limits.idle_time,
                State::Reading => limits.head_time,
                State::Waiting { .. } => limits.page_time,
                State::Writing { .. } => limits.write_time,
                State::Lingering { .. } => limits.linger_time,
                State::Closed => std::time::Duration::ZERO,
            }
    }

    /// In what order, and from when on, it may be ended because others need its place. Who waits for a page
    /// is never ended for that.
    pub fn gives_way(&self, limits: &Limits) -> Option<(u8, Instant)> {
        match self.state {
            State::Lingering { .. } | State::Closed => Some((0, self.since)),
            State::Silent => Some((1, self.since + limits.silent_grace)),
            State::Reading => Some((2, self.since + limits.silent_grace)),
            State::Writing { moved, .. } => Some((3, moved + limits.write_grace)),
            State::Waiting { .. } => None,
        }
    }

    /// Something came since we last looked: it is not as silent as it seems.
    pub fn has_unread(&self) -> bool {
        matches!(self.state, State::Silent | State::Reading)
            && self.socket.peek(&mut [0]).is_ok_and(|count| count > 0)
    }

    /// It has had its answer.
    pub fn is_served(&self) -> bool {
        matches!(self.state, State::Lingering { .. } | State::Closed)
    }

    /// The subject it waits for and nobody works at, and whether it wants it compressed.
    pub fn wants(&self) -> Option<(&Subject, bool)> {
        match &self.state {
            State::Waiting { subject, manner, begun: false } => Some((subject, manner.gzip)),
            _ => None,
        }
    }

    pub fn mark_begun(&mut self) {
        if let State::Waiting { begun, .. } = &mut self.state {
            *begun = true;
        }
    }

    /// The page it is sending, and when the client last took some of it.
    pub fn sending(&self) -> Option<(&Arc<Vec<u8>>, Instant)> {
        match &self.state {
            State::Writing { answer, moved, .. } => answer.body().map(|body| (body, *moved)),
            _ => None,
        }
    }

    // ---- What moves it --------------------------------------------------------------------------------

    /// Its socket is ready, or it has more input already.
    pub fn proceed(&mut self, rules: &Rules<'_>) {
        match self.state {
            State::Silent if self.has_more() => self.understand(rules),
            State::Silent | State::Reading => self.read(rules),
            State::Writing { .. } => self.write(rules),
            State::Lingering { .. } => self.discard(rules),
            // Readiness without interest: the client is gone.
            State::Waiting { .. } | State::Closed => self.close(),
        }
    }

    /// Takes the page it waits for, if it is this one.
    pub fn receive(&mut self, about: &Subject, page: &Page, rules: &Rules<'_>) {
        if let State::Waiting { subject, manner, begun: true } = &self.state
            && subject == about
        {
            let manner = *manner;
            self.answer(page, manner, rules);
        }
    }

    /// Its time is over.
    pub fn expire(&mut self, rules: &Rules<'_>) {
        match &self.state {
            State::Reading => self.refuse(Refusal { code: 408, reason: "the request took too long" }, rules),
            State::Waiting { manner, .. } => {
                let mut manner = *manner;
                manner.keep_alive = false;
                self.answer(&Page::note(503, "the page did not come in time"), manner, rules);
            }
            _ => self.close(),
        }
    }

    pub fn close(&mut self) {
        self.state = State::Closed;
    }

    fn enter(&mut self, state: State, now: Instant) {
        self.state = state;
        self.since = now;
    }

    fn read(&mut self, rules: &Rules<'_>) {
        let held = self.input.len();
        self.input.resize(rules.limits.head_bytes.max(held), 0);
        let result = self.socket.read(&mut self.input[held..]);
        self.input.truncate(held + *result.as_ref().unwrap_or(&0));
        let line_ended = self.input[held..].contains(&b'\n');
        match result {
            Ok(0) => self.close(),
            // What came before was no whole head, and no line has ended since: so that a head sent byte by byte is
            // not read from its beginning for each of them.
            Ok(_) if held > 0 && !line_ended && self.input.len() < rules.limits.head_bytes => {}
            Ok(_) => self.understand(rules),
            Err(error) if is_temporary(&error) => {}
            Err(_) => self.close(),
        }
    }

    fn understand(&mut self, rules: &Rules<'_>) {
        self.input.drain(..length_of_blank(&self.input));
        if self.input.is_empty() {
            return;
        }
        match parse_head(&self.input) {
            Head::Complete(request, length) => {
                self.input.drain(..length);
                self.route(&request, rules);
            }
            Head::Refused(refusal) => self.refuse(refusal, rules),
            Head::Partial if self.input.len() >= rules.limits.head_bytes => {
                self.refuse(Refusal { code: 431, reason: "the head is too large" }, rules);
            }
            Head::Partial if matches!(self.state, State::Silent) => self.enter(State::Reading, rules.now),
            Head::Partial => {}
        }
    }

    fn route(&mut self, request: &Request, rules: &Rules<'_>) {
        let manner = Manner::of(request);
        if request.method == Method::Other {
            return self.answer(&Page::note(405, "GET and HEAD are answered here"), manner, rules);
        }
        let subject = match request.path.as_str() {
            path if path == rules.telemetry_path => Subject::Metrics(request.form),
            // Answered without asking anybody: it says that the threads live, however busy they are.
            "/-/healthy" if rules.healthy => {
                return self.answer(&Page::new(PLAIN, b"healthy\n".to_vec()), manner, rules);
            }
            "/-/healthy" => {
                return self.answer(&Page::note(503, "a serving thread is gone"), manner, rules);
            }
            "/-/ready" => Subject::Ready,
            "/" => Subject::Landing,
            path => Subject::Extra(path.to_owned()),
        };
        self.enter(State::Waiting { subject, manner, begun: false }, rules.now);
    }

    fn refuse(&mut self, refusal: Refusal, rules: &Rules<'_>) {
        let input = std::mem::take(&mut self.input);
        self.answer(&Page::refusal(refusal), Manner::last(begins_with_head(&input)), rules);
    }

    fn answer(&mut self, page: &Page, mut manner: Manner, rules: &Rules<'_>) {
        manner.keep_alive &= !rules.closing && !rules.crowded;
        (rules.meter)(Event::Answered(page.code));
        let answer = Answer::new(page, manner);
        let writing = State::Writing { answer, keep_alive: manner.keep_alive, moved: rules.now };
        self.enter(writing, rules.now);
        self.write(rules);
    }

    fn write(&mut self, rules: &Rules<'_>) {
        let State::Writing { answer, keep_alive, moved } = &mut self.state else { return };
        let before = answer.sent();
        match answer.send(&self.socket) {
            Ok(false) if answer.sent() > before => *moved = rules.now,
            Ok(false) => {}
            Ok(true) if *keep_alive => self.enter(State::Silent, rules.now),
            Ok(true) => {
                self.input = Vec::new();
                match self.socket.shutdown(Shutdown::Write) {
                    Ok(()) => self.enter(State::Lingering { left: LINGER_BYTES }, rules.now),
                    Err(_) => self.close(),
                }
            }
            Err(_) => self.close(),
        }
    }

    fn discard(&mut self, rules: &Rules<'_>) {
        let State::Lingering { left } = &mut self.state else { return };
        let mut waste = vec![0; rules.limits.head_bytes];
        match self.socket.read(&mut waste) {
            Ok(count) if count > 0 && count < *left => *left -= count,
            Err(error) if is_temporary(&error) => {}
            _ => self.close(),
        }
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn is_temporary(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
