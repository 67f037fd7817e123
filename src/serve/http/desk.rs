//! Turns subjects into pages, by asking the `Site`, on two threads that may wait for it: `serve-metrics` for
//! the metrics and `serve-pages` for all the rest, so that a probe of readiness is not kept by a rendering.
//!
//! A desk works through one batch at a time. The reactor collects what is asked for meanwhile and hands it
//! over as the next batch, each subject once: that is all of the single-flight rule.

use crate::log::log_line;
use crate::os::release_freed_memory;
use std::io;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};

use crate::serve::http::answer::{HTML, PLAIN, Page};
use crate::serve::http::{LARGE_PAGE_BYTES, RELEASE_AFTER, Site, ring};
use crate::snapshot::exposition::Form;

/// What can be asked of the site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    Metrics(Form),
    Ready,
    Landing,
    Extra(String),
}

/// A subject, and whether somebody wants it compressed.
pub type Wanted = (Subject, bool);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Metrics,
    Pages,
}

impl Place {
    pub const ALL: [Place; 2] = [Place::Metrics, Place::Pages];

    pub fn of(subject: &Subject) -> Place {
        if matches!(subject, Subject::Metrics(_)) { Place::Metrics } else { Place::Pages }
    }

    fn thread_name(self) -> &'static str {
        match self {
            Place::Metrics => "serve-metrics",
            Place::Pages => "serve-pages",
        }
    }
}

#[derive(Debug)]
struct Desk {
    batches: Sender<Vec<Wanted>>,
    /// Pages of the batch under way that have not come back yet.
    missing: usize,
    thread: JoinHandle<()>,
}

#[derive(Debug)]
pub struct Desks {
    desks: [Desk; 2],
    finished: Receiver<(Subject, Page)>,
}

impl Desks {
    pub fn open(site: Arc<dyn Site>, bell: &UnixStream, gzip_from: usize) -> io::Result<Desks> {
        let (done, finished) = mpsc::channel();
        let open = move |place: Place| -> io::Result<Desk> {
            let (batches, received) = mpsc::channel();
            let mut clerk = Clerk {
                site: Arc::clone(&site),
                done: done.clone(),
                bell: bell.try_clone()?,
                gzip_from,
                said: false,
                large: Vec::new(),
            };
            let builder = thread::Builder::new().name(place.thread_name().into());
            let thread = builder.spawn(move || clerk.work(&received))?;
            Ok(Desk { batches, missing: 0, thread })
        };
        Ok(Desks { desks: [open(Place::Metrics)?, open(Place::Pages)?], finished })
    }

    pub fn is_free(&self, place: Place) -> bool {
        self.desks[place as usize].missing == 0
    }

    pub fn begin(&mut self, place: Place, batch: Vec<Wanted>) {
        let desk = &mut self.desks[place as usize];
        desk.missing = batch.len();
        // A desk that is gone answers nothing: those who wait run into their deadline, and /-/healthy tells.
        let _ = desk.batches.send(batch);
    }

    /// A page that came back since the last call.
    pub fn take(&mut self) -> Option<(Subject, Page)> {
        let (subject, page) = self.finished.try_recv().ok()?;
        let desk = &mut self.desks[Place::of(&subject) as usize];
        desk.missing = desk.missing.saturating_sub(1);
        Some((subject, page))
    }

    pub fn are_alive(&self) -> bool {
        self.desks.iter().all(|desk| !desk.thread.is_finished())
    }
}

struct Clerk {
    site: Arc<dyn Site>,
    done: Sender<(Subject, Page)>,
    bell: UnixStream,
    gzip_from: usize,
    /// A panic of the site was reported.
    said: bool,
    /// Large pages that were on their way when freed memory was given back last. A reader who stops holds his for as
    /// long as he is suffered.
    large: Vec<Weak<Vec<u8>>>,
}

impl Clerk {
    /// Until the reactor is gone.
    fn work(&mut self, batches: &Receiver<Vec<Wanted>>) {
        while let Some(batch) = self.next(batches) {
            for (subject, gzip) in batch {
                let page = self.page(&subject, gzip);
                if page.body.len() >= LARGE_PAGE_BYTES {
                    self.large.retain(|page| page.strong_count() > 0);
                    self.large.push(Arc::downgrade(&page.body));
                }
                if self.done.send((subject, page)).is_err() {
                    return;
                }
                ring(&self.bell);
            }
        }
    }

    /// Waits for work. What large pages have left behind is given back in the quiet after them.
    fn next(&mut self, batches: &Receiver<Vec<Wanted>>) -> Option<Vec<Wanted>> {
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

    fn page(&mut self, subject: &Subject, gzip: bool) -> Page {
        let made = catch_unwind(AssertUnwindSafe(|| {
            let mut page = ask(&*self.site, subject);
            if gzip {
                page.compress(self.gzip_from);
            }
            page
        }));
        made.unwrap_or_else(|_| {
            if !self.said {
                log_line(format!("a page could not be made ({subject:?}); this is a fault of the program"));
                self.said = true;
            }
            Page::note(500, "the page could not be made")
        })
    }
}

fn ask(site: &dyn Site, subject: &Subject) -> Page {
    match subject {
        Subject::Metrics(form) => match site.exposition(*form) {
            Ok(text) => {
                Page { vary: Some("Accept, Accept-Encoding"), ..Page::new(form.content_type(), text) }
            }
            Err(reason) => Page::note(503, reason),
        },
        Subject::Ready => match site.ready() {
            Ok(()) => Page::new(PLAIN, b"ready\n".to_vec()),
            Err(reason) => Page::note(503, &reason),
        },
        Subject::Landing => Page::new(HTML, site.landing().into_bytes()),
        Subject::Extra(path) => match site.extra(path) {
            Some((content_type, bytes)) => Page::new(content_type, bytes),
            None => Page::note(404, "there is no such page"),
        },
    }
}
