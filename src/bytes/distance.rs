//! Levenshtein distance: what a person may have meant by a name that is nearly right.

/// How many letters are to be changed, put in or left out.
pub fn distance(a: &str, b: &str) -> usize {
    // One row of the matrix at a time.
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.bytes().enumerate() {
            let changed = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}
