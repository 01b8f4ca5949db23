//! The Rust side of `glue/*.js`: functions that are cheaper or only possible in JavaScript. They
//! decide nothing, and each does one thing. Strings cross in one piece, since every crossing costs
//! (docs/performance.md).

pub(super) mod forward;

use js_sys::{Array, Function, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use worker::web_sys::{Request, Response};

#[wasm_bindgen(module = "/src/edge/glue/request.js")]
extern "C" {
    #[wasm_bindgen(js_name = readRequest)]
    pub(super) fn read_request(request: &Request, captured: &Array) -> String;

    #[wasm_bindgen(js_name = readPreferences)]
    pub(super) fn read_preferences(request: &Request) -> String;
}

#[wasm_bindgen(module = "/src/edge/glue/body.js")]
extern "C" {
    #[wasm_bindgen(js_name = readBody)]
    pub(super) fn read_body(request: &Request, max_bytes: u32, deadline_ms: u32) -> Promise;

    /// The error of a body that is longer than it may be.
    pub(super) type BodyTooLong;
}

#[wasm_bindgen(module = "/src/edge/glue/response.js")]
extern "C" {
    #[wasm_bindgen(js_name = makeResponse, catch)]
    pub(super) fn make_response(
        status: u16,
        header_lines: &str,
        body: &str,
    ) -> Result<Response, JsValue>;
}

#[wasm_bindgen(module = "/src/edge/glue/outgoing.js")]
extern "C" {
    #[wasm_bindgen(js_name = fetchText)]
    pub(super) fn fetch_text(url: &str, deadline_ms: u32, max_bytes: u32) -> Promise;

    #[wasm_bindgen(js_name = callApi)]
    pub(super) fn call_api(
        method: &str,
        url: &str,
        header_lines: &str,
        body: &str,
        deadline_ms: u32,
        max_bytes: u32,
    ) -> Promise;
}

#[wasm_bindgen(module = "/src/edge/glue/webhook.js")]
extern "C" {
    #[wasm_bindgen(js_name = postWebhook)]
    pub(super) fn post_webhook(
        url: &str,
        keys: &str,
        id: &str,
        timestamp: &str,
        body: &str,
        deadline_ms: u32,
    ) -> Promise;
}

#[wasm_bindgen(module = "/src/edge/glue/objects.js")]
extern "C" {
    #[wasm_bindgen(js_name = askObject)]
    pub(super) fn ask_object(
        namespace: &JsValue,
        jurisdiction: &str,
        name: &str,
        message: Uint8Array,
        deadline_ms: u32,
    ) -> Promise;

    #[wasm_bindgen(js_name = inTransaction, catch)]
    pub(super) fn in_transaction(storage: &JsValue, work: &Function) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = wakeAt)]
    pub(super) fn wake_at(storage: &JsValue, at_ms: &str);

    #[wasm_bindgen(js_name = runStatement, catch)]
    pub(super) fn run_statement(
        sql: &JsValue,
        statement: &str,
        values: &Array,
    ) -> Result<(), JsValue>;

    #[wasm_bindgen(js_name = runQuery, catch)]
    pub(super) fn run_query(sql: &JsValue, query: &str, values: &Array) -> Result<Array, JsValue>;

    #[wasm_bindgen(js_name = limitBurst)]
    pub(super) fn limit_burst(limiter: &JsValue, key: &str, deadline_ms: u32) -> Promise;
}

#[wasm_bindgen(module = "/src/edge/glue/timing.js")]
extern "C" {
    pub(super) fn pause(ms: u32) -> Promise;

    #[wasm_bindgen(js_name = waitUntil)]
    pub(super) fn wait_until(context: &JsValue, promise: &Promise);
}

#[wasm_bindgen(module = "/src/edge/glue/random.js")]
extern "C" {
    #[wasm_bindgen(js_name = randomText)]
    pub(super) fn random_text(bytes: u32) -> String;
}

#[wasm_bindgen]
extern "C" {
    /// JavaScript's own conversion. `{:?}` of a value would link the printing of floating-point
    /// numbers.
    #[wasm_bindgen(js_name = String)]
    fn text_of(value: &JsValue) -> String;
}

/// A property of an object; undefined where it has none of this name.
#[cfg(feature = "backstage")]
pub(super) fn property(object: &JsValue, name: &str) -> JsValue {
    js_sys::Reflect::get(object, &JsValue::from_str(name)).unwrap_or_default()
}

/// Waits for a promise. An error is the message that the promise was rejected with.
pub(super) async fn resolved(promise: Promise) -> Result<JsValue, String> {
    JsFuture::from(promise).await.map_err(|error| message_of(&error))
}

/// The message of an error that was thrown, or that a promise was rejected with.
pub(super) fn message_of(error: &JsValue) -> String {
    js_sys::Reflect::get(error, &JsValue::from_str("message"))
        .ok()
        .and_then(|message| message.as_string())
        .or_else(|| error.as_string())
        .unwrap_or_else(|| text_of(error))
}

/// Header pairs in the form that crosses the border: `name\nvalue\nname\nvalue`.
pub(super) fn lines(headers: &[(impl AsRef<str>, impl AsRef<str>)]) -> String {
    let mut lines = String::with_capacity(512);
    for (name, value) in headers {
        push_line(&mut lines, name.as_ref());
        push_line(&mut lines, value.as_ref());
    }
    lines
}

/// A request's target and the headers to set on it, in the same form: `target\nname\nvalue`.
pub(super) fn head(target: &str, headers: &[(&str, String)]) -> String {
    let mut lines = String::with_capacity(512);
    push_line(&mut lines, target);
    for (name, value) in headers {
        push_line(&mut lines, name);
        push_line(&mut lines, value);
    }
    lines
}

/// Adds a line. A line break within it would shift all others behind it.
fn push_line(lines: &mut String, line: &str) {
    if !lines.is_empty() {
        lines.push('\n');
    }
    for part in line.split(['\n', '\r', '\0']) {
        lines.push_str(part);
    }
}
