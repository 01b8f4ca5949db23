//! Credits: the first pack to expire is used first.

use super::error::{LedgerError, add, subtract, sum};
use crate::quota::CreditPack;
use crate::quota::store::{LedgerStore, PackUnits};
use crate::time::Timestamp;

/// An account's credits, read from the store at the first use: most calls need none.
#[derive(Debug, Default)]
pub(super) struct LazyCredits(Option<Credits>);

impl LazyCredits {
    /// The credits.
    pub(super) fn read(
        &mut self,
        store: &impl LedgerStore,
        now: Timestamp,
    ) -> Result<&mut Credits, LedgerError> {
        let credits = match self.0.take() {
            Some(credits) => credits,
            None => Credits::read(store, now)?,
        };
        Ok(self.0.insert(credits))
    }
}

/// An account's credits during one call.
#[derive(Debug)]
pub(super) struct Credits {
    /// The packs that can be used, the first to expire first.
    usable: Vec<CreditPack>,
    /// Whether the account ever had any: then running out is about credits.
    pub(super) were_ever: bool,
    /// Units that the account had when the call began.
    pub(super) at_first: u64,
    /// Units of them that no want of the call has reserved.
    pub(super) free: u64,
}

impl Credits {
    fn read(store: &impl LedgerStore, now: Timestamp) -> Result<Self, LedgerError> {
        let all = store.credits()?;
        let were_ever = !all.is_empty();
        let usable = all.into_iter().filter(|pack| pack.left > 0 && !is_expired(pack, now));
        let usable: Vec<_> = usable.collect();
        let at_first = sum(usable.iter().map(|pack| pack.left))?;
        Ok(Self { usable, were_ever, at_first, free: at_first })
    }

    /// Reserves units for a want.
    pub(super) fn reserve(&mut self, units: u64) -> Result<(), LedgerError> {
        self.free = subtract(self.free, units)?;
        Ok(())
    }

    /// Debits units that were reserved, of the packs that expire first, and returns them by pack.
    pub(super) fn debit(
        &mut self,
        store: &mut impl LedgerStore,
        units: u64,
    ) -> Result<Vec<PackUnits>, LedgerError> {
        let mut missing = units;
        let mut debited = Vec::new();
        for pack in &mut self.usable {
            let part = missing.min(pack.left);
            if part == 0 {
                continue;
            }
            missing = subtract(missing, part)?;
            pack.left = subtract(pack.left, part)?;
            store.put_credits(pack)?;
            debited.push(PackUnits { pack: pack.id.clone(), units: part });
        }
        if missing > 0 { Err(LedgerError::TooFewUnits) } else { Ok(debited) }
    }

    /// The expiry of the first of the packs that `debited` names.
    pub(super) fn expires_at(&self, debited: &[PackUnits]) -> Option<Timestamp> {
        let is_debited = |pack: &&CreditPack| debited.iter().any(|other| other.pack == pack.id);
        self.usable.iter().filter(is_debited).filter_map(|pack| pack.expires_at).min()
    }
}

/// Whether a pack can't be used any more.
pub(super) fn is_expired(pack: &CreditPack, now: Timestamp) -> bool {
    pack.expires_at.is_some_and(|at| at <= now)
}

/// Puts units of a lease back where they were taken, the pack that was taken last first. `before`
/// of them went back earlier.
pub(super) fn put_back(
    store: &mut impl LedgerStore,
    taken: &[PackUnits],
    before: u64,
    units: u64,
) -> Result<(), LedgerError> {
    if units == 0 {
        return Ok(());
    }
    let mut packs = store.credits()?;
    let (mut skip, mut missing) = (before, units);
    for part in taken.iter().rev() {
        let gone = part.units.min(skip);
        skip = subtract(skip, gone)?;
        let back = subtract(part.units, gone)?.min(missing);
        missing = subtract(missing, back)?;
        if back == 0 {
            continue;
        }
        let pack = packs.iter_mut().find(|pack| pack.id == part.pack);
        let pack = pack.ok_or(LedgerError::UnknownPack)?;
        pack.left = add(pack.left, back)?;
        if pack.left > pack.units {
            return Err(LedgerError::TooManyUnits);
        }
        store.put_credits(pack)?;
    }
    Ok(())
}
