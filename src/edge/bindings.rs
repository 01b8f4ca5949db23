//! The Worker's environment, as the configuration reads it.

use js_sys::{JSON, Reflect};
use wasm_bindgen::JsValue;

use crate::config::{Binding, Bindings};
use crate::strict_json;

/// Variables, secrets and resources of the Worker.
pub(super) struct Environment<'a>(pub(super) &'a JsValue);

impl Environment<'_> {
    /// The binding of this name, whatever it is.
    pub(super) fn get(&self, name: &str) -> Option<JsValue> {
        let value = Reflect::get(self.0, &JsValue::from_str(name)).ok()?;
        (!value.is_undefined() && !value.is_null()).then_some(value)
    }
}

impl Bindings for Environment<'_> {
    fn value(&self, name: &str) -> Option<Binding> {
        let value = self.get(name)?;
        if let Some(text) = value.as_string() {
            return Some(Binding::Text(text));
        }
        let json = JSON::stringify(&value).ok()?.as_string()?;
        strict_json::parse(&json).ok().map(Binding::Json)
    }

    fn has_resource(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.is_object())
    }
}
