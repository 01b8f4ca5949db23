//! Accounts: their record, their keys, and operators' commands to them.

use tollgate::account::billed::{Customer, Dispute, Failure, LastReport, Payment};
use tollgate::account::{
    AccountRecord, ApiKey, KeyOwner, Provider, ProviderSubscription, Status, Subscription,
};
use tollgate::admin::{Change, Command, IdempotencyKey, Reply};
use tollgate::cause::PaymentFailure;
use tollgate::message::KeyDirectoryMessage;
use tollgate::quota::CreditPack;

use crate::sample::{Sample, account, at, some, texts, variants};

pub(crate) fn samples() -> Vec<Sample> {
    let mut samples = vec![
        Sample::new("AccountRecord", record()),
        Sample::new("KeyOwner, as a reply", Some(owner())),
        Sample::new("Reply of an operator's command", (reply(), Some(super::inbox::summary()))),
        Sample::new("PaymentFailure words", PaymentFailure::ALL.to_vec()),
        Sample::new("Provider words", Provider::ALL.to_vec()),
        Sample::new("Status words", Status::ALL.to_vec()),
    ];
    let filed = KeyDirectoryMessage::File { hash: "5f2c".to_owned(), owner: owner() };
    let find = KeyDirectoryMessage::Find("5f2d".to_owned());
    samples.extend(variants!(KeyDirectoryMessage { File, Find }, [filed, find]));
    let changes = [
        Change::Credits(Box::new(pack())),
        Change::Key(Box::new(key())),
        Change::Record(Box::new(record())),
        Change::Reread { customers: 3 },
        Change::RevokeBefore(at(-7)),
        Change::RevokeKey("key_1".to_owned()),
        Change::RevokeToken("jti_1".to_owned()),
        Change::RotateKey {
            id: "key_2".to_owned(),
            successor: "key_3".to_owned(),
            overlap_s: 3_600,
        },
    ];
    samples.extend(variants!(
        Change { Credits, Key, Record, Reread, RevokeBefore, RevokeKey, RevokeToken, RotateKey },
        changes
    ));
    samples
}

pub(crate) fn record() -> AccountRecord {
    AccountRecord {
        own: subscription(),
        entitlements: texts(&["export", ""]),
        suspended: true,
        limits: [("api/month".to_owned(), 900), ("gpu/day/member".to_owned(), 0)].into(),
        tokens_revoked_before: Some(at(1)),
        revoked_tokens: texts(&["jti_1", "jti_2"]),
        billed: vec![ProviderSubscription {
            provider: Provider::Stripe,
            id: "sub_1".to_owned(),
            customer: some("cus_1"),
            by_address: true,
            subscription: subscription(),
            last_report: Some(LastReport {
                at: at(2),
                status: Status::Unpaid,
                current_period_ends_at: Some(at(3)),
                ends_at: Some(at(4)),
                is_in_doubt: true,
            }),
            paid_at: Some(at(5)),
            paid_until: Some(at(6)),
            failures: vec![
                Failure { at: at(7), reason: Some(PaymentFailure::InsufficientFunds) },
                Failure { at: at(8), reason: None },
            ],
            payments: vec![payment("pi_1")],
        }],
        customers: vec![Customer {
            provider: Provider::Paddle,
            id: "ctm_1".to_owned(),
            deleted_at: Some(at(10)),
            entitlements: texts(&["sso"]),
            entitlements_at: Some(at(11)),
            partial_entitlements: texts(&["audit", "beta"]),
            partial_at: Some(at(12)),
            decline: Some(Failure { at: at(13), reason: Some(PaymentFailure::TryLater) }),
        }],
        purchases: vec![payment("pi_2"), payment("pi_3")],
        disputes: vec![Dispute {
            provider: Provider::LemonSqueezy,
            id: "dp_1".to_owned(),
            at: at(14),
            is_open: true,
            subscription: some("sub_2"),
            payments: texts(&["pi_4", "ch_4"]),
        }],
        keys: vec![key()],
    }
}

pub(crate) fn subscription() -> Subscription {
    Subscription {
        plan: some("pro"),
        add_ons: texts(&["seats", "gpu"]),
        status: Status::PastDue,
        cycle_anchor: Some(at(-1)),
        current_period_ends_at: Some(at(20)),
        trial_ends_at: Some(at(21)),
        ends_at: Some(at(22)),
        payment_failed_at: Some(at(23)),
        payment_failure: Some(PaymentFailure::CardExpired),
    }
}

pub(crate) fn command() -> Command {
    Command {
        change: Change::Reread { customers: 2 },
        actor: "ops:ann".to_owned(),
        idempotency_key: Some(IdempotencyKey {
            key: "once".to_owned(),
            fingerprint: "9f86d0".to_owned(),
        }),
    }
}

pub(crate) fn pack() -> CreditPack {
    CreditPack {
        id: "pack_1".to_owned(),
        units: 9_007_199_254_740_991,
        left: 128,
        added_at: at(30),
        expires_at: Some(at(31)),
    }
}

fn reply() -> Reply {
    Reply {
        status: 201,
        body: "{\"id\":\"key_1\"}".to_owned(),
        is_replay: true,
        new_key: Some(Box::new(key())),
    }
}

fn key() -> ApiKey {
    ApiKey {
        id: "key_1".to_owned(),
        name: some("naïve ✓"),
        member: some("bob"),
        scopes: texts(&["read", "write"]),
        created_at: Some(at(40)),
        expires_at: Some(at(41)),
        revoked_at: Some(at(42)),
        replaces: some("key_0"),
    }
}

fn owner() -> KeyOwner {
    KeyOwner { account: account(), key: "key_1".to_owned(), member: some("bob") }
}

fn payment(id: &str) -> Payment {
    Payment { at: at(9), provider: Provider::Standard, id: id.to_owned() }
}
