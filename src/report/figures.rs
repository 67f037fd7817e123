//! Numbers as people read them: counts by thousands, bytes, durations and shares with three digits.

/// `1,234,567`
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 line`, `2 lines`
pub fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// A share in percent: `12.3 %`, and never 0 for what is there.
pub fn share(part: u64, of: u64) -> String {
    let percent = if of == 0 { 0.0 } else { part as f64 * 100.0 / of as f64 };
    match percent {
        _ if part > 0 && percent < 0.01 => "<0.01 %".to_owned(),
        ..1.0 if part > 0 => format!("{percent:.2} %"),
        _ => format!("{percent:.1} %"),
    }
}

/// Three digits of a number below 1000 or so.
fn three(number: f64) -> String {
    match number {
        ..9.995 => format!("{number:.2}"),
        ..99.95 => format!("{number:.1}"),
        _ => format!("{number:.0}"),
    }
}

/// `1.21 GiB`
pub fn bytes(bytes: f64) -> String {
    let mut value = bytes;
    for unit in ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] {
        if value < 999.5 || unit == "PiB" {
            return if unit == "B" { format!("{value:.0} B") } else { format!("{} {unit}", three(value)) };
        }
        value /= 1024.0;
    }
    String::new()
}

/// `12.3 ms`
pub fn seconds(seconds: f64) -> String {
    match seconds {
        0.0 => "0 s".to_owned(),
        ..0.000_999_5 => format!("{} us", three(seconds * 1e6)),
        ..0.999_5 => format!("{} ms", three(seconds * 1e3)),
        ..999.5 => format!("{} s", three(seconds)),
        _ => long(seconds),
    }
}

/// `2.5 hours`
pub fn long(seconds: f64) -> String {
    for (unit, length) in [("days", 86_400.0), ("hours", 3600.0), ("minutes", 60.0)] {
        if seconds >= 2.0 * length {
            let text = format!("{:.1}", seconds / length);
            return format!("{} {unit}", text.trim_end_matches(".0"));
        }
    }
    let text = format!("{seconds:.1}");
    let text = text.trim_end_matches(".0");
    if text == "1" { "1 second".to_owned() } else { format!("{text} seconds") }
}

/// `0.83/s`
pub fn rate(requests: f64, seconds: f64) -> String {
    let per_second = requests / seconds.max(1.0);
    match per_second {
        ..0.1 => format!("{}/min", three(per_second * 60.0)),
        ..999.5 => format!("{}/s", three(per_second)),
        _ => format!("{}/s", count(format!("{per_second:.0}").parse().unwrap_or(u64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_three_digits_and_a_unit() {
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([1, 2000].map(|number| counted(number, "line", "lines")), ["1 line", "2,000 lines"]);
        assert_eq!(
            [(0, 9), (9, 9), (1, 3), (1, 200), (1, 1_000_000), (0, 0)].map(|(part, of)| share(part, of)),
            ["0.0 %", "100.0 %", "33.3 %", "0.50 %", "<0.01 %", "0.0 %"]
        );
        assert_eq!(
            [0.0, 999.0, 1000.0, 1_048_576.0, 1.3e15].map(bytes),
            ["0 B", "999 B", "0.98 KiB", "1.00 MiB", "1.15 PiB"]
        );
        assert_eq!(
            [0.0, 0.000_012, 0.0123, 0.9996, 12.0, 7200.0].map(seconds),
            ["0 s", "12.0 us", "12.3 ms", "1.00 s", "12.0 s", "2 hours"]
        );
        assert_eq!(
            [1.0, 0.5, 90.0, 150.0, 200_000.0].map(long),
            ["1 second", "0.5 seconds", "90 seconds", "2.5 minutes", "2.3 days"]
        );
        assert_eq!(
            [(5.0, 10.0), (1.0, 600.0), (5e6, 100.0)].map(|(n, s)| rate(n, s)),
            ["0.50/s", "0.10/min", "50,000/s"]
        );
    }
}
