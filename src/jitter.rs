//! Pauses of different lengths, so that not everybody comes back at once.

/// A number below `limit` that is always the same for the same `text` and `seed`, and spread evenly
/// over different ones; 0 where the limit is 0. FNV-1a, which is neither random nor secret.
pub(crate) fn jitter(text: &str, seed: u64, limit: u64) -> u64 {
    let hash = text
        .bytes()
        .fold(seed, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    hash.checked_rem(limit).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::jitter;

    #[test]
    fn texts_and_seeds_are_spread_below_the_limit() {
        for seed in 0..4 {
            let mut all: Vec<_> =
                (0..50).map(|number| jitter(&format!("o-{number}"), seed, 1_000)).collect();
            all.sort_unstable();
            all.dedup();
            assert!(all.len() > 40 && all.iter().all(|one| *one < 1_000), "{all:?}");
        }
        assert_ne!(jitter("a", 0, 1_000), jitter("a", 1, 1_000));
        assert_eq!(jitter("a", 1, 0), 0);
    }
}
