//! Tee thread and its bounded queue: a disk that hangs does not stop the reading.
//!
//! The reader puts copies of what it has read into the queue and goes on. A full queue is waited for as long as the
//! thread gets on; once it does not, what finds no room is lost to the tee, counted, and said once. A line is kept
//! whole or lost whole, save one that was begun before the queue was full: that one is closed with a newline.

use crate::input::tee::Tee;
use crate::limits::{TEE_PIECE_BYTES, TEE_QUEUE_BYTES_MAX};
use crate::log::{log_info, log_warning};
use crate::os::{StopFlag, started_by_server};
use crate::self_metrics::SelfMetrics;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long the reader waits for a thread that does not get on; a disk that writes its journal takes less.
const STALL_MAX: Duration = Duration::from_millis(500);

/// How long the end of the process waits for one that does not get on.
const STALL_AT_END_MAX: Duration = Duration::from_secs(5);

/// How often it is looked whether a signal ends the waiting.
const STOP_TICK: Duration = Duration::from_millis(20);

/// The reader's end of the tee.
#[derive(Debug)]
pub struct TeeQueue {
    shared: Arc<Shared>,
    stop_flag: StopFlag,
    self_metrics: Arc<SelfMetrics>,
    /// Wait for the reader of stdout, as any filter in a pipeline does.
    is_patient: bool,
    /// Writes by itself where the thread could not be started.
    direct: Option<Tee>,
    /// The last bytes that were queued did not end a line.
    is_mid_line: bool,
    /// The line that is coming in is lost.
    is_line_lost: bool,
    /// The last line in the queue will not be completed.
    is_unclosed: bool,
    /// Bytes lost since the queue was full.
    lost: Option<u64>,
}

#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<Queue>,
    /// There is work, or the end.
    work: Condvar,
    /// A piece was written, or the thread has ended.
    progress: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    pieces: VecDeque<Vec<u8>>,
    /// An empty piece that keeps its memory.
    spare: Vec<u8>,
    /// Of all pieces, the one that is being written included.
    bytes: usize,
    /// Pieces written so far.
    written: u64,
    reopen: bool,
    closed: bool,
    ended: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next piece, and whether the file is to be opened anew first. None: the end.
    fn next(&self) -> Option<(Vec<u8>, bool)> {
        let mut queue = self.lock();
        loop {
            if let Some(piece) = queue.pieces.pop_front() {
                return Some((piece, std::mem::take(&mut queue.reopen)));
            }
            if queue.closed {
                return None;
            }
            queue = self.work.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn done(&self, mut piece: Vec<u8>) {
        let mut queue = self.lock();
        queue.bytes -= piece.len();
        queue.written += 1;
        piece.clear();
        // One that an oversized line has made large is given back to the system.
        if piece.capacity() <= 2 * TEE_PIECE_BYTES {
            queue.spare = piece;
        }
        drop(queue);
        self.progress.notify_one();
    }
}

/// Says that the thread has ended, however it did.
struct Ended(Arc<Shared>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.lock().ended = true;
        self.0.progress.notify_one();
    }
}

impl TeeQueue {
    pub fn start(mut tee: Tee, stop_flag: StopFlag) -> TeeQueue {
        let shared = Arc::<Shared>::default();
        tee.set_stop_flag(stop_flag.clone());
        let (self_metrics, is_patient) = (tee.self_metrics(), tee.is_stdout() && !started_by_server());
        // Where the thread cannot be started, the tee works without it.
        let slot = Arc::new(Mutex::new(Some(tee)));
        let (thread_slot, thread_shared) = (slot.clone(), shared.clone());
        let work = move || {
            let ended = Ended(thread_shared);
            let tee = thread_slot.lock().unwrap_or_else(PoisonError::into_inner).take();
            let Some(mut tee) = tee else { return };
            while let Some((piece, reopen)) = ended.0.next() {
                if reopen {
                    tee.reopen();
                }
                tee.write(&piece);
                ended.0.done(piece);
            }
        };
        let direct = match thread::Builder::new().name("tee".to_owned()).spawn(work) {
            Ok(_) => None,
            Err(_) => slot.lock().unwrap_or_else(PoisonError::into_inner).take(),
        };
        TeeQueue {
            shared,
            stop_flag,
            self_metrics,
            is_patient,
            direct,
            is_mid_line: false,
            is_line_lost: false,
            is_unclosed: false,
            lost: None,
        }
    }

    /// SIGHUP: the file may have been renamed.
    pub fn reopen(&mut self) {
        match &mut self.direct {
            Some(tee) => tee.reopen(),
            None => self.shared.lock().reopen = true,
        }
    }

    /// Passes whole lines on, or parts of a line longer than LINE_BYTES_MAX.
    pub fn write(&mut self, mut bytes: &[u8]) {
        if let Some(tee) = &mut self.direct {
            return tee.write(bytes);
        }
        if self.is_line_lost {
            let rest = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1);
            self.lose(&bytes[..rest]);
            bytes = &bytes[rest..];
        }
        let Some(last) = bytes.last() else { return };
        let is_closing = self.is_unclosed;
        let Some(mut queue) = self.room_for(bytes.len()) else {
            self.is_unclosed |= std::mem::take(&mut self.is_mid_line);
            return self.lose(bytes);
        };
        if is_closing {
            queue.append(b"\n");
        }
        queue.append(bytes);
        drop(queue);
        self.shared.work.notify_one();
        self.is_unclosed = false;
        self.is_mid_line = *last != b'\n';
        if let Some(lost) = self.lost.take() {
            log_info(format_args!("the tee keeps up again; {lost} bytes were counted but not written"));
        }
    }

    fn lose(&mut self, bytes: &[u8]) {
        let Some(last) = bytes.last() else { return };
        if self.lost.is_none() {
            log_warning("the tee does not keep up; lines are counted but not written until it does");
        }
        *self.lost.get_or_insert(0) += bytes.len() as u64;
        self.self_metrics.tee_lost_bytes.inc_by(bytes.len() as u64);
        self.is_line_lost = *last != b'\n';
    }

    /// The queue, if there is room or comes in time.
    fn room_for(&self, bytes: usize) -> Option<MutexGuard<'_, Queue>> {
        // After a stall it has to be half empty, or a slow disk would be said to keep up with every piece it takes.
        let most = if self.lost.is_some() { TEE_QUEUE_BYTES_MAX / 2 } else { TEE_QUEUE_BYTES_MAX };
        let has_room = |queue: &Queue| queue.bytes == 0 || queue.bytes + bytes < most;
        let queue = self.shared.lock();
        let patience = if self.lost.is_some() { Duration::ZERO } else { STALL_MAX };
        let queue = if has_room(&queue) || queue.ended {
            queue
        } else {
            self.wait(queue, patience, |queue| has_room(queue) || queue.ended)
        };
        (has_room(&queue) && !queue.ended).then_some(queue)
    }

    /// Waits until it is so, or until the thread has not got on for too long.
    fn wait<'a>(
        &'a self,
        mut queue: MutexGuard<'a, Queue>,
        stall_max: Duration,
        is_so: impl Fn(&Queue) -> bool,
    ) -> MutexGuard<'a, Queue> {
        let (mut since, mut written) = (Instant::now(), queue.written);
        while !is_so(&queue) {
            let is_patient = self.is_patient && !self.stop_flag.is_set();
            if !is_patient && since.elapsed() >= stall_max {
                break;
            }
            let waited = self.shared.progress.wait_timeout(queue, STOP_TICK);
            queue = waited.unwrap_or_else(PoisonError::into_inner).0;
            if queue.written != written {
                (since, written) = (Instant::now(), queue.written);
            }
        }
        queue
    }

    /// Waits until all is written.
    pub fn finish(self) {
        if self.direct.is_some() {
            return;
        }
        let mut queue = self.shared.lock();
        queue.closed = true;
        self.shared.work.notify_one();
        let queue = self.wait(queue, STALL_AT_END_MAX, |queue| queue.ended);
        let left = queue.bytes;
        if left > 0 {
            drop(queue);
            self.self_metrics.tee_lost_bytes.inc_by(left as u64);
            log_warning(format_args!(
                "the tee does not keep up; {left} bytes were counted but not written at the end"
            ));
        }
    }
}

impl Queue {
    /// Behind what waits, in pieces of a size that shows whether the thread gets on.
    fn append(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len();
        match self.pieces.back_mut().filter(|piece| piece.len() + bytes.len() <= TEE_PIECE_BYTES) {
            Some(piece) => piece.extend_from_slice(bytes),
            None => {
                let mut piece = std::mem::take(&mut self.spare);
                piece.extend_from_slice(bytes);
                self.pieces.push_back(piece);
            }
        }
    }
}
