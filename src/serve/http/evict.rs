//! Eviction: which connection is ended when there is no place, or no memory, for all of them.
//!
//! Idle connections and slow readers never keep a scraper out, and a scraper that waits for its page is never ended
//! for another. Those that a guard has let in keep their connections between two pages, up to half of the places: who
//! scrapes again has no part in a flood of newcomers. And where one address holds more than its share of the places,
//! its connections have next to no grace: what it has waiting in the kernel is worn off before others notice.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::serve::http::connection::{Connection, Phase};
use crate::serve::http::limits::{Limits, SHARES_OF_PLACES};

/// A connection that does this may be ended, once it has done so for this long, which may depend on whether its address
/// crowds out others; `None`: it may not.
struct Rule(Phase, fn(&Limits, bool) -> Option<Duration>);

/// The order in which connections are ended. Of those that do the same the one goes first that has done so longest.
const ORDER: [Rule; 8] = [
    // It has had its answer.
    Rule(Phase::Answered, |_, _| Some(Duration::ZERO)),
    Rule(Phase::Silent, |limits, _| Some(limits.silent_grace)),
    Rule(Phase::ReadingHead, |limits, _| Some(limits.silent_grace)),
    Rule(Phase::WaitingForHash, |limits, _| Some(limits.silent_grace)),
    Rule(Phase::Handshaking, |limits, crowds| {
        Some(if crowds { limits.crowding_grace } else { limits.handshake_grace })
    }),
    // A signature for each of a flood is more than there is time for.
    Rule(Phase::WaitingToEnter, |limits, crowds| crowds.then_some(limits.silent_grace)),
    Rule(Phase::KeptOpen, |limits, _| Some(limits.silent_grace)),
    // Since the client last took some of its answer.
    Rule(Phase::Writing, |limits, _| Some(limits.write_grace)),
    // `Phase::WaitingForUs` is never ended.
];

/// The addresses that hold more than their share of the places; a Unix socket has none, and is like one address.
pub fn crowding(connections: &[Connection], limits: &Limits) -> Vec<Option<IpAddr>> {
    let share = limits.connections / SHARES_OF_PLACES;
    if connections.len() < limits.connections {
        return Vec::new();
    }
    let mut origins: Vec<_> = connections.iter().map(Connection::origin).collect();
    origins.sort_unstable();
    origins.chunk_by(PartialEq::eq).filter(|of_one| of_one.len() > share).map(|of_one| of_one[0]).collect()
}

/// Whether those that have been let in keep their connections, however many others want their places.
pub fn keeps_known(connections: &[Connection], limits: &Limits) -> bool {
    connections.iter().filter(|connection| connection.is_known()).count() <= limits.connections / 2
}

/// In what order, and from when on, a connection may be ended.
fn rank(
    connection: &Connection,
    limits: &Limits,
    keeps_known: bool,
    crowds: bool,
) -> Option<(usize, Instant)> {
    let (phase, since) = connection.phase();
    if keeps_known && phase == Phase::KeptOpen {
        return None;
    }
    let order = ORDER.iter().position(|Rule(of, _)| *of == phase)?;
    let Rule(_, grace) = &ORDER[order];
    Some((order, since + grace(limits, crowds)?))
}

fn ranked(
    connections: &[Connection],
    crowding: &[Option<IpAddr>],
    limits: &Limits,
) -> impl Iterator<Item = ((usize, Instant), usize)> {
    let keeps_known = keeps_known(connections, limits);
    let ranked = move |(index, connection): (usize, &Connection)| {
        let crowds = crowding.contains(&connection.origin());
        Some((rank(connection, limits, keeps_known, crowds)?, index))
    };
    connections.iter().enumerate().filter_map(ranked)
}

/// The connection that gives its place to a new one now.
pub fn candidate(
    connections: &[Connection],
    crowding: &[Option<IpAddr>],
    limits: &Limits,
    now: Instant,
) -> Option<usize> {
    let due = || ranked(connections, crowding, limits).filter(|((_, when), _)| *when <= now);
    // A connection with unread input is not idle.
    let gives_way = |index: &usize| !connections[*index].has_unread();
    due().min().map(|(_, index)| index).filter(gives_way).or_else(|| {
        let mut due: Vec<_> = due().collect();
        due.sort_unstable();
        due.into_iter().map(|(_, index)| index).find(gives_way)
    })
}

/// When the first connection may give its place to a new one.
pub fn first_due(
    connections: &[Connection],
    crowding: &[Option<IpAddr>],
    limits: &Limits,
) -> Option<Instant> {
    ranked(connections, crowding, limits).map(|((_, when), _)| when).min()
}

/// The connection that is ended because slow readers hold too many bytes of different pages: the one that has taken
/// nothing for longest, so a client that stopped, and not a scraper that reads steadily over a slow line.
pub fn over_page_bytes(connections: &[Connection], limits: &Limits) -> Option<usize> {
    let sending = || connections.iter().enumerate().filter_map(|(index, c)| Some((c.sending()?, index)));
    let mut pages: Vec<(usize, usize)> =
        sending().map(|((body, _), _)| (Arc::as_ptr(body) as usize, body.len())).collect();
    pages.sort_unstable();
    pages.dedup();
    let bytes: usize = pages.iter().map(|(_, bytes)| bytes).sum();
    if pages.len() < 2 || bytes <= limits.page_bytes {
        return None;
    }
    sending().min_by_key(|((_, moved), _)| *moved).map(|(_, index)| index)
}
