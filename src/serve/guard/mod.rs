//! Guard: who may speak to the server, and how (TLS, passwords, headers, a rate), by the file of `--web.config.file`.
//!
//! With the cargo feature `tls` it is what stands in the files beside; without it the same names, of which nothing can
//! be made (absent.rs), so that the server need not know.

#[cfg(not(feature = "tls"))]
mod absent;
#[cfg(feature = "tls")]
mod clients;
#[cfg(feature = "tls")]
mod file;
#[cfg(feature = "tls")]
mod settings;
#[cfg(feature = "tls")]
mod tls;
#[cfg(feature = "tls")]
mod users;
#[cfg(feature = "tls")]
mod yaml;

#[cfg(not(feature = "tls"))]
pub use crate::serve::guard::absent::{Attempt, Guard, Session, Verdict, read_file};
#[cfg(feature = "tls")]
pub use crate::serve::guard::settings::{Guard, read_file};
#[cfg(feature = "tls")]
pub use crate::serve::guard::tls::Session;
#[cfg(feature = "tls")]
pub use crate::serve::guard::users::{Attempt, Verdict};
