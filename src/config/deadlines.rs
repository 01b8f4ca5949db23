//! Reads `DEADLINES`.

use super::fields::{ConfigReader, Fields};

/// The longest time that the gate waits for others, in milliseconds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Deadlines {
    /// For the ledger's reply.
    pub ledger_ms: u32,
    /// For an issuer's key set.
    pub jwks_ms: u32,
    /// For the origin's response headers; bodies may take as long as they like.
    pub origin_ms: u32,
    /// For a payment provider's answer.
    pub billing_ms: u32,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self { ledger_ms: 1_000, jwks_ms: 3_000, origin_ms: 30_000, billing_ms: 10_000 }
    }
}

impl Deadlines {
    pub(super) fn read(reader: &ConfigReader) -> Self {
        let mut deadlines = Self::default();
        if let Some(mut fields) = reader.table("DEADLINES", "{ ledger_ms = 1000 }") {
            let fallback = deadlines;
            let mut one = |name, default| deadline(&mut fields, name).unwrap_or(default);
            deadlines.ledger_ms = one("ledger_ms", fallback.ledger_ms);
            deadlines.jwks_ms = one("jwks_ms", fallback.jwks_ms);
            deadlines.origin_ms = one("origin_ms", fallback.origin_ms);
            deadlines.billing_ms = one("billing_ms", fallback.billing_ms);
            fields.finish();
        }
        deadlines
    }
}

fn deadline(fields: &mut Fields<'_>, name: &'static str) -> Option<u32> {
    let found = fields.whole(name, 1..=120_000, "1000")?;
    u32::try_from(found).ok()
}
