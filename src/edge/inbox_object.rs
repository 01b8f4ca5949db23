//! The inbox's alarm: events on their way to the ledgers of their accounts.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::future_to_promise;

use super::glue;
use super::glue::resolved;
use super::isolate::{Isolate, now};
use super::ledger::{self, Message};
use super::ledger_store::SqlStore;
use super::outbox::wake_at;
use crate::account::Provider;
use crate::billing::BillingEvent;
use crate::billing::inbox::{self, AccountSummary, InboxStore};
use crate::billing::webhook::{self, Webhook};
use crate::config::Config;
use crate::identity::AccountName;
use crate::report;
use crate::store::StoreError;

/// Has each event that is due delivered, several accounts at a time, and the object woken again for
/// the rest.
///
/// # Errors
///
/// The database failed. The runtime calls the alarm again then.
pub(super) async fn deliver(state: &JsValue, env: &JsValue) -> Result<(), StoreError> {
    let isolate = Isolate::of(env);
    let Ok(config) = isolate.config.as_ref().map(Rc::clone) else {
        // Events stay; they can be read once the configuration can be.
        wake_at(state, now().plus_ms(MISCONFIGURED_RETRY_MS));
        return Ok(());
    };
    let store = SqlStore::new(state);
    let running: Running = Rc::default();
    let until = now().plus_ms(SHIFT_MS);
    while now() < until {
        for account in store.due_accounts(now(), ACCOUNTS_LOOKED_AT)? {
            let is_told = running.borrow().iter().any(|(other, _)| *other == account);
            if is_told || running.borrow().len() >= AT_A_TIME {
                continue;
            }
            let (isolate, config) = (Rc::clone(&isolate), Rc::clone(&config));
            let telling = Telling { isolate, config, store: SqlStore::new(state) };
            let promise = start(telling, account.clone(), Rc::clone(&running));
            running.borrow_mut().push((account, promise));
        }
        let promises = promises(&running);
        if promises.length() == 0 {
            break;
        }
        // More may come in while one ledger takes its time.
        promises.push(&glue::pause(LOOK_AGAIN_MS));
        resolved(Promise::race(&promises)).await.map_err(StoreError)?;
    }
    resolved(Promise::all(&promises(&running))).await.map_err(StoreError)?;
    if let Some(due_at) = store.next_due()? {
        wake_at(state, due_at.max(now()));
    }
    Ok(())
}

/// Accounts that are told something at the moment, and when that is done.
type Running = Rc<RefCell<Vec<(AccountName, Promise)>>>;

fn start(telling: Telling, account: AccountName, running: Running) -> Promise {
    future_to_promise(async move {
        let told = telling.tell(&account).await;
        running.borrow_mut().retain(|(other, _)| *other != account);
        told.map(|()| JsValue::UNDEFINED).map_err(|error| error.0.into())
    })
}

fn promises(running: &Running) -> Array {
    running.borrow().iter().map(|(_, promise)| promise).collect()
}

/// The means to send events to an account's ledger.
struct Telling {
    isolate: Rc<Isolate>,
    config: Rc<Config>,
    store: SqlStore,
}

impl Telling {
    async fn tell(mut self, account: &AccountName) -> Result<(), StoreError> {
        let (events, rows) = inbox::batch(&mut self.store, account, &reader(&self.config))?;
        if rows.is_empty() {
            return Ok(());
        }
        let outcome = apply(&self.isolate, &self.config, account, events).await;
        if let Err(reason) = &outcome {
            worker::console_error!("{}", report::fault_line("billing-event", reason));
        }
        let outcome = outcome.as_ref().map_err(String::as_str);
        inbox::record_delivery(&mut self.store, &rows, outcome, now())
    }
}

/// Has an account's ledger take events over. Returns how the account stands then.
///
/// # Errors
///
/// The reason for the lack of an answer: the events may have been taken over all the same.
pub(super) async fn apply(
    isolate: &Isolate,
    config: &Config,
    account: &AccountName,
    events: Vec<BillingEvent>,
) -> Result<AccountSummary, String> {
    let message = Message::ApplyBilling { account: account.clone(), events };
    let reply = ledger::call(isolate, config, &account.into(), &message).await?;
    let summary: Option<AccountSummary> = ledger::read(&reply)?;
    summary.ok_or_else(|| "the ledger was told of no event".to_owned())
}

/// Reads again what a provider sent.
pub(super) fn reader(
    config: &Config,
) -> impl Fn(Provider, &str, &str) -> Result<BillingEvent, String> + '_ {
    |provider, id, body| match config.billing(provider) {
        Some(billing) => {
            // The place of the id at providers whose bodies don't hold it.
            let headers = vec![("webhook-id", id.to_owned())];
            Ok(webhook::read(billing, &config.plans, &Webhook { headers, body })?)
        }
        None => Err(format!("BILLING does not name {}", provider.word())),
    }
}

/// Accounts that are told something at a time: the platform opens no more connections at once.
const AT_A_TIME: usize = 6;
/// Of which some may be told something already.
const ACCOUNTS_LOOKED_AT: usize = 12;
const LOOK_AGAIN_MS: u32 = 50;
/// An alarm may run for 15 minutes; what is left is due at once.
const SHIFT_MS: i64 = 60_000;
const MISCONFIGURED_RETRY_MS: i64 = 60_000;
