//! State machine of one connection: turns what a client sends, in whatever pieces, into requests, and sends the
//! answers in order.
//!
//! It is moved on when its socket is ready and never waits itself. It holds one head's bytes at most and reads
//! nothing while an answer is under way, so pipelined requests wait in the kernel, where they are bounded.

use std::io::{self, Read};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::Instant;

use nix::poll::PollFlags;

use crate::serve::http::handler::{EventSink, ServerEvent};
use crate::serve::http::limits::{LINGER_BYTES, Limits};
use crate::serve::http::render::Resource;
use crate::serve::http::request::{Head, Method, Refusal, Request, length_of_blank, parse_head};
use crate::serve::http::response::{Body, PLAIN, ResponseOptions, ResponseWriter};

/// What a connection has to know of the server at the moment.
pub struct Context<'a> {
    pub limits: &'a Limits,
    pub telemetry_path: &'a str,
    pub events: &'a EventSink,
    pub now: Instant,
    /// The ports are given up: every answer is the last of its connection.
    pub closing: bool,
    /// The table is full: every answer is the last of its connection, so that clients that ask without pause make room
    /// too, not only idle ones.
    pub crowded: bool,
    pub healthy: bool,
}

#[derive(Debug)]
enum State {
    /// Nothing of a request has come.
    Silent,
    /// Something of a head has come.
    Reading,
    /// A page is to be made; `begun` when it is being made.
    Waiting {
        resource: Resource,
        options: ResponseOptions,
        begun: bool,
    },
    /// `moved` is when the client last took some of it.
    Writing {
        answer: ResponseWriter,
        keep_alive: bool,
        moved: Instant,
    },
    /// The last answer is sent; what the client still sends is discarded, so that it can read the answer before its
    /// kernel learns that the connection is closed (RFC 9112 section 9.6).
    Lingering {
        left: usize,
    },
    Closed,
}

/// What a connection does, as far as others are concerned that want its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Answered,
    Silent,
    ReadingHead,
    WaitingForPage,
    Writing,
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

    /// What it does, for eviction, and since when; a client that takes some of its answer does so anew.
    pub fn phase(&self) -> (Phase, Instant) {
        match self.state {
            State::Lingering { .. } | State::Closed => (Phase::Answered, self.since),
            State::Silent => (Phase::Silent, self.since),
            State::Reading => (Phase::ReadingHead, self.since),
            State::Waiting { .. } => (Phase::WaitingForPage, self.since),
            State::Writing { moved, .. } => (Phase::Writing, moved),
        }
    }

    /// Input has arrived that was not read yet: the connection is not idle.
    pub fn has_unread(&self) -> bool {
        matches!(self.state, State::Silent | State::Reading)
            && self.socket.peek(&mut [0]).is_ok_and(|count| count > 0)
    }

    /// It has had its answer.
    pub fn is_served(&self) -> bool {
        matches!(self.state, State::Lingering { .. } | State::Closed)
    }

    /// The resource it waits for and nobody works at, and whether it wants it compressed.
    pub fn wants(&self) -> Option<(&Resource, bool)> {
        match &self.state {
            State::Waiting { resource, options, begun: false } => Some((resource, options.gzip)),
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
    pub fn proceed(&mut self, context: &Context<'_>) {
        match self.state {
            State::Silent if self.has_more() => self.understand(context),
            State::Silent | State::Reading => self.read(context),
            State::Writing { .. } => self.write(context),
            State::Lingering { .. } => self.discard(context),
            // Readiness without interest: the client is gone.
            State::Waiting { .. } | State::Closed => self.close(),
        }
    }

    /// Takes the page it waits for, if it is this one.
    pub fn receive(&mut self, about: &Resource, page: &Body, context: &Context<'_>) {
        if let State::Waiting { resource, options, begun: true } = &self.state
            && resource == about
        {
            let options = *options;
            self.answer(page, options, context);
        }
    }

    /// Its time is over.
    pub fn expire(&mut self, context: &Context<'_>) {
        match &self.state {
            State::Reading => {
                self.refuse(Refusal { code: 408, reason: "the request took too long" }, context);
            }
            State::Waiting { options, .. } => {
                let mut options = *options;
                options.keep_alive = false;
                self.answer(&Body::note(503, "the page did not come in time"), options, context);
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

    fn read(&mut self, context: &Context<'_>) {
        let held = self.input.len();
        self.input.resize(context.limits.head_bytes.max(held), 0);
        let result = self.socket.read(&mut self.input[held..]);
        self.input.truncate(held + *result.as_ref().unwrap_or(&0));
        let line_ended = self.input[held..].contains(&b'\n');
        match result {
            Ok(0) => self.close(),
            // What came before was no whole head, and no line has ended since: so that a head sent byte by byte is
            // not read from its beginning for each of them.
            Ok(_) if held > 0 && !line_ended && self.input.len() < context.limits.head_bytes => {}
            Ok(_) => self.understand(context),
            Err(error) if is_temporary(&error) => {}
            Err(_) => self.close(),
        }
    }

    fn understand(&mut self, context: &Context<'_>) {
        self.input.drain(..length_of_blank(&self.input));
        if self.input.is_empty() {
            return;
        }
        match parse_head(&self.input) {
            Head::Complete(request, length) => {
                self.input.drain(..length);
                self.route(&request, context);
            }
            Head::Refused(refusal) => self.refuse(refusal, context),
            Head::Partial if self.input.len() >= context.limits.head_bytes => {
                self.refuse(Refusal { code: 431, reason: "the head is too large" }, context);
            }
            Head::Partial if matches!(self.state, State::Silent) => self.enter(State::Reading, context.now),
            Head::Partial => {}
        }
    }

    fn route(&mut self, request: &Request, context: &Context<'_>) {
        let options = ResponseOptions::of(request);
        if request.method == Method::Other {
            return self.answer(&Body::note(405, "only GET and HEAD are supported"), options, context);
        }
        let resource = match request.path.as_str() {
            path if path == context.telemetry_path => Resource::Metrics(request.form),
            // Answered by the reactor itself: it says that the process lives, however busy it is.
            "/-/healthy" if context.healthy => {
                return self.answer(&Body::new(PLAIN, b"healthy\n".to_vec()), options, context);
            }
            "/-/healthy" => {
                return self.answer(&Body::note(503, "a serving thread is gone"), options, context);
            }
            "/-/ready" => Resource::Ready,
            "/" => Resource::Landing,
            path => Resource::Extra(path.to_owned()),
        };
        self.enter(State::Waiting { resource, options, begun: false }, context.now);
    }

    fn refuse(&mut self, refusal: Refusal, context: &Context<'_>) {
        let head_only = std::mem::take(&mut self.input).starts_with(b"HEAD ");
        self.answer(&Body::refusal(refusal), ResponseOptions::last(head_only), context);
    }

    fn answer(&mut self, page: &Body, mut options: ResponseOptions, context: &Context<'_>) {
        options.keep_alive &= !context.closing && !context.crowded;
        (context.events)(ServerEvent::Answered(page.code));
        let answer = ResponseWriter::new(page, options);
        let writing = State::Writing { answer, keep_alive: options.keep_alive, moved: context.now };
        self.enter(writing, context.now);
        self.write(context);
    }

    fn write(&mut self, context: &Context<'_>) {
        let State::Writing { answer, keep_alive, moved } = &mut self.state else { return };
        let before = answer.sent();
        match answer.send(&self.socket) {
            Ok(false) if answer.sent() > before => *moved = context.now,
            Ok(false) => {}
            Ok(true) if *keep_alive => self.enter(State::Silent, context.now),
            Ok(true) => {
                self.input = Vec::new();
                match self.socket.shutdown(Shutdown::Write) {
                    Ok(()) => self.enter(State::Lingering { left: LINGER_BYTES }, context.now),
                    Err(_) => self.close(),
                }
            }
            Err(_) => self.close(),
        }
    }

    fn discard(&mut self, context: &Context<'_>) {
        let State::Lingering { left } = &mut self.state else { return };
        let mut waste = vec![0; context.limits.head_bytes];
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
