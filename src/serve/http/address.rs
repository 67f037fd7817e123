//! Turns the text of `--web.listen-address` into an address to bind, or says what is wrong with it.
//!
//! The forms are those of Prometheus' exporter toolkit (`host:port`, `:port`, `[::1]:port`), and `unix:PATH`.

use crate::order;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::str::FromStr;

/// Bytes of a Unix socket's path: sun_path is 108 bytes with its final NUL, unix(7).
const UNIX_PATH_BYTES: usize = 107;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// The text as given, and what to bind: the first that can be. IPv6 alone, where IPv4 has a socket of its own.
    Tcp {
        text: String,
        list: Vec<SocketAddr>,
        ipv6_only: bool,
    },
    Unix(PathBuf),
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Address, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            return match path.len() {
                0 => Err("a path is missing after unix:".into()),
                1..=UNIX_PATH_BYTES => Ok(Address::Unix(path.into())),
                _ => Err(format!("the path of a Unix socket is at most {UNIX_PATH_BYTES} bytes long")),
            };
        }
        if text.contains("://") {
            return Err(format!("an address begins with no scheme, as in 127.0.0.1:19117: {text}"));
        }
        if text.contains(',') {
            return Err(format!("one address is meant, without a comma: {text}"));
        }
        if text.ends_with(']') {
            return Err(format!("a port is missing, as in [::1]:19117: {text}"));
        }
        let (host, port) = text.rsplit_once(':').ok_or("a port is missing, as in 127.0.0.1:19117")?;
        let port = read_port(port)?;
        Ok(Address::Tcp { text: text.into(), list: resolve(host, port)?, ipv6_only: false })
    }
}

impl Address {
    /// All that are to be served together: what one of them serves already is not bound again, for to the system it
    /// would be taken.
    pub fn all(texts: &[String]) -> Result<Vec<Address>, String> {
        let mut all = texts.iter().map(|text| text.parse()).collect::<Result<Vec<Address>, String>>()?;
        let ipv4_ports: Vec<u16> = all
            .iter()
            .filter_map(Address::first)
            .filter(|first| first.is_ipv4())
            .map(SocketAddr::port)
            .collect();
        for address in &mut all {
            // `[::]:80` beside `0.0.0.0:80`; `:80` means both by itself.
            if let Address::Tcp { list, ipv6_only, .. } = address {
                *ipv6_only =
                    list.len() == 1 && is_wildcard_of_both(&list[0]) && ipv4_ports.contains(&list[0].port());
            }
        }
        let mut kept: Vec<Address> = Vec::new();
        for address in all {
            if !kept.iter().any(|other| other.serves(&address)) {
                kept.retain(|other| !address.serves(other));
                kept.push(address);
            }
        }
        Ok(kept)
    }

    fn first(&self) -> Option<&SocketAddr> {
        match self {
            Address::Tcp { list, .. } => list.first(),
            Address::Unix(_) => None,
        }
    }

    /// Whether a client that connects to the other address reaches this one.
    fn serves(&self, other: &Address) -> bool {
        let (Address::Tcp { ipv6_only, .. }, Some(ours), Some(theirs)) = (self, self.first(), other.first())
        else {
            return self == other;
        };
        let both = is_wildcard_of_both(ours) && !ipv6_only;
        let wildcard = ours.ip().is_unspecified() && ours.is_ipv6() == theirs.is_ipv6();
        ours.port() == theirs.port() && ours.port() != 0 && (both || wildcard || ours == theirs)
    }

    /// Whether binding it takes a right: ip(7), privileged ports.
    pub fn is_low_port(&self) -> bool {
        matches!(self, Address::Tcp { list, .. } if list.iter().any(|address| (1..1024).contains(&address.port())))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Tcp { text, .. } => f.write_str(text),
            Address::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// Linux answers IPv4 on it as well, unless told not to: ipv6(7), IPV6_V6ONLY.
fn is_wildcard_of_both(address: &SocketAddr) -> bool {
    address.is_ipv6() && address.ip().is_unspecified()
}

fn read_port(port: &str) -> Result<u16, String> {
    if port.is_empty() || !port.bytes().all(|b| b.is_ascii_digit()) {
        return Err(format!("the port is not a number: {port:?}"));
    }
    port.parse().map_err(|_| format!("the port is not between 0 and 65535: {port}"))
}

fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, String> {
    if host.is_empty() {
        // One socket for both families where the system has IPv6.
        return Ok(vec![(Ipv6Addr::UNSPECIFIED, port).into(), (Ipv4Addr::UNSPECIFIED, port).into()]);
    }
    if let Some(inner) = host.strip_prefix('[') {
        let inner = inner.strip_suffix(']').ok_or("a bracket is missing, as in [::1]:19117")?;
        let ip: Ipv6Addr = inner.parse().map_err(|_| format!("not an IPv6 address: {inner:?}"))?;
        return Ok(vec![(ip, port).into()]);
    }
    if host.contains(':') {
        return Err(format!("an IPv6 address is written in brackets, as in [{host}]:{port}"));
    }
    let mut found: Vec<SocketAddr> = (host, port)
        .to_socket_addrs()
        .map_err(|error| format!("unable to find the address of {host:?}: {error}"))?
        .collect();
    // As Go does for a name: IPv4 first.
    order::sort_by_key(&mut found, SocketAddr::is_ipv6);
    found.dedup();
    if found.is_empty() { Err(format!("{host:?} has no address")) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(text: &str) -> Vec<String> {
        match text.parse() {
            Ok(Address::Tcp { list, .. }) => list.iter().map(ToString::to_string).collect(),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn every_form() {
        assert_eq!(tcp("127.0.0.1:19117"), ["127.0.0.1:19117"]);
        assert_eq!(tcp(":80"), ["[::]:80", "0.0.0.0:80"]);
        assert_eq!(tcp("[::1]:65535"), ["[::1]:65535"]);
        assert_eq!(tcp("localhost:1")[0], "127.0.0.1:1");
        assert_eq!("unix:/run/x.sock".parse(), Ok(Address::Unix("/run/x.sock".into())));
    }

    #[test]
    fn what_is_served_already_is_not_bound_again() {
        for (given, bound) in [
            ("127.0.0.1:1 127.0.0.1:1", "127.0.0.1:1"),
            ("127.0.0.1:1 [::1]:1 127.0.0.1:2", "127.0.0.1:1 [::1]:1 127.0.0.1:2"),
            ("127.0.0.1:0 127.0.0.1:0", "127.0.0.1:0 127.0.0.1:0"),
            ("0.0.0.0:1 [::]:1", "0.0.0.0:1 [::]:1 only"),
            ("[::]:1 0.0.0.0:1", "[::]:1 only 0.0.0.0:1"),
            ("[::]:1 127.0.0.1:1", "[::]:1 only 127.0.0.1:1"),
            ("[::]:1 127.0.0.1:2", "[::]:1 127.0.0.1:2"),
            ("[::]:1 [::1]:1", "[::]:1"),
            ("[::1]:1 [::]:1 [::1]:1", "[::]:1"),
            ("127.0.0.1:1 0.0.0.0:1 192.0.2.1:1 [::1]:1", "0.0.0.0:1 [::1]:1"),
            ("0.0.0.0:1 :1 [::]:1 127.0.0.1:1", ":1"),
            ("unix:/x unix:/y unix:/x", "unix:/x unix:/y"),
        ] {
            let texts: Vec<String> = given.split(' ').map(str::to_owned).collect();
            let shown = |address: &Address| match address {
                Address::Tcp { ipv6_only: true, .. } => format!("{address} only"),
                _ => address.to_string(),
            };
            let all = Address::all(&texts).unwrap();
            assert_eq!(all.iter().map(shown).collect::<Vec<_>>().join(" "), bound, "{given}");
        }
    }

    #[test]
    fn what_was_given_is_shown() {
        for text in [":80", "localhost:1", "unix:/run/x.sock"] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn errors_name_what_is_wrong() {
        let long = format!("unix:/{}", "x".repeat(107));
        for (text, part) in [
            ("", "a port is missing"),
            ("127.0.0.1", "a port is missing"),
            ("127.0.0.1:", "not a number"),
            ("127.0.0.1:http", "not a number: \"http\""),
            ("127.0.0.1:+80", "not a number"),
            ("127.0.0.1:65536", "between 0 and 65535"),
            ("::1:80", "in brackets, as in [::1]:80"),
            ("[::1:80", "a bracket is missing"),
            ("[127.0.0.1]:80", "not an IPv6 address"),
            ("unix:", "a path is missing"),
            (long.as_str(), "at most 107 bytes"),
        ] {
            let error = text.parse::<Address>().unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
