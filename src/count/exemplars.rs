//! The newest request id per bucket of the durations: OpenMetrics' exemplars, kept only where `--exemplar` asks.

/// OpenMetrics 1.0, section Exemplars: the names and values of an exemplar's labels are at most 128 characters.
const ID_BYTES_MAX: usize = 128 - LABEL.len();

/// The name that tracing back ends look for.
pub const LABEL: &str = "trace_id";

/// A request that stands for a bucket.
#[derive(Clone, Debug, Default)]
pub struct Exemplar {
    pub id: String,
    /// In billionths: of a second where it stands for a duration, of a request where for a count.
    pub value: u64,
    /// When it was counted, in nanoseconds since the epoch.
    pub time: u64,
}

/// Slots by row of the histograms and bucket.
#[derive(Clone, Debug)]
pub struct Exemplars {
    buckets: usize,
    slots: Vec<Option<Box<Exemplar>>>,
}

impl Exemplars {
    pub fn new(buckets: usize) -> Exemplars {
        Exemplars { buckets, slots: Vec::new() }
    }

    /// Puts a request into its bucket's slot. An id that is too long or not printable ASCII is no id.
    pub fn enter(&mut self, row: usize, bucket: usize, id: &[u8], value: u64, time: u64) {
        let printable = id.iter().all(u8::is_ascii_graphic);
        let Some(id) = std::str::from_utf8(id).ok().filter(|id| printable && !id.is_empty()) else { return };
        if id.len() > ID_BYTES_MAX {
            return;
        }
        let end = (row + 1) * self.buckets;
        if self.slots.len() < end {
            self.slots.resize(end, None);
        }
        let slot = self.slots[row * self.buckets + bucket].get_or_insert_default();
        slot.id.clear();
        slot.id.push_str(id);
        (slot.value, slot.time) = (value, time);
    }

    /// The slots of one row, one per bucket; empty while it has none.
    pub fn of(&self, row: usize) -> &[Option<Box<Exemplar>>] {
        self.slots.get(row * self.buckets..(row + 1) * self.buckets).unwrap_or_default()
    }
}
