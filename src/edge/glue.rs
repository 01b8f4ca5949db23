//! The Rust side of `glue.js` and `forward.js`.

use std::borrow::Cow;

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

    /// A request's body is longer than it may be.
    pub(super) type BodyTooLong;

    /// A deadline has passed without an answer.
    type NoAnswerInTime;

    #[wasm_bindgen(method, getter, js_name = deadlineMs)]
    fn deadline_ms(this: &NoAnswerInTime) -> u32;

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

    /// The caller has broken its upload off.
    type BrokenUpload;

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

/// The reason for which a request has no response of the origin.
pub(super) enum ForwardFailure {
    /// The caller, and not the origin, broke the connection off.
    BrokenUpload,
    /// The origin gave no answer within its deadline.
    NoAnswerInTime {
        /// The deadline.
        deadline_ms: u32,
    },
    /// Any other, in the platform's words.
    Unreachable(String),
}

impl ForwardFailure {
    /// Reads the value that [`forward`] throws, or that its promise is rejected with.
    pub(super) fn of(error: &JsValue) -> Self {
        if error.is_instance_of::<BrokenUpload>() {
            Self::BrokenUpload
        } else if let Some(late) = error.dyn_ref::<NoAnswerInTime>() {
            Self::NoAnswerInTime { deadline_ms: late.deadline_ms() }
        } else {
            Self::Unreachable(message_of(error))
        }
    }

    /// The reason as a sentence for the log.
    pub(super) fn reason(&self) -> Cow<'_, str> {
        match self {
            Self::BrokenUpload => "the body of the request broke off".into(),
            Self::NoAnswerInTime { deadline_ms } => {
                format!("no answer within {deadline_ms} ms").into()
            }
            Self::Unreachable(reason) => reason.into(),
        }
    }
}

/// Waits for the response that [`forward`] has promised.
pub(super) async fn forwarded(promise: Promise) -> Result<JsValue, ForwardFailure> {
    let response = wasm_bindgen_futures::JsFuture::from(promise).await;
    response.map_err(|error| ForwardFailure::of(&error))
}

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
