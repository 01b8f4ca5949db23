//! The inbox and the registries of readers: their messages and replies, and the events that the
//! inbox keeps.

use tollgate::account::Provider;
use tollgate::allowance::{
    Allowance, Correction, CountKey, Observation, ReaderId, ReadersReply, ReadersRequest,
};
use tollgate::billing::inbox::{
    AccountFilter, AccountPage, AccountSummary, Call, Claim, CustomerKey, CustomerPage,
    CustomerRow, EventDetail, EventFilter, EventKey, EventPage, EventRow, EventState, InboxRequest,
    Incoming, Link, Linked, Retried, Taken,
};
use tollgate::billing::outage::Outages;
use tollgate::billing::{BillingEvent, News};
use tollgate::cause::PaymentFailure;
use tollgate::plan::Period;

use super::accounts::subscription;
use crate::sample::{Sample, account, at, some, texts, variants};

pub(crate) fn samples() -> Vec<Sample> {
    let mut samples = requests();
    samples.extend(replies());
    samples.push(Sample::new("BillingEvent", event()));
    samples.push(Sample::new("EventState words", EventState::ALL.to_vec()));
    samples.extend(variants!(
        News {
            Credits,
            CustomerDeleted,
            Dispute,
            Note,
            Entitlements,
            Paid,
            PaymentFailed,
            Subscription
        },
        news()
    ));
    let observation = Observation { count: count(), had: 1, has: 4 };
    let correction = Correction { count: count(), used: 5 };
    samples.extend([
        Sample::new("ReadersRequest", ReadersRequest { observations: vec![observation; 2] }),
        Sample::new("ReadersReply", ReadersReply { corrections: vec![correction; 2] }),
    ]);
    samples
}

pub(crate) fn event() -> BillingEvent {
    BillingEvent {
        provider: Provider::Stripe,
        id: "evt_1".to_owned(),
        kind: "invoice.paid".to_owned(),
        occurred_at: at(1),
        customer: some("cus_1"),
        subscription: some("sub_1"),
        account: Some(account()),
        unnamed: some("a reference without a signature"),
        ignored: some("of test mode"),
        names_customer: true,
        is_payment: true,
        is_by_address: true,
        news: news(),
    }
}

pub(crate) fn summary() -> AccountSummary {
    AccountSummary {
        account: account(),
        plan: some("pro"),
        status: "past_due".to_owned(),
        cause: some("payment-failed"),
        updated_at: at(2),
        look_at: Some(at(3)),
    }
}

fn news() -> Vec<News> {
    let id = |id: &str| id.to_owned();
    vec![
        News::Credits { id: id("pack_1"), units: 7, payment: some("pi_1") },
        News::CustomerDeleted,
        News::Dispute {
            id: id("dp_1"),
            is_open: true,
            subscription: some("sub_1"),
            payments: texts(&["pi_1", "ch_1"]),
        },
        News::Note {
            actor: id("stripe"),
            action: id("refund"),
            detail: id("{}"),
            is_announced: true,
        },
        News::Entitlements { names: texts(&["sso"]), is_complete: true },
        News::Paid {
            subscription: id("sub_1"),
            until: Some(at(4)),
            payments: texts(&["pi_1", "in_1"]),
        },
        News::PaymentFailed { subscription: some("sub_1"), reason: Some(PaymentFailure::Merchant) },
        News::Subscription { id: id("sub_1"), state: Box::new(subscription()) },
    ]
}

fn requests() -> Vec<Sample> {
    let (cursor, limit, customer) = (some("c-1"), 50, customer_key());
    let (actor, account) = ("ops:ann".to_owned(), account());
    let (status, plan, prefix) = (some("active"), some("pro"), some("acme/"));
    let (state, provider) = (Some(EventState::Waiting), Some(Provider::Paddle));
    variants!(
        InboxRequest {
            Accounts,
            Called,
            Conflicts,
            Customer,
            CustomerToLead,
            CustomersOf,
            Event,
            Events,
            Link,
            LookList,
            Outage,
            PutAccount,
            Retry,
            TakeIn,
        },
        [
            InboxRequest::Accounts {
                filter: AccountFilter { status, plan, prefix },
                cursor: cursor.clone(),
                limit,
            },
            InboxRequest::Called(vec![Call { customer: customer.clone(), is_good: true }]),
            InboxRequest::Conflicts { cursor: cursor.clone(), limit },
            InboxRequest::Customer(customer.clone()),
            InboxRequest::CustomerToLead {
                account: account.clone(),
                customers: vec![customer.clone(), customer.clone()],
            },
            InboxRequest::CustomersOf { account: account.clone() },
            InboxRequest::Event(event_key()),
            InboxRequest::Events { filter: EventFilter { state, provider }, cursor, limit },
            InboxRequest::Link { customer, account, actor: actor.clone(), may_move: true },
            InboxRequest::LookList { limit },
            InboxRequest::Outage,
            InboxRequest::PutAccount(summary()),
            InboxRequest::Retry { event: event_key(), actor },
            InboxRequest::TakeIn(vec![Incoming {
                event: event(),
                body: "{\"id\":\"evt_1\"}".to_owned(),
                unreadable: some("no JSON"),
            }]),
        ]
    )
}

fn replies() -> Vec<Sample> {
    let outages = Outages {
        providers: vec![Provider::Stripe, Provider::Paddle],
        since: Some(at(5)),
        failing_customers: 6,
        succeeding_customers: 7,
        window_s: 900,
    };
    let taken = Taken {
        account: Some(account()),
        is_by_address: true,
        is_repeated: true,
        is_waiting: true,
        is_conflict: true,
    };
    let linked = Linked {
        released: 3,
        before: Some(account()),
        is_refused: true,
        notes: vec![(account(), event())],
    };
    let next_cursor = some("c-2");
    let accounts = AccountPage { items: vec![summary()], next_cursor: next_cursor.clone() };
    let customers = CustomerPage { items: vec![customer()], next_cursor: next_cursor.clone() };
    let detail = EventDetail { row: event_row(), body: some("{\"id\":\"evt_1\"}") };
    let retried = Retried { row: event_row(), notes: vec![(account(), event())] };
    vec![
        Sample::new("AccountPage", accounts),
        Sample::new("CustomerPage", customers),
        Sample::new("Customer, as a reply", Some(customer())),
        Sample::new("Customer to lead to", Some(customer_key())),
        Sample::new("Customers", vec![customer_key(), customer_key()]),
        Sample::new("EventDetail, as a reply", Some(detail)),
        Sample::new("EventPage", EventPage { items: vec![event_row()], next_cursor }),
        Sample::new("Linked", linked),
        Sample::new("Outages", outages),
        Sample::new("Retried, as a reply", Some(retried)),
        Sample::new("Taken, each", vec![taken]),
    ]
}

fn event_row() -> EventRow {
    EventRow {
        number: 70_000,
        provider: Provider::Standard,
        id: "evt_1".to_owned(),
        kind: "invoice.paid".to_owned(),
        occurred_at: at(6),
        received_at: at(7),
        customer: some("cus_1"),
        subscription: some("sub_1"),
        account: Some(account()),
        state: EventState::Failed,
        reason: some("the ledger is out of reach"),
        attempts: 12,
        due_at: at(8),
    }
}

fn customer() -> CustomerRow {
    let link =
        Link { account: account(), at: at(9), actor: "ops:ann".to_owned(), is_decided: true };
    let claims = vec![Claim { account: account(), at: at(10) }];
    CustomerRow { key: customer_key(), link: Some(link), claims }
}

fn customer_key() -> CustomerKey {
    CustomerKey { provider: Provider::LemonSqueezy, id: "77".to_owned() }
}

fn event_key() -> EventKey {
    EventKey { provider: Provider::Paddle, id: "evt_2".to_owned() }
}

fn count() -> CountKey {
    CountKey {
        reader: ReaderId::from_bytes([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 255]),
        allowance: Allowance::new(5, Period::Month).unwrap(),
        starts_at: at(11),
    }
}
