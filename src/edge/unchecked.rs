//! Requests that the gate can't check: they pass, or get 503, as the operator chose.

use wasm_bindgen::JsValue;

use super::origin;
use super::visit::Visit;
use crate::cause::Cause;
use crate::config::OriginTarget;
use crate::decision::Degraded;
use crate::plan::FailurePolicy;
use crate::report;

impl Visit {
    /// Passes the request without its checks, or answers 503: as `policy` says.
    pub(super) fn unchecked(&self, policy: FailurePolicy, why: Degraded, reason: &str) -> JsValue {
        let target = match &self.isolate.config {
            Ok(config) => Some(&config.origin),
            Err(invalid) => invalid.fallback.origin.as_ref(),
        };
        match (policy, target) {
            (FailurePolicy::Pass, Some(target)) => self.send_unchecked(target, why, reason),
            _ => self.deny(&self.fault(Cause::Misconfigured, reason), None).into(),
        }
    }

    fn send_unchecked(&self, target: &OriginTarget, why: Degraded, reason: &str) -> JsValue {
        worker::console_error!("{}", report::fault_line(why.word(), reason));
        match origin::send_unchecked(self, target, why) {
            Ok(promise) => promise.into(),
            Err(failure) => self.origin_failed(&failure).into(),
        }
    }
}
