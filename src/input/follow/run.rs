//! The loop of a reader that follows files: a step, a wait for the next look or a signal.

use crate::input::chunks::ChunkSender;
use crate::input::ending::{End, Ending, Ends, OnTerminate};
use crate::input::follow::sink::Sink;
use crate::input::follow::{Follower, Kept, LOOK_INTERVAL, Step};
use crate::input::tee::Tee;
use crate::input::tee::queue::TeeQueue;
use crate::os::SignalPipe;
use std::time::Instant;

/// Follows files until a signal ends it; with `--once` until their ends. It begins when `begin` gives the places that
/// were kept. `on_terminate` is called once, at the first SIGTERM; whatever it answers, reading ends: the next process
/// reads what comes later.
pub fn run(
    mut follower: Follower,
    mut begin: impl FnMut() -> Option<Kept>,
    signals: &SignalPipe,
    tee: Option<Tee>,
    chunks: ChunkSender,
    on_terminate: impl FnMut() -> OnTerminate,
) -> End {
    let tee = tee.map(|tee| TeeQueue::start(tee, signals.stop_flag()));
    let mut sink = Sink::new(chunks, tee);
    let mut ending = Ending::new(on_terminate);
    let mut has_begun = false;
    let end = loop {
        if ending.take_signals(signals, sink.tee.as_mut()) {
            follower.look_soon();
        }
        match ending.how {
            Some(Ends::Interrupted) => break End::Interrupted,
            Some(Ends::AtOnce) => break End::Terminated,
            _ if ending.is_terminated() => break End::Terminated,
            _ => {}
        }
        if !has_begun {
            let Some(kept) = begin() else {
                signals.wait(LOOK_INTERVAL);
                continue;
            };
            follower.go_on_from(&kept);
            has_begun = true;
        }
        match follower.step(Instant::now(), &mut sink) {
            Step::Abandoned => break End::Abandoned,
            Step::Busy => {}
            Step::Idle if follower.mode.has_end() && follower.has_failed => break End::Incomplete,
            Step::Idle if follower.mode.has_end() => break End::OfInput,
            Step::Idle => signals.wait(LOOK_INTERVAL),
        }
    };
    follower.finish(&mut sink);
    sink.finish();
    end
}
