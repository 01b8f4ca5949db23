//! The ledger: its messages and replies, and the values that it keeps.

use tollgate::billing::sessions::{SessionReply, SessionRequest};
use tollgate::cause::QuotaState;
use tollgate::message::LedgerMessage;
use tollgate::plan::{Enforcement, Period, QuotaName, Scope};
use tollgate::quota::lease::{
    GrantOutcome, Lease, LeaseReport, LedgerReply, LedgerRequest, Merge, RefusalReason, Usage, Want,
};
use tollgate::quota::live::{LiveCounter, LiveRow};
use tollgate::quota::store::{AuditEntry, Counter, HolderRow, LeaseRow, PackUnits, WindowKey};
use tollgate::quota::{DegradedUnits, MeterUnits};

use super::accounts::{command, pack, record};
use super::inbox::{event, summary};
use crate::sample::{Sample, account, at, some, variants};

pub(crate) fn samples() -> Vec<Sample> {
    let mut samples = messages();
    samples.extend(replies());
    samples.extend([
        Sample::new("LiveRow", live_row()),
        Sample::new("HolderRow", holder_row("h-5")),
        Sample::new("Enforcement words", Enforcement::ALL.to_vec()),
        Sample::new("Period words", Period::ALL.to_vec()),
    ]);
    samples
}

fn messages() -> Vec<Sample> {
    let wish = || "wish_1".to_owned();
    let mut samples = variants!(
        LedgerMessage { ApplyBilling, Ask, Audit, Execute, Credits, Read, Session, Usage },
        [
            LedgerMessage::ApplyBilling { account: account(), events: vec![event(), event()] },
            LedgerMessage::Ask(request()),
            LedgerMessage::Audit { before: Some(70), limit: 50 },
            LedgerMessage::Execute(Box::new(command())),
            LedgerMessage::Credits,
            LedgerMessage::Read,
            LedgerMessage::Session(SessionRequest::Begin { wish: wish() }),
            LedgerMessage::Usage { plan: some("pro"), member: some("bob") },
        ]
    );
    samples.extend(variants!(
        SessionRequest { Begin, Made },
        [
            SessionRequest::Begin { wish: wish() },
            SessionRequest::Made { wish: wish(), url: "https://pay.example/1".to_owned() },
        ]
    ));
    samples
}

fn replies() -> Vec<Sample> {
    let entry = AuditEntry {
        at: at(1),
        actor: "ops:ann".to_owned(),
        action: "put-account".to_owned(),
        detail: "{\"plan\":\"pro\"}".to_owned(),
    };
    let usage = Usage { account: Some(record()), quotas: vec![quota()], credits: vec![pack()] };
    let outcomes = [granted(), refused(), GrantOutcome::UnknownPlan, GrantOutcome::NoPlan];
    let reply = |grant| LedgerReply { account: Some(record()), grant, horizon_ms: 2_500 };
    let mut samples = vec![
        Sample::new("LedgerReply", reply(Some(granted()))),
        Sample::new("LedgerReply without a grant", reply(None)),
        Sample::new("Summary, as a reply", Some(summary())),
        Sample::new("Audit trail", vec![(70_u64, entry.clone()), (69_u64, entry)]),
        Sample::new("Credits", vec![pack(), pack()]),
        Sample::new("Record, as a reply", Some(record())),
        Sample::new("Usage", usage),
    ];
    samples.extend(variants!(
        GrantOutcome { Granted, Refused, UnknownPlan, NoPlan, Void },
        outcomes.into_iter().chain([GrantOutcome::Void])
    ));
    samples.extend(variants!(
        RefusalReason { QuotaExhausted, CreditsExhausted, CostExceedsQuota },
        [
            RefusalReason::QuotaExhausted,
            RefusalReason::CreditsExhausted,
            RefusalReason::CostExceedsQuota,
        ]
    ));
    samples.extend(variants!(
        SessionReply { Known, Make, TooMany },
        [
            SessionReply::Known("https://pay.example/1".to_owned()),
            SessionReply::Make,
            SessionReply::TooMany(17),
        ]
    ));
    samples
}

fn request() -> LedgerRequest {
    LedgerRequest {
        holder: "h-1".to_owned(),
        number: 300,
        plan: some("pro"),
        wants: vec![
            Want { meter: "api".to_owned(), member: some("bob"), needed: 1, ahead: 200 },
            Want { meter: "gpu".to_owned(), member: None, needed: 0, ahead: 3 },
        ],
        leases: vec![
            LeaseReport { id: 7, spent: 10, returned: 20 },
            LeaseReport { id: 8, spent: 0, returned: 0 },
        ],
        degraded: vec![DegradedUnits { meter: "api".to_owned(), units: 5, reported: 4 }],
        merge: Some(Box::new(Merge {
            name: "reader 3 month".to_owned(),
            meter: "pages".to_owned(),
            member: some("bob"),
            units: 3,
            ends_at: at(2),
        })),
    }
}

fn granted() -> GrantOutcome {
    GrantOutcome::Granted {
        leases: vec![Lease {
            id: 9,
            units: 100,
            lifetime_ms: 25_000,
            credits: 40,
            is_lenient: true,
            is_of_member: true,
        }],
        quotas: vec![vec![quota()], vec![], vec![quota(), quota()]],
    }
}

fn refused() -> GrantOutcome {
    GrantOutcome::Refused {
        reason: RefusalReason::CreditsExhausted,
        meter: "api".to_owned(),
        quota: quota(),
        quotas: vec![quota(), quota()],
    }
}

fn quota() -> QuotaState {
    let (meter, period, scope) = ("v1/api".to_owned(), Period::Day, Scope::Member);
    QuotaState {
        name: QuotaName { meter, period, scope },
        limit: 1_000,
        used: 999,
        resets_at: at(3),
        window_s: 86_400,
        enforcement: Enforcement::Soft,
    }
}

fn live_row() -> LiveRow {
    let counter = Counter { used: 130, carried: 2, degraded: 3, announced_percent: 80 };
    LiveRow {
        counters: vec![
            LiveCounter {
                meter: "api".to_owned(),
                period: Period::Month,
                starts_at: at(4),
                counter,
            },
            LiveCounter {
                meter: "gpu".to_owned(),
                period: Period::Minute,
                starts_at: at(-4),
                counter: Counter { used: 1, carried: 0, degraded: 0, announced_percent: 0 },
            },
        ],
        holders: vec![holder_row("h-1"), holder_row("h-2")],
        other_holders: 6,
    }
}

fn holder_row(name: &str) -> HolderRow {
    HolderRow {
        name: name.to_owned(),
        heard: 301,
        leases: vec![LeaseRow {
            id: 9,
            meter: "api".to_owned(),
            member: some("bob"),
            units: 100,
            credits: vec![PackUnits { pack: "pack_1".to_owned(), units: 40 }],
            windows: vec![
                WindowKey { of_member: true, period: Period::Cycle, starts_at: at(5) },
                WindowKey { of_member: false, period: Period::Hour, starts_at: at(6) },
            ],
            spent: 11,
            returned: 22,
            has_arrived: true,
        }],
        degraded: vec![MeterUnits { meter: "api".to_owned(), units: 5 }],
        seen_at: at(7),
        forget_at: at(8),
    }
}
