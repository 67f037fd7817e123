//! Settings: what the file of `--web.config.file` says, made ready for use, and read again when a file changes.
//!
//! Files are looked at and read on the threads that ask for it with `refresh`, never by the reactor, which takes what
//! was read last. A new file that is wrong is said once, and the former settings hold; where there are none, nobody is
//! served.

use crate::clock;
use crate::log::{log_info, log_warning, reason};
use crate::serve::guard::file::{self, RateLimit, Text, wrong};
use crate::serve::guard::tls::{self, Session};
use crate::serve::guard::users::{Cache, Users, Verdict};
use crate::serve::guard::yaml::Fault;
use rustls::ServerConfig;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Bytes of one file; a chain of certificates has ten thousand.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// A request on a connection that is kept waits for a look at the files when the last one was longer ago.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

const NANOS: u64 = 1_000_000_000;

/// Opens a file; at the start with the rights of root, where only root may read it.
pub type Open<'a> = dyn Fn(&Path) -> io::Result<Vec<u8>> + 'a;

/// What holds at the moment.
pub struct Settings {
    pub headers: Vec<(String, String)>,
    tls: Option<Arc<ServerConfig>>,
    users: Users,
    bucket: Option<Arc<Mutex<Bucket>>>,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Settings")
    }
}

impl Settings {
    pub fn has_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// A file that is read again is no reason for more requests: where the limit is the same, so is the bucket.
    fn keep_bucket(&mut self, former: &Settings) {
        if let (Some(ours), Some(theirs)) = (&mut self.bucket, &former.bucket) {
            let is_same = lock(ours).limit == lock(theirs).limit;
            if is_same {
                *ours = Arc::clone(theirs);
            }
        }
    }

    pub fn session(&self) -> Option<Session> {
        self.tls.as_ref().and_then(Session::new)
    }

    /// Whether the rate of requests allows one more.
    pub fn admits(&self, now: Instant) -> bool {
        self.bucket.as_ref().is_none_or(|bucket| lock(bucket).take(now))
    }

    pub fn judge(&self, authorization: Option<&[u8]>) -> Verdict {
        self.users.judge(authorization)
    }

    /// Why these may not take the place of the former ones while the program runs: an emptied file, or one that is
    /// being written, must not open what was closed.
    fn opens_what_was_closed(&self, former: &Settings) -> Option<&'static str> {
        if former.has_tls() && !self.has_tls() {
            return Some("tls_server_config is gone; plain HTTP is served after a restart only");
        }
        let is_open = self.users.is_empty() && !former.users.is_empty();
        is_open
            .then_some("basic_auth_users is gone; pages are served without a password after a restart only")
    }
}

/// Token bucket: it fills at an even rate, and each request takes one token.
#[derive(Debug)]
struct Bucket {
    limit: RateLimit,
    tokens: f64,
    filled: Instant,
}

impl Bucket {
    fn new(limit: RateLimit) -> Bucket {
        Bucket { limit, tokens: f64::from(limit.burst), filled: Instant::now() }
    }

    fn take(&mut self, now: Instant) -> bool {
        let since = now.saturating_duration_since(self.filled).as_secs_f64();
        let tokens = self.tokens + since / self.limit.interval.as_secs_f64();
        self.tokens = tokens.min(f64::from(self.limit.burst));
        self.filled = self.filled.max(now);
        if self.tokens < 1.0 {
            return false;
        }
        self.tokens -= 1.0;
        true
    }
}

/// What tells that a file was changed or replaced; None: it is not there.
type Stamp = Option<(u64, u64, u64, i64, i64, i64, i64)>;

fn stamp(path: &Path) -> Stamp {
    let found = fs::metadata(path).ok()?;
    let (changed, written) = ((found.ctime(), found.ctime_nsec()), (found.mtime(), found.mtime_nsec()));
    Some((found.dev(), found.ino(), found.size(), changed.0, changed.1, written.0, written.1))
}

/// The clock of a file system stands still for a moment: a file that was written in the moment in which it was read may
/// be written again without a trace. Such a stamp is one that no file has, so the file is read once more.
fn settled(stamp: Stamp) -> Stamp {
    let now = clock::now_nanos() / NANOS;
    let (_, _, _, seconds, ..) = stamp?;
    let is_recent = u64::try_from(seconds).is_ok_and(|seconds| seconds + 1 >= now);
    if is_recent { Some((0, 0, u64::MAX, 0, 0, 0, 0)) } else { stamp }
}

/// The settings and the files that they come from. Clones are handles to the same.
#[derive(Clone, Debug)]
pub struct Guard(Arc<Kept>);

#[derive(Debug)]
struct Kept {
    path: PathBuf,
    cache: Arc<Cache>,
    /// Locked for as long as files are read.
    files: Mutex<Files>,
    /// Locked for a moment only.
    current: Mutex<Current>,
}

#[derive(Debug)]
struct Files {
    /// As they were right before they were read.
    seen: Vec<(PathBuf, Stamp)>,
    /// What was said of a wrong file and still holds.
    said: Option<String>,
}

#[derive(Debug)]
struct Current {
    settings: Option<Arc<Settings>>,
    looked: Instant,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Guard {
    /// Reads the file for the first time. What is wrong is given back with the guard, which then lets nobody in until
    /// the file is put right.
    pub fn open(path: &Path, open: &Open<'_>) -> Result<(Guard, Option<String>), String> {
        let cache = Arc::new(Cache::new()?);
        let mut seen = Vec::new();
        let loaded = load(path, &cache, &mut seen, open);
        let (settings, wrong) = match loaded {
            Ok(settings) => (Some(Arc::new(settings)), None),
            Err(wrong) => (None, Some(wrong)),
        };
        let files = Mutex::new(Files { seen, said: wrong.clone() });
        let current = Mutex::new(Current { settings, looked: Instant::now() });
        let path = path.to_owned();
        Ok((Guard(Arc::new(Kept { path, cache, files, current })), wrong))
    }

    /// What holds, as far as was looked.
    pub fn settings(&self) -> Option<Arc<Settings>> {
        lock(&self.0.current).settings.clone()
    }

    /// `http` or `https`; None while nothing is served.
    pub fn scheme(&self) -> Option<&'static str> {
        self.settings().map(|settings| if settings.has_tls() { "https" } else { "http" })
    }

    pub fn is_stale(&self, now: Instant) -> bool {
        now.saturating_duration_since(lock(&self.0.current).looked) > LOOK_INTERVAL
    }

    /// Looks at the files, reads them again where one has changed, and gives what holds. This may take a while.
    pub fn refresh(&self) -> Option<Arc<Settings>> {
        let mut files = lock(&self.0.files);
        if files.seen.iter().any(|(path, seen)| stamp(path) != *seen) {
            self.reload(&mut files);
        }
        let mut current = lock(&self.0.current);
        current.looked = Instant::now();
        current.settings.clone()
    }

    fn reload(&self, files: &mut Files) {
        let mut seen = Vec::new();
        let loaded = load(&self.0.path, &self.0.cache, &mut seen, &read_file);
        files.seen = seen;
        let former = self.settings();
        let loaded = loaded.and_then(|settings| {
            let why = former.as_ref().and_then(|former| settings.opens_what_was_closed(former));
            why.map_or(Ok(settings), |why| Err(format!("{}: {why}", self.0.path.display())))
        });
        match loaded {
            Ok(mut settings) => {
                if files.said.take().is_some() {
                    log_info(format_args!(
                        "--web.config.file: {} is read again and holds",
                        self.0.path.display()
                    ));
                }
                let mut current = lock(&self.0.current);
                if let Some(former) = &current.settings {
                    settings.keep_bucket(former);
                }
                current.settings = Some(Arc::new(settings));
            }
            Err(wrong) if files.said.as_ref() != Some(&wrong) => {
                let then = if former.is_some() { "what was read before holds" } else { "nothing is served" };
                log_warning(format_args!("--web.config.file: {wrong}; {then} until it is put right"));
                files.said = Some(wrong);
            }
            Err(_) => {}
        }
    }
}

/// The error is one sentence with the file, the line and the key.
fn load(
    path: &Path,
    cache: &Arc<Cache>,
    seen: &mut Vec<(PathBuf, Stamp)>,
    open: &Open<'_>,
) -> Result<Settings, String> {
    let mut read = |path: &Path| {
        seen.push((path.to_owned(), settled(stamp(path))));
        open(path)
    };
    let bytes =
        read(path).map_err(|error| format!("unable to read {}: {}", path.display(), reason(&error)))?;
    let at = |fault: Fault| format!("{}:{}: {}", path.display(), fault.line, fault.what);
    let text = String::from_utf8(bytes).map_err(|_| format!("{} is not UTF-8", path.display()))?;
    let config = file::read(&text).map_err(at)?;
    // Relative to the directory of the file.
    let directory = path.parent().unwrap_or(Path::new(""));
    let mut fetch = |text: &Text| {
        let path = directory.join(&text.text);
        read(&path)
            .map_err(|error| wrong(text, &format!("unable to read {}: {}", path.display(), reason(&error))))
    };
    let tls = config.tls.as_ref().map(|tls| tls::server_config(tls, &mut fetch)).transpose().map_err(at)?;
    let users = Users::read(&config.users, Arc::clone(cache)).map_err(at)?;
    let bucket = config.rate_limit.map(|limit| Arc::new(Mutex::new(Bucket::new(limit))));
    Ok(Settings { headers: config.headers, tls, users, bucket })
}

/// The whole of a plain file. A pipe is none: whoever opens it may wait for ever.
pub fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let file = OpenOptions::new().read(true).custom_flags(nix::libc::O_NONBLOCK).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it is not a plain file"));
    }
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(io::Error::new(ErrorKind::InvalidData, "it is larger than 1 MiB"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_its_burst_and_then_one_an_interval() {
        let limit = RateLimit { interval: Duration::from_secs(10), burst: 2 };
        let mut bucket = Bucket::new(limit);
        let begin = bucket.filled;
        let mut at = |seconds| bucket.take(begin + Duration::from_secs(seconds));
        assert_eq!([at(0), at(0), at(0), at(9)], [true, true, false, false]);
        assert_eq!([at(10), at(10), at(1000), at(1000), at(1000)], [true, false, true, true, false]);
    }

    #[test]
    fn a_file_that_is_read_again_is_no_reason_for_more_requests() {
        let path = std::env::temp_dir().join(format!("httpd_exporter-{}-rate.yml", std::process::id()));
        let write = |burst| {
            fs::write(&path, format!("rate_limit:\n  interval: 24h\n  burst: {burst}\n")).unwrap();
        };
        write(2);
        let (guard, _) = Guard::open(&path, &read_file).unwrap();
        let admits = || guard.settings().unwrap().admits(Instant::now());
        let read_again = || guard.reload(&mut lock(&guard.0.files));
        assert!(admits());
        read_again();
        assert_eq!([admits(), admits()], [true, false]);
        // Another limit is another bucket.
        write(1);
        read_again();
        assert_eq!([admits(), admits()], [true, false]);
        fs::remove_file(&path).unwrap();
    }

    /// What the files of other exporters look like, each accepted or refused as it is there, but for what rustls has
    /// not: TLS 1.1 and older, suites without forward secrecy or with CBC, and the curve P-521.
    fn examples(data: &Path) -> Vec<(String, &'static str)> {
        const PAIR: &str = "tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n";
        let pem = |name: &str| {
            let text = fs::read_to_string(data.join(name)).unwrap();
            text.lines().map(|line| format!("\n    {line}")).collect::<String>()
        };
        let inline =
            format!("tls_server_config:\n  cert: |{}\n  key: |{}\n", pem("server.pem"), pem("server.key"));
        let with = |lines: &str| format!("{PAIR}{lines}");
        vec![
            (String::new(), ""),
            (with(""), ""),
            (inline, ""),
            (with("  client_auth_type: RequireAnyClientCert\n"), ""),
            (with("  client_auth_type: RequireAndVerifyClientCert\n"), ""),
            (with("  client_auth_type: VerifyClientCertIfGiven\n"), ""),
            ("rate_limit:\n  interval: 1s\n".to_owned(), ""),
            (with("  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n"), ""),
            (with("  client_auth_type: VerifyClientCertIfGiven\n  client_ca_file: own.pem\n"), ""),
            (
                with(
                    "  cipher_suites:\n  - TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256\n  - TLS_AES_128_GCM_SHA256\n",
                ),
                "",
            ),
            (with("  curve_preferences: [CurveP256, X25519, CurveP384]\n"), ""),
            (with("  min_version: TLS13\nhttp_server_config:\n  http2: false\n"), ""),
            (
                with("  cipher_suites: [TLS_RSA_WITH_AES_128_CBC_SHA]\n"),
                "cipher_suites: `TLS_RSA_WITH_AES_128_CBC_SHA` is not",
            ),
            (
                with("  cipher_suites: [TLS_FAKE]\n"),
                ":4: tls_server_config.cipher_suites: `TLS_FAKE` is not supported",
            ),
            (with("  curve_preferences: [CurveP521]\n"), "curve_preferences: `CurveP521` is not supported"),
            (with("  client_ca_file: ca.pem\n"), "client_ca_file: clients are not asked for certificates"),
            (
                with("  client_auth_type: RequireAnyClientCert\n  client_ca_file: no.pem\n"),
                ":5: tls_server_config.client_ca_file: unable to read",
            ),
            (
                with("  client_auth_type: RequireAnyClientCert\n  client_ca_file: web.yml\n"),
                "there is no certificate in PEM in it",
            ),
            (PAIR.replace("server.pem", "no.pem"), ":2: tls_server_config.cert_file: unable to read"),
            (PAIR.replace("server.key", "no.key"), ":3: tls_server_config.key_file: unable to read"),
            (
                PAIR.replace("server.key", "client.key"),
                ":3: tls_server_config.key_file: the key is not that of the certificate",
            ),
            (
                PAIR.replace("server.key", "server.pem"),
                ":3: tls_server_config.key_file: there is no private key",
            ),
            (
                PAIR.replace("server.pem", "server.key"),
                ":2: tls_server_config.cert_file: there is no certificate",
            ),
            (PAIR.replace("server.key", "."), "it is not a plain file"),
            (
                "basic_auth_users:\n  alice: secret\n".to_owned(),
                ":2: basic_auth_users.alice: this is no bcrypt hash",
            ),
            ("just words\n".to_owned(), ":1: these are no keys with values"),
            ("a: [\n".to_owned(), "this is no YAML"),
        ]
    }

    #[test]
    fn files_of_other_exporters_are_accepted_or_refused() {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tls");
        for (text, wrong) in examples(&data) {
            let open = |path: &Path| match path.file_name() {
                Some(name) if name == "config.yml" => Ok(text.clone().into_bytes()),
                _ => read_file(path),
            };
            let (guard, found) = Guard::open(&data.join("config.yml"), &open).unwrap();
            let found = found.unwrap_or_default();
            assert_eq!(found.is_empty(), wrong.is_empty(), "{text}\n{found}");
            assert!(found.contains(wrong), "{text}\n{found}");
            assert_eq!(guard.settings().is_some(), wrong.is_empty());
        }
    }
}
