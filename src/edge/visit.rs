//! One request as the edge sees it, and the answers that need no gate.

use std::rc::Rc;

use wasm_bindgen::JsValue;
use worker::web_sys::{Request, Response};

use super::glue::BROKEN_UPLOAD;
use super::isolate::{Isolate, now};
use super::{glue, origin};
use crate::answer::{self, Answer, Asker, Place};
use crate::cause::Cause;
use crate::config::{Brand, LogLevel, OriginTarget, Route};
use crate::decision::{Degraded, Denial};
use crate::plan::FailurePolicy;
use crate::request::{Preferences, Reach, RequestFacts};
use crate::{gate, report};

/// One request, and the isolate that serves it.
#[derive(Clone)]
pub(super) struct Visit {
    pub(super) isolate: Rc<Isolate>,
    pub(super) request: Request,
    pub(super) facts: Rc<RequestFacts>,
}

impl Visit {
    /// Reads the facts of a request. Should the runtime ever hand out a URL that isn't absolute,
    /// every fact is empty, and the gate refuses the request for its path.
    pub(super) fn new(request: Request, env: &JsValue) -> Self {
        let isolate = Isolate::of(env);
        let lines = glue::read_request(&request, &isolate.carriers);
        let facts = Rc::new(RequestFacts::from_lines(&lines).unwrap_or_default());
        Self { isolate, request, facts }
    }

    /// Whether the request is for the gate's own endpoints in any reading of its path, or can't be
    /// read at all: such a request is never forwarded.
    pub(super) fn is_own(&self) -> bool {
        let prefix = self.prefix();
        self.facts.readings().map_or(true, |readings| readings.reach(prefix) != Reach::Outside)
    }

    /// Where the gate's own endpoints live; the default place while the configuration is invalid.
    pub(super) fn prefix(&self) -> &str {
        match &self.isolate.config {
            Ok(config) => &config.prefix,
            Err(invalid) => &invalid.fallback.prefix,
        }
    }

    /// What the operator chose for a gate that is broken.
    pub(super) fn on_misconfigured(&self) -> FailurePolicy {
        match &self.isolate.config {
            Ok(config) => config.on_misconfigured,
            Err(invalid) => invalid.fallback.on_misconfigured,
        }
    }

    /// Answers a denial, and logs it under the support id that the answer shows.
    pub(super) fn deny(&self, denial: &Denial, route: Option<&Route>) -> Response {
        let support_id = self.isolate.support_id();
        let level = self.isolate.config.as_ref().map_or(LogLevel::default(), |config| config.log);
        let line = report::log_line(denial, route, &self.facts, level, &support_id, now());
        if let Some(line) = line {
            worker::console_log!("{line}");
        }
        self.answer(&|asker, place, brand| {
            answer::denied(denial, asker, place, brand, &support_id, now())
        })
    }

    /// Answers with what `make` makes of the caller's wishes, the gate's place and the operator's
    /// brand (a neutral one while the configuration is invalid).
    pub(super) fn answer(
        &self,
        make: &dyn Fn(&Asker<'_>, &Place<'_>, &Brand) -> Answer,
    ) -> Response {
        let wishes = Preferences::from_lines(&glue::read_preferences(&self.request));
        let asker = Asker {
            method: &self.facts.method,
            accept: &wishes.accept,
            origin: &wishes.origin,
            fetch_mode: &wishes.fetch_mode,
            fetch_site: &wishes.fetch_site,
            host: self.facts.host(),
            path: &self.facts.path,
        };
        let place = Place {
            base_url: &self.facts.base_url(),
            prefix: self.prefix(),
            credential_headers: &self.isolate.credential_headers,
        };
        let neutral = Brand::default();
        let brand = self.isolate.config.as_ref().map_or(&neutral, |config| &config.brand);
        respond(&make(&asker, &place, brand))
    }

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

    /// Answers for an origin that could not be reached; or the caller who broke its upload off.
    pub(super) fn origin_failed(&self, reason: &str) -> Response {
        let is_callers_doing = reason.contains(BROKEN_UPLOAD);
        let cause = if is_callers_doing { Cause::BadRequest } else { Cause::OriginUnavailable };
        self.deny(&self.fault(cause, reason), None)
    }

    /// A denial that isn't the caller's fault.
    pub(super) fn fault(&self, cause: Cause, reason: &str) -> Denial {
        gate::fault(cause, reason, self.isolate.config.as_deref().ok())
    }

    fn send_unchecked(&self, target: &OriginTarget, why: Degraded, reason: &str) -> JsValue {
        worker::console_error!("{}", report::fault_line(why.word(), reason));
        match origin::send_unchecked(self, target, why) {
            Ok(promise) => promise.into(),
            Err(reason) => self.origin_failed(&reason).into(),
        }
    }
}

/// The response made of an answer.
pub(super) fn respond(answer: &Answer) -> Response {
    glue::make_response(answer.status, &glue::lines(&answer.headers), &answer.body)
        .unwrap_or_else(|_| Response::error())
}

/// An error of one of the gate's own endpoints, with `headers` of its own.
pub(super) fn problem(
    visit: &Visit,
    status: u16,
    detail: &str,
    headers: &[(&'static str, &'static str)],
) -> Response {
    let title = match status {
        400 => "Bad request",
        401 => "Unauthorized",
        404 => "Not found",
        405 => "Method not allowed",
        409 => "Conflict",
        413 => "Content too large",
        503 => "Unavailable",
        _ => "Error",
    };
    visit.answer(&|asker, place, brand| {
        let mut answer = answer::problem(status, title, detail, asker, place, brand);
        answer.headers.extend(headers.iter().map(|(name, value)| (*name, (*value).into())));
        answer
    })
}
