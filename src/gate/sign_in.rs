//! Free pages that a caller read before it signed in, by the cookie that it still sends: they count
//! for the account, once, and the cookie is taken away.

use super::captured::Visitor;
use super::case::Case;
use super::memory::{AccountView, Caller};
use crate::allowance::{Allowance, COOKIE_NAME, Reader, ReaderCount, cleared_cookie};
use crate::config::{Config, Route};
use crate::quota::Merge;

/// Free pages that are still to be counted for the account.
#[derive(Debug)]
pub(super) struct AnonymousUsage {
    reader: Reader,
    counts: Vec<(Allowance, Merge)>,
}

impl AnonymousUsage {
    /// Looks for the cookie. A count without a meter stays in it.
    pub(super) fn find(case: Case<'_>, caller: &Caller) -> Option<Box<Self>> {
        let key = case.config.allowance_key.as_ref()?;
        let value = Visitor::of(case.config, case.facts).cookie(COOKIE_NAME)?;
        let reader = Reader::read(value, key, case.facts.host(), case.now)?;
        let mut counts = Vec::new();
        for count in reader.counts(case.now) {
            push_merges(&mut counts, case.config, &count, caller.member());
        }
        (!counts.is_empty()).then(|| Box::new(Self { reader, counts }))
    }

    /// The place of the next count for the ledger. One at a time: there is hardly ever more than
    /// one.
    pub(super) fn next(&self, view: &AccountView) -> Option<usize> {
        self.counts.iter().position(|(_, merge)| !view.has_merged(merge))
    }

    /// The count in this place.
    pub(super) fn count(&self, place: usize) -> Option<&Merge> {
        self.counts.get(place).map(|(_, merge)| merge)
    }

    /// The rest of the cookie once everything is counted; `None` before that.
    pub(super) fn cookie_after_merge(&self, case: Case<'_>, view: &AccountView) -> Option<String> {
        if self.next(view).is_some() {
            return None;
        }
        let mut reader = self.reader.clone();
        for (allowance, _) in &self.counts {
            reader.forget(*allowance);
        }
        if reader.counts(case.now).is_empty() {
            return Some(cleared_cookie());
        }
        let key = case.config.allowance_key.as_ref()?;
        Some(reader.set_cookie(key, case.facts.host(), case.now))
    }
}

/// Adds a reader's count to the meters of the first route that gives it away and counts callers.
/// The cost is unknown on routes where the origin sets the price of a page.
fn push_merges(
    merges: &mut Vec<(Allowance, Merge)>,
    config: &Config,
    read: &ReaderCount,
    member: &str,
) {
    let ReaderCount { count, used } = *read;
    let is_it = |route: &&Route| {
        let is_counted = route.metering.as_ref().is_some_and(|metering| !metering.is_settled);
        is_counted && route.free == Some(count.allowance)
    };
    let Some(route) = config.routes.iter().find(is_it) else { return };
    for cost in route.metering.iter().flat_map(|metering| &metering.costs) {
        let merge = Merge {
            name: format!("{count} {}", cost.meter),
            meter: cost.meter.clone(),
            member: Some(member.to_owned()),
            units: cost.units.saturating_mul(used.into()),
            ends_at: count.allowance.window(count.starts_at).ends_at,
        };
        merges.push((count.allowance, merge));
    }
}
