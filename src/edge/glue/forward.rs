//! Requests on their way to the origin: the Rust side of `forward.js` and of the files that it
//! imports.

use std::borrow::Cow;

use js_sys::{Function, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use worker::web_sys::Request;

use super::message_of;

#[wasm_bindgen(module = "/src/edge/glue/forward.js")]
extern "C" {
    #[wasm_bindgen(catch)]
    pub(in crate::edge) fn forward(
        request: &Request,
        context: &JsValue,
        options: &ForwardOptions,
        head: &str,
        response_lines: &str,
        unsettled: Option<Uint8Array>,
    ) -> Result<Promise, JsValue>;

    /// The options of [`forward`] that requests of a route share; `forward.js` describes each.
    pub(in crate::edge) type ForwardOptions;

    #[wasm_bindgen(constructor)]
    pub(in crate::edge) fn new() -> ForwardOptions;

    #[wasm_bindgen(method, setter = service)]
    pub(in crate::edge) fn set_service(this: &ForwardOptions, service: &JsValue);

    #[wasm_bindgen(method, setter = base)]
    pub(in crate::edge) fn set_base(this: &ForwardOptions, base: &str);

    #[wasm_bindgen(method, setter = removedKinds)]
    pub(in crate::edge) fn set_removed_kinds(this: &ForwardOptions, kinds: u8);

    #[wasm_bindgen(method, setter = isCached)]
    pub(in crate::edge) fn set_is_cached(this: &ForwardOptions, is_cached: bool);

    #[wasm_bindgen(method, setter = deadlineMs)]
    pub(in crate::edge) fn set_deadline_ms(this: &ForwardOptions, deadline_ms: u32);

    #[wasm_bindgen(method, setter = isPreflight)]
    pub(in crate::edge) fn set_is_preflight(this: &ForwardOptions, is_preflight: bool);

    #[wasm_bindgen(method, setter = settleOnAnyResponse)]
    pub(in crate::edge) fn set_settle_on_any_response(this: &ForwardOptions, settles: bool);

    #[wasm_bindgen(method, setter = settleOnCacheHit)]
    pub(in crate::edge) fn set_settle_on_cache_hit(this: &ForwardOptions, settles: bool);

    #[wasm_bindgen(method, setter = settleOnFailure)]
    pub(in crate::edge) fn set_settle_on_failure(this: &ForwardOptions, settles: bool);

    #[wasm_bindgen(method, setter = settleOnNotModified)]
    pub(in crate::edge) fn set_settle_on_not_modified(this: &ForwardOptions, settles: bool);

    #[wasm_bindgen(method, setter = readsCost)]
    pub(in crate::edge) fn set_reads_cost(this: &ForwardOptions, reads_cost: bool);
}

#[wasm_bindgen(module = "/src/edge/glue/settling.js")]
extern "C" {
    #[wasm_bindgen(js_name = setSettler)]
    pub(in crate::edge) fn set_settler(settle: &Function, broken_off_ms: u32);
}

#[wasm_bindgen(module = "/src/edge/glue/headers.js")]
extern "C" {
    #[wasm_bindgen(js_name = setHeaderKinds)]
    pub(in crate::edge) fn set_header_kinds(kind_of: &Function);
}

#[wasm_bindgen(module = "/src/edge/glue/upload.js")]
extern "C" {
    /// The error of an upload that the caller has broken off.
    type BrokenUpload;
}

#[wasm_bindgen(module = "/src/edge/glue/timing.js")]
extern "C" {
    /// The error of a deadline that has passed.
    type NoAnswerInTime;

    #[wasm_bindgen(method, getter, js_name = deadlineMs)]
    fn deadline_ms(this: &NoAnswerInTime) -> u32;
}

/// The reason for which a request has no response of the origin.
pub(in crate::edge) enum ForwardFailure {
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
    pub(in crate::edge) fn of(error: &JsValue) -> Self {
        if error.is_instance_of::<BrokenUpload>() {
            Self::BrokenUpload
        } else if let Some(late) = error.dyn_ref::<NoAnswerInTime>() {
            Self::NoAnswerInTime { deadline_ms: late.deadline_ms() }
        } else {
            Self::Unreachable(message_of(error))
        }
    }

    /// The reason as a sentence for the log.
    pub(in crate::edge) fn reason(&self) -> Cow<'_, str> {
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
///
/// # Errors
///
/// The reason for which there is none.
pub(in crate::edge) async fn response(promise: Promise) -> Result<JsValue, ForwardFailure> {
    JsFuture::from(promise).await.map_err(|error| ForwardFailure::of(&error))
}
