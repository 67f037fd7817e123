//! The start: what is opened as root, root given up, and what is opened after that.

use crate::generations::fold::Bounds;
use crate::generations::is_full;
use crate::generations::state::State;
use crate::input::follow;
use crate::input::tee;
use crate::input::tee::{Tee, rotate};
use crate::limits;
use crate::log::{self, log_error, log_warning};
use crate::modes::shared::Failure;
use crate::options::Options;
use crate::os::{self, LowPorts, Privileges, UserRights, privileges};
use crate::self_metrics::SelfMetrics;
use crate::serve::guard::{self, Guard};
use crate::serve::http::{Address, Listener};
use crate::snapshot::page::Page;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// How long the name of a socket is waited for: the predecessor gives it up within milliseconds, and the pipe has room
/// for seconds of log. Ports are waited for without root.
const NAME_WAIT_MAX: Duration = Duration::from_secs(1);
const NAME_RETRY: Duration = Duration::from_millis(2);

pub fn privileges_of(options: &Options) -> Result<Privileges, Failure> {
    let begun = Privileges::begin(options.user.as_deref());
    let privileges = begun.map_err(|e| Failure::Usage(format!("--user: {e}")))?;
    if let Some(why) = privileges.groups_error() {
        log_warning(format_args!("--user: {why}; it has its first group alone"));
    }
    Ok(privileges)
}

/// Root is given up where there is nothing to open with it.
pub fn drop_root(options: &Options) -> Result<UserRights, Failure> {
    privileges_of(options)?.drop().map_err(|e| Failure::System(format!("--user: {e}")))
}

/// The bounds of what is kept.
pub fn bounds_of(options: &Options) -> Bounds {
    Bounds {
        series: options.max_series,
        histograms: options.max_series.min(limits::histogram_series_max(options.histograms.classic)),
    }
}

/// What the options want to be opened, checked as far as that needs no system call.
pub struct Plan {
    pub addresses: Vec<Address>,
    web_config_file: Option<PathBuf>,
    state_dir: Option<PathBuf>,
    bounds: Bounds,
    privileges: Privileges,
    has_user: bool,
}

/// Where to serve unless an option says so: an image sets it, whose arguments a run replaces.
const LISTEN_VARIABLE: &str = "HTTPD_EXPORTER_LISTEN_ADDRESS";

/// Where is served.
pub fn addresses_of(options: &Options) -> Result<Vec<Address>, Failure> {
    let said_by = if options.listen.is_empty() { LISTEN_VARIABLE } else { "--web.listen-address" };
    let in_environment = std::env::var(LISTEN_VARIABLE).ok();
    let addresses = Address::all(&options.listen_addresses(in_environment));
    addresses.map_err(|e| Failure::Usage(format!("{said_by}: {e}")))
}

/// What was opened while the process may have been root.
pub struct Opened {
    pub listeners: Vec<Listener>,
    /// Addresses that are still to be bound: a taken port is waited for, always.
    pub wanted: Vec<Address>,
    /// Binds those of them that take a right to it.
    pub low_ports: Option<LowPorts>,
    pub state: Option<State>,
    /// Who may speak to the port; None: everybody.
    pub guard: Option<Guard>,
}

impl Plan {
    pub fn of(options: &Options) -> Result<Plan, Failure> {
        Ok(Plan {
            addresses: addresses_of(options)?,
            web_config_file: options.web_config_file.clone(),
            state_dir: options.state_dir.clone(),
            bounds: bounds_of(options),
            privileges: privileges_of(options)?,
            has_user: options.user.is_some(),
        })
    }

    /// Opens what may need root and gives root up. The tee and everything later is opened with the `UserRights` that
    /// this returns.
    pub fn open_and_drop(
        self,
        listeners: Vec<Listener>,
        self_metrics: &Arc<SelfMetrics>,
    ) -> Result<(Opened, UserRights), Failure> {
        let guard = self.open_guard()?;
        let mut opened = Opened { listeners, wanted: Vec::new(), low_ports: None, state: None, guard };
        self.bind(&mut opened)?;
        opened.state = self.open_state(self_metrics)?;
        if self.has_user {
            self.wait_for_names(&mut opened);
        } else if os::is_root() {
            log_warning("running as root; --user USER gives it up once everything is open");
        }
        let dropped = if opened.wanted.iter().any(Address::is_low_port) {
            self.privileges.drop_all_but_low_ports()
        } else {
            self.privileges.drop().map(|rights| (rights, None))
        };
        let (rights, low_ports) = dropped.map_err(|e| Failure::System(format!("--user: {e}")))?;
        opened.low_ports = low_ports;
        Ok((opened, rights))
    }

    /// Reads --web.config.file and what it names, with root's rights what only root may read. A wrong file ends a
    /// program run by hand; under a server the log is counted, and nobody is served until the file is put right.
    fn open_guard(&self) -> Result<Option<Guard>, Failure> {
        let Some(path) = &self.web_config_file else { return Ok(None) };
        // Whoever else can write it could name any file of root's in it.
        let may_name = privileges::is_roots_file(path);
        let open = |file: &Path| {
            if may_name || file == path {
                self.privileges.open_for_user(file, || guard::read_file(file), |_, _| Ok(()))
            } else {
                self.privileges.as_user(|_| guard::read_file(file))
            }
        };
        let told = |wrong| format!("--web.config.file: {wrong}");
        let (guard, wrong) = Guard::open(path, &open).map_err(|wrong| Failure::System(told(wrong)))?;
        match wrong.map(told) {
            Some(wrong) if !os::started_by_server() => return Err(Failure::Usage(wrong)),
            Some(wrong) => log_error(format_args!(
                "{wrong}; lines are counted, and nothing is served until it is put right"
            )),
            None => {}
        }
        Ok(Some(guard))
    }

    /// Binds what can be bound now. What can never be bound ends a program run by hand; under a server it must go on
    /// reading.
    fn bind(&self, opened: &mut Opened) -> Result<(), Failure> {
        for address in &self.addresses {
            match self.bind_one(address) {
                Ok(listener) => opened.listeners.push(listener),
                Err(e) if e.kind() == ErrorKind::AddrInUse || os::started_by_server() => {
                    opened.wanted.push(address.clone());
                }
                Err(e) => {
                    let is_low = address.is_low_port() && e.kind() == ErrorKind::PermissionDenied;
                    let hint = if is_low { "; a port below 1024 takes root" } else { "" };
                    let why = log::reason(&e);
                    let wrong = format!("--web.listen-address: unable to listen on {address}: {why}{hint}");
                    return Err(Failure::System(wrong));
                }
            }
        }
        Ok(())
    }

    /// A port is bound as root; the name of a Unix socket is made by the user, and by root only where only root can.
    fn bind_one(&self, address: &Address) -> io::Result<Listener> {
        match address {
            Address::Tcp { .. } => Listener::bind(address),
            Address::Unix(path) => {
                self.privileges.open_for_user(path, || Listener::bind(address), Listener::hand_over)
            }
        }
    }

    /// The state directory and our file in it. What fails under a server is tried again with every save; and so is what
    /// fails on a full disk, which has room again some day.
    fn open_state(&self, self_metrics: &Arc<SelfMetrics>) -> Result<Option<State>, Failure> {
        let Some(directory) = &self.state_dir else { return Ok(None) };
        let made = self.privileges.make_state_directory(directory);
        let mut state = None;
        let begun = self.privileges.as_user(|rights| {
            let state = state.insert(State::new(directory, self.bounds, rights, self_metrics.clone()));
            state.begin()?;
            // Before a tee writes to the same disk.
            state.keep_reserve();
            Ok(())
        });
        let Err(error) = begun else { return Ok(state) };
        let error = made.err().unwrap_or(error);
        let why = self.why_no_state(directory, &error);
        if !os::started_by_server() && !is_full(&error) {
            return Err(Failure::System(format!("--state-dir: {why}")));
        }
        log_warning(format_args!("--state-dir: {why}; lines are counted, and saved as soon as that works"));
        Ok(state)
    }

    fn why_no_state(&self, directory: &Path, error: &io::Error) -> String {
        let why = log::reason(error);
        if self.has_user && error.kind() == ErrorKind::PermissionDenied && directory.exists() {
            return format!("{why}; the directory and the files in it have to belong to the user of --user");
        }
        why
    }

    /// Waits for the names that perhaps only root can make, in a directory of root's.
    fn wait_for_names(&self, opened: &mut Opened) {
        let until = Instant::now() + NAME_WAIT_MAX;
        let is_wanted = |wanted: &[Address]| wanted.iter().any(|one| matches!(one, Address::Unix(_)));
        if let Some(state) = opened.state.as_ref().filter(|_| is_wanted(&opened.wanted)) {
            // Told with the first save, which is this one.
            state.want_port(true);
            let _ = self.privileges.as_user(|_| state.save(&Page::default()));
        }
        while is_wanted(&opened.wanted) && Instant::now() < until {
            thread::sleep(NAME_RETRY);
            for address in std::mem::take(&mut opened.wanted) {
                match self.bind_one(&address) {
                    Ok(listener) => opened.listeners.push(listener),
                    Err(_) => opened.wanted.push(address),
                }
            }
        }
    }
}

/// The tee that the options ask for, not opened yet.
pub struct TeePlan {
    options: Option<tee::Options>,
    /// Files that are read, and patterns of them.
    is_read: Vec<String>,
    has_user: bool,
}

impl TeePlan {
    pub fn of(options: &Options) -> TeePlan {
        let options_of_tee = options.tee.as_ref().map(|path| tee::Options {
            path: path.clone(),
            rotate_size: options.tee_rotate_size,
            rotate_interval: options.tee_rotate_interval.map(Duration::from_secs),
            keep: options.tee_keep,
        });
        let is_read = [&options.follow[..], &options.files].concat();
        TeePlan { options: options_of_tee, is_read, has_user: options.user.is_some() }
    }

    pub fn open(self, rights: &UserRights, self_metrics: &Arc<SelfMetrics>) -> Result<Option<Tee>, Failure> {
        let Some(options) = self.options else { return Ok(None) };
        // Each line would be read again, without end.
        let names = rotate::names_of(&options);
        if names.iter().any(|name| follow::is_followed(&self.is_read, name)) {
            let path = options.path.display();
            return Err(Failure::Usage(format!(
                "--tee: {path}, or what it is called when it is rotated, is a file that is read; a tee is another file"
            )));
        }
        let why = |error: &io::Error| match error.kind() {
            ErrorKind::PermissionDenied if self.has_user => {
                let why = log::reason(error);
                format!("{why}; the file and its directory have to belong to the user of --user")
            }
            _ => log::reason(error),
        };
        match Tee::open(options.clone(), self_metrics.clone(), rights) {
            Ok(tee) if tee.is_stdin() => {
                let path = options.path.display();
                Err(Failure::Usage(format!("--tee: {path} is what stdin reads; a tee is another file")))
            }
            Ok(tee) => Ok(Some(tee)),
            Err(e) if os::started_by_server() => {
                log_warning(format_args!(
                    "--tee: {}; lines are counted, and written as soon as it can be opened",
                    why(&e)
                ));
                Ok(Some(Tee::unopened(options, self_metrics.clone(), rights)))
            }
            Err(e) => Err(Failure::System(format!("--tee: {}", why(&e)))),
        }
    }
}
