//! The Durable Objects of the class `Ledger`: each keeps an account, or has one of three other
//! roles. All of them are SQLite-backed.
//!
//! `wrangler.toml` binds the class as `LEDGER`, with `new_sqlite_classes`.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;

use js_sys::{Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;
use worker::web_sys::Request;

use super::glue::resolved;
use super::isolate::{Isolate, now};
use super::ledger::Message;
use super::ledger_store::SqlStore;
use super::{glue, inbox_object, inbox_store, key_store, outbox, reader_store};
use crate::admin::OperatorStore;
use crate::allowance::Readers;
use crate::billing::inbox::{AccountSummary, Inbox, InboxStore};
use crate::billing::sessions::Sessions;
use crate::config::Config;
use crate::plan::Terms;
use crate::quota::{self, LedgerError, LedgerStore};
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

/// The job of an object of this class. Callers know it by the object's name; the object learns it
/// from each message.
#[derive(Clone, Copy, Eq, PartialEq)]
enum ObjectRole {
    Account,
    Inbox,
    Keys,
    Readers,
}

impl ObjectRole {
    const fn of(message: &Message) -> Self {
        match message {
            Message::Inbox(_) => Self::Inbox,
            Message::FileKey { .. } | Message::FindKey(_) => Self::Keys,
            Message::ReportReaders(_) => Self::Readers,
            Message::ApplyBilling { .. }
            | Message::Ask(_)
            | Message::Audit { .. }
            | Message::Execute(_)
            | Message::Credits
            | Message::Read
            | Message::Session(_)
            | Message::Usage { .. } => Self::Account,
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

    /// The time to wake the object after a message. After a restart the alarm may be lost, so the
    /// first row that is due is looked for once.
    fn wake_after(
        self,
        store: &SqlStore,
        is_first: bool,
        announces: bool,
    ) -> Result<Option<Wake>, StoreError> {
        match self {
            Self::Inbox if store.has_queued => Ok(Some(Wake::AtOnce)),
            Self::Inbox if is_first => Ok(store.next_due()?.map(Wake::At)),
            Self::Account if store.has_queued || (announces && is_first) => {
                Ok(outbox::first_due(store)?.map(Wake::At))
            }
            Self::Inbox | Self::Account | Self::Keys | Self::Readers => Ok(None),
        }
    }
}

enum Wake {
    AtOnce,
    At(Timestamp),
}

/// A message as it was handled.
struct Handled {
    reply: Vec<u8>,
    wake: Option<Wake>,
}

/// The reason why a message has no reply. It goes back with a status of 500, for the caller's log.
enum Fault {
    /// The request's body isn't text.
    Body,
    /// The message isn't one, or another release's.
    Message(wire::Unreadable),
    /// The configuration has mistakes.
    Config,
    /// The database failed.
    Store(StoreError),
    /// The ledger refused.
    Ledger(LedgerError),
    /// The runtime did not carry the transaction out.
    Transaction(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body => formatter.write_str("a message that isn't text"),
            Self::Message(error) => write!(formatter, "a message that can't be read: {error}"),
            Self::Config => formatter.write_str("the configuration is invalid"),
            Self::Store(StoreError(reason)) => formatter.write_str(reason),
            Self::Ledger(error) => write!(formatter, "{error} ({})", error.code()),
            Self::Transaction(reason) => write!(formatter, "the transaction failed: {reason}"),
        }
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<LedgerError> for Fault {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Store(error) => Self::Store(error),
            error @ (LedgerError::TooManyUnits
            | LedgerError::TooFewUnits
            | LedgerError::UnknownPack
            | LedgerError::LastNumber) => Self::Ledger(error),
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
    /// The time when the inbox last asked to be woken at once, until it is woken.
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
    /// The runtime's reason why the body can't be read.
    pub fn fetch(&self, request: &Request) -> Result<Promise, JsValue> {
        let (inner, body) = (Rc::clone(&self.0), request.array_buffer()?);
        Ok(future_to_promise(async move {
            let body = Uint8Array::new(&resolved(body).await?).to_vec();
            match inner.answer(&body) {
                Ok(reply) => glue::make_response(200, "", &format!("{reply:?}")).map(JsValue::from),
                Err(fault) => glue::make_response(500, "", &fault.to_string()).map(JsValue::from),
            }
        }))
    }

    /// Sends what is due: an account's announcements to the operator, the inbox's events to
    /// accounts.
    pub fn alarm(&self) -> Promise {
        let inner = Rc::clone(&self.0);
        future_to_promise(async move {
            // An alarm gets no name and no message, so the role is inferred from the tables.
            inner.woken_at.set(None);
            let delivered = if inbox_store::has_tables(&SqlStore::new(&inner.state)) {
                inbox_object::deliver(&inner.state, &inner.env).await
            } else {
                outbox::deliver(&inner.state, &inner.env).await
            };
            delivered.map(|()| JsValue::UNDEFINED).map_err(|error| thrown(&error.0))
        })
    }
}

impl Inner {
    /// Handles one message as one transaction: a fault undoes all of it. After it has committed,
    /// nothing can fail any more but setting the alarm, and that is logged.
    fn answer(&self, message: &[u8]) -> Result<Vec<u8>, Fault> {
        let message: Message = wire::decode(message).map_err(Fault::Message)?;
        let isolate = Isolate::of(&self.env);
        // The operator's log has the mistakes already.
        let config = isolate.config.as_ref().map_err(|_| Fault::Config)?;
        let Handled { reply, wake } = self.handle_at_once(Rc::clone(config), message)?;
        // Only now: a transaction that is undone takes the tables with it.
        self.has_tables.set(true);
        match wake {
            Some(Wake::AtOnce) => self.wake(),
            Some(Wake::At(at)) => outbox::wake_at(&self.state, at.max(now())),
            None => {}
        }
        Ok(reply)
    }

    fn handle_at_once(&self, config: Rc<Config>, message: Message) -> Result<Handled, Fault> {
        let is_first = !self.has_tables.get();
        let (state, counting) = (self.state.clone(), Rc::clone(&self.counting));
        let outcome = Rc::new(RefCell::new(None));
        let result = Rc::clone(&outcome);
        let work = Closure::once(move || -> Result<(), JsValue> {
            let mut store = SqlStore::new(&state);
            let counting = &mut counting.borrow_mut();
            let handled = handle_first(counting, &mut store, &config, message, is_first);
            let undone = handled.as_ref().err().map(|fault| thrown(&fault.to_string()));
            result.replace(Some(handled));
            undone.map_or(Ok(()), Err)
        });
        let committed = glue::in_transaction(
            &glue::property(&self.state, "storage"),
            work.as_ref().unchecked_ref(),
        );
        match (outcome.take(), committed) {
            (Some(Err(fault)), _) => Err(fault),
            (Some(Ok(handled)), Ok(_)) => Ok(handled),
            (_, Err(error)) => Err(Fault::Transaction(glue::message_of(&error))),
            (None, Ok(_)) => Err(Fault::Transaction("it did not run".to_owned())),
        }
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

/// Time after which an alarm that didn't come is asked for again.
const WOKEN_MS: i64 = 1_000;

/// Handles a message, after making the tables where it is the first that the object gets.
fn handle_first(
    counting: &mut Counting,
    store: &mut SqlStore,
    config: &Config,
    message: Message,
    is_first: bool,
) -> Result<Handled, Fault> {
    let role = ObjectRole::of(&message);
    if is_first {
        role.create_tables(store)?;
    }
    let reply = handle(counting, store, config, message)?;
    let wake = role.wake_after(store, is_first, config.notify.is_some())?;
    Ok(Handled { reply, wake })
}

fn handle(
    counting: &mut Counting,
    store: &mut SqlStore,
    config: &Config,
    message: Message,
) -> Result<Vec<u8>, Fault> {
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
            Vec::new()
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

/// The standing of the account, for the inbox's list.
fn summary(store: &SqlStore, terms: Terms<'_>) -> Result<Option<AccountSummary>, StoreError> {
    let Some(record) = store.account()? else { return Ok(None) };
    let (account, outage) = (store.account_name()?, terms.provider_outage);
    Ok(Some(AccountSummary::of(&account, &record, terms.plans, outage, now())))
}

fn thrown(reason: &str) -> JsValue {
    js_sys::Error::new(reason).into()
}
