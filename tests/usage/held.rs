//! Units that an isolate holds and has not spent are still the account's, although debited.

use tollgate::plan::Cost;
use tollgate::quota::holder::{Ask, Holder};
use tollgate::quota::{GrantOutcome, Lease, LedgerReply};

use crate::{Isolate, NOW, usage, vars};

/// A holder with one lease: a unit of it is spent.
fn holding(units: u64, credits: u64, isolate: &Isolate) -> Holder {
    let costs = [Cost { meter: "api".into(), units: 1 }];
    let mut holder = Holder::new("h", 30_000);
    let ask = holder.ask(&costs, Some("ann"), Some("free"), 1_000, NOW);
    let Ask::Send { request, .. } = ask else { panic!("{ask:?}") };
    let quotas = usage(&isolate.config, [10, 0, 0], "null").quotas;
    let lease = Lease {
        id: request.number,
        units,
        lifetime_ms: 25_000,
        credits,
        is_lenient: false,
        is_of_member: false,
    };
    let granted = GrantOutcome::Granted { leases: vec![lease], quotas: vec![quotas] };
    let reply = LedgerReply { grant: Some(granted), ..LedgerReply::default() };
    holder.answered("h", request.number, &reply, NOW).unwrap();
    holder
}

#[test]
fn credits_are_not_what_is_left_of_a_quota() {
    let isolate = Isolate::new(&vars());
    let costs = [Cost { meter: "api".into(), units: 1 }];
    for (units, credits, held, used) in [(5, 0, 4, 6), (5, 3, 1, 9), (5, 4, 0, 10), (5, 5, 0, 10)] {
        let holder = holding(units, credits, &isolate);
        assert_eq!(holder.available("api", Some("ann"), NOW), 4);
        assert_eq!(holder.held_of_quotas("api", Some("ann"), NOW), held);
        assert_eq!(holder.held_credits(NOW), 4 - held);
        assert_eq!(holder.held_credits(NOW.plus_ms(25_000)), 0, "its time is over");
        assert_eq!(holder.quotas(&costs, Some("ann"), NOW)[0].used, used, "{credits} credits");
    }
}
