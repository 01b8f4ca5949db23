//! The `OpenAPI` document of these endpoints: open to everybody, also while they are closed.

use wasm_bindgen::prelude::wasm_bindgen;
use worker::web_sys::Response;

use super::{Done, Visit};

pub(super) fn is_asked_for(visit: &Visit, path: &str) -> bool {
    path == "admin/openapi.json" && matches!(visit.facts.method.as_str(), "GET" | "HEAD")
}

pub(super) fn answer(visit: &Visit) -> Response {
    Done::json(200, open_api_document(visit.prefix(), env!("CARGO_PKG_VERSION"))).response(visit)
}

#[wasm_bindgen(module = "/src/edge/openapi.js")]
extern "C" {
    #[wasm_bindgen(js_name = openApiDocument)]
    fn open_api_document(prefix: &str, version: &str) -> String;
}
