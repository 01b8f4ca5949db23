//! Credits: the first pack to expire is used first.

use crate::quota::CreditPack;
use crate::quota::store::{LedgerStore, PackUnits};
use crate::store::{MAX_UNITS, StoreError};
use crate::time::Timestamp;

/// An account's credits during one call.
#[derive(Debug)]
pub(super) struct Credits {
    /// Those that can be used, the first to expire first.
    usable: Vec<CreditPack>,
    /// Whether the account ever had any: then running out is about credits.
    pub(super) were_ever: bool,
}

impl Credits {
    /// Reads them.
    pub(super) fn read(store: &impl LedgerStore, now: Timestamp) -> Result<Self, StoreError> {
        let all = store.credits()?;
        let were_ever = !all.is_empty();
        let usable = all.into_iter().filter(|pack| pack.left > 0 && !is_expired(pack, now));
        Ok(Self { usable: usable.collect(), were_ever })
    }

    /// Units that are left.
    pub(super) fn left(&self) -> u64 {
        self.usable.iter().fold(0, |sum: u64, pack| sum.saturating_add(pack.left)).min(MAX_UNITS)
    }

    /// Takes units, of the packs that expire first, and returns them by pack. Takes all there are
    /// where that is less.
    pub(super) fn take(
        &mut self,
        store: &mut impl LedgerStore,
        units: u64,
    ) -> Result<Vec<PackUnits>, StoreError> {
        let mut missing = units;
        let mut taken = Vec::new();
        for pack in self.usable.iter_mut().filter(|pack| pack.left > 0) {
            let part = missing.min(pack.left);
            if part == 0 {
                break;
            }
            missing = missing.saturating_sub(part);
            pack.left = pack.left.saturating_sub(part);
            store.put_credits(pack)?;
            taken.push(PackUnits { pack: pack.id.clone(), units: part });
        }
        Ok(taken)
    }

    /// The expiry of the first of the packs that `taken` names.
    pub(super) fn expires_at(&self, taken: &[PackUnits]) -> Option<Timestamp> {
        let is_taken = |pack: &&CreditPack| taken.iter().any(|other| other.pack == pack.id);
        self.usable.iter().filter(is_taken).filter_map(|pack| pack.expires_at).min()
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
) -> Result<(), StoreError> {
    if units == 0 {
        return Ok(());
    }
    let mut packs = store.credits()?;
    let (mut skip, mut missing) = (before, units);
    for part in taken.iter().rev() {
        let gone = part.units.min(skip);
        skip = skip.saturating_sub(gone);
        let back = part.units.saturating_sub(gone).min(missing);
        missing = missing.saturating_sub(back);
        let pack = packs.iter_mut().find(|pack| pack.id == part.pack);
        if let Some(pack) = pack.filter(|_| back > 0) {
            pack.left = pack.left.saturating_add(back).min(pack.units);
            store.put_credits(pack)?;
        }
    }
    Ok(())
}
