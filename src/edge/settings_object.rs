//! The Durable Object of the class `Settings`: declared for what will change without a deployment,
//! and empty until then.
//!
//! `wrangler.toml` binds the class as `SETTINGS`, with `new_sqlite_classes`. The platform rolls no
//! release back to before a class was declared, so the first release declares it.

use wasm_bindgen::prelude::*;

/// The object.
#[wasm_bindgen]
pub struct Settings;

#[wasm_bindgen]
impl Settings {
    /// Called by the runtime for each object.
    #[wasm_bindgen(constructor)]
    pub fn new(_state: JsValue, _env: JsValue) -> Self {
        Self
    }

    /// Refuses a message, whichever it is: see [`Object::answer`](super::object::Object::answer).
    #[expect(clippy::unused_self, reason = "the platform calls a method of an object")]
    pub fn answer(&self, _message: Vec<u8>) -> JsValue {
        js_sys::Error::new(NOTHING_KEPT).into()
    }
}

const NOTHING_KEPT: &str = "this release keeps no settings in the class Settings";
