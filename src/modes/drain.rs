//! Reading on although nothing can be counted: the web server must not wait for a pipe that nobody reads.

use crate::input;
use crate::input::tee::Tee;
use crate::log::log_warning;
use crate::modes::shared::{Failure, Input, install_signals, on_terminate, read, start_thread};
use crate::os::SignalPipe;
use std::sync::Arc;

/// Reads to the end of input and keeps nothing: a program that cannot begin would be started again every second and
/// let the pipe fill meanwhile, and then the server would answer nobody.
pub fn read_and_discard() {
    log_warning(
        "nothing is counted; its log is read and discarded until this is corrected and the server is restarted",
    );
    if let Ok(signals) = install_signals() {
        let _ = keep_the_log(&signals, None);
    }
}

/// Reads to the end of input for the tee alone.
pub fn keep_the_log(signals: &SignalPipe, tee: Option<Tee>) -> Result<(), Failure> {
    let (chunks, inbox) = input::channels(Arc::default());
    let drain = move || inbox.chunks.iter().for_each(|chunk| inbox.give_back(chunk));
    if start_thread("drain", drain).is_ok() {
        return read(Input::Stdin { dropped_before: 0 }, signals, tee, chunks, on_terminate).map(drop);
    }
    // No thread is to be had: then it is read without any, for the server must not wait.
    let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
    Ok(())
}
