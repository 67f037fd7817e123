//! State machine of one connection: turns what a client sends, in whatever pieces, into requests, and sends the
//! answers in order.
//!
//! It is moved on when its socket is ready and never waits itself. It holds one head's bytes at most and reads
//! nothing while an answer is under way, so pipelined requests wait in the kernel, where they are bounded.

use std::io::{self, IoSlice, Read, Write};
use std::net::{IpAddr, Ipv6Addr, Shutdown, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::Instant;

use nix::poll::PollFlags;

use crate::serve::guard::{Guard, Session, Verdict};
use crate::serve::http::checks::{CheckQueue, Found, Work};
use crate::serve::http::handler::{EventSink, ServerEvent};
use crate::serve::http::limits::{HANDSHAKE_BYTES, LINGER_BYTES, Limits};
use crate::serve::http::render::Resource;
use crate::serve::http::request::{Head, Method, Refusal, Request, length_of_blank, parse_head};
use crate::serve::http::response::{Body, PLAIN, ResponseOptions, ResponseWriter};

/// What a connection has to know of the server at the moment.
pub struct Context<'a> {
    pub limits: &'a Limits,
    pub telemetry_path: &'a str,
    /// Who may speak, and how; None: everybody, plainly.
    pub guard: Option<&'a Guard>,
    pub events: &'a EventSink,
    pub now: Instant,
    /// The ports are given up: every answer is the last of its connection.
    pub closing: bool,
    /// The table is full: every answer is the last of its connection, so that clients that ask without pause make room
    /// too, not only idle ones ...
    pub crowded: bool,
    /// ... except to those that have been let in.
    pub keeps_known: bool,
    pub healthy: bool,
}

#[derive(Debug)]
enum State {
    /// The client has to go on with its handshake.
    Handshaking,
    /// Something is to be found out (checks.rs) before it goes on, perhaps about a request; no `work` when it is being
    /// found out.
    Checking {
        work: Option<Work>,
        request: Option<Request>,
    },
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
    KeptOpen,
    Handshaking,
    ReadingHead,
    WaitingForHash,
    /// For its first bytes to be looked at, of which a signature comes.
    WaitingToEnter,
    /// For a page, or for a check that is not the client's to hasten.
    WaitingForUs,
    Writing,
}

#[derive(Debug)]
pub struct Connection {
    socket: TcpStream,
    /// Where the client is; of an address of IPv6 the network, in which one client has all addresses.
    origin: Option<IpAddr>,
    /// Tells it from all others there ever were.
    pub id: u64,
    /// TLS, once it is known that the client speaks it; away while a handshake is being worked on.
    session: Option<Session>,
    /// Whether it is known how the client is to speak.
    is_entered: bool,
    /// With a guard: it has been let in and had an answer, so it is ended after those that have not.
    is_known: bool,
    /// When its first byte came.
    begun: Instant,
    /// Bytes read and not yet understood.
    input: Vec<u8>,
    state: State,
    /// When this state began.
    since: Instant,
}

impl Connection {
    /// Without a guard it is known from the start how the client is to speak.
    pub fn new(socket: TcpStream, id: u64, is_guarded: bool, now: Instant) -> Connection {
        Connection {
            origin: origin_of(&socket),
            socket,
            id,
            session: None,
            is_entered: !is_guarded,
            is_known: false,
            begun: now,
            input: Vec::new(),
            state: State::Silent,
            since: now,
        }
    }

    // ---- What the reactor asks ------------------------------------------------------------------------

    /// What to wait for. A waiting connection is told of nothing but the client's end.
    pub fn interest(&self) -> PollFlags {
        match self.state {
            State::Silent | State::Reading | State::Lingering { .. } => PollFlags::POLLIN,
            State::Writing { .. } => PollFlags::POLLOUT,
            State::Handshaking if self.session.as_ref().is_some_and(Session::wants_write) => {
                PollFlags::POLLIN | PollFlags::POLLOUT
            }
            State::Handshaking => PollFlags::POLLIN,
            State::Checking { .. } | State::Waiting { .. } | State::Closed => PollFlags::empty(),
        }
    }

    /// Another request is already here.
    pub fn has_more(&self) -> bool {
        matches!(self.state, State::Silent) && (!self.input.is_empty() || self.has_data())
    }

    /// TLS has data that the socket does not tell of any more.
    fn has_data(&self) -> bool {
        self.session.as_ref().is_some_and(Session::has_data)
    }

    pub fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed)
    }

    pub fn deadline(&self, limits: &Limits) -> Instant {
        if let State::Handshaking | State::Checking { request: None, .. } = self.state {
            return self.begun + limits.head_time;
        }
        self.since
            + match self.state {
                State::Handshaking | State::Checking { .. } => limits.page_time,
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
            State::Silent if self.is_known => (Phase::KeptOpen, self.since),
            // It has shaken hands, and its first request is on its way.
            State::Silent if self.session.is_some() => (Phase::Handshaking, self.since),
            State::Silent => (Phase::Silent, self.since),
            State::Handshaking => (Phase::Handshaking, self.since),
            State::Checking { work: Some(Work::Hash(_)), .. } => (Phase::WaitingForHash, self.since),
            State::Checking { work: Some(Work::Enter(_)), .. } => (Phase::WaitingToEnter, self.since),
            State::Checking { .. } => (Phase::WaitingForUs, self.since),
            State::Reading => (Phase::ReadingHead, self.since),
            State::Waiting { .. } => (Phase::WaitingForUs, self.since),
            State::Writing { moved, .. } => (Phase::Writing, moved),
        }
    }

    /// Input has arrived that was not read yet: the connection is not idle.
    pub fn has_unread(&self) -> bool {
        matches!(self.state, State::Silent | State::Reading | State::Handshaking)
            && self.socket.peek(&mut [0]).is_ok_and(|count| count > 0)
    }

    /// It has had its answer.
    pub fn is_served(&self) -> bool {
        matches!(self.state, State::Lingering { .. } | State::Closed)
    }

    /// The check it waits for and nobody works at.
    pub fn needs(&self) -> Option<CheckQueue> {
        match &self.state {
            State::Checking { work: Some(work), .. } => Some(CheckQueue::of(work)),
            _ => None,
        }
    }

    pub fn begin_check(&mut self) -> Option<Work> {
        match &mut self.state {
            State::Checking { work, .. } => work.take(),
            _ => None,
        }
    }

    /// A guard has let it in.
    pub fn is_known(&self) -> bool {
        self.is_known
    }

    /// It is not known yet how the client is to speak.
    pub fn is_new(&self) -> bool {
        !self.is_entered
    }

    /// Since when it is in its state.
    pub fn since(&self) -> Instant {
        self.since
    }

    /// Where the client is; `None` at a Unix socket.
    pub fn origin(&self) -> Option<IpAddr> {
        self.origin
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
            State::Silent if !self.is_entered => self.enter_first(context),
            State::Handshaking => self.go_on_with_handshake(context),
            State::Silent if !self.input.is_empty() => self.understand(context),
            State::Silent | State::Reading => self.read(context),
            State::Writing { .. } => self.write(context),
            State::Lingering { .. } => self.discard(context),
            // Readiness without interest: the client is gone.
            State::Checking { .. } | State::Waiting { .. } | State::Closed => self.close(),
        }
    }

    /// Takes what was found out.
    pub fn settle(&mut self, found: Found, context: &Context<'_>) {
        // It may have been given up meanwhile.
        let State::Checking { request, .. } = &mut self.state else { return };
        let request = request.take();
        self.enter(State::Silent, context.now);
        self.is_entered = true;
        match (found, request) {
            (Found::Looked, Some(request)) => self.admit(request, context),
            (Found::Hashed { is_right: true }, Some(request)) => self.let_in(&request, context),
            (Found::Hashed { is_right: false }, Some(request)) => self.refuse_user(&request, context),
            (Found::Plain(bytes), None) => {
                self.input = bytes;
                self.understand(context);
            }
            (Found::NotTls, None) => {
                self.refuse(Refusal { code: 400, reason: "this port speaks TLS: https://" }, context);
            }
            (Found::Session { session, is_sound }, None) => {
                let is_handshaking = session.is_handshaking();
                self.session = Some(session);
                match self.flush(false) {
                    // What is left is an alert.
                    Ok(_) if !is_sound => self.end(context),
                    Ok(_) if is_handshaking => self.enter(State::Handshaking, context.now),
                    Ok(_) => {}
                    Err(_) => self.close(),
                }
            }
            _ => self.close(),
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
            State::Checking { request: Some(request), .. } => {
                let mut options = ResponseOptions::of(request);
                options.keep_alive = false;
                self.answer(&Body::note(503, "the check took too long"), options, context);
            }
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

    /// Waits for a check; what holds is looked up when it is done.
    fn check(&mut self, work: Work, request: Option<Request>, now: Instant) {
        self.enter(State::Checking { work: Some(work), request }, now);
    }

    fn enter_first(&mut self, context: &Context<'_>) {
        let mut bytes = vec![0; context.limits.head_bytes];
        match self.socket.read(&mut bytes) {
            Ok(count) if count > 0 => {
                bytes.truncate(count);
                self.begun = context.now;
                // Whoever has hung up already costs no signature.
                match self.socket.peek(&mut [0]) {
                    Ok(0) if count < context.limits.head_bytes => self.close(),
                    _ => self.check(Work::Enter(bytes), None, context.now),
                }
            }
            Err(error) if is_temporary(&error) => {}
            _ => self.close(),
        }
    }

    fn go_on_with_handshake(&mut self, context: &Context<'_>) {
        let mut bytes = vec![0; HANDSHAKE_BYTES];
        match self.flush(false).and_then(|_| self.socket.read(&mut bytes)) {
            Ok(count) if count > 0 => {
                bytes.truncate(count);
                let Some(session) = self.session.take() else { return self.close() };
                self.check(Work::Handshake(session, bytes), None, context.now);
            }
            Err(error) if is_temporary(&error) => {}
            _ => self.close(),
        }
    }

    fn read(&mut self, context: &Context<'_>) {
        let held = self.input.len();
        self.input.resize(context.limits.head_bytes.max(held), 0);
        let result = match &mut self.session {
            None => self.socket.read(&mut self.input[held..]),
            Some(session) => session.read(&self.socket, &mut self.input[held..]),
        };
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
                match context.guard {
                    Some(guard) if guard.is_stale(context.now) => {
                        self.check(Work::Look, Some(request), context.now);
                    }
                    _ => self.admit(request, context),
                }
            }
            Head::Refused(refusal) => self.refuse(refusal, context),
            Head::Partial if self.input.len() >= context.limits.head_bytes => {
                self.refuse(Refusal { code: 431, reason: "the head is too large" }, context);
            }
            Head::Partial if matches!(self.state, State::Silent) => self.enter(State::Reading, context.now),
            Head::Partial => {}
        }
    }

    /// Lets a request in, if it may.
    fn admit(&mut self, request: Request, context: &Context<'_>) {
        let Some(guard) = context.guard else { return self.route(&request, context) };
        let Some(settings) = guard.settings() else { return self.close() };
        if !settings.admits(context.now) {
            let note = Body::note(429, "there are more requests than rate_limit allows");
            return self.answer(&note, ResponseOptions::of(&request), context);
        }
        match settings.judge(request.authorization.as_deref()) {
            Verdict::Right => self.let_in(&request, context),
            Verdict::Wrong => self.refuse_user(&request, context),
            Verdict::Open(attempt) => self.check(Work::Hash(attempt), Some(request), context.now),
        }
    }

    fn let_in(&mut self, request: &Request, context: &Context<'_>) {
        self.is_known = true;
        self.route(request, context);
    }

    fn refuse_user(&mut self, request: &Request, context: &Context<'_>) {
        let note = Body::note(401, "a user and a password are needed");
        self.answer(&note, ResponseOptions::of(request), context);
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
        let has_place = !context.crowded || (self.is_known && context.keeps_known);
        options.keep_alive &= !context.closing && has_place;
        (context.events)(ServerEvent::Answered(page.code));
        let settings = context.guard.and_then(Guard::settings);
        let headers = settings.as_ref().map_or(&[][..], |settings| &settings.headers);
        let answer = ResponseWriter::new(page, options, headers);
        let writing = State::Writing { answer, keep_alive: options.keep_alive, moved: context.now };
        self.enter(writing, context.now);
        self.write(context);
    }

    fn write(&mut self, context: &Context<'_>) {
        let State::Writing { answer, keep_alive, moved } = &mut self.state else { return };
        let (before, is_last) = (answer.sent(), !*keep_alive);
        let sent = answer.send(Stream { socket: &self.socket, session: self.session.as_mut() });
        if answer.sent() > before {
            *moved = context.now;
        }
        let has_gone = sent.and_then(|is_sent| Ok(is_sent && self.flush(is_last)?));
        match has_gone {
            Ok(false) => {}
            Ok(true) if is_last => self.end(context),
            Ok(true) => self.enter(State::Silent, context.now),
            Err(_) => self.close(),
        }
    }

    /// Sends what TLS still holds; `true` when there is nothing left.
    fn flush(&mut self, is_last: bool) -> io::Result<bool> {
        let Some(session) = &mut self.session else { return Ok(true) };
        if is_last {
            session.close();
        }
        session.flush(&self.socket)
    }

    /// Our last byte has gone.
    fn end(&mut self, context: &Context<'_>) {
        self.input = Vec::new();
        match self.socket.shutdown(Shutdown::Write) {
            Ok(()) => self.enter(State::Lingering { left: LINGER_BYTES }, context.now),
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

/// The way to a client, with TLS or without.
struct Stream<'c> {
    socket: &'c TcpStream,
    session: Option<&'c mut Session>,
}

impl Write for Stream<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, bytes: &[IoSlice<'_>]) -> io::Result<usize> {
        match &mut self.session {
            None => (&mut &*self.socket).write_vectored(bytes),
            Some(session) => session.write_vectored(self.socket, bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn origin_of(socket: &TcpStream) -> Option<IpAddr> {
    match socket.peer_addr().ok()?.ip() {
        IpAddr::V6(address) => Some(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into()),
        address @ IpAddr::V4(_) => Some(address),
    }
}

fn is_temporary(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
