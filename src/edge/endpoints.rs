//! The gate's own endpoints that need no caller: what [`crate::endpoint`] routes here.

use wasm_bindgen::JsValue;

use super::visit::{Visit, respond};
use super::{admin, webhooks};
use crate::endpoint::{Endpoint, Refusal, route};

/// Answers a request for one of the gate's own endpoints.
///
/// # Errors
///
/// Never; the type is that of a promise.
pub(super) async fn answer(visit: Visit, context: JsValue) -> Result<JsValue, JsValue> {
    let answer = {
        let request = visit.context();
        let responder = request.responder();
        let config = visit.isolate.config.as_deref().map_err(|invalid| &**invalid);
        match route(&visit.facts, visit.prefix()) {
            Ok(Endpoint::Health) => responder.health(config),
            Ok(Endpoint::KeySet) => responder.key_set(config.ok()),
            Ok(Endpoint::Explanation(cause)) => responder.explained(cause),
            Ok(Endpoint::Preflight) => responder.usage_preflight(),
            Ok(Endpoint::Webhook(word)) => {
                return Ok(webhooks::answer(&visit, word, &context).await.into());
            }
            Ok(Endpoint::Operation(path)) => return Ok(admin::answer(&visit, path).await.into()),
            // The other module answers it.
            Ok(Endpoint::Account(_)) => responder.refused(&Refusal::NoEndpoint),
            Err(refusal) => responder.refused(&refusal),
        }
    };
    Ok(respond(&answer).into())
}
