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
    let (mut spans, mut counts) = (Vec::new(), Vec::new());
    for_each(native, |span| spans.push(span), |count| counts.push(count));
    (spans, counts)
}

/// The same, each as soon as it is known.
pub fn for_each(native: &NativeCounts, mut on_span: impl FnMut(Span), mut on_count: impl FnMut(u64)) {
    let (mut last, mut next) = (None::<Span>, 0);
    for (bucket, count) in native.filled() {
        let gap = bucket - next;
        match &mut last {
            Some(span) if gap <= EMPTY_MAX => {
                (0..gap).for_each(|_| on_count(0));
                span.length += gap + 1;
            }
            _ => last.replace(Span { offset: gap, length: 1 }).into_iter().for_each(&mut on_span),
        }
        on_count(count);
        next = bucket + 1;
    }
    last.into_iter().for_each(on_span);
}
