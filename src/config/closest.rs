//! Finds the name that was meant where a field's name is misspelt.

/// The known name that `name` most likely was meant to be: at most two letters away.
pub fn closest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|candidate| (edit_distance(name, candidate), *candidate))
        .filter(|(distance, _)| *distance <= 2)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Levenshtein distance by bytes.
fn edit_distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, a) in left.bytes().enumerate() {
        let mut diagonal = index;
        let mut previous = index.saturating_add(1);
        let mut next = vec![previous];
        for (b, above) in right.bytes().zip(row.iter().skip(1)) {
            let replaced = diagonal.saturating_add(usize::from(a != b));
            let inserted = previous.min(*above).saturating_add(1);
            diagonal = *above;
            previous = replaced.min(inserted);
            next.push(previous);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_the_field_that_was_meant() {
        assert_eq!(closest("require", &["match", "requires"]), Some("requires"));
        assert_eq!(closest("colour", &["color", "name"]), Some("color"));
        assert_eq!(closest("banana", &["color", "name"]), None);
    }
}
