//! Render pool: two threads that make pages by asking the `Handler`, which may take a while: `serve-metrics` for
//! the metrics and `serve-pages` for all the rest, so that a probe of readiness does not wait for a scrape.
//!
//! A worker has one batch of jobs at a time. The reactor collects what is asked for meanwhile and hands it over as
//! the next batch, each resource once: that is all of the single-flight rule.

use crate::log::log_error;
use crate::os::{has_room, release_freed_memory};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};

use crate::serve::http::handler::{Handler, NO_MEMORY};
use crate::serve::http::limits::{LARGE_PAGE_BYTES, RELEASE_AFTER, SPARE_BYTES};
use crate::serve::http::response::{Body, HTML, PLAIN};
use crate::serve::http::waker::Waker;
use crate::snapshot::exposition::Form;

/// What can be asked of the handler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resource {
    Metrics(Form),
    Ready,
    Landing,
    Extra(String),
}

/// A resource, and whether any request wants it compressed.
pub type RenderJob = (Resource, bool);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queue {
    Metrics,
    Pages,
}

impl Queue {
    pub const ALL: [Queue; 2] = [Queue::Metrics, Queue::Pages];

    pub fn of(resource: &Resource) -> Queue {
        if matches!(resource, Resource::Metrics(_)) { Queue::Metrics } else { Queue::Pages }
    }

    fn thread_name(self) -> &'static str {
        match self {
            Queue::Metrics => "serve-metrics",
            Queue::Pages => "serve-pages",
        }
    }
}

#[derive(Debug)]
struct WorkerHandle {
    batches: Sender<Vec<RenderJob>>,
    /// Pages of the batch under way that have not come back yet.
    missing: usize,
    thread: JoinHandle<()>,
}

#[derive(Debug)]
pub struct RenderPool {
    workers: [WorkerHandle; 2],
    finished: Receiver<(Resource, Body)>,
}

impl RenderPool {
    pub fn start(handler: Arc<dyn Handler>, waker: &Waker, gzip_from: usize) -> io::Result<RenderPool> {
        let (done, finished) = mpsc::channel();
        let start = move |place: Queue| -> io::Result<WorkerHandle> {
            let (batches, received) = mpsc::channel();
            let mut worker = RenderWorker {
                handler: Arc::clone(&handler),
                done: done.clone(),
                waker: waker.try_clone()?,
                gzip_from,
                logged: false,
                largest_bytes: 0,
                large: Vec::new(),
            };
            let builder = thread::Builder::new().name(place.thread_name().into());
            let thread = builder.spawn(move || worker.work(&received))?;
            Ok(WorkerHandle { batches, missing: 0, thread })
        };
        Ok(RenderPool { workers: [start(Queue::Metrics)?, start(Queue::Pages)?], finished })
    }

    pub fn is_free(&self, place: Queue) -> bool {
        self.workers[place as usize].missing == 0
    }

    pub fn begin(&mut self, place: Queue, batch: Vec<RenderJob>) {
        let worker = &mut self.workers[place as usize];
        worker.missing = batch.len();
        // A worker that has ended answers nothing: requests run into their deadline, and /-/healthy tells.
        let _ = worker.batches.send(batch);
    }

    /// A page that came back since the last call.
    pub fn take(&mut self) -> Option<(Resource, Body)> {
        let (resource, page) = self.finished.try_recv().ok()?;
        let worker = &mut self.workers[Queue::of(&resource) as usize];
        worker.missing = worker.missing.saturating_sub(1);
        Some((resource, page))
    }

    pub fn are_alive(&self) -> bool {
        self.workers.iter().all(|worker| !worker.thread.is_finished())
    }
}

struct RenderWorker {
    handler: Arc<dyn Handler>,
    done: Sender<(Resource, Body)>,
    waker: Waker,
    gzip_from: usize,
    /// A panic of the handler was logged.
    logged: bool,
    /// The size of the largest page so far: the next will hardly be much larger.
    largest_bytes: usize,
    /// Large pages that were on their way when freed memory was given back last. A client that stops reading holds
    /// its page until its connection is ended.
    large: Vec<Weak<Vec<u8>>>,
}

impl RenderWorker {
    /// Until the reactor is gone.
    fn work(&mut self, batches: &Receiver<Vec<RenderJob>>) {
        while let Some(batch) = self.next(batches) {
            for (resource, gzip) in batch {
                let page = self.page(&resource, gzip);
                if page.bytes.len() >= LARGE_PAGE_BYTES {
                    self.large.retain(|page| page.strong_count() > 0);
                    self.large.push(Arc::downgrade(&page.bytes));
                }
                if self.done.send((resource, page)).is_err() {
                    return;
                }
                self.waker.wake();
            }
        }
    }

    /// Waits for work. What large pages have left behind is given back in the quiet after them.
    fn next(&mut self, batches: &Receiver<Vec<RenderJob>>) -> Option<Vec<RenderJob>> {
        while !self.large.is_empty() {
            match batches.recv_timeout(RELEASE_AFTER) {
                Err(RecvTimeoutError::Timeout) => {}
                result => return result.ok(),
            }
            self.large.retain(|page| page.strong_count() > 0);
            release_freed_memory();
        }
        batches.recv().ok()
    }

    /// Without memory for it there is no page, and without memory beside it it is given up again: slow readers may hold
    /// all that others have asked for.
    fn page(&mut self, resource: &Resource, gzip: bool) -> Body {
        // A copy of what is counted takes less than half as much as its page.
        if !has_room(self.largest_bytes / 2 * 3 + SPARE_BYTES) {
            return Body::note(503, NO_MEMORY);
        }
        let made = catch_unwind(AssertUnwindSafe(|| {
            let mut page = ask(&*self.handler, resource);
            // The compressed form is shorter, also while it grows.
            if gzip && has_room(page.bytes.len() + SPARE_BYTES) {
                page.compress(self.gzip_from);
            }
            page
        }));
        match made {
            Ok(page) => {
                self.largest_bytes = self.largest_bytes.max(page.bytes.len());
                if has_room(SPARE_BYTES) { page } else { Body::note(503, NO_MEMORY) }
            }
            Err(_) => {
                if !self.logged {
                    log_error(format!(
                        "a page could not be made ({resource:?}); this is a fault of the program"
                    ));
                    self.logged = true;
                }
                Body::note(500, "the page could not be made")
            }
        }
    }
}

fn ask(handler: &dyn Handler, resource: &Resource) -> Body {
    match resource {
        Resource::Metrics(form) => match handler.exposition(*form) {
            Ok(text) => {
                Body { vary: Some("Accept, Accept-Encoding"), ..Body::new(form.content_type(), text) }
            }
            Err(reason) => Body::note(503, reason),
        },
        Resource::Ready => match handler.ready() {
            Ok(()) => Body::new(PLAIN, b"ready\n".to_vec()),
            Err(reason) => Body::note(503, &reason),
        },
        Resource::Landing => Body::new(HTML, handler.landing().into_bytes()),
        Resource::Extra(path) => match handler.extra(path) {
            Some((content_type, bytes)) => Body::new(content_type, bytes),
            None => Body::note(404, "there is no such page"),
        },
    }
}
