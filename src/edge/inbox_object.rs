//! The Durable Object of the class `Inbox`: it keeps the events of payment providers, and its alarm
//! sends them on their way to the ledgers of their accounts.
//!
//! `wrangler.toml` binds the class as `INBOX`, with `new_sqlite_classes`.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;

use super::glue::{self, resolved};
use super::inbox_tables::SqlInboxStore;
use super::isolate::{Isolate, now};
use super::object::{Context, Fault, Handled, Job, Object, Wake, wake_at};
use super::object_call;
use super::schema::{self, Migrations};
use crate::account::Provider;
use crate::billing::BillingEvent;
use crate::billing::inbox::{self, AccountSummary, InboxRequest, InboxStore};
use crate::billing::webhook::{self, Webhook};
use crate::config::Config;
use crate::identity::AccountName;
use crate::message::LedgerMessage;
use crate::report;
use crate::store::StoreError;

/// The object.
#[wasm_bindgen]
pub struct Inbox(Object);

#[wasm_bindgen]
impl Inbox {
    /// Called by the runtime for each object, and again after a panic.
    #[wasm_bindgen(constructor)]
    pub fn new(state: JsValue, env: JsValue) -> Self {
        Self(Object::new(state, env, InboxJob::default()))
    }

    /// Answers one message: see [`Object::answer`].
    pub fn answer(&self, message: Vec<u8>) -> JsValue {
        self.0.answer(message)
    }

    /// Delivers the events that are due.
    pub fn alarm(&self) -> Promise {
        self.0.alarm(deliver)
    }
}

/// The object's memory between messages: when to tidy up, and facts that are costly to find again.
#[derive(Default)]
struct InboxJob {
    inbox: inbox::Inbox,
}

impl Job for InboxJob {
    type Message = InboxRequest;

    const MIGRATIONS: Migrations = schema::INBOX;

    fn handle(&mut self, context: &Context<'_>, message: InboxRequest) -> Result<Handled, Fault> {
        let mut store = SqlInboxStore::new(context.state);
        let read = reader(context.config);
        let reply = self.inbox.handle(&mut store, message, &read, now())?;
        let wake = if store.has_queued {
            Some(Wake::AtOnce)
        } else if context.is_first {
            // After a restart the alarm may be lost, so the first row that is due is looked for.
            store.next_due()?.map(Wake::At)
        } else {
            None
        };
        Ok(Handled { reply, wake })
    }
}

/// Has each event that is due delivered, several accounts at a time, and the object woken again for
/// the rest.
///
/// # Errors
///
/// The database failed. The runtime calls the alarm again then.
async fn deliver(state: JsValue, env: JsValue) -> Result<(), StoreError> {
    let isolate = Isolate::of(&env);
    let Ok(config) = isolate.config.as_ref().map(Rc::clone) else {
        // Events stay; they can be read once the configuration can be.
        wake_at(&state, now().plus_ms(MISCONFIGURED_RETRY_MS));
        return Ok(());
    };
    let store = SqlInboxStore::new(&state);
    let running: Running = Rc::default();
    let until = now().plus_ms(SHIFT_MS);
    while now() < until {
        for account in store.due_accounts(now(), ACCOUNTS_LOOKED_AT)? {
            let is_told = running.borrow().iter().any(|(other, _)| *other == account);
            if is_told || running.borrow().len() >= AT_A_TIME {
                continue;
            }
            let (isolate, config) = (Rc::clone(&isolate), Rc::clone(&config));
            let telling = Telling { isolate, config, store: SqlInboxStore::new(&state) };
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
        wake_at(&state, due_at.max(now()));
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
    store: SqlInboxStore,
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
    let message = LedgerMessage::ApplyBilling { account: account.clone(), events };
    let reply = object_call::call(isolate, config, &account.into(), &message).await?;
    let summary: Option<AccountSummary> = object_call::read(&reply)?;
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
