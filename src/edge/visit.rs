//! One request as the edge sees it, and the answers that need no gate.

use std::rc::Rc;

use wasm_bindgen::JsValue;
use worker::web_sys::{Request, Response};

use super::glue;
use super::glue::forward::ForwardFailure;
use super::isolate::{Isolate, now};
use crate::answer::{Answer, Asker, Place, Responder};
use crate::cause::Cause;
use crate::config::{Brand, LogLevel, Route};
use crate::decision::Denial;
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
        let lines = glue::read_request(&request, &isolate.captured_names);
        let facts = Rc::new(RequestFacts::from_lines(&lines).unwrap_or_default());
        Self { isolate, request, facts }
    }

    /// Whether the request is for the gate's own endpoints in any reading of its path, or can't be
    /// read at all: such a request is never forwarded.
    pub(super) fn is_own(&self) -> bool {
        let prefix = self.prefix();
        self.facts.readings().map_or(true, |readings| readings.reach(prefix) != Reach::Outside)
    }

    /// The prefix of the gate's own endpoints; the default while the configuration is invalid.
    pub(super) fn prefix(&self) -> &str {
        match &self.isolate.config {
            Ok(config) => &config.prefix,
            Err(invalid) => &invalid.fallback.prefix,
        }
    }

    /// The operator's choice for a gate that is broken.
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
        respond(&self.context().responder().denied(denial, &support_id))
    }

    /// The facts that this request's answers go by.
    pub(super) fn context(&self) -> AnswerContext<'_> {
        AnswerContext {
            visit: self,
            preferences: Preferences::from_lines(&glue::read_preferences(&self.request)),
            base_url: self.facts.base_url(),
            neutral: Brand::default(),
        }
    }

    /// Answers for an origin that gave no response, or the caller who broke its upload off.
    pub(super) fn origin_failed(&self, failure: &ForwardFailure) -> Response {
        let cause = match failure {
            ForwardFailure::BrokenUpload => Cause::BadRequest,
            ForwardFailure::NoAnswerInTime { .. } | ForwardFailure::Unreachable(_) => {
                Cause::OriginUnavailable
            }
        };
        self.deny(&self.fault(cause, &failure.reason()), None)
    }

    /// A denial that isn't the caller's fault.
    pub(super) fn fault(&self, cause: Cause, reason: &str) -> Denial {
        gate::fault(cause, reason, self.isolate.config.as_deref().ok())
    }
}

/// The facts that the answers to one request go by.
pub(super) struct AnswerContext<'a> {
    visit: &'a Visit,
    preferences: Preferences,
    base_url: String,
    /// The brand while the configuration is invalid.
    neutral: Brand,
}

impl AnswerContext<'_> {
    /// Makes the request's answers.
    pub(super) fn responder(&self) -> Responder<'_> {
        let Self { visit, preferences, base_url, neutral } = self;
        let asker = Asker {
            method: &visit.facts.method,
            accept: &preferences.accept,
            origin: &preferences.origin,
            fetch_mode: &preferences.fetch_mode,
            fetch_site: &preferences.fetch_site,
            host: visit.facts.host(),
            path: &visit.facts.path,
        };
        let credential_headers = &visit.isolate.credential_headers;
        let place = Place { base_url, prefix: visit.prefix(), credential_headers };
        let brand = visit.isolate.config.as_ref().map_or(neutral, |config| &config.brand);
        Responder { asker, place, brand, now: now() }
    }
}

/// The response made of an answer.
pub(super) fn respond(answer: &Answer) -> Response {
    glue::make_response(answer.status, &glue::lines(&answer.headers), &answer.body)
        .unwrap_or_else(|_| Response::error())
}

/// An error of one of the gate's own endpoints, with `headers` of its own.
#[cfg(feature = "backstage")]
pub(super) fn problem(
    visit: &Visit,
    status: u16,
    detail: &str,
    headers: &[(&'static str, &'static str)],
) -> Response {
    let mut answer = visit.context().responder().problem(status, detail);
    answer.headers.extend(headers.iter().map(|(name, value)| (*name, (*value).into())));
    respond(&answer)
}
