//! The desk's alarm: events on their way to the ledgers of their accounts.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::future_to_promise;

use super::glue::settle;
use super::isolate::{Isolate, now};
use super::ledger::{self, Message};
use super::ledger_store::SqlStore;
use super::outbox::wake_at;
use crate::billing::desk::{self, AccountSummary, DeskStore};
use crate::billing::webhook::{self, Webhook};
use crate::billing::{BillingEvent, Provider};
use crate::config::Config;
use crate::quota::StoreError;
use crate::report;
use crate::time::Timestamp;

/// Has each event that is due delivered, several accounts at a time, and the object woken again for
/// the rest.
///
/// # Errors
///
/// The database failed. The runtime calls the alarm again then.
pub(super) async fn deliver(state: &JsValue, env: &JsValue) -> Result<(), StoreError> {
    let isolate = Isolate::of(env);
    let Ok(config) = isolate.config.as_ref().map(Rc::clone) else {
        // What is kept stays; how it is to be read shows once the configuration can be.
        wake_at(state, now().plus_ms(MISCONFIGURED_RETRY_MS));
        return Ok(());
    };
    let store = SqlStore::new(state);
    let due = store.due_accounts(now(), LANES)?.len();
    let lanes = Array::new();
    let (busy, until) = (Rc::default(), now().plus_ms(SHIFT_MS));
    for _ in 0..due {
        let (isolate, config, busy) = (Rc::clone(&isolate), Rc::clone(&config), Rc::clone(&busy));
        let store = SqlStore::new(state);
        lanes.push(&future_to_promise(async move {
            let ended = Lane { isolate, config, store, busy, until }.run().await;
            ended.map(|()| JsValue::UNDEFINED).map_err(|error| error.0.into())
        }));
    }
    settle(Promise::all(&lanes)).await.map_err(StoreError)?;
    wake_when_due(state)
}

/// Has the object woken when the first event is due, if there is one.
///
/// # Errors
///
/// The database failed.
pub(super) fn wake_when_due(state: &JsValue) -> Result<(), StoreError> {
    if let Some(due_at) = SqlStore::new(state).next_due()? {
        wake_at(state, due_at.max(now()));
    }
    Ok(())
}

/// Delivers to one account after another.
struct Lane {
    isolate: Rc<Isolate>,
    config: Rc<Config>,
    store: SqlStore,
    /// Accounts that are told something at the moment.
    busy: Rc<RefCell<Vec<String>>>,
    until: Timestamp,
}

impl Lane {
    async fn run(mut self) -> Result<(), StoreError> {
        while now() < self.until {
            let Some(account) = self.next()? else { break };
            self.busy.borrow_mut().push(account.clone());
            let told = self.tell(&account).await;
            self.busy.borrow_mut().retain(|busy| *busy != account);
            told?;
        }
        Ok(())
    }

    fn next(&self) -> Result<Option<String>, StoreError> {
        let due = self.store.due_accounts(now(), LANES)?;
        let busy = self.busy.borrow();
        Ok(due.into_iter().find(|account| !busy.contains(account)))
    }

    async fn tell(&mut self, account: &str) -> Result<(), StoreError> {
        let (events, rows) = desk::batch(&mut self.store, account, &reader(&self.config))?;
        if rows.is_empty() {
            return Ok(());
        }
        let outcome = apply(&self.isolate, &self.config, account, events).await;
        if let Err(reason) = &outcome {
            worker::console_error!("{}", report::fault_line("billing-event", reason));
        }
        let outcome = outcome.as_ref().map_err(String::as_str);
        desk::settle(&mut self.store, &rows, outcome, now())
    }
}

/// Has an account's ledger take events over. Returns how the account stands then.
///
/// # Errors
///
/// Why there is no answer: they may have been taken over all the same.
pub(super) async fn apply(
    isolate: &Isolate,
    config: &Config,
    account: &str,
    events: Vec<BillingEvent>,
) -> Result<AccountSummary, String> {
    let message = Message::ApplyBilling { account: account.to_owned(), events };
    let reply = ledger::call(isolate, config, account, &message).await?;
    let summary: Option<AccountSummary> = ledger::read(&reply)?;
    summary.ok_or_else(|| "the ledger was told of no event".to_owned())
}

/// Reads again what a provider sent.
pub(super) fn reader(
    config: &Config,
) -> impl Fn(Provider, &str, &str) -> Result<BillingEvent, String> + '_ {
    |provider, id, body| match config.billing(provider) {
        Some(billing) => {
            // Where the body doesn't hold the id, this is where it stood.
            let headers = vec![("webhook-id", id.to_owned())];
            webhook::read(billing, &config.plans, &Webhook { headers, body })
        }
        None => Err(format!("BILLING does not name {}", provider.word())),
    }
}

/// Accounts that are told something at a time: the platform opens no more connections at once.
const LANES: usize = 6;
/// An alarm may run for 15 minutes; what is left is due at once.
const SHIFT_MS: i64 = 60_000;
const MISCONFIGURED_RETRY_MS: i64 = 60_000;
