//! Work after the decision: units that come back, answers to messages off the request's path, and
//! leases that nobody asks for any more.

use super::Memory;
use super::step::Errand;
use crate::allowance::Grant;
use crate::config::{Config, Route, Uncounted};
use crate::identity::AccountName;
use crate::quota::holder::WatchAction;
use crate::quota::{Charge, LedgerReply};
use crate::time::Timestamp;
use crate::wire::wire;

/// The header in which an origin states the real cost of a request: `Tollgate-Cost: 37`, or on a
/// route with several meters `Tollgate-Cost: api=1, tokens=37` (a dictionary of RFC 9651 §3.2).
pub const COST_HEADER: &str = "tollgate-cost";

/// The origin's answer to a passed request.
#[derive(Clone, Copy, Debug, Default)]
pub struct OriginAnswer<'a> {
    /// The status; 0 where it gave none, unreachable or too late.
    pub status: u16,
    /// The value of [`COST_HEADER`], empty where it is absent.
    pub cost: &'a str,
    /// The value of `CF-Cache-Status`, empty where it is absent.
    pub cache_status: &'a str,
    /// For how long the caller had been sending its body by then; 0 where all of it had come, or
    /// there was none. [`Self::BROKEN_OFF`] where no more of it will come.
    pub unsent_ms: u32,
}

impl OriginAnswer<'_> {
    /// In the place of `unsent_ms`: the caller has broken its body off.
    pub const BROKEN_OFF: u32 = u32::MAX;

    /// Whether the origin was not reached, gave no answer, or reports a failure.
    pub const fn has_failed(&self) -> bool {
        self.status == 0 || self.status >= 500
    }

    /// Whether the origin failed because the caller kept it waiting. Such an origin may hold the
    /// work for done; one that fails at once fails on its own.
    pub const fn is_callers_doing(&self) -> bool {
        self.has_failed() && self.unsent_ms > PATIENCE_MS
    }
}

/// Longest time of a body that is blamed for nothing.
const PATIENCE_MS: u32 = 1_000;

/// The part of a passed request that its origin's answer settles. The edge keeps it in bytes until
/// then: an instance of the module that panics takes all values with it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Unsettled {
    /// Units that were charged.
    Charge {
        /// The place of the route in the configuration.
        route: usize,
        /// The account.
        account: AccountName,
        /// The units.
        charge: Charge,
    },
    /// A free page that was counted.
    Page {
        /// The value of `Set-Cookie` for its reader.
        cookie: String,
        /// The count.
        grant: Grant,
    },
}

wire! {
    enum Unsettled {
        1: Charge { 1: route, 2: account, 3: charge },
        2: Page { 1: cookie, 2: grant },
    }
}

/// The part of a charge that comes back, and a mistake in the origin's statement of the cost.
#[derive(Debug, Default, Eq, PartialEq)]
pub struct Settlement {
    /// Units to give back.
    pub returned: Charge,
    /// For the operator's log.
    pub fault: Option<String>,
}

/// The part of a charge that comes back once the origin has answered.
pub fn settle(route: &Route, charge: &Charge, answer: &OriginAnswer<'_>) -> Settlement {
    let all = || Settlement { returned: charge.clone(), fault: None };
    let Some(metering) = &route.metering else { return Settlement::default() };
    if answer.has_failed() {
        let is_refunded = route.refund && !answer.is_callers_doing();
        return if is_refunded { all() } else { Settlement::default() };
    }
    let is_uncounted = |kind: &Uncounted| match kind {
        Uncounted::CacheHit => answer.cache_status.eq_ignore_ascii_case("hit"),
        Uncounted::Head => false,
        Uncounted::NotModified => answer.status == 304,
    };
    if metering.uncounted.iter().any(is_uncounted) {
        return all();
    }
    if !metering.is_settled || answer.cost.is_empty() {
        return Settlement::default();
    }
    let mut settlement = Settlement::default();
    for cost in &metering.costs {
        let is_only = metering.costs.len() == 1;
        let Some(real) = real_cost(answer.cost, &cost.meter, is_only) else {
            settlement.fault = Some(format!(
                "{COST_HEADER}: expected a whole number for the meter {:?}, found {:?}",
                cost.meter, answer.cost
            ));
            continue;
        };
        if real > cost.units {
            settlement.fault = Some(format!(
                "{COST_HEADER}: {real} units of {:?}, but the route reserves {} at most: only \
                 those are charged",
                cost.meter, cost.units
            ));
        }
        settlement.returned = settlement.returned.plus(charge.beyond(&cost.meter, real));
    }
    settlement
}

/// Puts units back into the isolate's lease. Returns the errands that follow.
pub fn give_back(
    account: &AccountName,
    charge: &Charge,
    memory: &mut Memory,
    now: Timestamp,
) -> Vec<Errand> {
    let Some(view) = memory.known_account_mut(account) else { return Vec::new() };
    watches(account, view.holder.give_back(charge, now))
}

/// Takes over a ledger's reply to [`Errand::Tell`], `None` where none came; `message` is the holder
/// and the number of the message. Returns the errands that follow from it.
pub fn ledger_replied(
    account: &AccountName,
    message: (&str, u64),
    reply: Option<&LedgerReply>,
    memory: &mut Memory,
    now: Timestamp,
) -> Vec<Errand> {
    let Some(view) = memory.known_account_mut(account) else { return Vec::new() };
    let (holder, number) = message;
    let Some(reply) = reply else {
        view.holder.failed(holder, number, now);
        return Vec::new();
    };
    let Some(answered) = view.holder.answered(holder, number, reply, now) else {
        return Vec::new();
    };
    view.keep(reply.account.clone(), reply.horizon_ms, now);
    watches(account, answered.to_watch)
}

/// Looks after the lease of [`Errand::Watch`].
pub fn watch(
    account: &AccountName,
    lease: u64,
    config: &Config,
    memory: &mut Memory,
    now: Timestamp,
) -> WatchAction {
    match memory.known_account_mut(account) {
        Some(view) => view.holder.watch(lease, config.deadlines.ledger_ms, now),
        None => WatchAction::Done,
    }
}

fn watches(account: &AccountName, leases: Vec<u64>) -> Vec<Errand> {
    let errand = |lease| Errand::Watch { account: account.clone(), lease };
    leases.into_iter().map(errand).collect()
}

/// The units that `header` names for a meter; a single number will do where it is the only one.
fn real_cost(header: &str, meter: &str, is_only: bool) -> Option<u64> {
    let number = |text: &str| {
        let digits = text.split(';').next().unwrap_or_default().trim();
        let is_plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_plain.then(|| digits.parse().ok()).flatten()
    };
    let by_name = header.split(',').find_map(|member| {
        let (name, value) = member.split_once('=')?;
        (name.trim() == meter).then(|| number(value))
    });
    by_name.unwrap_or_else(|| if is_only { number(header) } else { None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_origin_says_it_cost() {
        for (header, only, expected) in [
            ("37", true, Some(37)),
            (" 0 ", true, Some(0)),
            ("tokens=37", true, Some(37)),
            ("api=1, tokens=37;x=1", false, Some(37)),
            ("37", false, None),
            ("api=1", false, None),
            ("-1", true, None),
            ("1.5", true, None),
            ("+1", true, None),
            ("99999999999999999999", true, None),
            ("tokens=many", true, None),
        ] {
            assert_eq!(real_cost(header, "tokens", only), expected, "{header}");
        }
    }
}
