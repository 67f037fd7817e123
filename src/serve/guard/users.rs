//! Basic authentication: bcrypt hashes, and a cache of what was found, so that a hash costs its time once.
//!
//! The cache holds keyed digests and no passwords. An unknown user costs as much as a wrong password: it is checked
//! against the costliest hash there is, and refused whatever comes out. Source: RFC 7617.

use crate::serve::guard::file::User;
use crate::serve::guard::yaml::Fault;
use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD, STANDARD};
use ring::hmac;
use ring::rand::SystemRandom;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use subtle::ConstantTimeEq;

/// Right passwords that are remembered: a few scrapers and people.
const RIGHT_MAX: usize = 64;
/// Wrong passwords that are remembered, for a scraper that has an old one and asks with it for ever.
const WRONG_MAX: usize = 256;
/// What bcrypt takes of a password, the NUL behind it included; the rest has no say.
const PASSWORD_BYTES_MAX: usize = 72;

/// The last bits of a salt and of a hash are no bits of theirs, and some programs leave them set.
const BASE_64: GeneralPurpose =
    GeneralPurpose::new(&alphabet::BCRYPT, NO_PAD.with_decode_allow_trailing_bits(true));

type Digest = [u8; 32];

/// `$2y$10$` and 22 characters of salt and 31 of hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Hash {
    cost: u32,
    salt: [u8; 16],
    hash: [u8; 23],
}

impl Hash {
    fn read(text: &str) -> Option<Hash> {
        let (version, rest) = text.strip_prefix("$2")?.split_once('$')?;
        let (cost, rest) = rest.split_once('$')?;
        let decoded = |text: &str| BASE_64.decode(text).ok();
        let hash = Hash {
            cost: cost.parse().ok().filter(|cost| (4..=31).contains(cost))?,
            salt: decoded(rest.get(..22)?)?.try_into().ok()?,
            hash: decoded(rest.get(22..)?)?.try_into().ok()?,
        };
        ["", "a", "b", "x", "y"].contains(&version).then_some(hash)
    }

    fn fits(&self, password: &[u8]) -> bool {
        let mut text = [password, &[0]].concat();
        text.truncate(PASSWORD_BYTES_MAX);
        let found = bcrypt::bcrypt(self.cost, self.salt, &text);
        found[..self.hash.len()].ct_eq(&self.hash).into()
    }
}

/// What was found out about passwords. It outlives a change of the file: what it says holds for one hash.
#[derive(Debug)]
pub struct Cache {
    key: hmac::Key,
    found: Mutex<Found>,
}

#[derive(Debug, Default)]
struct Found {
    right: VecDeque<Digest>,
    wrong: VecDeque<Digest>,
}

impl Cache {
    /// The error: the system has no random numbers.
    pub fn new() -> Result<Cache, &'static str> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new());
        Ok(Cache { key: key.map_err(|_| "the system gives no random numbers")?, found: Mutex::default() })
    }

    /// Parts with their lengths, so that no two lists are the same bytes.
    fn digest(&self, parts: &[&[u8]]) -> Digest {
        let mut context = hmac::Context::with_key(&self.key);
        for part in parts {
            context.update(&(part.len() as u64).to_le_bytes());
            context.update(part);
        }
        let mut digest = Digest::default();
        digest.copy_from_slice(context.sign().as_ref());
        digest
    }

    fn get(&self, digest: &Digest) -> Option<bool> {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let is_in = |list: &VecDeque<Digest>| list.contains(digest);
        if is_in(&found.right) { Some(true) } else { is_in(&found.wrong).then_some(false) }
    }

    fn set(&self, digest: Digest, is_right: bool) {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let (list, most) =
            if is_right { (&mut found.right, RIGHT_MAX) } else { (&mut found.wrong, WRONG_MAX) };
        if !list.contains(&digest) {
            list.push_back(digest);
            list.drain(..list.len().saturating_sub(most));
        }
    }
}

#[derive(Debug)]
pub struct Users {
    users: Vec<(String, Hash)>,
    cache: Arc<Cache>,
}

/// What an `Authorization` is worth.
#[derive(Debug)]
pub enum Verdict {
    Right,
    Wrong,
    /// Only hashing will tell.
    Open(Attempt),
}

/// A password that is to be hashed. It takes as long as the one who made the hash wished.
pub struct Attempt {
    hash: Hash,
    /// False: whatever the hash says, there is no such user.
    is_user: bool,
    password: Vec<u8>,
    digest: Digest,
    cache: Arc<Cache>,
}

impl std::fmt::Debug for Attempt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Attempt")
    }
}

impl Attempt {
    pub fn is_right(&self) -> bool {
        // Another request may have asked the same meanwhile.
        if let Some(known) = self.cache.get(&self.digest) {
            return known;
        }
        let is_right = self.hash.fits(&self.password) & self.is_user;
        self.cache.set(self.digest, is_right);
        is_right
    }
}

impl Users {
    pub fn read(users: &[User], cache: Arc<Cache>) -> Result<Users, Fault> {
        let read = |user: &User| match Hash::read(&user.hash.text) {
            Some(hash) => Ok((user.name.clone(), hash)),
            None => {
                let what = "this is no bcrypt hash; `htpasswd -nBC 10 USER` makes one";
                Err(Fault::new(user.hash.line, format!("basic_auth_users.{}: {what}", user.name)))
            }
        };
        Ok(Users { users: users.iter().map(read).collect::<Result<_, _>>()?, cache })
    }

    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    /// What is known of the value of an `Authorization` header without hashing.
    pub fn judge(&self, authorization: Option<&[u8]>) -> Verdict {
        let Some(costliest) = self.users.iter().map(|(_, hash)| hash).max_by_key(|hash| hash.cost) else {
            return Verdict::Right;
        };
        let Some((name, password)) = authorization.and_then(credentials) else { return Verdict::Wrong };
        // All names are looked at, whichever it is.
        let mut known = None;
        for (user, hash) in &self.users {
            if bool::from(user.as_bytes().ct_eq(&name)) {
                known = Some(hash);
            }
        }
        let hash = *known.unwrap_or(costliest);
        let digest = self.cache.digest(&[&name, &hash.salt, &hash.hash, &password]);
        match self.cache.get(&digest) {
            Some(true) if known.is_some() => Verdict::Right,
            Some(_) => Verdict::Wrong,
            None => {
                let (is_user, cache) = (known.is_some(), Arc::clone(&self.cache));
                Verdict::Open(Attempt { hash, is_user, password, digest, cache })
            }
        }
    }
}

/// `Basic` and the base64 of `USER:PASSWORD`.
fn credentials(authorization: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (scheme, rest) = authorization.split_at_checked(6)?;
    let decoded =
        STANDARD.decode(rest.trim_ascii()).ok().filter(|_| scheme.eq_ignore_ascii_case(b"Basic "))?;
    let colon = decoded.iter().position(|&b| b == b':')?;
    Some((decoded[..colon].to_vec(), decoded[colon + 1..].to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::guard::file::Text;

    /// `htpasswd -nbBC 4 alice secret` and the like.
    const SECRET: &str = "$2y$04$zadh2XkgZNSXOXvkxYacGu2IQanYzknQLIy0Y17bmrwqbJ1rq81Ui";

    fn users(list: &[(&str, &str)]) -> Result<Users, Fault> {
        let user = |(line, (name, hash)): (usize, &(&str, &str))| User {
            name: (*name).to_owned(),
            hash: Text { line: line + 1, key: "basic_auth_users", text: (*hash).to_owned() },
        };
        let list: Vec<User> = list.iter().enumerate().map(user).collect();
        Users::read(&list, Arc::new(Cache::new().unwrap()))
    }

    fn basic(credentials: &str) -> Vec<u8> {
        format!("Basic {}", STANDARD.encode(credentials)).into_bytes()
    }

    fn judge(users: &Users, credentials: &str) -> (bool, bool) {
        match users.judge(Some(&basic(credentials))) {
            Verdict::Open(attempt) => (true, attempt.is_right()),
            verdict => (false, matches!(verdict, Verdict::Right)),
        }
    }

    #[test]
    fn a_password_is_hashed_once_whatever_comes_of_it() {
        let users = users(&[("alice", SECRET)]).unwrap();
        for (credentials, right) in
            [("alice:secret", true), ("alice:Secret", false), ("bob:secret", false), ("alice:", false)]
        {
            assert_eq!(judge(&users, credentials), (true, right), "{credentials}");
            assert_eq!(judge(&users, credentials), (false, right), "{credentials}");
        }
    }

    /// Neither an unknown user nor one with a cheap hash is told by the work that is done.
    #[test]
    fn an_unknown_user_is_checked_against_the_costliest_hash() {
        let costly = SECRET.replace("$04$", "$06$");
        let users = users(&[("alice", SECRET), ("carol", &costly)]).unwrap();
        let Verdict::Open(attempt) = users.judge(Some(&basic("bob:secret"))) else { panic!("not hashed") };
        assert_eq!((attempt.hash.cost, attempt.is_user), (6, false));
    }

    #[test]
    fn what_are_no_credentials_is_wrong_at_once() {
        let users = users(&[("alice", SECRET)]).unwrap();
        let no_colon = basic("alice");
        for value in [&b""[..], b"Basic", b"Basic ", b"Basic %%", b"Bearer YTpi", &no_colon] {
            assert!(matches!(users.judge(Some(value)), Verdict::Wrong));
        }
        assert!(matches!(users.judge(None), Verdict::Wrong));
    }

    #[test]
    fn a_hash_that_is_none_is_refused_with_its_user() {
        for hash in [
            "secret",
            "$1$abc$def",
            &SECRET[..50],
            &SECRET.replace("$04$", "$03$"),
            &SECRET.replace("$2y", "$3y"),
        ] {
            let fault = users(&[("alice", SECRET), ("bob", hash)]).expect_err(hash);
            assert!(
                fault.line == 2 && fault.what.starts_with("basic_auth_users.bob: this is no bcrypt hash"),
                "{fault:?}"
            );
        }
        for version in ["$2$", "$2a$", "$2b$", "$2y$"] {
            assert!(users(&[("alice", &SECRET.replace("$2y$", version))]).is_ok(), "{version}");
        }
    }

    /// A flood of wrong ones does not push out who is known.
    #[test]
    fn a_right_password_stays_known() {
        let users = users(&[("alice", SECRET)]).unwrap();
        assert_eq!(judge(&users, "alice:secret"), (true, true));
        for n in 0..WRONG_MAX + 10 {
            users.cache.set(users.cache.digest(&[&n.to_le_bytes()]), false);
        }
        assert_eq!(judge(&users, "alice:secret"), (false, true));
        assert_eq!(users.cache.found.lock().unwrap().wrong.len(), WRONG_MAX);
    }

    #[test]
    fn long_passwords_are_cut_where_bcrypt_cuts_them() {
        let hash = Hash::read(SECRET).unwrap();
        assert!(hash.fits(b"secret") && !hash.fits(b"secre") && !hash.fits(&[b'x'; 200]));
    }
}
