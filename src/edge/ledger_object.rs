//! The Durable Object that keeps an account: one object per account, SQLite-backed.
//!
//! `wrangler.toml` binds it as `LEDGER`, class `Ledger`, with `new_sqlite_classes`.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;
use worker::web_sys::Request;

use super::glue::settle;
use super::isolate::{Isolate, now};
use super::ledger::Message;
use super::ledger_store::SqlStore;
use super::{glue, inbox_object, inbox_store, key_store, outbox, reader_store};
use crate::admin::OperatorStore;
use crate::allowance::Readers;
use crate::billing::inbox::{AccountSummary, Inbox};
use crate::billing::sessions::Sessions;
use crate::config::Config;
use crate::plan::Terms;
use crate::quota::{self, LedgerStore};
use crate::store::StoreError;
use crate::time::Timestamp;
use crate::{billing, wire};

/// The object's memory between messages: when to tidy up, and links that were just made.
#[derive(Default)]
struct Counting {
    inbox: Inbox,
    ledger: quota::Ledger,
    readers: Readers,
    sessions: Sessions,
}

/// What an object of this class is: its name says it to who calls, the message to the object.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Office {
    Account,
    Inbox,
    Keys,
    Readers,
}

impl Office {
    const fn of(message: &Message) -> Self {
        match message {
            Message::Inbox(_) => Self::Inbox,
            Message::FileKey { .. } | Message::FindKey(_) => Self::Keys,
            Message::ReportReaders(_) => Self::Readers,
            _ => Self::Account,
        }
    }

    fn create_tables(self, store: &SqlStore) -> Result<(), StoreError> {
        match self {
            Self::Account => store.create_tables(),
            Self::Inbox => inbox_store::create_tables(store),
            Self::Keys => key_store::create_table(store),
            Self::Readers => reader_store::create_table(store),
        }
    }
}

/// The object. Its memory holds nothing that counts.
///
/// Bound by hand, as [`handle`](super::fetch::handle) is: the `worker` crate's own way brings its
/// requests, responses, rows and errors along, 15 KB of the compressed module.
#[wasm_bindgen]
pub struct Ledger(Rc<Inner>);

struct Inner {
    state: JsValue,
    env: JsValue,
    counting: Rc<RefCell<Counting>>,
    has_tables: Cell<bool>,
    /// When the inbox last had itself woken for at once, until that happens.
    woken_at: Cell<Option<Timestamp>>,
}

#[wasm_bindgen]
impl Ledger {
    /// Called by the runtime for each object, and again after a panic.
    #[wasm_bindgen(constructor)]
    pub fn new(state: JsValue, env: JsValue) -> Self {
        let (counting, has_tables, woken_at) = Default::default();
        Self(Rc::new(Inner { state, env, counting, has_tables, woken_at }))
    }

    /// Answers one message.
    ///
    /// # Errors
    ///
    /// What the runtime says about a request whose body can't be read.
    pub fn fetch(&self, request: &Request) -> Result<Promise, JsValue> {
        let (inner, text) = (Rc::clone(&self.0), request.text()?);
        Ok(future_to_promise(async move {
            let text = settle(text).await?;
            let (status, reply) = match inner.answer(&text.as_string().unwrap_or_default()) {
                Ok(reply) => (200, reply),
                Err(reason) => (500, reason),
            };
            glue::make_response(status, "", &reply).map(JsValue::from)
        }))
    }

    /// Sends what is due: an account's announcements to the operator, the inbox's events to
    /// accounts.
    pub fn alarm(&self) -> Promise {
        let inner = Rc::clone(&self.0);
        future_to_promise(async move {
            // An alarm isn't told what the object is, but its tables are.
            inner.woken_at.set(None);
            let delivered = if inbox_store::has_tables(&SqlStore::new(&inner.state)) {
                inbox_object::deliver(&inner.state, &inner.env).await
            } else {
                outbox::deliver(&inner.state, &inner.env).await
            };
            delivered.map(|()| JsValue::UNDEFINED).map_err(|error| thrown(&error))
        })
    }
}

impl Inner {
    /// Handles one message as one transaction: an error undoes all of it.
    fn answer(&self, text: &str) -> Result<String, String> {
        let message: Message =
            wire::decode(text).map_err(|error| format!("a message that can't be read: {error}"))?;
        let isolate = Isolate::of(&self.env);
        let config = isolate.config.as_ref().map_err(|_| "the configuration is invalid")?;
        let config = Rc::clone(config);
        let office = Office::of(&message);
        let announces = office == Office::Account && config.notify.is_some();
        let (state, counting) = (self.state.clone(), Rc::clone(&self.counting));
        let has_tables = self.has_tables.get();
        let has_news = Rc::new(Cell::new(false));
        let is_queued = Rc::clone(&has_news);
        let work = Closure::once(move || -> Result<String, JsValue> {
            let mut store = SqlStore::new(&state);
            if !has_tables {
                office.create_tables(&store).map_err(|error| thrown(&error))?;
            }
            let counting = &mut counting.borrow_mut();
            let reply = handle(counting, &mut store, &config, message);
            is_queued.set(store.has_queued);
            reply.map_err(|error| thrown(&error))
        });
        let reply = glue::in_transaction(
            &glue::property(&self.state, "storage"),
            work.as_ref().unchecked_ref(),
        );
        let reply = reply.map_err(|error| glue::message_of(&error))?;
        // Only now: a transaction that is undone takes the tables with it.
        self.has_tables.set(true);
        // After a restart, whatever became of the alarm, what is due is looked for once.
        if office == Office::Inbox {
            if has_news.get() {
                self.wake();
            } else if !has_tables {
                inbox_object::wake_when_due(&self.state).map_err(|error| error.0)?;
            }
        } else if has_news.get() || (announces && !has_tables) {
            outbox::wake_when_due(&self.state).map_err(|error| error.0)?;
        }
        Ok(reply.as_string().unwrap_or_default())
    }

    /// Has the object woken at once. Each time is a write, and one is enough.
    fn wake(&self) {
        let recent = |at: Timestamp| (0..WOKEN_MS).contains(&now().ms_since(at));
        if !self.woken_at.get().is_some_and(recent) {
            self.woken_at.set(Some(now()));
            outbox::wake_at(&self.state, now());
        }
    }
}

/// How long it may take to be woken before it is asked for again.
const WOKEN_MS: i64 = 1_000;

fn handle(
    counting: &mut Counting,
    store: &mut SqlStore,
    config: &Config,
    message: Message,
) -> Result<String, StoreError> {
    let terms = config.terms();
    let reply = match message {
        Message::ApplyBilling { account, events } => {
            let mut summary = None;
            for event in &events {
                let applied = billing::apply_to_ledger(store, terms, &account, event, now())?;
                summary = Some(applied);
            }
            wire::encode(&summary)
        }
        Message::Ask(request) => {
            wire::encode(&counting.ledger.handle(store, terms, &request, now())?)
        }
        Message::Audit { before, limit } => wire::encode(&store.audit(before, limit)?),
        Message::Execute(command) => {
            let reply = command.execute(store, now())?;
            wire::encode(&(reply, summary(store, terms)?))
        }
        Message::Credits => wire::encode(&store.credits()?),
        Message::Inbox(request) => {
            let read = inbox_object::reader(config);
            counting.inbox.handle(store, request, &read, now())?
        }
        Message::FileKey { hash, owner } => {
            key_store::add(store, &hash, &owner)?;
            String::new()
        }
        Message::FindKey(hash) => wire::encode(&key_store::find(store, &hash)?),
        Message::Usage { plan, member } => {
            let (plan, member) = (plan.as_deref(), member.as_deref());
            wire::encode(&quota::Ledger::usage(store, terms, plan, member, now())?)
        }
        Message::ReportReaders(request) => {
            wire::encode(&counting.readers.handle(store, &request, now())?)
        }
        Message::Session(request) => wire::encode(&counting.sessions.handle(request, now())),
        Message::Read => wire::encode(&store.account()?),
    };
    Ok(reply)
}

/// How the account stands, for the inbox's list.
fn summary(store: &SqlStore, terms: Terms<'_>) -> Result<Option<AccountSummary>, StoreError> {
    let Some(record) = store.account()? else { return Ok(None) };
    let (account, outage) = (store.account_name()?, terms.provider_outage);
    Ok(Some(AccountSummary::of(&account, &record, terms.plans, outage, now())))
}

fn thrown(error: &StoreError) -> JsValue {
    js_sys::Error::new(&error.0).into()
}
