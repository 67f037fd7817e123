//! Serving: counts what comes on stdin and answers scrapers, until the end of input.

use crate::advise::worker::Advisor;
use crate::catalogue::HistogramKinds;
use crate::count::Counter;
use crate::count::distinct::DayKeys;
use crate::generations::distinct_files::DistinctFiles;
use crate::generations::files_lock::FilesLock;
use crate::generations::publisher::Publisher;
use crate::generations::state::State;
use crate::generations::writer::StateWriter;
use crate::input::follow::{self, Kept};
use crate::input::tee::Tee;
use crate::log::{log_error, log_info, log_warning};
use crate::modes::drain;
use crate::modes::shared::{
    Counting, Failure, Input, install_signals, join, on_terminate, read, start_thread, system,
};
use crate::modes::start::{Opened, Plan, TeePlan};
use crate::options::Options;
use crate::os::{Parent, SignalPipe};
use crate::self_metrics::SelfMetrics;
use crate::serve::http::{Address, EventSink, Listener, Server, ServerEvent};
use crate::serve::live::Live;
use crate::serve::port::{Command, PageAddress, PortManager};
use crate::serve::site::{self, MetricsSite};
use crate::{limits, os};
use crossbeam_channel::unbounded;
use std::sync::Arc;

/// Three acts: what needs root is opened and root given up; the rest is opened; then threads are started, and stdin is
/// read to its end.
pub fn run(options: Options) -> Result<(), Failure> {
    // What systemd hands over has the first numbers; then signals, for the server may end its first instance of us
    // within milliseconds.
    let listeners = if options.systemd_socket { inherited_listeners()? } else { Vec::new() };
    let signals = install_signals()?;
    let parent = Parent::find();
    // The server may write while we are still busy with what needs root.
    os::enlarge_pipe(std::io::stdin(), limits::PIPE_BYTES);
    os::datagrams::enlarge_receive_buffer(std::io::stdin(), limits::RECEIVE_BUFFER_BYTES);
    let dropped_before = dropped_before(options.state_dir.is_some());
    if site::is_taken(&options.telemetry_path) {
        return Err(Failure::Usage(format!("--web.telemetry-path: `{}` is taken", options.telemetry_path)));
    }
    let (plan, tee) = (Plan::of(&options)?, TeePlan::of(&options));
    let (addresses, telemetry_path) = (plan.addresses.clone(), options.telemetry_path.clone());
    let follow = options.follow.clone();
    let (advisor, reporter) = Advisor::new();
    let (shown, distincts) = (options.histograms, options.distincts.clone());
    let mut counter = Counter::new(options, reporter).map_err(Failure::Usage)?;
    let self_metrics = Arc::<SelfMetrics>::default();

    let (mut opened, rights) = plan.open_and_drop(listeners, &self_metrics)?;

    let tee = tee.open(&rights, &self_metrics)?;

    // Threads only now: some of what is given up is a thread's own and inherited.
    os::find_out_whether_server(signals.stop_flag());
    let state = opened.state.take().map(Arc::new);
    let mut files = state.clone().map(FilesLock::new);
    let begin = move || files.as_mut().map_or_else(|| Some(Kept::new()), FilesLock::take);
    let input = match Input::of(&follow, follow::Mode::GoOn, Box::new(begin), &self_metrics)? {
        Input::Stdin { .. } => Input::Stdin { dropped_before },
        files => files,
    };
    tell_what_is_read(&input, state.is_some());
    let distinct = state.as_ref().filter(|_| !distincts.is_empty()).map(|state| {
        let keys = DayKeys::default();
        counter.share_day_keys(keys.clone());
        Arc::new(DistinctFiles::new(state.clone(), &distincts, keys))
    });
    let (on_the_page, kept_before) = (state.clone(), distinct.clone());
    let seed = move || {
        kept_before.iter().for_each(|files| files.begin());
        on_the_page.map_or_else(Vec::new, |state| state.known_series())
    };
    let counting = match Counting::start(counter, seed, &self_metrics) {
        Ok(counting) => counting,
        Err(wrong) if os::started_by_server() => {
            log_error(wrong.text());
            return drain::keep_the_log(&signals, tee);
        }
        Err(wrong) => return Err(wrong),
    };
    Service {
        addresses,
        telemetry_path,
        parent,
        opened,
        state,
        distinct,
        shown,
        self_metrics,
        counting,
        advisor,
    }
    .run(input, &signals, tee)
}

/// What a datagram socket on stdin has dropped that this process does not count as lost. With a state that is all until
/// now: who read the socket before has counted it, and it is in the state. Without one nothing was kept of that.
fn dropped_before(has_state: bool) -> u32 {
    os::datagrams::dropped(std::io::stdin()).filter(|_| has_state).unwrap_or(0)
}

/// All that serving takes.
struct Service {
    addresses: Vec<Address>,
    telemetry_path: String,
    parent: Parent,
    opened: Opened,
    state: Option<Arc<State>>,
    distinct: Option<Arc<DistinctFiles>>,
    shown: HistogramKinds,
    self_metrics: Arc<SelfMetrics>,
    counting: Counting,
    advisor: Advisor,
}

impl Service {
    /// Whichever of the threads cannot be had, the log is read and counted.
    fn run(self, input: Input, signals: &SignalPipe, tee: Option<Tee>) -> Result<(), Failure> {
        let Service {
            addresses,
            telemetry_path,
            parent,
            opened,
            state,
            distinct,
            shown,
            self_metrics,
            counting,
            advisor,
        } = self;
        let served: Vec<String> = opened.listeners.iter().map(Listener::local_address).collect();
        let publisher =
            Arc::new(Publisher::new(counting.snapshots, self_metrics.clone(), state, distinct, shown));
        publisher.begin();
        if opened.guard.is_some() {
            self_metrics.show_guard();
        }
        let events = events(self_metrics);
        let live = Arc::new(Live::new(publisher.clone()));
        let (stop_live, stopped) = Live::stop();
        let site = MetricsSite {
            publisher: publisher.clone(),
            live: live.clone(),
            telemetry_path: telemetry_path.clone(),
        };
        let Opened { listeners, wanted, low_ports, guard, .. } = opened;
        let page = PageAddress { telemetry_path: telemetry_path.clone(), guard: guard.clone() };
        let server = Server::start(listeners, telemetry_path, guard, Arc::new(site), events);
        let server = or_without(server.map_err(|e| system("start the server", &e)), "nothing is served");
        if server.is_some() {
            served.iter().for_each(|address| page.announce(address));
        }
        let publisher_of_port = publisher.clone();
        let port = PortManager::new(publisher_of_port, page, server, addresses, wanted, low_ports, parent);
        let (commands, commanded) = unbounded();
        let (writer, requests) = (StateWriter::new(publisher.clone()), publisher.requests());
        let saving = start_thread("save", move || writer.run(&requests));
        let saving = or_without(saving, "counts are saved at the end only");
        let looking = start_thread("live", move || live.run(&stopped));
        let looking = or_without(looking, "the live page has no history");
        let port = start_thread("port", move || port.run(&commanded));
        let port = or_without(port, "the port is kept to the end");

        let mut stop_live = Some(stop_live);
        let read = read(input, signals, tee, counting.chunks, || {
            // Who serves next shows what was seen here.
            stop_live = None;
            let _ = commands.send(Command::Retire);
            on_terminate()
        });
        drop((commands, stop_live));
        let ledger = join(counting.thread)?;
        port.map_or(Ok(()), join)?;
        looking.map_or(Ok(()), join)?;
        publisher.close();
        saving.map_or(Ok(()), join)?;
        publisher.finish(&ledger);
        advisor.finish();
        read.map(drop)
    }
}

/// Says once what following files means for who thinks otherwise.
fn tell_what_is_read(input: &Input, has_state: bool) {
    let Input::Files(..) = input else { return };
    if !has_state {
        log_info(
            "--follow: without --state-dir no places are kept: reading begins at the files' ends, and what is written \
             while this process is not there is not counted",
        );
    }
    if os::stdin_has_writer() {
        log_info("--follow: stdin is not counted, for files are followed");
        // It is read nevertheless, so that its writer, which may be a web server, never waits.
        let _ = start_thread("stdin", || std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink()));
    }
}

/// Counts what the server reports.
fn events(self_metrics: Arc<SelfMetrics>) -> EventSink {
    Arc::new(move |event| match event {
        ServerEvent::Answered(code) => {
            self_metrics.http_requests.with_label_values(&[&code.to_string()]).inc();
        }
        ServerEvent::Refused => self_metrics.http_refused.inc(),
    })
}

fn inherited_listeners() -> Result<Vec<Listener>, Failure> {
    Listener::from_systemd().map_err(|e| Failure::System(format!("--web.systemd-socket: {e}")))
}

/// Says what failed and what it costs, and goes on without it.
fn or_without<T>(started: Result<T, Failure>, cost: &str) -> Option<T> {
    started.map_err(|wrong| log_warning(format_args!("{}; {cost}, and lines are counted", wrong.text()))).ok()
}
