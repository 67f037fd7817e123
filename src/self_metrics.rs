//! Self metrics: the figures about the program itself that more than one thread touches.
//!
//! They are counters and gauges of the `prometheus` crate, named by the catalogue and written only where their
//! cause is; the page reads them through the registry. What only the counting thread knows is in the ledger instead.

use crate::catalogue;
use crate::catalogue::Metric;
use crate::clock;
use prometheus::core::Collector;
use prometheus::{Counter, IntCounter, IntCounterVec, IntGauge, Opts, Registry};
use std::sync::atomic::AtomicU64;

/// The status codes that the server answers with (serve/http): each is on the page before its first
/// answer, so that a rate over it is right from the first one on.
const HTTP_CODES: [&str; 9] = ["200", "400", "404", "405", "408", "431", "500", "503", "505"];

/// What this program is, as labels: what can be left out of it (Cargo.toml) and was not, the commit, the version.
pub const BUILD: [(&str, &str); 3] = [
    ("features", if cfg!(feature = "tls") { "tls" } else { "none" }),
    ("revision", env!("HTTPD_EXPORTER_REVISION")),
    ("version", env!("CARGO_PKG_VERSION")),
];

#[derive(Debug)]
pub struct SelfMetrics {
    pub registry: Registry,
    /// Since when there is something to count, in nanoseconds since the epoch.
    pub since: u64,
    pub input_bytes: IntCounter,
    pub input_wait_seconds: Counter,
    pub chunks_queued: IntGauge,
    pub tee_lost_bytes: IntCounter,
    pub state_errors: IntCounter,
    pub generations: IntGauge,
    pub datagrams_lost: IntCounter,
    pub followed_files: IntGauge,
    pub follow_lag_bytes: IntGauge,
    pub follow_rotations: IntCounter,
    pub follow_truncations: IntCounter,
    pub http_requests: IntCounterVec,
    pub http_refused: IntCounter,
    /// The device of a file system that has room left for the state alone; 0: none. No metric: the tee is told by it.
    pub full_device: AtomicU64,
}

impl Default for SelfMetrics {
    /// Cannot fail: the names are constants of the catalogue, and every test that counts has seen them taken.
    fn default() -> SelfMetrics {
        SelfMetrics::register().expect("the catalogue's names are valid and unique")
    }
}

impl SelfMetrics {
    fn register() -> Result<SelfMetrics, prometheus::Error> {
        let registry = Registry::new();
        let codes = catalogue::HTTP_REQUESTS;
        let self_metrics = SelfMetrics {
            input_bytes: enter(&registry, IntCounter::with_opts(named(&catalogue::INPUT_BYTES))?)?,
            input_wait_seconds: enter(&registry, Counter::with_opts(named(&catalogue::INPUT_WAIT))?)?,
            chunks_queued: enter(&registry, IntGauge::with_opts(named(&catalogue::CHUNKS_QUEUED))?)?,
            tee_lost_bytes: enter(&registry, IntCounter::with_opts(named(&catalogue::TEE_LOST))?)?,
            state_errors: enter(&registry, IntCounter::with_opts(named(&catalogue::STATE_ERRORS))?)?,
            generations: enter(&registry, IntGauge::with_opts(named(&catalogue::GENERATIONS))?)?,
            datagrams_lost: IntCounter::with_opts(named(&catalogue::DATAGRAMS_LOST))?,
            followed_files: IntGauge::with_opts(named(&catalogue::FOLLOWED_FILES))?,
            follow_lag_bytes: IntGauge::with_opts(named(&catalogue::FOLLOW_LAG))?,
            follow_rotations: IntCounter::with_opts(named(&catalogue::FOLLOW_ROTATIONS))?,
            follow_truncations: IntCounter::with_opts(named(&catalogue::FOLLOW_TRUNCATIONS))?,
            http_requests: enter(&registry, IntCounterVec::new(named(&codes), &[codes.labels])?)?,
            http_refused: enter(&registry, IntCounter::with_opts(named(&catalogue::HTTP_REFUSED))?)?,
            full_device: AtomicU64::new(0),
            registry,
            since: clock::now_nanos(),
        };
        self_metrics.generations.set(1);
        for code in HTTP_CODES {
            self_metrics.http_requests.with_label_values(&[code]);
        }
        Ok(self_metrics)
    }

    /// The status codes of a port with a guard (serve/guard).
    pub fn show_guard(&self) {
        for code in ["401", "429"] {
            self.http_requests.with_label_values(&[code]);
        }
    }

    /// Puts what is known of datagrams on the page.
    pub fn show_datagrams(&self) {
        let _ = enter(&self.registry, self.datagrams_lost.clone());
    }

    /// Puts what is known of followed files on the page.
    pub fn show_followed_files(&self) {
        let SelfMetrics { registry, followed_files, follow_lag_bytes, .. } = self;
        // Their names are the catalogue's; a second time changes nothing.
        let _ = enter(registry, followed_files.clone());
        let _ = enter(registry, follow_lag_bytes.clone());
        let _ = enter(registry, self.follow_rotations.clone());
        let _ = enter(registry, self.follow_truncations.clone());
    }
}

fn named(metric: &Metric) -> Opts {
    Opts::new(metric.name, metric.help)
}

fn enter<C: Collector + Clone + 'static>(registry: &Registry, vital: C) -> Result<C, prometheus::Error> {
    registry.register(Box::new(vital.clone()))?;
    Ok(vital)
}
