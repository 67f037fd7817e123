//! Fixed-point numbers: exact billionths, from decimal text and back.
//!
//! Counts and times are added up over processes and over years. Added as floating point, the same figures give sums
//! that differ in the last digit with the order of addition, and a counter that falls by a digit is a reset to
//! Prometheus. So everything that is summed is an integer of billionths (nanoseconds, where it is a time): exact up to
//! 1.7e29, and printed with as many digits as it has.

use std::fmt::{self, Write};
use std::ops::AddAssign;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct FixedPoint(i128);

const NANOS_PER_UNIT: u64 = 1_000_000_000;
const PER_UNIT: i128 = NANOS_PER_UNIT as i128;
/// Digits behind the point that an amount can hold.
const DECIMALS: usize = 9;

impl FixedPoint {
    pub const ZERO: FixedPoint = FixedPoint(0);

    pub fn whole(count: u64) -> FixedPoint {
        FixedPoint(i128::from(count) * PER_UNIT)
    }

    pub fn nanos(nanos: u128) -> FixedPoint {
        FixedPoint(i128::try_from(nanos).unwrap_or(i128::MAX))
    }

    /// The nearest amount to a floating-point number; what is not a number is 0.
    #[allow(clippy::cast_possible_truncation, reason = "a float-to-integer cast saturates")]
    pub fn from_f64(value: f64) -> FixedPoint {
        // Apart, for the product of a large count would be rounded: 8,589,934,593 bytes are no fraction less.
        FixedPoint(
            (value.trunc() as i128)
                .saturating_mul(PER_UNIT)
                .saturating_add((value.fract() * 1e9).round() as i128),
        )
    }

    /// The amount that a floating-point number is, if the way there and back gives the same number.
    pub fn exactly(value: f64) -> Option<FixedPoint> {
        Some(FixedPoint::from_f64(value)).filter(|amount| amount.to_f64().total_cmp(&value).is_eq())
    }

    /// The nearest floating-point number, which is the one that a reader of the text has.
    #[allow(clippy::cast_precision_loss, reason = "the page's readers work in floating point too")]
    pub fn to_f64(self) -> f64 {
        // Up to here a number has all its digits in floating point, and what is rounded is the quotient alone.
        const EXACT_MAX: u128 = 1 << f64::MANTISSA_DIGITS;
        let quotient = self.0 as f64 / 1e9;
        if self.0.unsigned_abs() <= EXACT_MAX {
            return quotient;
        }
        if self.0 % PER_UNIT == 0 {
            return (self.0 / PER_UNIT) as f64;
        }
        self.to_string().parse().unwrap_or(quotient)
    }

    pub fn as_nanos(self) -> i128 {
        self.0
    }

    /// The number of whole units, if it is one and not negative.
    pub fn to_count(self) -> Option<u64> {
        (self.0 % PER_UNIT == 0).then(|| u64::try_from(self.0 / PER_UNIT).ok()).flatten()
    }

    /// Writes it behind a text. Most samples are counts: their digits are written without the care that a sign and any
    /// width would take.
    pub fn push_to(self, out: &mut String) {
        match u64::try_from(self.0) {
            Ok(nanos) if nanos % NANOS_PER_UNIT == 0 => push_count(out, nanos / NANOS_PER_UNIT),
            _ => {
                let _ = write!(out, "{self}");
            }
        }
    }

    /// Reads `12`, `0.25` or `-3.5`: all that `Display` writes, and no exponents.
    pub fn parse(text: &str) -> Option<FixedPoint> {
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || fraction.len() > DECIMALS || digits.ends_with('.') {
            return None;
        }
        if !all_digits(whole) || !all_digits(fraction) {
            return None;
        }
        let scale = 10i128.pow(u32::try_from(DECIMALS - fraction.len()).ok()?);
        let fraction = if fraction.is_empty() { 0 } else { fraction.parse::<i128>().ok()? * scale };
        // Signed from the first step on: the lowest number has no positive counterpart.
        let sign = if negative { -1 } else { 1 };
        let whole = whole.parse::<i128>().ok()?.checked_mul(sign * PER_UNIT)?;
        whole.checked_add(sign * fraction).map(FixedPoint)
    }
}

/// Writes a count behind a text.
pub fn push_count(out: &mut String, mut count: u64) {
    // The largest has twenty digits.
    let mut digits = [b'0'; 20];
    let mut first = digits.len();
    while count > 0 || first == digits.len() {
        first -= 1;
        digits[first] += u8::try_from(count % 10).unwrap_or(0);
        count /= 10;
    }
    out.push_str(str::from_utf8(&digits[first..]).unwrap_or_default());
}

impl AddAssign for FixedPoint {
    fn add_assign(&mut self, other: FixedPoint) {
        self.0 = self.0.saturating_add(other.0);
    }
}

impl fmt::Display for FixedPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.0 / PER_UNIT, (self.0 % PER_UNIT).unsigned_abs());
        if fraction == 0 {
            return write!(f, "{whole}");
        }
        let sign = if self.0 < 0 { "-" } else { "" };
        let digits = format!("{fraction:09}");
        write!(f, "{sign}{}.{}", whole.unsigned_abs(), digits.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn decimal_text_is_read_exactly() {
        for (text, nanos) in [("0", 0), ("12", 12_000_000_000), ("0.000000001", 1), ("-0.5", -500_000_000)] {
            assert_eq!(FixedPoint::parse(text).unwrap().as_nanos(), nanos);
            assert_eq!(FixedPoint::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "-",
            ".5",
            "1.",
            "1e3",
            "NaN",
            "+Inf",
            "0.1234567890",
            "1 ",
            "1234567890123456789012345678901",
        ] {
            assert_eq!(FixedPoint::parse(text), None, "{text}");
        }
    }

    #[test]
    fn floating_point_is_taken_as_near_as_it_is() {
        for (value, text) in
            [(8_589_934_593.0, "8589934593"), (0.25, "0.25"), (-1.5, "-1.5"), (f64::NAN, "0")]
        {
            assert_eq!(FixedPoint::from_f64(value).to_string(), text);
        }
        assert_eq!(FixedPoint::from_f64(f64::INFINITY), FixedPoint(i128::MAX));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(bits: i128, shift in 0u32..128) {
            for nanos in [bits >> shift, i128::MIN, i128::MAX] {
                let amount = FixedPoint(nanos);
                prop_assert_eq!(FixedPoint::parse(&amount.to_string()), Some(amount));
            }
        }

        #[test]
        fn in_floating_point_it_is_what_a_reader_of_the_text_has(bits: i128, shift in 0u32..128) {
            let whole = bits >> shift;
            for nanos in [whole, whole / PER_UNIT * PER_UNIT] {
                let amount = FixedPoint(nanos);
                let read: f64 = amount.to_string().parse().unwrap();
                prop_assert_eq!(amount.to_f64().to_bits(), read.to_bits(), "{}", amount);
            }
        }

        #[test]
        fn what_is_written_behind_a_text_is_what_is_printed(nanos in -1000i128..1 << 70, count in 0u32..64, bits: u64) {
            let whole = FixedPoint(nanos / PER_UNIT * PER_UNIT);
            for amount in [FixedPoint(nanos), whole, FixedPoint::whole(bits >> count)] {
                let mut text = "x ".to_owned();
                amount.push_to(&mut text);
                prop_assert_eq!(text, format!("x {amount}"));
            }
        }
    }
}
