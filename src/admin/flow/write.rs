//! Writes to an account: a command to its ledger, and what follows from it.

use super::call::Objects;
use super::invocation::Invocation;
use super::message::CallError;
use super::step::{Done, Need, Progress, Reread, Step, pending};
use crate::account::{ApiKey, KeyOwner};
use crate::admin::body;
use crate::admin::change::{Change, Command};
use crate::admin::invalid::InvalidRequest;
use crate::admin::refusal::Refusal;
use crate::admin::reply::Reply;
use crate::admin::view::{NewKeyView, to_json};
use crate::billing::BillingEvent;
use crate::billing::inbox::AccountSummary;
use crate::billing::run::RunError;
use crate::identity::AccountName;
use crate::report;
use crate::time::Timestamp;

pub(super) fn put_account(invocation: Invocation<'_>) -> Progress<'_> {
    let change = body::record(&invocation.body, invocation.config)?;
    change_record(invocation, change)
}

pub(super) fn revoke(invocation: Invocation<'_>, now: Timestamp) -> Progress<'_> {
    let change = body::revocation(&invocation.body, now)?;
    change_record(invocation, change)
}

pub(super) fn add_credits(invocation: Invocation<'_>, now: Timestamp) -> Progress<'_> {
    let change = body::credits(&invocation.body, now)?;
    execute(invocation, change, |reply, _| Ok(Step::done(Done::by_ledger(reply)?)))
}

pub(super) fn revoke_key(invocation: Invocation<'_>) -> Progress<'_> {
    body::nothing(&invocation.body)?;
    let change = Change::RevokeKey(invocation.parameter(2).to_owned());
    execute(invocation, change, |reply, _| Ok(Step::done(Done::by_ledger(reply)?)))
}

/// Has the account's customers read again, and then notes it in the audit trail.
pub(super) fn reread(invocation: Invocation<'_>) -> Progress<'_> {
    body::nothing(&invocation.body)?;
    let input = Reread { config: invocation.config, account: invocation.account()? };
    let rest = move |read: Result<usize, RunError>, _| {
        let change = Change::Reread { customers: read.map_err(Refusal::Provider)? };
        execute(invocation, change, |reply, _| Ok(Step::done(Done::by_ledger(reply)?)))
    };
    Ok(Step::Need(Need::Reread(pending(input, rest))))
}

pub(super) fn add_key(invocation: Invocation<'_>) -> Progress<'_> {
    make_key(invocation, |invocation, id, now| body::key(&invocation.body, id, now))
}

pub(super) fn rotate_key(invocation: Invocation<'_>) -> Progress<'_> {
    make_key(invocation, |invocation, successor, _| {
        body::rotation(&invocation.body, invocation.parameter(2).to_owned(), successor)
    })
}

/// Has the ledgers take over notes before the request ends. The inbox sends them too, which changes
/// nothing then; so the end is the same whether or not they arrive.
pub(super) fn deliver_notes<'a>(
    objects: Objects,
    mut notes: Vec<(AccountName, BillingEvent)>,
    done: Done,
) -> Step<'a> {
    let Some((account, event)) = notes.pop() else { return Step::done(done) };
    let call = objects.apply_billing(account, event);
    call.then_either(move |_, _| Ok(deliver_notes(objects, notes, done)))
}

/// Draws a new key, adds it to the account, and then to the directory that finds it. Should the
/// directory fail, the key is listed and opens nothing.
fn make_key<'a>(
    invocation: Invocation<'a>,
    change: fn(&Invocation<'a>, String, Timestamp) -> Result<Change, InvalidRequest>,
) -> Progress<'a> {
    let account = invocation.account()?;
    let rest = move |[id, secret]: [String; 2], now| {
        // Letters and digits alone, so that a click selects it.
        let id = id.replace(['-', '_'], "x");
        let text = ApiKey::text(&id, &secret, &invocation.config.gate_secrets);
        let text = text.ok_or(Refusal::NoGateSecret)?;
        let change = change(&invocation, id, now)?;
        let objects = invocation.objects();
        execute(invocation, change, move |mut reply, _| match reply.new_key.take() {
            Some(key) => Ok(file_key(objects, account, &key, &text, reply.status)),
            None => Ok(Step::done(Done::by_ledger(reply)?)),
        })
    };
    Ok(Step::Need(Need::Random(pending([ID_BYTES, SECRET_BYTES], rest))))
}

fn file_key<'a>(
    objects: Objects,
    account: AccountName,
    key: &ApiKey,
    text: &str,
    status: u16,
) -> Step<'a> {
    let hash = ApiKey::hash(text);
    let owner = KeyOwner { account, key: key.id.clone(), member: key.member.clone() };
    let done = Done::json(status, to_json(&NewKeyView::with_secret(key, text)));
    objects.file_key(ApiKey::directory(&hash), hash, owner).then_either(|filed, _| match filed {
        Ok(()) => Ok(Step::done(done)),
        Err(CallError(reason)) => Err(Refusal::KeyNotFiled(reason)),
    })
}

/// Changes the record, and then the inbox's list of accounts: also after a replay, since the first
/// request may have been cut off in between. Should the inbox fail, the next change or event
/// mends it.
fn change_record(invocation: Invocation<'_>, change: Change) -> Progress<'_> {
    let objects = invocation.objects();
    execute(invocation, change, move |reply, summary| {
        let done = Done::by_ledger(reply)?;
        let Some(summary) = summary else { return Ok(Step::done(done)) };
        let call = objects.put_summary(summary);
        Ok(call.then_either(move |listed, _| {
            let line = |CallError(reason)| report::fault_line("account-index", &reason);
            Ok(Step::done(Done { log_line: listed.err().map(line), ..done }))
        }))
    })
}

fn execute<'a>(
    invocation: Invocation<'a>,
    change: Change,
    next: impl FnOnce(Reply, Option<AccountSummary>) -> Progress<'a> + 'a,
) -> Progress<'a> {
    let (objects, account) = (invocation.objects(), invocation.account()?);
    let (actor, idempotency_key) = (invocation.actor(), invocation.idempotency_key);
    let command = Command { change, actor, idempotency_key };
    let call = objects.execute(account, command);
    Ok(call.then(move |(reply, summary), _| next(reply, summary)))
}

/// 8 characters.
const ID_BYTES: u32 = 6;
/// 43 characters.
const SECRET_BYTES: u32 = 32;
