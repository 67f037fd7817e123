//! Spans of native buckets, as the protobuf form and OpenMetrics 2.0 both write them.
//!
//! Source: Prometheus' "Native histograms" specification, section Buckets. A span is a number of buckets that follow
//! one another; its offset is counted from the end of the span before it, and the first one's from bucket 0.

use crate::count::native::NativeCounts;

/// So many empty buckets take less room in a span than another span does.
const EMPTY_MAX: i32 = 2;

pub struct Span {
    pub offset: i32,
    pub length: i32,
}

/// The spans of the buckets that count something, and the counts of their buckets.
pub fn spans(native: &NativeCounts) -> (Vec<Span>, Vec<u64>) {
    let (mut spans, mut counts): (Vec<Span>, Vec<u64>) = (Vec::new(), Vec::new());
    let mut next = 0;
    for (bucket, count) in native.filled() {
        let gap = bucket - next;
        match spans.last_mut() {
            Some(span) if gap <= EMPTY_MAX => {
                (0..gap).for_each(|_| counts.push(0));
                span.length += gap + 1;
            }
            _ => spans.push(Span { offset: gap, length: 1 }),
        }
        counts.push(count);
        next = bucket + 1;
    }
    (spans, counts)
}
