//! The Rust side of `glue.js` and `forward.js`.

use js_sys::{Array, Function, Promise};
use wasm_bindgen::prelude::*;
use worker::web_sys::{Request, Response};

#[wasm_bindgen(module = "/src/edge/glue.js")]
extern "C" {
    #[wasm_bindgen(js_name = readRequest)]
    pub(super) fn read_request(request: &Request, carriers: &Array) -> String;

    #[wasm_bindgen(js_name = readPreferences)]
    pub(super) fn read_preferences(request: &Request) -> String;

    #[wasm_bindgen(js_name = makeResponse, catch)]
    pub(super) fn make_response(
        status: u16,
        header_lines: &str,
        body: &str,
    ) -> Result<Response, JsValue>;

    #[wasm_bindgen(js_name = waitUntil)]
    pub(super) fn wait_until(context: &JsValue, promise: &Promise);

    #[wasm_bindgen(js_name = fetchText)]
    pub(super) fn fetch_text(url: &str, deadline_ms: u32, max_bytes: u32) -> Promise;

    #[wasm_bindgen(js_name = askLedger)]
    pub(super) fn ask_ledger(
        namespace: &JsValue,
        account: &str,
        message: &str,
        deadline_ms: u32,
    ) -> Promise;

    #[wasm_bindgen(js_name = inTransaction, catch)]
    pub(super) fn in_transaction(storage: &JsValue, work: &Function) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = postWebhook)]
    pub(super) fn post_webhook(
        url: &str,
        keys: &str,
        id: &str,
        timestamp: &str,
        body: &str,
        deadline_ms: u32,
    ) -> Promise;

    #[wasm_bindgen(js_name = callApi)]
    pub(super) fn call_api(
        method: &str,
        url: &str,
        header_lines: &str,
        body: &str,
        deadline_ms: u32,
        max_bytes: u32,
    ) -> Promise;

    #[wasm_bindgen(js_name = wakeAt)]
    pub(super) fn wake_at(storage: &JsValue, at_ms: &str);
    #[wasm_bindgen(js_name = runQuery, catch)]
    pub(super) fn run_query(sql: &JsValue, query: &str, values: &Array) -> Result<Array, JsValue>;

    #[wasm_bindgen(js_name = limitBurst)]
    pub(super) fn limit_burst(limiter: &JsValue, key: &str, deadline_ms: u32) -> Promise;

    pub(super) fn pause(ms: u32) -> Promise;

    #[wasm_bindgen(js_name = randomText)]
    pub(super) fn random_text(bytes: u32) -> String;

    #[wasm_bindgen(js_name = textOf)]
    fn text_of(value: &JsValue) -> String;

    #[wasm_bindgen(js_name = readBody)]
    pub(super) fn read_body(request: &Request, max_bytes: u32, deadline_ms: u32) -> Promise;
}

#[wasm_bindgen(module = "/src/edge/forward.js")]
extern "C" {
    #[wasm_bindgen(js_name = forward, catch)]
    pub(super) fn forward(
        request: &Request,
        service: &JsValue,
        url: &str,
        removed: u8,
        set_lines: &str,
        response_lines: &str,
        is_cached: bool,
        deadline_ms: u32,
        is_preflight: bool,
        context: &JsValue,
        charge: &str,
        occasions: u8,
    ) -> Result<Promise, JsValue>;

    #[wasm_bindgen(js_name = setSettler)]
    pub(super) fn set_settler(settle: &Function);

    #[wasm_bindgen(js_name = setHeaderKinds)]
    pub(super) fn set_header_kinds(kind_of: &Function);
}

/// A property of an object; undefined where it has none of this name.
#[cfg(feature = "backstage")]
pub(super) fn property(object: &JsValue, name: &str) -> JsValue {
    js_sys::Reflect::get(object, &JsValue::from_str(name)).unwrap_or_default()
}

/// Waits for a promise, and says why it failed.
pub(super) async fn settle(promise: Promise) -> Result<JsValue, String> {
    wasm_bindgen_futures::JsFuture::from(promise).await.map_err(|error| message_of(&error))
}

/// Why [`forward`] fails where the caller, and not the origin, broke the connection off.
pub(super) const BROKEN_UPLOAD: &str = "the body of the request broke off";

/// What a rejected promise or a thrown value says.
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
        if !lines.is_empty() {
            lines.push('\n');
        }
        lines.push_str(name.as_ref());
        lines.push('\n');
        // A line break would shift every header behind it.
        for part in value.as_ref().split(['\n', '\r', '\0']) {
            lines.push_str(part);
        }
    }
    lines
}
