//! Progress of long input on stderr, where that is a terminal: how much was read, how fast, and what is left.

use crate::input::files::Progress;
use crate::modes::shared::{Input, start_thread};
use crate::report::figures;
use crate::self_metrics::SelfMetrics;
use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const INTERVAL: Duration = Duration::from_millis(500);

/// Shows progress until it is dropped.
pub struct ProgressLine {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl ProgressLine {
    /// None where nobody would see it, or where the input has no end.
    pub fn start(input: &Input, self_metrics: &Arc<SelfMetrics>) -> Option<ProgressLine> {
        let known = match input {
            Input::Named(files) => Some(files.progress.clone()),
            Input::Stdin { .. } if !std::io::stdin().is_terminal() => None,
            Input::Stdin { .. } | Input::Files(..) => return None,
        };
        let self_metrics = self_metrics.clone();
        ProgressLine::show(move |elapsed| line(known.as_deref(), self_metrics.input_bytes.get(), elapsed))
    }

    /// Of what is written when the input has ended.
    pub fn of_writing(left: &Arc<WindowsLeft>) -> Option<ProgressLine> {
        let left = left.clone();
        ProgressLine::show(move |elapsed| left.line(elapsed))
    }

    fn show(text: impl Fn(Duration) -> String + Send + 'static) -> Option<ProgressLine> {
        if !std::io::stderr().is_terminal() {
            return None;
        }
        let (stop, stopped) = channel();
        let began = Instant::now();
        let show = move || {
            while stopped.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                let text = text(began.elapsed());
                // The cursor is left at the beginning, so that a message takes the line's place.
                let _ = write!(std::io::stderr(), "{text}\x1b[K\r");
            }
            let _ = write!(std::io::stderr(), "\x1b[K");
        };
        let thread = start_thread("progress", show).ok();
        Some(ProgressLine { stop: Some(stop), thread })
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        self.stop = None;
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// How many windows of a history are still to be written, and how many there are.
#[derive(Debug, Default)]
pub struct WindowsLeft {
    left: AtomicU64,
    all: AtomicU64,
}

impl WindowsLeft {
    /// The first time, all are left.
    pub fn set(&self, left: u64) {
        self.left.store(left, Ordering::Relaxed);
        self.all.fetch_max(left, Ordering::Relaxed);
    }

    fn line(&self, elapsed: Duration) -> String {
        let [left, all] = [&self.left, &self.all].map(|it| it.load(Ordering::Relaxed) as f64);
        let done = all - left;
        if done < 1.0 {
            return "sorting what was read".to_owned();
        }
        let rest = figures::long((elapsed.as_secs_f64() * left / done).ceil());
        format!("{done} of {all} windows written, {rest} left")
    }
}

fn line(known: Option<&Progress>, bytes: u64, elapsed: Duration) -> String {
    let seconds = elapsed.as_secs_f64().max(0.001);
    let read = format!("{} read, {}/s", figures::bytes(bytes as f64), figures::bytes(bytes as f64 / seconds));
    let Some(known) = known else { return read };
    let (done, all) = (known.read.load(Ordering::Relaxed) as f64, known.all as f64);
    if done < 1.0 || done > all {
        return read;
    }
    format!("{read}, {:.0} %, {} left", done * 100.0 / all, figures::long(seconds * (all - done) / done))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_told_where_the_length_is_known() {
        let known = Progress { read: (25 << 20).into(), all: 100 << 20 };
        let ten = Duration::from_secs(10);
        assert_eq!(line(None, 50 << 20, ten), "50.0 MiB read, 5.00 MiB/s");
        assert_eq!(line(Some(&known), 50 << 20, ten), "50.0 MiB read, 5.00 MiB/s, 25 %, 30 seconds left");
        assert_eq!(line(Some(&Progress::default()), 0, ten), "0 B read, 0 B/s");
        let windows = WindowsLeft::default();
        assert_eq!(windows.line(ten), "sorting what was read");
        windows.set(360);
        windows.set(120);
        assert_eq!(windows.line(ten), "240 of 360 windows written, 5 seconds left");
    }
}
