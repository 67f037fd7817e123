//! Listening sockets: turns an `Address` into sockets that listen, and connections of either family into one kind
//! of stream.
//!
//! It owns the listening socket and, of a Unix socket, the name in the file system, which goes when the
//! listener goes and is still the one it made.

use std::fs::{self, File, Permissions};
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, Flock, FlockArg, OFlag, fcntl, open};
use nix::sys::socket::{
    self, AddressFamily, Backlog, SockFlag, SockType, SockaddrStorage, UnixAddr, sockopt,
};
use nix::sys::stat::{Mode, fchmod};

use crate::os::Identity;
use crate::serve::http::address::Address;
use crate::serve::http::inherited;
use crate::serve::http::limits::SEND_BUFFER;

/// Owner and group of the process may connect: the web server in front shares one of them.
const UNIX_MODE: u32 = 0o660;

/// Connections waiting in the kernel until we take them: as many as net.core.somaxconn allows (4096). A client that
/// finds no room tries again a second later, so there is room for a burst of them while other threads have the
/// processor. No number: nix refuses one above its C library's SOMAXCONN, which is 128 in musl.
const BACKLOG: Backlog = Backlog::MAXALLOWABLE;

/// Others of us bind and listen in less than a millisecond; this outlasts a busy machine.
const TURN_TIME: Duration = Duration::from_millis(500);

#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    /// The name we made, to be removed at the end.
    name: Option<Name>,
}

#[derive(Debug)]
enum Socket {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Listener {
    pub fn bind(address: &Address) -> io::Result<Listener> {
        match address {
            Address::Tcp { list, ipv6_only, .. } => bind_first(list, *ipv6_only),
            Address::Unix(path) => bind_unix(path),
        }
    }

    /// The sockets systemd opened for us.
    pub fn from_systemd() -> Result<Vec<Listener>, String> {
        inherited::sockets()?.into_iter().map(Listener::adopt).collect()
    }

    fn adopt(socket: OwnedFd) -> Result<Listener, String> {
        let number = socket.as_raw_fd();
        let fault = |what: &str| format!("descriptor {number} of systemd {what}");
        if socket::getsockopt(&socket, sockopt::SockType) != Ok(SockType::Stream) {
            return Err(fault("is not a stream socket (ListenStream= in the unit)"));
        }
        if socket::getsockopt(&socket, sockopt::AcceptConn) != Ok(true) {
            return Err(fault("does not listen (Accept=yes in the unit is not supported)"));
        }
        fcntl(&socket, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).map_err(|error| fault(error.desc()))?;
        let address: SockaddrStorage = socket::getsockname(number).map_err(|error| fault(error.desc()))?;
        let listener = match address.as_unix_addr() {
            Some(_) => unix(socket),
            None => tcp(socket),
        };
        listener.map_err(|error| fault(&error.to_string()))
    }

    /// Where it listens, with the port the system chose.
    pub fn local_address(&self) -> String {
        match &self.socket {
            Socket::Tcp(socket) => {
                socket.local_addr().map_or_else(|error| error.to_string(), |address| address.to_string())
            }
            Socket::Unix(socket) => match socket.local_addr() {
                Ok(address) => format!("unix:{}", address.as_pathname().unwrap_or(Path::new("")).display()),
                Err(error) => error.to_string(),
            },
        }
    }

    /// Gives the name of a Unix socket, made by root in a directory that is root's alone, to the user and group that
    /// may connect.
    pub fn hand_over(&self, identity: &Identity) -> io::Result<()> {
        match &self.name {
            Some(name) => Held::of(&name.path)?.chown(identity),
            None => Ok(()),
        }
    }

    /// The next connection, ready for a loop that never waits. Whatever the family, a stream socket is
    /// read, written and shut down by the same calls, so one type serves for all.
    pub fn accept(&self) -> io::Result<TcpStream> {
        let stream = match &self.socket {
            Socket::Tcp(socket) => {
                let (stream, _) = socket.accept()?;
                // Answers leave at once; on failure they leave later.
                let _ = stream.set_nodelay(true);
                stream
            }
            Socket::Unix(socket) => TcpStream::from(OwnedFd::from(socket.accept()?.0)),
        };
        stream.set_nonblocking(true)?;
        Ok(stream)
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.socket {
            Socket::Tcp(socket) => socket.as_fd(),
            Socket::Unix(socket) => socket.as_fd(),
        }
    }
}

fn tcp(socket: OwnedFd) -> io::Result<Listener> {
    // Connections inherit it.
    socket::setsockopt(&socket, sockopt::SndBuf, &SEND_BUFFER)?;
    let socket = TcpListener::from(socket);
    socket.set_nonblocking(true)?;
    Ok(Listener { socket: Socket::Tcp(socket), name: None })
}

fn unix(socket: OwnedFd) -> io::Result<Listener> {
    let socket = UnixListener::from(socket);
    socket.set_nonblocking(true)?;
    Ok(Listener { socket: Socket::Unix(socket), name: None })
}

/// The first address of a kind the system has. An address in use is an error at once: the next family would
/// take half of what was asked for.
fn bind_first(list: &[SocketAddr], ipv6_only: bool) -> io::Result<Listener> {
    let mut fault = io::Error::from(io::ErrorKind::InvalidInput);
    for address in list {
        match bind_tcp(*address, ipv6_only) {
            Err(error @ (Errno::EAFNOSUPPORT | Errno::EADDRNOTAVAIL)) => fault = error.into(),
            result => return result.map_err(io::Error::from).and_then(tcp),
        }
    }
    Err(fault)
}

fn bind_tcp(address: SocketAddr, ipv6_only: bool) -> nix::Result<OwnedFd> {
    let family = if address.is_ipv6() { AddressFamily::Inet6 } else { AddressFamily::Inet };
    let listener = socket::socket(family, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
    // A successor may bind while connections of its predecessor linger.
    socket::setsockopt(&listener, sockopt::ReuseAddr, &true)?;
    if address.is_ipv6() {
        // Said either way: `:port` means every interface, whatever net.ipv6.bindv6only says.
        socket::setsockopt(&listener, sockopt::Ipv6V6Only, &ipv6_only)?;
    }
    socket::bind(listener.as_raw_fd(), &SockaddrStorage::from(address))?;
    socket::listen(&listener, BACKLOG)?;
    Ok(listener)
}

fn bind_unix(path: &Path) -> io::Result<Listener> {
    let address = UnixAddr::new(path)?;
    // Until it listens, our socket looks as stale as one that a killed process left behind.
    let _turn = turn_in(path);
    let socket = socket::socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
    // The name is made with the mode of the socket: no moment in which others could connect.
    let mode = Mode::from_bits_truncate(UNIX_MODE);
    fchmod(&socket, mode)?;
    match socket::bind(socket.as_raw_fd(), &address) {
        Err(Errno::EADDRINUSE) => {
            remove_stale(path, &address)?;
            socket::bind(socket.as_raw_fd(), &address)?;
        }
        result => result?,
    }
    let mut listener = unix(socket)?;
    listener.name = Some(Name::of(path)?);
    // The umask may have taken the group's bits away.
    Held::of(path)?.chmod(UNIX_MODE)?;
    socket::listen(&listener, BACKLOG)?;
    Ok(listener)
}

/// The lock that lets one process at a time bind Unix sockets in a directory; None where it cannot be had. Every
/// process that may read the directory can lock it, so it is waited for only as long as binding takes.
fn turn_in(path: &Path) -> Option<Flock<File>> {
    let directory = std::path::absolute(path).ok()?.parent()?.to_owned();
    let mut directory = File::open(directory).ok()?;
    let until = Instant::now() + TURN_TIME;
    loop {
        match Flock::lock(directory, FlockArg::LockExclusiveNonblock) {
            Ok(turn) => return Some(turn),
            Err((file, Errno::EAGAIN)) if Instant::now() < until => directory = file,
            Err(_) => return None,
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Removes a socket nobody listens on any more; anything else stays and is an error.
fn remove_stale(path: &Path, address: &UnixAddr) -> io::Result<()> {
    let found = match fs::symlink_metadata(path) {
        // It went away by itself.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found?,
    };
    if !found.file_type().is_socket() {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, "the path exists and is not a socket"));
    }
    // Without waiting: a listener whose backlog is full is alive, and says so with EAGAIN.
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let probe = socket::socket(AddressFamily::Unix, SockType::Stream, flags, None)?;
    match socket::connect(probe.as_raw_fd(), address) {
        Err(Errno::ECONNREFUSED) => {
            Name { path: path.into(), device: found.dev(), inode: found.ino() }.remove()
        }
        Err(Errno::ENOENT) => Ok(()),
        _ => Err(Errno::EADDRINUSE.into()),
    }
}

/// A socket in the file system, held open: it cannot be exchanged for a link to something else while we change it.
struct Held(File);

impl Held {
    fn of(path: &Path) -> io::Result<Held> {
        // Not by std's options: with musl they take O_PATH for a part of the access mode, and leave it out.
        let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let file = File::from(open(path, flags, Mode::empty())?);
        if file.metadata()?.file_type().is_socket() {
            Ok(Held(file))
        } else {
            Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                "the path now leads to something that is not a socket",
            ))
        }
    }

    /// The only name under which the system lets the owner of such a descriptor change the file: open(2), O_PATH.
    fn name(&self) -> String {
        format!("/proc/self/fd/{}", self.0.as_raw_fd())
    }

    fn chmod(&self, mode: u32) -> io::Result<()> {
        fs::set_permissions(self.name(), Permissions::from_mode(mode))
    }

    fn chown(&self, to: &Identity) -> io::Result<()> {
        chown(self.name(), Some(to.uid), Some(to.gid))
    }
}

/// A name in the file system, and what it named when we looked.
#[derive(Debug)]
struct Name {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl Name {
    fn of(path: &Path) -> io::Result<Name> {
        let found = fs::symlink_metadata(path)?;
        // Kept absolute: a change of directory must not make us remove another's file.
        Ok(Name { path: std::path::absolute(path)?, device: found.dev(), inode: found.ino() })
    }

    /// Removes it unless it names something else by now.
    fn remove(&self) -> io::Result<()> {
        match fs::symlink_metadata(&self.path) {
            Ok(found) if (found.dev(), found.ino()) == (self.device, self.inode) => {
                fs::remove_file(&self.path)
            }
            _ => Ok(()),
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            // What cannot be removed is stale and will be replaced.
            let _ = name.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::http::tests::until;
    use std::os::unix::net::UnixStream;

    fn bind(address: &str) -> io::Result<Listener> {
        Listener::bind(&address.parse().unwrap())
    }

    fn path(name: &str) -> String {
        let path = std::env::temp_dir().join(format!("httpd_exporter-{}-{name}.sock", std::process::id()));
        path.to_str().unwrap().to_owned()
    }

    #[test]
    fn a_port_has_one_listener_and_is_free_afterwards() {
        let first = bind("127.0.0.1:0").unwrap();
        let address = first.local_address();
        assert_eq!(bind(&address).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        let client = TcpStream::connect(&address).unwrap();
        drop((first, client));
        // A process that another test is just starting has a copy until it is another program.
        until("the port is free", || bind(&address).is_ok_and(|again| again.local_address() == address));
    }

    #[test]
    fn every_interface_is_both_families() {
        let listener = bind(":0").unwrap();
        let port = listener.local_address().rsplit_once(':').unwrap().1.to_owned();
        TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
        if listener.local_address().starts_with("[::]") && TcpListener::bind("[::1]:0").is_ok() {
            TcpStream::connect(format!("[::1]:{port}")).unwrap();
        }
    }

    #[test]
    fn sockets_are_not_inherited() {
        let listener = bind("127.0.0.1:0").unwrap();
        let flags = fcntl(&listener, FcntlArg::F_GETFD).unwrap();
        assert!(FdFlag::from_bits_truncate(flags).contains(FdFlag::FD_CLOEXEC));
    }

    #[test]
    fn a_unix_socket_has_its_mode_and_goes_with_its_listener() {
        let path = path("mode");
        let listener = bind(&format!("unix:{path}")).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, UNIX_MODE);
        assert_eq!(listener.local_address(), format!("unix:{path}"));
        drop(listener);
        assert!(!Path::new(&path).exists());
    }

    #[test]
    fn a_living_unix_socket_is_respected_and_a_stale_one_replaced() {
        let path = path("stale");
        let address = format!("unix:{path}");
        // std leaves the name behind, as a killed process does.
        let other = UnixListener::bind(&path).unwrap();
        assert_eq!(bind(&address).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        drop(other);
        until("nobody has it any more", || {
            let ours = bind(&address);
            ours.is_ok() && UnixStream::connect(&path).is_ok()
        });
        assert!(!Path::new(&path).exists());
    }

    #[test]
    fn of_many_who_want_a_unix_socket_at_once_one_has_it() {
        let path = path("race");
        let address = format!("unix:{path}");
        let start = std::sync::Barrier::new(4);
        for stale in [false, true].into_iter().cycle().take(100) {
            if stale {
                // Nobody ever listened there: so a copy that another process has for a moment is no listener either.
                let left =
                    socket::socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)
                        .unwrap();
                socket::bind(left.as_raw_fd(), &UnixAddr::new(&*path).unwrap()).unwrap();
            }
            let compete = || {
                start.wait();
                bind(&address)
            };
            let results: Vec<_> = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..4).map(|_| scope.spawn(compete)).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            let taken = |error: &io::Error| error.kind() == io::ErrorKind::AddrInUse;
            assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
            assert!(results.iter().filter_map(|result| result.as_ref().err()).all(taken), "{results:?}");
            UnixStream::connect(&path).unwrap();
        }
        assert!(!Path::new(&path).exists());
    }

    #[test]
    fn a_directory_that_somebody_locks_keeps_nobody_out() {
        let directory = std::env::temp_dir().join(format!("httpd_exporter-{}-lock", std::process::id()));
        fs::create_dir(&directory).unwrap();
        let held = Flock::lock(File::open(&directory).unwrap(), FlockArg::LockExclusive).unwrap();
        let ours = bind(&format!("unix:{}", directory.join("x.sock").display())).unwrap();
        drop((ours, held));
        fs::remove_dir(&directory).unwrap();
    }

    #[test]
    fn what_is_not_ours_stays() {
        let path = path("other");
        let address = format!("unix:{path}");
        fs::write(&path, "a file").unwrap();
        assert_eq!(bind(&address).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        fs::remove_file(&path).unwrap();
        let ours = bind(&address).unwrap();
        fs::rename(&path, format!("{path}.ours")).unwrap();
        let successor = UnixListener::bind(&path).unwrap();
        drop(ours);
        assert!(Path::new(&path).exists(), "the successor's name was removed");
        drop(successor);
        fs::remove_file(&path).unwrap();
        fs::remove_file(format!("{path}.ours")).unwrap();
    }

    #[test]
    fn mode_and_owner_go_to_the_socket_alone() {
        let (path, file) = (path("held"), path("held-file"));
        fs::write(&file, "a file").unwrap();
        let before = fs::metadata(&file).unwrap().permissions().mode();
        std::os::unix::fs::symlink(&file, &path).unwrap();
        assert!(Held::of(Path::new(&path)).is_err());
        assert!(Held::of(Path::new(&file)).is_err());
        fs::remove_file(&path).unwrap();
        let socket = UnixListener::bind(&path).unwrap();
        Held::of(Path::new(&path)).unwrap().chmod(0o600).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode(), before);
        drop(socket);
        fs::remove_file(&path).unwrap();
        fs::remove_file(&file).unwrap();
    }

    #[test]
    fn adopts_only_stream_sockets_that_listen() {
        let passed = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = passed.local_addr().unwrap().to_string();
        assert_eq!(Listener::adopt(passed.into()).unwrap().local_address(), address);
        let datagram = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        assert!(Listener::adopt(datagram.into()).unwrap_err().contains("not a stream socket"));
        let (connected, _other) = UnixStream::pair().unwrap();
        assert!(Listener::adopt(connected.into()).unwrap_err().contains("does not listen"));
        let (pipe, _writer) = io::pipe().unwrap();
        assert!(Listener::adopt(pipe.into()).unwrap_err().contains("not a stream socket"));
    }
}
