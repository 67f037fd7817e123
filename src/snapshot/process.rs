//! What the kernel knows of this process, under the names that every Prometheus client uses.
//!
//! Read from /proc/self (proc(5)); where that is missing, the families are too. Written here because the `prometheus`
//! crate's own collector brings six crates and knows whole CPU seconds only.

use crate::catalogue;
use crate::fixed_point::FixedPoint;
use crate::snapshot::page::Page;
use std::fs;

/// Clock ticks in a second, as /proc counts them: the kernel shows 100 on every Linux (USER_HZ).
const TICKS: u64 = 100;

pub fn insert(page: &mut Page) {
    let _ = from_stat(page);
    if let Ok(entries) = fs::read_dir("/proc/self/fd") {
        // The directory being read is one of them.
        page.insert_number(
            &catalogue::PROCESS_FDS,
            FixedPoint::whole(entries.count().saturating_sub(1) as u64),
        );
    }
    if let Some(limit) = max_fds() {
        page.insert_number(&catalogue::PROCESS_MAX_FDS, FixedPoint::whole(limit));
    }
}

fn from_stat(page: &mut Page) -> Option<()> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name in parentheses may hold anything; the numbers begin behind the last one, with field 3.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
    let ticks = |ticks: u64| FixedPoint::nanos(u128::from(ticks) * u128::from(1_000_000_000 / TICKS));
    page.insert_number(&catalogue::PROCESS_CPU, ticks(field(14)? + field(15)?));
    page.insert_number(&catalogue::PROCESS_THREADS, FixedPoint::whole(field(20)?));
    page.insert_number(&catalogue::PROCESS_VIRTUAL, FixedPoint::whole(field(23)?));
    page.insert_number(&catalogue::PROCESS_RESIDENT, FixedPoint::whole(resident_bytes()?));
    let mut start = FixedPoint::whole(boot_time()?);
    start += ticks(field(22)?);
    page.insert_number(&catalogue::PROCESS_START, start);
    Some(())
}

/// From /proc/self/status, which speaks of kilobytes and not of pages.
fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

/// Seconds since the epoch.
fn boot_time() -> Option<u64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    stat.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()
}

fn max_fds() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/limits").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}
