//! The tails of the house: what is done with the options, one mode each.

use crate::advise::explain;
use crate::advise::worker::Advisor;
use crate::count::ledger::Ledger;
use crate::count::{Asker, Counter};
use crate::generations::publisher::Publisher;
use crate::generations::state::State;
use crate::generations::writer::Saver;
use crate::input::tee;
use crate::input::tee::Tee;
use crate::input::{End, Outbox};
use crate::log::{self, log_line};
use crate::options::{Mode, Options};
use crate::os::{Bell, Identity, Parent};
use crate::parse::compile::presets::PRESETS;
use crate::self_metrics::SelfMetrics;
use crate::serve::http::{Address, EventSink, Listener, Server, ServerEvent};
use crate::serve::landing;
use crate::serve::port;
use crate::serve::port::{Command, PortManager};
use crate::snapshot::exposition;
use crate::snapshot::exposition::Form;
use crate::snapshot::page::Page;
use crate::{count, input, limits, options, os};
use crossbeam_channel::unbounded;
use std::ffi::OsString;
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Why the program ends before its work is done.
enum Failure {
    /// It was called wrongly: exit code 2.
    Usage(String),
    /// The system did not do what was asked: exit code 1.
    System(String),
    /// It fails while it works: exit code 1, and a server that starts it again does right.
    Broken(String),
}

impl Failure {
    fn text(&self) -> &str {
        let (Failure::Usage(text) | Failure::System(text) | Failure::Broken(text)) = self;
        text
    }
}

/// The whole program: what a command line asks for, and the exit code.
pub fn run_program(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let (wrong, code) = match options::parse(arguments).map_err(Failure::Usage).and_then(run) {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Usage(wrong)) => (wrong, 2),
        Err(Failure::System(wrong)) => (wrong, 1),
        Err(Failure::Broken(wrong)) => {
            log_line(&wrong);
            return ExitCode::FAILURE;
        }
    };
    log_line(&wrong);
    if os::started_by_server() {
        drain();
    }
    ExitCode::from(code)
}

/// Reads to the end of input and keeps nothing: a program that cannot begin would be started again every second and
/// let the pipe fill meanwhile, and then the server would answer nobody.
fn drain() {
    log_line(
        "nothing is counted; its log is read and thrown away until the server is restarted with this put right",
    );
    if let Ok(bell) = hang_bell() {
        let _ = keep_the_log(&bell, None);
    }
}

/// Reads to the end of input for the tee alone.
fn keep_the_log(bell: &Bell, tee: Option<Tee>) -> Result<(), Failure> {
    let (outbox, inbox) = input::channels(Arc::default());
    let drain = move || inbox.chunks.iter().for_each(|chunk| inbox.give_back(chunk));
    if start("drain", drain).is_ok() {
        return read(bell, tee, outbox, || {});
    }
    // No thread is to be had: then it is read without any, for the server must not wait.
    let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
    Ok(())
}

fn run(options: Options) -> Result<(), Failure> {
    match options.mode {
        Mode::Help => print(&(options::help() + &presets_help())),
        Mode::Version => print(concat!("httpd_exporter ", env!("CARGO_PKG_VERSION"), "\n")),
        Mode::Explain => explain::run(&options).map_err(Failure::Usage),
        Mode::Once => once(options),
        Mode::Serve => serve(options),
    }
}

/// Reads to the end of input and prints the page.
fn once(options: Options) -> Result<(), Failure> {
    let bell = hang_bell()?;
    let self_metrics = Arc::<SelfMetrics>::default();
    let tee = open_tee(&options, &self_metrics)?;
    let (advisor, reporter) = Advisor::new();
    let counting = Counting::start(Counter::new(options, reporter).map_err(Failure::Usage)?, &self_metrics)?;
    read(&bell, tee, counting.outbox, || {})?;
    let ledger = join(counting.thread)?;
    // What is said of the lines stands above their page.
    advisor.finish();
    let house = Publisher::new(counting.asker, self_metrics, None, "");
    print(&exposition::write(&house.page_of(&ledger), Form::Text))
}

/// Counts and serves until the end of input.
fn serve(options: Options) -> Result<(), Failure> {
    // What systemd hands over has the first numbers; then signals, for the server may end its first instance of us
    // within milliseconds.
    let mut listeners = if options.systemd_socket { inherited_listeners()? } else { Vec::new() };
    let bell = hang_bell()?;
    let parent = Parent::find();
    // The server may write while we are still busy with what needs root.
    os::enlarge_pipe(std::io::stdin(), limits::PIPE_BYTES);
    let addresses = addresses(&options)?;
    if landing::asset(&options.telemetry_path).is_some() {
        return Err(Failure::Usage(format!("--web.telemetry-path: `{}` is taken", options.telemetry_path)));
    }
    let identity = options.user.as_deref().map(Identity::find).transpose();
    let identity = identity.map_err(|e| Failure::Usage(format!("--user: {e}")))?;
    let telemetry_path = options.telemetry_path.clone();
    let state_dir = options.state_dir.clone();

    let self_metrics = Arc::<SelfMetrics>::default();
    let tee = open_tee(&options, &self_metrics)?;
    let (advisor, reporter) = Advisor::new();
    let counter = Counter::new(options, reporter).map_err(Failure::Usage)?;

    // Open what needs rights, give the rights up, and only then read a byte.
    let mut wanted = bind(&addresses, &mut listeners)?;
    let state = open_state(state_dir.as_deref(), identity.as_ref(), &self_metrics)?;
    if let Some(identity) = &identity {
        bind_while_root(&mut wanted, &mut listeners, state.as_ref());
        hand_over(identity, tee.as_ref(), state.as_ref(), &listeners)?;
    }
    give_up_root(identity.as_ref())?;
    // Threads only now: some of what is given up is a thread's own and inherited.
    let counting = match Counting::start(counter, &self_metrics) {
        Ok(counting) => counting,
        Err(wrong) if os::started_by_server() => {
            log_line(wrong.text());
            return keep_the_log(&bell, tee);
        }
        Err(wrong) => return Err(wrong),
    };
    let served: Vec<String> = listeners.iter().map(Listener::local_address).collect();

    let house = Arc::new(Publisher::new(counting.asker, self_metrics.clone(), state, &telemetry_path));
    house.begin();
    // Whichever of these threads cannot be had, the log is read and counted.
    let server = Server::start(listeners, telemetry_path.clone(), house.clone(), events(self_metrics));
    let server = or_without(server.map_err(|e| system("start the server", &e)), "nothing is served");
    if server.is_some() {
        served.iter().for_each(|address| port::announce(address, &telemetry_path));
    }
    let (port, commands) = (PortManager::new(house.clone(), server, addresses, wanted, parent), unbounded());
    let (saver, wishes) = (Saver::new(house.clone()), house.wishes());
    let saving = or_without(start("save", move || saver.run(&wishes)), "counts are saved at the end only");
    let port = or_without(start("port", move || port.run(&commands.1)), "the port is kept to the end");

    let read = read(&bell, tee, counting.outbox, || {
        let _ = commands.0.send(Command::Retire);
    });
    drop(commands.0);
    let ledger = join(counting.thread)?;
    port.map_or(Ok(()), join)?;
    house.no_more_wishes();
    saving.map_or(Ok(()), join)?;
    house.finish(&ledger);
    advisor.finish();
    read
}

/// The counting thread, and the ways to it.
struct Counting {
    outbox: Outbox,
    asker: Asker,
    thread: JoinHandle<Ledger>,
}

impl Counting {
    fn start(counter: Counter, self_metrics: &Arc<SelfMetrics>) -> Result<Counting, Failure> {
        let (asker, questions) = Asker::new();
        let (outbox, inbox) = input::channels(self_metrics.clone());
        let self_metrics = self_metrics.clone();
        let thread = start("count", move || count::run(counter, &inbox, &questions, &self_metrics))?;
        Ok(Counting { outbox, asker, thread })
    }
}

/// Reads stdin to its end on this thread.
fn read(bell: &Bell, tee: Option<Tee>, outbox: Outbox, retire: impl FnMut()) -> Result<(), Failure> {
    // A descriptor of our own to the same open file, so that std's buffer on stdin is out of the way.
    let stdin = std::io::stdin().as_fd().try_clone_to_owned().map_err(|e| system("use stdin", &e))?;
    match input::run(&File::from(stdin), bell, tee, outbox, retire) {
        End::Failed(e) => Err(Failure::Broken(format!("unable to read stdin: {}", log::reason(&e)))),
        End::Abandoned => Err(Failure::Broken("the counting thread has ended early".to_owned())),
        End::OfInput | End::Interrupted | End::Terminated => Ok(()),
    }
}

/// The addresses to serve on.
fn addresses(options: &Options) -> Result<Vec<Address>, Failure> {
    let all = Address::all(&options.listen_addresses());
    all.map_err(|e| Failure::Usage(format!("--web.listen-address: {e}")))
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

/// Binds what can be bound now and gives back what is still to be had: a taken port is waited for, always. What can
/// never be bound ends a program run by hand; under a server it must go on reading.
fn bind(addresses: &[Address], listeners: &mut Vec<Listener>) -> Result<Vec<Address>, Failure> {
    let mut wanted = Vec::new();
    for address in addresses {
        match Listener::bind(address) {
            Ok(listener) => listeners.push(listener),
            Err(e) if e.kind() == ErrorKind::AddrInUse || os::started_by_server() => {
                wanted.push(address.clone());
            }
            Err(e) => return Err(system(&format!("listen on {address}"), &e)),
        }
    }
    Ok(wanted)
}

/// Waits for the addresses that only root can bind. The predecessor gives them up within milliseconds, and the pipe has
/// room for seconds of log; without root they could never be had.
fn bind_while_root(wanted: &mut Vec<Address>, listeners: &mut Vec<Listener>, state: Option<&State>) {
    const PATIENCE: Duration = Duration::from_secs(1);
    const PAUSE: Duration = Duration::from_millis(2);
    let until = Instant::now() + PATIENCE;
    let taken = |wanted: &[Address]| wanted.iter().any(Address::needs_root);
    if let Some(state) = state.filter(|_| taken(wanted)) {
        // Told with the first save, which is this one.
        state.want_port(true);
        let _ = state.save(&Page::default());
    }
    while taken(wanted) && Instant::now() < until {
        thread::sleep(PAUSE);
        wanted.retain(|address| match Listener::bind(address) {
            Ok(listener) => {
                listeners.push(listener);
                false
            }
            Err(_) => true,
        });
    }
}

fn open_tee(options: &Options, self_metrics: &Arc<SelfMetrics>) -> Result<Option<Tee>, Failure> {
    let Some(path) = &options.tee else { return Ok(None) };
    let tee = tee::Options {
        path: path.clone(),
        rotate_size: options.tee_rotate_size,
        rotate_interval: options.tee_rotate_interval.map(Duration::from_secs),
        keep: options.tee_keep,
    };
    match Tee::open(tee.clone(), self_metrics.clone()) {
        Ok(tee) => Ok(Some(tee)),
        Err(e) if os::started_by_server() => {
            let why = log::reason(&e);
            log_line(format_args!("--tee: {why}; lines are counted, and kept as soon as it can be opened"));
            Ok(Some(Tee::unopened(tee, self_metrics.clone())))
        }
        Err(e) => Err(Failure::System(format!("--tee: {}", log::reason(&e)))),
    }
}

fn open_state(
    directory: Option<&Path>,
    owner: Option<&Identity>,
    self_metrics: &Arc<SelfMetrics>,
) -> Result<Option<State>, Failure> {
    let Some(directory) = directory else { return Ok(None) };
    let state = State::new(directory, owner, self_metrics.clone());
    match state.begin() {
        Err(e) if os::started_by_server() => {
            let why = log::reason(&e);
            log_line(format_args!("--state-dir: {why}; lines are counted, and kept as soon as that works"));
        }
        begun => begun.map_err(|e| Failure::System(format!("--state-dir: {}", log::reason(&e))))?,
    }
    Ok(Some(state))
}

/// Files that root has opened for another user become that user's.
fn hand_over(
    identity: &Identity,
    tee: Option<&Tee>,
    state: Option<&State>,
    listeners: &[Listener],
) -> Result<(), Failure> {
    let failed = |e: std::io::Error| Failure::System(format!("--user: {}", log::reason(&e)));
    tee.map_or(Ok(()), |tee| tee.hand_over(identity)).map_err(failed)?;
    state.map_or(Ok(()), |state| state.hand_over(identity)).map_err(failed)?;
    listeners.iter().try_for_each(|listener| listener.hand_over(identity)).map_err(failed)
}

fn give_up_root(identity: Option<&Identity>) -> Result<(), Failure> {
    match identity {
        Some(identity) => os::become_user(identity).map_err(|e| Failure::System(format!("--user: {e}"))),
        None => {
            if os::is_root() {
                log_line("running as root; --user USER gives it up once everything is open");
            }
            Ok(())
        }
    }
}

fn hang_bell() -> Result<Bell, Failure> {
    Bell::hang().map_err(|e| system("handle signals", &e))
}

fn start<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, Failure> {
    let thread = thread::Builder::new().name(name.to_owned()).spawn(work);
    thread.map_err(|e| system("start a thread", &e))
}

/// Says what failed and what it costs, and goes on without it.
fn or_without<T>(started: Result<T, Failure>, cost: &str) -> Option<T> {
    started.map_err(|wrong| log_line(format_args!("{}; {cost}, and lines are counted", wrong.text()))).ok()
}

fn join<T>(thread: JoinHandle<T>) -> Result<T, Failure> {
    thread
        .join()
        .map_err(|_| Failure::Broken("a thread has failed; this is a fault of the program".to_owned()))
}

/// Prints on stdout; a reader that has gone away has read enough.
fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(system("write to stdout", &e)),
        _ => Ok(()),
    }
}

fn system(what: &str, error: &std::io::Error) -> Failure {
    Failure::System(format!("unable to {what}: {}", log::reason(error)))
}

/// The presets, for `--help`.
fn presets_help() -> String {
    let rows = PRESETS.iter().map(|preset| format!("  {:18} {}\n", preset.name, preset.about));
    format!("\nPresets for --format:\n{}", rows.collect::<String>())
}
