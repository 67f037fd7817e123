//! HTTP server: turns connections into answers, HTTP/1.1 after RFC 9110 and RFC 9112.
//!
//! Three threads, started once and never another: `serve` (reactor.rs) holds every listener and every connection in
//! one poll(2) loop and waits for nothing else; `serve-metrics` and `serve-pages` (render.rs) ask the `Handler` for
//! pages, which may take a while. With a guard two more (checks.rs) do what handshakes and passwords cost. So a
//! client costs a place in a table of fixed size and not a thread, and nothing has to be started while the system is
//! short of something. httparse reads the heads, tiny_http has the words of the answers (status lines, headers,
//! dates); its server is not used, because one unauthenticated request can end or deadlock it.
//!
//! A page is rendered once for all who wait for it. A request that arrives while a page is being rendered waits for
//! the next one: no scrape shows counts older than its own request, and still one page is rendered at a time,
//! however many ask.
//!
//! This room must never reach a counter, hold up the reading of stdin, or grow with what clients send.

mod address;
mod checks;
mod connection;
mod evict;
mod handler;
mod inherited;
mod limits;
mod listener;
mod negotiate;
mod reactor;
mod render;
mod request;
mod response;
#[cfg(test)]
mod tests;
mod waker;

use crate::serve::guard::Guard;
use crate::serve::http::checks::CheckPool;
use crate::serve::http::limits::Limits;
use crate::serve::http::reactor::{Command, Reactor};
use crate::serve::http::render::RenderPool;
use crate::serve::http::waker::Waker;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};

pub use crate::serve::http::address::Address;
pub use crate::serve::http::handler::{EventSink, Handler, NO_MEMORY, ServerEvent};
pub use crate::serve::http::listener::Listener;
#[cfg(any(test, fuzzing))]
pub use crate::serve::http::request::check as check_head;
pub use crate::serve::http::response::{HTML, JSON};

/// The running server. Dropping it ends it.
#[derive(Debug)]
pub struct Server {
    commands: Sender<Command>,
    waker: Waker,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub fn start(
        listeners: Vec<Listener>,
        telemetry_path: String,
        guard: Option<Guard>,
        handler: Arc<dyn Handler>,
        events: EventSink,
    ) -> io::Result<Server> {
        Server::start_with(Limits::default(), listeners, telemetry_path, guard, handler, events)
    }

    fn start_with(
        limits: Limits,
        listeners: Vec<Listener>,
        telemetry_path: String,
        guard: Option<Guard>,
        handler: Arc<dyn Handler>,
        events: EventSink,
    ) -> io::Result<Server> {
        let (waker, woken) = waker::pair()?;
        let (commands, received) = mpsc::channel();
        let pool = RenderPool::start(handler, &waker, limits.gzip_from)?;
        let checks =
            guard.map(|guard| CheckPool::start(&guard, &waker).map(|pool| (guard, pool))).transpose()?;
        let inbox = (received, woken);
        let mut reactor = Reactor::new(limits, listeners, telemetry_path, pool, checks, inbox, events);
        let thread = thread::Builder::new().name("serve".into()).spawn(move || reactor.run())?;
        Ok(Server { commands, waker, thread: Some(thread) })
    }

    /// A listener won later, when a predecessor gave up the port.
    pub fn add(&self, listener: Listener) {
        self.send(Command::Add(listener));
    }

    /// Gives up the ports: the listeners are closed when this returns. Each client that is connected gets one more
    /// answer, with `Connection: close`.
    pub fn close(&self) {
        let (closed, wait) = mpsc::channel();
        self.send(Command::Close(closed));
        // An error means that the thread is gone, and its listeners with it.
        let _ = wait.recv();
    }

    fn send(&self, command: Command) {
        if self.commands.send(command).is_ok() {
            self.waker.wake();
        }
    }
}

impl Drop for Server {
    /// The threads of the pool are not waited for: they end with the reactor, once the handler lets them.
    fn drop(&mut self) {
        self.send(Command::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
