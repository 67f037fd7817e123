//! The Gregorian calendar: days since 1970 from dates and back. Everything is UTC.
//!
//! Both ways count in years that begin in March: then the leap day is the last of its year, and the months have the
//! lengths of a line through the pairs of 31 and 30 days. The calendar repeats every 400 years, which are 146,097 days;
//! 719,468 days lie between 1 March 0000 and 1 January 1970.

/// The names of the months in every log.
pub const MONTHS: [&[u8; 3]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

/// A moment by the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date {
    pub year: u64,
    pub month: u64,
    pub day: u64,
    pub hour: u64,
    pub minute: u64,
    pub second: u64,
}

impl Date {
    /// The date of a number of seconds since 1970.
    pub fn of(seconds: u64) -> Date {
        let days = seconds / 86_400 + 719_468;
        let (cycle, day) = (days / 146_097, days % 146_097);
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let from_march = (5 * day + 2) / 153;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        Date {
            year: cycle * 400 + year + u64::from(month <= 2),
            month,
            day: day - (153 * from_march + 2) / 5 + 1,
            hour: seconds / 3600 % 24,
            minute: seconds / 60 % 60,
            second: seconds % 60,
        }
    }
}

/// The days from 1 January 1970 to a date; `None` for a month or a day that no calendar has.
pub fn days_since_1970(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let (cycle, year) = (year.div_euclid(400), year.rem_euclid(400));
    let day = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(cycle * 146_097 + year * 365 + year / 4 - year / 100 + day - 719_468)
}

/// The number, from 1, of a month by its name in any case.
pub fn month(name: [u8; 3]) -> Option<i64> {
    (1..).zip(MONTHS).find_map(|(number, known)| known.eq_ignore_ascii_case(&name).then_some(number))
}

/// `2026-11-22 10:38:00 UTC`.
impl std::fmt::Display for Date {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Date { year, month, day, hour, minute, second } = self;
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn days_fall_where_the_calendar_has_them() {
        for (seconds, date) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_399, "2000-02-28 23:59:59 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (1_795_343_880, "2026-11-22 10:38:00 UTC"),
            (4_107_542_400, "2100-03-01 00:00:00 UTC"),
        ] {
            assert_eq!(Date::of(seconds).to_string(), date);
        }
    }

    proptest! {
        #[test]
        fn a_date_leads_back_to_its_seconds(seconds in 0u64..253_402_300_800) {
            let date = Date::of(seconds);
            let [year, month, day] = [date.year, date.month, date.day].map(u64::cast_signed);
            let days = days_since_1970(year, month, day).unwrap().cast_unsigned();
            prop_assert_eq!(days * 86_400 + date.hour * 3600 + date.minute * 60 + date.second, seconds);
        }

        #[test]
        fn months_have_28_to_31_days(year in 0i64..9999, month in 1i64..=12) {
            let next = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
            let length = days_since_1970(next.0, next.1, 1).unwrap() - days_since_1970(year, month, 1).unwrap();
            prop_assert!((28..=31).contains(&length));
        }
    }
}
