//! Edit distance (Damerau-Levenshtein, optimal string alignment): what a person may have meant by a name that is nearly
//! right.

/// How many letters are to be changed, put in, left out, or change places with the next.
pub fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    // Three rows of the matrix at a time: that before the last, the last, and the one that is worked out.
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let changed = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = changed.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(before[j - 2] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

/// Whether one letter is another, too many, missing, or has changed places with the next.
pub fn is_one_off(a: &str, b: &str) -> bool {
    a.len().abs_diff(b.len()) <= 1 && distance(a, b) == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_one_letter_off() {
        for (typed, meant, off) in [
            ("combined", "combined", 0),
            ("combned", "combined", 1),
            ("combinned", "combined", 1),
            ("conbined", "combined", 1),
            ("comibned", "combined", 1),
            ("ocmbined", "combined", 1),
            ("combiend", "combined", 1),
            ("cmbind", "combined", 2),
            ("", "tee", 3),
            ("tee", "", 3),
        ] {
            assert_eq!(distance(typed, meant), off, "{typed} {meant}");
            assert_eq!(is_one_off(typed, meant), off == 1, "{typed} {meant}");
        }
    }
}
