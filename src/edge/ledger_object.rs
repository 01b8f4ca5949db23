//! The Durable Objects of the class `Ledger`: each keeps an account.
//!
//! `wrangler.toml` binds the class as `LEDGER`, with `new_sqlite_classes`.

use js_sys::Promise;
use wasm_bindgen::prelude::*;

use super::isolate::now;
use super::ledger_store::SqlLedgerStore;
use super::object::{Context, Fault, Handled, Job, Object, Wake};
use super::outbox;
use super::schema::{self, Migrations};
use crate::admin::OperatorStore;
use crate::billing::inbox::AccountSummary;
use crate::billing::sessions::Sessions;
use crate::message::LedgerMessage;
use crate::plan::Terms;
use crate::quota::{self, LedgerStore};
use crate::store::StoreError;
use crate::{billing, wire};

/// The object.
#[wasm_bindgen]
pub struct Ledger(Object);

#[wasm_bindgen]
impl Ledger {
    /// Called by the runtime for each object, and again after a panic.
    #[wasm_bindgen(constructor)]
    pub fn new(state: JsValue, env: JsValue) -> Self {
        Self(Object::new(state, env, LedgerJob::default()))
    }

    /// Answers one message: see [`Object::answer`].
    pub fn answer(&self, message: Vec<u8>) -> JsValue {
        self.0.answer(message)
    }

    /// Sends the account's announcements that are due to the operator.
    pub fn alarm(&self) -> Promise {
        self.0.alarm(outbox::deliver)
    }
}

/// The object's memory between messages: when to tidy up, and links that were just made.
#[derive(Default)]
struct LedgerJob {
    ledger: quota::Ledger,
    sessions: Sessions,
}

impl Job for LedgerJob {
    type Message = LedgerMessage;

    const MIGRATIONS: Migrations = schema::LEDGER;

    fn handle(&mut self, context: &Context<'_>, message: LedgerMessage) -> Result<Handled, Fault> {
        let mut store = SqlLedgerStore::new(context.state);
        let reply = self.reply(&mut store, context.config.terms(), message)?;
        // After a restart the alarm may be lost, so the first row that is due is looked for once.
        let may_be_due = store.has_queued || (context.config.notify.is_some() && context.is_first);
        let due_at = if may_be_due { store.first_due()? } else { None };
        Ok(Handled { reply, wake: due_at.map(Wake::At) })
    }
}

impl LedgerJob {
    fn reply(
        &mut self,
        store: &mut SqlLedgerStore,
        terms: Terms<'_>,
        message: LedgerMessage,
    ) -> Result<Vec<u8>, Fault> {
        Ok(match message {
            LedgerMessage::ApplyBilling { account, events } => {
                let mut summary = None;
                for event in &events {
                    let applied = billing::apply_to_ledger(store, terms, &account, event, now())?;
                    summary = Some(applied);
                }
                wire::encode(&summary)
            }
            LedgerMessage::Ask(request) => {
                wire::encode(&self.ledger.handle(store, terms, &request, now())?)
            }
            LedgerMessage::Audit { before, limit } => wire::encode(&store.audit(before, limit)?),
            LedgerMessage::Execute(command) => {
                let reply = command.execute(store, now())?;
                wire::encode(&(reply, summary(store, terms)?))
            }
            LedgerMessage::Credits => wire::encode(&store.credits()?),
            LedgerMessage::Read => wire::encode(&store.account()?),
            LedgerMessage::Session(request) => wire::encode(&self.sessions.handle(request, now())),
            LedgerMessage::Usage { plan, member } => {
                let (plan, member) = (plan.as_deref(), member.as_deref());
                wire::encode(&quota::Ledger::usage(store, terms, plan, member, now())?)
            }
        })
    }
}

/// The standing of the account, for the inbox's list.
fn summary(store: &SqlLedgerStore, terms: Terms<'_>) -> Result<Option<AccountSummary>, StoreError> {
    let Some(record) = store.account()? else { return Ok(None) };
    let (account, outage) = (store.account_name()?, terms.provider_outage);
    Ok(Some(AccountSummary::of(&account, &record, terms.plans, outage, now())))
}
