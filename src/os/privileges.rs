//! Privileges: the three acts of a start as root, each with a type, so that the compiler refuses another order.
//!
//! 1. `Privileges` stands for what still may be root: it binds what only root can bind and makes a state directory.
//! 2. `Privileges::drop` gives root up for good.
//! 3. Everything else opens files and asks for a `&UserRights`, which only the drop, or a closure that runs with the
//!    user's rights (`as_user`), can give.
//!
//! What root does, it does only where nobody but root can change what a path stands for, and nothing is given away
//! that this process has not just made. Sources: credentials(7), capabilities(7), setfsuid(2), path_resolution(7).

use crate::os::low_ports::LowPorts;
use crate::os::server;
use nix::fcntl::readlinkat;
use nix::sys::prctl;
use nix::unistd::{
    Gid, Group, Uid, User, fchown, getgrouplist, getresgid, getresuid, setfsgid, setfsuid, setgid, setgroups,
    setuid,
};
use std::ffi::CString;
use std::fmt::Display;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};

/// Modes of directories that are made on the way to a file, and of the one that holds the state.
const PARENT_MODE: u32 = 0o755;
const STATE_DIRECTORY_MODE: u32 = 0o750;

/// More links in one path are a circle: path_resolution(7).
const LINKS_MAX: usize = 40;

pub fn is_root() -> bool {
    Uid::effective().is_root()
}

/// The first act: the process may be root, and becomes the user of `--user` where there is one.
#[derive(Debug)]
pub struct Privileges {
    identity: Option<Identity>,
}

/// The third act: files are opened with the rights of the user that the process runs as. Without `--user` that is
/// the one that started it, root included.
#[derive(Debug)]
pub struct UserRights(());

#[cfg(test)]
impl UserRights {
    pub const OF_THE_TESTS: UserRights = UserRights(());
}

impl Privileges {
    /// The error says why the user cannot be found.
    pub fn begin(user: Option<&str>) -> Result<Privileges, String> {
        Ok(Privileges { identity: user.map(Identity::find).transpose()? })
    }

    /// Why the user has its first group alone, if not all could be looked up.
    pub fn groups_error(&self) -> Option<&str> {
        self.identity.as_ref().filter(|_| is_root())?.groups_error.as_deref()
    }

    /// Does some work with the files of the user, as the user: this thread's file system ids are the user's meanwhile,
    /// and with them the rights. Ports below 1024 can still be bound.
    pub fn as_user<T>(&self, work: impl FnOnce(&UserRights) -> io::Result<T>) -> io::Result<T> {
        let Some(identity) = self.identity.as_ref().filter(|_| is_root()) else {
            return work(&UserRights(()));
        };
        // The groups of root are not the user's, and nothing that root does needs them.
        identity.take_groups()?;
        let _back = FileIds::become_user(identity)?;
        work(&UserRights(()))
    }

    /// Makes the state directory for the user where only root can make it. A directory that is there, or one that the
    /// user can make, is left alone.
    pub fn make_state_directory(&self, path: &Path) -> io::Result<()> {
        let Some(identity) = self.identity.as_ref().filter(|_| is_root()) else { return Ok(()) };
        let path = std::path::absolute(path)?;
        if path.symlink_metadata().is_ok() {
            return Ok(());
        }
        let Some(parent) = path.parent() else { return Ok(()) };
        let existing = parent.ancestors().find(|ancestor| ancestor.symlink_metadata().is_ok());
        if !existing.is_some_and(is_roots_alone) {
            return Ok(());
        }
        make_parents(parent)?;
        make_for(identity, &path)
    }

    /// Opens what the user cannot, in a directory that is root's alone, and has `give` hand it to the user.
    pub fn open_for_user<T>(
        &self,
        path: &Path,
        open: impl Fn() -> io::Result<T>,
        give: impl FnOnce(&T, &Identity) -> io::Result<()>,
    ) -> io::Result<T> {
        match (self.as_user(|_| open()), &self.identity) {
            (Err(error), Some(identity)) if error.kind() == ErrorKind::PermissionDenied && is_root() => {
                let path = std::path::absolute(path)?;
                if !path.parent().is_some_and(is_roots_alone) {
                    return Err(error);
                }
                let opened = open()?;
                give(&opened, identity)?;
                Ok(opened)
            }
            (opened, _) => opened,
        }
    }

    /// The second act. An error means that root was not given up in full, and the caller must end the process.
    pub fn drop(self) -> Result<UserRights, String> {
        let Some(identity) = &self.identity else { return Ok(UserRights(())) };
        // Only root may look at a server that is root.
        server::look_before_drop();
        become_user(identity, || Ok(())).map(|()| UserRights(()))
    }

    /// The same, but for the right to bind ports below 1024, which a thread of its own has from then on.
    pub fn drop_all_but_low_ports(self) -> Result<(UserRights, Option<LowPorts>), String> {
        if self.identity.is_none() || !is_root() {
            return Ok((self.drop()?, None));
        }
        let Some(identity) = &self.identity else { return Ok((UserRights(()), None)) };
        server::look_before_drop();
        prctl::set_keepcaps(true).map_err(|e| format!("unable to keep a right: {e}"))?;
        let mut low_ports = None;
        become_user(identity, || {
            low_ports = LowPorts::start().map_err(|e| format!("unable to give up rights: {e}"))?;
            Ok(())
        })?;
        Ok((UserRights(()), low_ports))
    }
}

/// The file system ids of this thread are another's until it goes out of scope.
struct FileIds;

impl FileIds {
    fn become_user(identity: &Identity) -> io::Result<FileIds> {
        let back = FileIds;
        setfsgid(Gid::from_raw(identity.gid));
        setfsuid(Uid::from_raw(identity.uid));
        // The calls report no error, but what was set before them; -1 is nobody and changes nothing.
        let now = (setfsuid(Uid::from_raw(u32::MAX)).as_raw(), setfsgid(Gid::from_raw(u32::MAX)).as_raw());
        if now == (identity.uid, identity.gid) { Ok(back) } else { Err(ErrorKind::PermissionDenied.into()) }
    }
}

impl Drop for FileIds {
    fn drop(&mut self) {
        setfsuid(Uid::effective());
        setfsgid(Gid::effective());
    }
}

/// Opens the state directory, and makes it where it is missing and may be made.
pub fn open_state_directory(path: &Path) -> io::Result<File> {
    if path.symlink_metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound) {
        path.parent().filter(|parent| !parent.as_os_str().is_empty()).map_or(Ok(()), make_parents)?;
        match DirBuilder::new().mode(STATE_DIRECTORY_MODE).create(path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }
    let flags = nix::libc::O_DIRECTORY | no_link_for_root(path);
    OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(|error| name_link(path, error))
}

/// Root follows no link in the last component of a path: it may be another user's. An ordinary user's links are
/// followed. A descriptor that was inherited under a number (`>(gzip)` of a shell) is no link of a user.
pub fn no_link_for_root(path: &Path) -> i32 {
    let is_inherited = path.starts_with("/dev/fd") || path.starts_with("/proc/self/fd");
    if is_root() && !is_inherited { nix::libc::O_NOFOLLOW } else { 0 }
}

/// Opens a file to read it. Root follows a link in the last component where it is root's, or where file and link have
/// one owner: who makes a link decides what is shown. Linux has the same rule in sticky directories: proc_sys_fs(5),
/// protected_symlinks.
pub fn open_to_read(path: &Path, flags: i32) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    if !is_root() {
        return options.custom_flags(flags).open(path);
    }
    let (mut path, mut owners) = (path.to_owned(), Vec::new());
    for _ in 0..LINKS_MAX {
        match options.custom_flags(flags | nix::libc::O_NOFOLLOW).open(&path) {
            Err(error) if error.raw_os_error() == Some(nix::libc::ELOOP) => {
                // The link itself, so that nobody can put another one in its place between the questions.
                let link = options.custom_flags(nix::libc::O_PATH | nix::libc::O_NOFOLLOW).open(&path)?;
                owners.push(link.metadata()?.uid());
                let target = readlinkat(&link, "")?;
                path = path.parent().unwrap_or(Path::new("")).join(target);
            }
            Ok(file) => {
                let owner = file.metadata()?.uid();
                let may_lead = owners.iter().all(|link| *link == 0 || *link == owner);
                let wrong = "it is a symbolic link of another user, which root does not follow";
                return if may_lead { Ok(file) } else { Err(io::Error::new(ErrorKind::InvalidInput, wrong)) };
            }
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::from_raw_os_error(nix::libc::ELOOP))
}

/// Whether nobody but root can change what is in this file.
pub fn is_roots_file(path: &Path) -> bool {
    let Ok(path) = fs::canonicalize(path) else { return false };
    let is_roots = path.metadata().is_ok_and(|meta| meta.uid() == 0 && meta.mode() & 0o022 == 0);
    is_roots && path.parent().is_some_and(is_roots_alone)
}

/// Says plainly what `no_link_for_root` has refused.
pub fn name_link(path: &Path, error: io::Error) -> io::Error {
    if is_root() && path.is_symlink() {
        return io::Error::new(ErrorKind::InvalidInput, "it is a symbolic link, which root does not follow");
    }
    error
}

/// Makes what is missing of a directory that others have to pass.
fn make_parents(path: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = path.ancestors().take_while(|one| one.symlink_metadata().is_err()).collect();
    for one in missing.into_iter().rev().filter(|one| !one.as_os_str().is_empty()) {
        match fs::create_dir(one) {
            // Whatever the umask says; only what was made just now.
            Ok(()) => fs::set_permissions(one, Permissions::from_mode(PARENT_MODE))?,
            // Another process was quicker.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Makes a directory that is the user's from its first moment on: under another name, and then renamed. An empty one of
/// another process is replaced by its like, and one with files in it stays (rename(2)).
fn make_for(identity: &Identity, path: &Path) -> io::Result<()> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(format!(".{}.new", std::process::id()));
    let unfinished = PathBuf::from(unfinished);
    DirBuilder::new().mode(0o700).create(&unfinished)?;
    let put = || {
        let flags = nix::libc::O_NOFOLLOW | nix::libc::O_DIRECTORY;
        let directory = OpenOptions::new().read(true).custom_flags(flags).open(&unfinished)?;
        fchown(&directory, Some(Uid::from_raw(identity.uid)), Some(Gid::from_raw(identity.gid)))?;
        directory.set_permissions(Permissions::from_mode(STATE_DIRECTORY_MODE))?;
        fs::rename(&unfinished, path)
    };
    put().or_else(|error| {
        let _ = fs::remove_dir(&unfinished);
        if path.symlink_metadata().is_ok() { Ok(()) } else { Err(error) }
    })
}

/// Whether nobody but root can change what this path stands for, or make anything in it: each directory on the way is
/// root's and not writable for others, and each link on it lies in such a directory. On the way, a sticky directory
/// (/tmp) will do, since there nobody can put another in the place of what is root's.
fn is_roots_alone(path: &Path) -> bool {
    walks_through_roots(path, LINKS_MAX) == Some(Reach::RootOnly)
}

/// Who can create entries in a directory that only root can replace.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    RootOnly,
    /// Everybody, but what is root's stays.
    Sticky,
}

fn walks_through_roots(path: &Path, links: usize) -> Option<Reach> {
    let (mut walked, mut reach) = (PathBuf::new(), None);
    for component in path.components() {
        if component == Component::ParentDir {
            // Behind a link, `..` is the parent of what it points to.
            walked = fs::canonicalize(&walked).ok()?;
        }
        walked.push(component);
        let meta = walked.symlink_metadata().ok()?;
        reach = if meta.is_symlink() && reach == Some(Reach::RootOnly) && links > 0 {
            walks_through_roots(&walked.parent()?.join(fs::read_link(&walked).ok()?), links - 1)
        } else if !meta.is_dir() || meta.uid() != 0 {
            None
        } else if meta.mode() & 0o022 == 0 {
            Some(Reach::RootOnly)
        } else {
            (meta.mode() & 0o1000 != 0).then_some(Reach::Sticky)
        };
        reach?;
    }
    reach
}

/// The user to become after everything that needs root has been opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub name: String,
    pub uid: u32,
    pub gid: u32,
    /// All that the user is in; where a group was given, that alone.
    groups: Vec<u32>,
    /// Why it is the first one alone.
    groups_error: Option<String>,
}

impl Identity {
    /// Reads `USER[:GROUP]`, names or numbers. A user given by a number that nobody has needs a group.
    pub fn find(spec: &str) -> Result<Identity, String> {
        let (name, group) = spec.split_once(':').map_or((spec, None), |(user, group)| (user, Some(group)));
        if name.is_empty() || group.is_some_and(str::is_empty) {
            return Err(format!("`{spec}` is not USER or USER:GROUP"));
        }
        let by_name =
            |name: &str| User::from_name(name).map_err(|e| format!("unable to look up user {name}: {e}"));
        let user = match name.parse() {
            Ok(uid) => User::from_uid(Uid::from_raw(uid)).unwrap_or_default(),
            Err(_) => by_name(name)?,
        };
        let uid = match (&user, name.parse()) {
            (Some(user), _) => user.uid.as_raw(),
            (None, Ok(uid)) => uid,
            (None, Err(_)) => return Err(format!("there is no user {name}")),
        };
        let gid = match (group, &user) {
            (Some(group), _) => find_group(group)?,
            (None, Some(user)) => user.gid.as_raw(),
            (None, None) => return Err(format!("user {uid} has no entry and so needs a group: {uid}:GROUP")),
        };
        if uid == 0 {
            return Err(format!("{name} is root itself"));
        }
        let found = user.filter(|_| group.is_none()).map_or_else(|| Ok(vec![gid]), |user| groups_of(&user));
        let (groups, groups_error) = found.map_or_else(|why| (vec![gid], Some(why)), |groups| (groups, None));
        Ok(Identity { name: name.to_owned(), uid, gid, groups, groups_error })
    }

    /// Gives the process the groups of this user. In a user namespace not all of them may be there.
    fn take_groups(&self) -> nix::Result<()> {
        let groups: Vec<Gid> = self.groups.iter().copied().map(Gid::from_raw).collect();
        setgroups(&groups).or_else(|_| setgroups(&[Gid::from_raw(self.gid)]))
    }
}

/// As a login has them: initgroups(3).
fn groups_of(user: &User) -> Result<Vec<u32>, String> {
    let failed = |e: &dyn Display| format!("unable to look up the groups of {}: {e}", user.name);
    let name = CString::new(user.name.as_str()).map_err(|e| failed(&e))?;
    let groups = getgrouplist(&name, user.gid).map_err(|e| failed(&e))?;
    Ok(groups.into_iter().map(Gid::as_raw).collect())
}

fn find_group(name: &str) -> Result<u32, String> {
    if let Ok(gid) = name.parse() {
        return Ok(gid);
    }
    let group = Group::from_name(name).map_err(|e| format!("unable to look up group {name}: {e}"))?;
    group.map(|group| group.gid.as_raw()).ok_or_else(|| format!("there is no group {name}"))
}

/// To be called before other threads are started, for no-new-privileges is a property of each thread and inherited.
/// `then` is done as the user, before it is made sure that root is gone.
fn become_user(identity: &Identity, then: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    let (uid, gid) = (Uid::from_raw(identity.uid), Gid::from_raw(identity.gid));
    let failed = |step: &str, e| format!("unable to become {}: {step}: {e}", identity.name);
    // A process that runs as that user already has nothing to give up.
    if !has_ids(uid, gid) {
        // The order matters: without root neither groups nor group can be changed any more.
        identity.take_groups().map_err(|e| failed("setgroups", e))?;
        setgid(gid).map_err(|e| failed("setgid", e))?;
        setuid(uid).map_err(|e| failed("setuid", e))?;
    }
    prctl::set_no_new_privs().map_err(|e| failed("no-new-privileges", e))?;
    then()?;
    if !has_ids(uid, gid) || setuid(Uid::from_raw(0)).is_ok() {
        return Err(format!("unable to become {}: root could be regained", identity.name));
    }
    Ok(())
}

/// Whether all three ids of the process are these.
fn has_ids(uid: Uid, gid: Gid) -> bool {
    let users = getresuid().is_ok_and(|ids| [ids.real, ids.effective, ids.saved].iter().all(|id| *id == uid));
    users && getresgid().is_ok_and(|ids| [ids.real, ids.effective, ids.saved].iter().all(|id| *id == gid))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::process::Command;

    #[test]
    fn users_are_found_by_name_and_number() {
        let root_group =
            Identity { name: "12345".to_owned(), uid: 12345, gid: 0, groups: vec![0], groups_error: None };
        assert_eq!(Identity::find("12345:0"), Ok(root_group));
        for (spec, error) in [
            ("no-such-user", "there is no user no-such-user"),
            ("12345:no-such-group", "there is no group no-such-group"),
            ("3999999999", "user 3999999999 has no entry and so needs a group: 3999999999:GROUP"),
            ("", "`` is not USER or USER:GROUP"),
            ("12345:", "`12345:` is not USER or USER:GROUP"),
            (":0", "`:0` is not USER or USER:GROUP"),
            ("0", "0 is root itself"),
            ("root:0", "root is root itself"),
        ] {
            assert_eq!(Identity::find(spec).unwrap_err(), error);
        }
    }

    /// Not a test of its own: the process of the next one, which cannot become root again.
    #[test]
    fn unprivileged_child() {
        let Some(user) = std::env::var_os("HTTPD_EXPORTER_TEST_USER") else { return };
        let privileges = Privileges::begin(user.to_str()).unwrap();
        let identity = privileges.identity.clone().unwrap();
        // The thread that runs the tests stands for one that was started too early: its ids change all the
        // same.
        let _rights = privileges.drop().unwrap();
        let started = std::thread::spawn(|| fs::read_to_string("/proc/thread-self/status").unwrap());
        let status = started.join().unwrap();
        assert!(
            status.contains("NoNewPrivs:\t1\n") && status.contains("CapEff:\t0000000000000000\n"),
            "{status}"
        );
        for task in fs::read_dir("/proc/self/task").unwrap() {
            let status = fs::read_to_string(task.unwrap().path().join("status")).unwrap();
            let line = |name: &str| {
                status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned()
            };
            let four = |id: u32| [id.to_string(), id.to_string(), id.to_string(), id.to_string()].join("\t");
            assert_eq!(line("Uid:"), four(identity.uid));
            assert_eq!(line("Gid:"), four(identity.gid));
            assert_eq!(line("Groups:"), identity.gid.to_string());
        }
        assert!(File::open("/etc/shadow").is_err());
    }

    /// Not a test of its own: the process of the next one, which cannot become root again.
    #[test]
    fn child_with_low_ports() {
        let Some(user) = std::env::var_os("HTTPD_EXPORTER_TEST_LOW_PORTS") else { return };
        let (_rights, low_ports) =
            Privileges::begin(user.to_str()).unwrap().drop_all_but_low_ports().unwrap();
        let status = || fs::read_to_string("/proc/thread-self/status").unwrap();
        let rights = |status: String| {
            status.lines().filter(|line| line.starts_with("Cap")).map(str::to_owned).collect::<Vec<_>>()[..3]
                .concat()
        };
        let sets = |set: &str| format!("CapInh:\t{:016x}CapPrm:\t{set}CapEff:\t{set}", 0);
        assert_eq!(rights(status()), sets("0000000000000000"));
        let low_ports = low_ports.unwrap();
        let of_thread = low_ports.bind(move || Ok(status())).unwrap();
        assert!(
            of_thread.contains("NoNewPrivs:\t1\n")
                && of_thread.contains("Uid:\t12345\t12345\t12345\t12345\n")
        );
        assert_eq!(rights(of_thread), sets("0000000000000400"));
        assert!(low_ports.bind(|| File::open("/etc/shadow")).is_err());
        // Where any port is free, not all of them are. The tests of the program take theirs from the other end.
        let mut ports = (600..1024).rev();
        let port = ports.find_map(|port| low_ports.bind(move || TcpListener::bind(("127.0.0.1", port))).ok());
        let address = port.unwrap().local_addr().unwrap();
        assert!((600..1024).contains(&address.port()));
        assert_eq!(TcpListener::bind(address).unwrap_err().kind(), ErrorKind::PermissionDenied);
    }

    #[test]
    #[ignore = "needs root, to give it up"]
    fn the_right_to_bind_low_ports_is_one_threads_and_no_other_right_is_kept() {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "os::privileges::tests::child_with_low_ports"])
            .env("HTTPD_EXPORTER_TEST_LOW_PORTS", "12345:12346")
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    #[test]
    #[ignore = "needs root, to give it up"]
    fn root_is_given_up_by_all_threads_and_for_good() {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "os::privileges::tests::unprivileged_child"])
            .env("HTTPD_EXPORTER_TEST_USER", "12345:12346")
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    }
}
