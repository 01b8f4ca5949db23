//! The inbox's notes for the audit trails of accounts. A note is written in the same transaction as
//! the change that it is about, and goes to the account's ledger like any event.

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::customer::{CustomerKey, CustomerRow, Link};
use super::message::{EventKey, EventRow};
use super::store::{Content, InboxStore};
use crate::account::Provider;
use crate::billing::{BillingEvent, News};
use crate::identity::AccountName;
use crate::store::StoreError;
use crate::text::hex;
use crate::time::Timestamp;
use crate::wire;

/// An entry for one account's audit trail.
pub(super) struct Note {
    account: AccountName,
    provider: Provider,
    /// The provider's id of the subject.
    subject: String,
    actor: String,
    action: &'static str,
    detail: String,
    is_announced: bool,
}

/// The type of the event that brings a note to its account.
pub(super) const NOTE: &str = "tollgate.note";

/// Sends notes on their way. Returns the account and the event of each.
pub(super) fn send(
    store: &mut impl InboxStore,
    notes: Vec<Note>,
    now: Timestamp,
) -> Result<Vec<(AccountName, BillingEvent)>, StoreError> {
    notes.into_iter().map(|note| send_one(store, note, now)).collect()
}

/// The note that a customer was given to `account`, for every account that this touches.
pub(super) fn linked(row: &CustomerRow, account: &AccountName, actor: &str) -> Vec<Note> {
    let before = row.link.as_ref().map(|link| &link.account);
    let CustomerKey { provider, id } = &row.key;
    let detail = LinkDetail { provider: provider.word(), customer: id, account, before };
    let claims = row.claims.iter().map(|claim| &claim.account);
    let touched = each_once(std::iter::once(account).chain(before).chain(claims));
    let note = |touched| note_of(&row.key, touched, actor, "link-customer", json(&detail), false);
    touched.into_iter().map(note).collect()
}

/// The note that an event was tried again, for its account.
pub(super) fn retried(key: &EventKey, account: &AccountName, actor: &str) -> Note {
    let EventKey { provider, id } = key;
    let detail = json(&RetryDetail { provider: provider.word(), event: id });
    let subject = CustomerKey { provider: *provider, id: id.clone() };
    note_of(&subject, account, actor, "retry-event", detail, false)
}

/// The note that another account was named for a customer: for all of them the first time, then for
/// one.
pub(super) fn conflict(
    before: &CustomerRow,
    after: &CustomerRow,
    event: &BillingEvent,
) -> Vec<Note> {
    let of = |row: &CustomerRow| {
        let link = row.link.as_ref().map(|Link { account, .. }| account.clone());
        let claims = row.claims.iter().map(|claim| claim.account.clone());
        each_once(link.into_iter().chain(claims))
    };
    let accounts = of(after);
    let CustomerKey { provider, id } = &after.key;
    let detail = ConflictDetail { provider: provider.word(), customer: id, accounts: &accounts };
    let known = if before.is_in_conflict() { of(before) } else { Vec::new() };
    let new: Vec<_> = accounts.iter().filter(|account| !known.contains(account)).collect();
    let actor = event.provider.word();
    let note = |(index, account): (usize, &&AccountName)| {
        note_of(&after.key, account, actor, CONFLICT, json(&detail), index == 0)
    };
    new.iter().enumerate().map(note).collect()
}

/// The word in audit trails for a customer with several named accounts.
const CONFLICT: &str = "customer-conflict";

#[derive(Serialize)]
struct LinkDetail<'a> {
    provider: &'a str,
    customer: &'a str,
    account: &'a AccountName,
    before: Option<&'a AccountName>,
}

#[derive(Serialize)]
struct RetryDetail<'a> {
    provider: &'a str,
    event: &'a str,
}

#[derive(Serialize)]
struct ConflictDetail<'a> {
    provider: &'a str,
    customer: &'a str,
    accounts: &'a [AccountName],
}

fn note_of(
    subject: &CustomerKey,
    account: &AccountName,
    actor: &str,
    action: &'static str,
    detail: String,
    is_announced: bool,
) -> Note {
    let CustomerKey { provider, id } = subject.clone();
    let (account, actor) = (account.clone(), actor.to_owned());
    Note { account, provider, subject: id, actor, action, detail, is_announced }
}

fn json(detail: &impl Serialize) -> String {
    serde_json::to_string(detail).unwrap_or_default()
}

fn each_once<T: PartialEq>(all: impl Iterator<Item = T>) -> Vec<T> {
    let mut once = Vec::new();
    for one in all {
        if !once.contains(&one) {
            once.push(one);
        }
    }
    once
}

fn send_one(
    store: &mut impl InboxStore,
    note: Note,
    now: Timestamp,
) -> Result<(AccountName, BillingEvent), StoreError> {
    let Note { account, provider, subject, actor, action, detail, is_announced } = note;
    // Two notes of one instant differ in their details.
    let hash = hex::encode(&Sha256::digest(&detail));
    let hash = hash.get(..8).unwrap_or_default();
    let id = format!("{NOTE}:{action}:{subject}:{account}:{}:{hash}", now.as_millis());
    let action = action.to_owned();
    let event = BillingEvent {
        account: Some(account.clone()),
        news: vec![News::Note { actor, action, detail, is_announced }],
        ..BillingEvent::new(provider, id, NOTE.to_owned(), now)
    };
    let row = EventRow { account: Some(account.clone()), ..EventRow::new(&event, now) };
    store.add_event(&row, &Content { event: wire::encode(&event), body: String::new() })?;
    Ok((account, event))
}
