//! The base of all classes of objects: a message comes in and is handled as one transaction,
//! a reply or a fault goes back, and an alarm wakes the object.
//!
//! The classes are bound by hand, as [`handle`](super::fetch::handle) is: the `worker` crate's own
//! way brings its requests, responses, rows and errors along, 15 KB of the compressed module, and
//! has no methods beside `fetch`.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;

use js_sys::{Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;

use super::database::Database;
use super::glue;
use super::isolate::{Isolate, now};
use super::schema::{self, Migrations};
use crate::config::Config;
use crate::quota::LedgerError;
use crate::store::StoreError;
use crate::time::Timestamp;
use crate::wire::{self, Unreadable, Wire};

/// The job of a class. The value is an object's memory between messages, which holds nothing that
/// counts.
pub(super) trait Job: 'static {
    /// The messages that the class answers.
    type Message: Wire;

    /// The migrations of its database.
    const MIGRATIONS: Migrations;

    /// Answers a message.
    fn handle(&mut self, context: &Context<'_>, message: Self::Message) -> Result<Handled, Fault>;
}

/// The surroundings of a message.
pub(super) struct Context<'a> {
    /// The object's state, as the platform gives it.
    pub(super) state: &'a JsValue,
    pub(super) config: &'a Config,
    /// True for the first message since the object was started.
    pub(super) is_first: bool,
}

/// A message as it was handled.
pub(super) struct Handled {
    /// The encoded reply.
    pub(super) reply: Vec<u8>,
    /// The time to wake the object, if there is one.
    pub(super) wake: Option<Wake>,
}

/// A time to wake an object.
pub(super) enum Wake {
    AtOnce,
    At(Timestamp),
}

/// The reason why a message has no reply, for the caller's log.
pub(super) enum Fault {
    /// The message isn't one, or another release's.
    Message(Unreadable),
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

/// An object of any class.
pub(super) struct Object {
    state: JsValue,
    env: JsValue,
    job: Rc<RefCell<dyn AnyJob>>,
    is_migrated: Cell<bool>,
    /// The time when the object last asked to be woken at once, until it is woken.
    woken_at: Cell<Option<Timestamp>>,
}

impl Object {
    /// An object with this state, in this environment.
    pub(super) fn new(state: JsValue, env: JsValue, job: impl Job) -> Self {
        let (is_migrated, woken_at) = Default::default();
        Self { state, env, job: Rc::new(RefCell::new(job)), is_migrated, woken_at }
    }

    /// Answers an encoded message: with an encoded reply, or with a JavaScript error. That is
    /// returned, since the runtime would count what is thrown as an exception of the Worker's.
    pub(super) fn answer(&self, message: Vec<u8>) -> JsValue {
        match self.reply(message) {
            Ok(reply) => Uint8Array::from(&*reply).into(),
            Err(fault) => error_of(&fault.to_string()),
        }
    }

    /// Does what an alarm is for, given the object's state and environment. Where that fails the
    /// runtime calls the alarm again.
    pub(super) fn alarm<F>(&self, work: impl FnOnce(JsValue, JsValue) -> F) -> Promise
    where
        F: Future<Output = Result<(), StoreError>> + 'static,
    {
        self.woken_at.set(None);
        // The alarm may be the first to run in a new release.
        let migrated = self.migrated();
        let work = work(self.state.clone(), self.env.clone());
        future_to_promise(async move {
            migrated.map_err(|fault| error_of(&fault.to_string()))?;
            work.await.map(|()| JsValue::UNDEFINED).map_err(|error| error_of(&error.0))
        })
    }

    fn migrated(&self) -> Result<(), Fault> {
        if !self.is_migrated.get() {
            let (state, job) = (self.state.clone(), Rc::clone(&self.job));
            self.in_transaction(move || Ok(job.borrow().migrate(&state)?))?;
            self.is_migrated.set(true);
        }
        Ok(())
    }

    /// Handles one message as one transaction: a fault undoes all of it. After it has committed,
    /// nothing can fail any more but setting the alarm, and that is logged.
    fn reply(&self, message: Vec<u8>) -> Result<Vec<u8>, Fault> {
        let isolate = Isolate::of(&self.env);
        // The operator's log has the mistakes already.
        let config = isolate.config.as_ref().map_err(|_| Fault::Config)?;
        let Handled { reply, wake } = self.handle_at_once(Rc::clone(config), message)?;
        // Only now: a transaction that is undone takes the migrations with it.
        self.is_migrated.set(true);
        match wake {
            Some(Wake::AtOnce) => self.wake(),
            Some(Wake::At(at)) => wake_at(&self.state, at.max(now())),
            None => {}
        }
        Ok(reply)
    }

    fn handle_at_once(&self, config: Rc<Config>, message: Vec<u8>) -> Result<Handled, Fault> {
        let is_first = !self.is_migrated.get();
        let (state, job) = (self.state.clone(), Rc::clone(&self.job));
        self.in_transaction(move || {
            let context = Context { state: &state, config: &config, is_first };
            job.borrow_mut().handle_encoded(&context, &message)
        })
    }

    /// Does `work` in a transaction, which a fault undoes.
    fn in_transaction<T: 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Fault> + 'static,
    ) -> Result<T, Fault> {
        let outcome = Rc::new(RefCell::new(None));
        let result = Rc::clone(&outcome);
        let work = Closure::once(move || -> Result<(), JsValue> {
            let done = work();
            let undone = done.as_ref().err().map(|fault| error_of(&fault.to_string()));
            result.replace(Some(done));
            undone.map_or(Ok(()), Err)
        });
        let storage = glue::property(&self.state, "storage");
        let committed = glue::in_transaction(&storage, work.as_ref().unchecked_ref());
        match (outcome.take(), committed) {
            (Some(Err(fault)), _) => Err(fault),
            (Some(Ok(done)), Ok(_)) => Ok(done),
            (_, Err(error)) => Err(Fault::Transaction(glue::message_of(&error))),
            (None, Ok(_)) => Err(Fault::Transaction("it did not run".to_owned())),
        }
    }

    /// Has the object woken at once. Each time is a write, and one is enough.
    fn wake(&self) {
        let recent = |at: Timestamp| (0..WOKEN_MS).contains(&now().ms_since(at));
        if !self.woken_at.get().is_some_and(recent) {
            self.woken_at.set(Some(now()));
            wake_at(&self.state, now());
        }
    }
}

/// Has the object with this state woken at a time.
pub(super) fn wake_at(state: &JsValue, at: Timestamp) {
    glue::wake_at(&glue::property(state, "storage"), &at.as_millis().to_string());
}

/// A job of any class, so that all share the code of [`Object`].
trait AnyJob {
    /// Runs the migrations that the object's database doesn't have yet.
    fn migrate(&self, state: &JsValue) -> Result<(), StoreError>;

    /// Handles an encoded message, after the migrations where it is the first.
    fn handle_encoded(&mut self, context: &Context<'_>, message: &[u8]) -> Result<Handled, Fault>;
}

impl<J: Job> AnyJob for J {
    fn handle_encoded(&mut self, context: &Context<'_>, message: &[u8]) -> Result<Handled, Fault> {
        let message = wire::decode(message).map_err(Fault::Message)?;
        if context.is_first {
            self.migrate(context.state)?;
        }
        self.handle(context, message)
    }

    fn migrate(&self, state: &JsValue) -> Result<(), StoreError> {
        schema::migrate(&Database::new(state), J::MIGRATIONS)
    }
}

fn error_of(reason: &str) -> JsValue {
    js_sys::Error::new(reason).into()
}

/// Time after which an alarm that didn't come is asked for again.
const WOKEN_MS: i64 = 1_000;
