//! The state of one isolate between requests.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

use js_sys::Array;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::bindings::Environment;
use super::crypto::{Signer, Verifier};
use super::forwarding::Forwardings;
use crate::config::{Config, Invalid};
use crate::gate::{Memory, captured};
use crate::request::credential;
use crate::time::Timestamp;

/// Built by the first request that an isolate serves.
pub(super) struct Isolate {
    /// The Worker's environment; the same for every request of an isolate.
    pub(super) env: JsValue,
    /// The configuration, or what is wrong with it.
    pub(super) config: Result<Rc<Config>, Box<Invalid>>,
    /// The gate's memory.
    pub(super) memory: RefCell<Memory>,
    /// Imported keys that verify tokens.
    pub(super) verifier: Verifier,
    /// Signs assertions.
    pub(super) signer: Signer,
    /// The names of the headers that are read of each request: those that credentials stand in,
    /// and those that visitors are told apart by.
    pub(super) captured_names: Array,
    /// Those of them that the configuration names, for `Vary`.
    pub(super) credential_headers: String,
    /// The ways in which requests are forwarded.
    pub(super) forwardings: Forwardings,
    name: String,
    requests: Cell<u32>,
}

impl Isolate {
    /// This isolate, built at the first call.
    pub(super) fn of(env: &JsValue) -> Rc<Self> {
        ISOLATE.with(|cell| Rc::clone(cell.get_or_init(|| Rc::new(Self::new(env)))))
    }

    /// This isolate, if it was built.
    pub(super) fn current() -> Option<Rc<Self>> {
        ISOLATE.with(|cell| cell.get().map(Rc::clone))
    }

    /// An id for one request, which the page shows and the log repeats.
    pub(super) fn support_id(&self) -> String {
        let number = self.requests.get().wrapping_add(1);
        self.requests.set(number);
        format!("{}-{number}", self.name)
    }

    /// A resource binding.
    pub(super) fn resource(&self, name: &str) -> Option<JsValue> {
        Environment(&self.env).get(name)
    }

    fn new(env: &JsValue) -> Self {
        let config = Config::parse(&Environment(env)).map(Rc::new);
        let holder = random_uuid();
        let name = holder.chars().take(8).collect();
        let (issuers, credentials, visitors, origin_ms) = match &config {
            Ok(config) => {
                let credentials = credential::header_names(&config.credentials);
                let visitors = captured::header_names(config);
                (config.issuers.len(), credentials, visitors, config.deadlines.origin_ms)
            }
            Err(_) => (0, Vec::new(), Vec::new(), 0),
        };
        let is_named = |name: &&str| !matches!(*name, "" | "authorization" | "cookie");
        let named: Vec<_> = credentials.iter().copied().filter(is_named).collect();
        Self {
            memory: RefCell::new(Memory::new(issuers, holder, origin_ms)),
            verifier: Verifier::default(),
            signer: Signer::default(),
            captured_names: strings(credentials.iter().chain(&visitors)),
            credential_headers: named.join(", "),
            forwardings: Forwardings::default(),
            env: env.clone(),
            config,
            name,
            requests: Cell::new(0),
        }
    }
}

/// The clock. It stands still while a request computes; only I/O moves it.
#[expect(clippy::cast_possible_truncation, reason = "milliseconds fit into 53 bits")]
pub(super) fn now() -> Timestamp {
    Timestamp::from_millis(js_sys::Date::now() as i64)
}

thread_local! {
    static ISOLATE: OnceCell<Rc<Isolate>> = const { OnceCell::new() };
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = crypto, js_name = randomUUID)]
    fn random_uuid() -> String;
}

fn strings<'a>(names: impl Iterator<Item = &'a &'a str>) -> Array {
    names.map(|name| JsValue::from_str(name)).collect()
}
