//! To the origin and back.

use std::cell::Cell;
use std::rc::Rc;

use js_sys::{Promise, Uint8Array};
use wasm_bindgen::prelude::*;

use super::forwarding::{Forwarding, Passing};
use super::glue::forward::{self, ForwardFailure};
use super::isolate::{Isolate, now};
use super::visit::Visit;
use super::{errands, glue};
use crate::allowance::COOKIE_NAME;
use crate::config::{Config, Deadlines, OriginTarget, Route};
use crate::decision::{Degraded, Pass};
use crate::gate::{self, COST_HEADER, OriginAnswer, Unsettled, Visitor};
use crate::identity::{ASSERTION_HEADER, ASSERTION_LIFETIME_S, DEGRADED_HEADER, Identity, NOBODY};
use crate::request::HeaderKind;
use crate::request::credential::{self, Strip};
use crate::time::Timestamp;
use crate::{answer, report, wire};

/// Everything that is known about a request that goes to the origin.
pub(super) struct Passage<'a> {
    pub(super) visit: &'a Visit,
    pub(super) config: &'a Rc<Config>,
    /// The runtime's context of the request.
    pub(super) context: &'a JsValue,
    pub(super) pass: &'a Pass,
}

impl Passage<'_> {
    /// Sends the request on, with `assertion` if there is one. The promise is kept by the origin's
    /// response, with the gate's headers set.
    ///
    /// # Errors
    ///
    /// The platform's reason why the request can't even be sent.
    pub(super) fn send(
        &self,
        assertion: Option<&str>,
        now: Timestamp,
    ) -> Result<Promise, ForwardFailure> {
        let mut headers: Vec<(&str, String)> = Vec::new();
        if let Some(identity) = &self.pass.identity {
            headers.extend(identity.headers());
        }
        if let Some(assertion) = assertion {
            headers.push((ASSERTION_HEADER, assertion.to_owned()));
        }
        if let Some(degraded) = self.pass.degraded {
            headers.push((DEGRADED_HEADER, degraded.word().to_owned()));
        }
        let strip = self.strip();
        headers.extend(strip.headers.iter().map(|name| (name.as_str(), String::new())));
        headers.extend(strip.cookie.map(|kept| ("cookie", kept)));
        let target = strip.target.unwrap_or_else(|| self.visit.facts.target());
        let pass = self.pass;
        let mut on_response =
            answer::passed_headers(&pass.quotas, &pass.notices, pass.degraded, now);
        on_response.extend(pass.set_cookie.iter().map(|cookie| (SET_COOKIE, cookie.into())));
        let Isolate { env, forwardings, .. } = &*self.visit.isolate;
        let forwarding = forwardings.of(env, self.config, pass.route, self.passing())?;
        let unsettled = self.unsettled().filter(|_| forwarding.is_settled);
        if forwarding.reads_cost && unsettled.is_some() {
            // Between origin and gate; empty removes it.
            on_response.push((COST_HEADER, "".into()));
        }
        let changes = Changes {
            target: &target,
            on_request: &headers,
            on_response: &glue::lines(&on_response),
            unsettled,
        };
        send(self.visit, self.context, &forwarding, &changes)
    }

    fn passing(&self) -> Passing {
        if self.pass.is_preflight {
            Passing::Preflight
        } else if self.pass.free_page.is_some() {
            Passing::FreePage
        } else {
            Passing::Other
        }
    }

    /// The charge or the count, if there is one.
    fn unsettled(&self) -> Option<Unsettled> {
        let pass = self.pass;
        if let Some(page) = &pass.free_page {
            let cookie = page.set_cookie.clone();
            return Some(Unsettled::Page { cookie, grant: page.grant });
        }
        let (charge, route) = (pass.charge.clone()?, pass.route?.get());
        let account = pass.identity.as_ref()?.account_name();
        Some(Unsettled::Charge { route, account, charge })
    }

    /// The identity to assert, if the operator gave a key to sign it with: nobody's for a visitor
    /// whom a gated route lets through.
    pub(super) fn to_assert(&self) -> Option<(&str, &Identity)> {
        let key = self.config.assertion_keys.as_ref()?.first();
        let is_gated = self.route().is_some_and(|route| !route.open) && !self.pass.is_preflight;
        let visitor = is_gated.then_some(&NOBODY);
        Some((key, self.pass.identity.as_deref().or(visitor)?))
    }

    /// The assertion that was signed for this caller a moment ago, if there is one.
    pub(super) fn known_assertion(&self, now: Timestamp) -> Option<String> {
        self.visit.isolate.signer.known(&self.subject()?, now)
    }

    /// Signs an assertion for this caller.
    ///
    /// # Errors
    ///
    /// WebCrypto's reason for refusing the key.
    pub(super) async fn sign_assertion(&self, now: Timestamp) -> Option<Result<String, String>> {
        let (key, identity) = self.to_assert()?;
        let audience = self.target().audience();
        let claims = identity.assertion_claims(&self.visit.facts.base_url(), audience, now);
        let until = now.plus_seconds(ASSERTION_LIFETIME_S / 2);
        Some(self.visit.isolate.signer.sign(key, self.subject()?, &claims, until).await)
    }

    /// The claims in which assertions differ.
    fn subject(&self) -> Option<String> {
        let (_, identity) = self.to_assert()?;
        let audience = self.target().audience();
        Some(identity.assertion_subject(&self.visit.facts.base_url(), audience))
    }

    fn target(&self) -> &OriginTarget {
        self.route().and_then(|route| route.origin.as_ref()).unwrap_or(&self.config.origin)
    }

    fn route(&self) -> Option<&Route> {
        self.pass.route.and_then(|index| self.config.route(index))
    }

    /// Takes out the parts that the origin isn't to see. The cookie of free pages is the gate's
    /// own. A preflight takes no cookie along, and gets none.
    fn strip(&self) -> Strip {
        let mut strip = match self.route() {
            Some(route) if !route.forward_credential && !route.open => {
                credential::strip(&self.config.credentials, &self.visit.facts)
            }
            _ => Strip::default(),
        };
        if self.pass.is_preflight {
            return Strip { target: strip.target, ..Strip::default() };
        }
        let visitor = Visitor::of(self.config, &self.visit.facts);
        let cookies = strip.cookie.as_deref().unwrap_or(visitor.cookies);
        if let Some(kept) = credential::without_cookie(cookies, COOKIE_NAME) {
            strip.cookie = Some(kept);
        }
        strip
    }
}

/// Settles what was charged or counted, now that the origin has answered. Returns the cookie that
/// the reader of a free page gets with it, empty for none.
fn settle(
    isolate: &Rc<Isolate>,
    context: &JsValue,
    unsettled: Unsettled,
    answer: &OriginAnswer<'_>,
) -> String {
    let Ok(config) = &isolate.config else { return String::new() };
    let memory = &mut isolate.memory.borrow_mut();
    let (errands, cookie) = match unsettled {
        Unsettled::Charge { route, account, charge } => {
            let Some(route) = config.routes.get(route) else { return String::new() };
            let settlement = gate::settle(route, &charge, answer);
            if let Some(fault) = &settlement.fault {
                worker::console_error!("{}", report::fault_line("origin", fault));
            }
            (gate::give_back(&account, &settlement.returned, memory, now()), String::new())
        }
        Unsettled::Page { cookie, grant } => {
            let (is_delivered, errands) = gate::settle_page(&grant, answer, memory, now());
            (errands, if is_delivered { cookie } else { String::new() })
        }
    };
    errands::run(isolate, config, context, errands);
    cookie
}

/// Has `settling.js` settle charges, and ask of which kind headers are, with this instance of the
/// module.
pub(super) fn register() {
    if REGISTERED.replace(true) {
        return;
    }
    let settler = |context: JsValue,
                   unsettled: Vec<u8>,
                   status: u16,
                   cost: String,
                   cache: String,
                   unsent_ms: u32| {
        // The bytes are this isolate's own.
        let (Some(isolate), Ok(unsettled)) = (Isolate::current(), wire::decode(&unsettled)) else {
            return String::new();
        };
        let answer = OriginAnswer { status, cost: &cost, cache_status: &cache, unsent_ms };
        settle(&isolate, &context, unsettled, &answer)
    };
    let settle = Closure::<Settle>::new(settler);
    let broken_off_ms = OriginAnswer::BROKEN_OFF;
    forward::set_settler(settle.into_js_value().unchecked_ref(), broken_off_ms);
    let kind_of = |name: String| HeaderKind::of(&name) as u8;
    let kind_of = Closure::<dyn Fn(String) -> u8>::new(kind_of);
    forward::set_header_kinds(kind_of.into_js_value().unchecked_ref());
}

thread_local! {
    /// Whether this instance of the module has registered.
    static REGISTERED: Cell<bool> = const { Cell::new(false) };
}

type Settle = dyn Fn(JsValue, Vec<u8>, u16, String, String, u32) -> String;

/// Sends a request on without any decision about it: for a gate that is misconfigured or restarted.
///
/// # Errors
///
/// The platform's reason why the request can't even be sent.
pub(super) fn send_unchecked(
    visit: &Visit,
    origin: &OriginTarget,
    degraded: Degraded,
) -> Result<Promise, ForwardFailure> {
    // The configuration may be what is broken.
    let deadline_ms = Deadlines::default().origin_ms;
    let forwarding = Forwarding::unchecked(&visit.isolate.env, origin, deadline_ms)?;
    let mark = [(DEGRADED_HEADER, degraded.word().to_owned())];
    let changes = Changes {
        target: &visit.facts.target(),
        on_request: &mark,
        on_response: &glue::lines(&mark),
        unsettled: None,
    };
    send(visit, &JsValue::UNDEFINED, &forwarding, &changes)
}

/// The changes to a request on its way to the origin, and to the response on its way back.
struct Changes<'a> {
    /// Path and query.
    target: &'a str,
    /// Headers to set.
    on_request: &'a [(&'a str, String)],
    /// The same for the response, in lines.
    on_response: &'a str,
    /// The charge or count that the response settles.
    unsettled: Option<Unsettled>,
}

const SET_COOKIE: &str = "Set-Cookie";

fn send(
    visit: &Visit,
    context: &JsValue,
    forwarding: &Forwarding,
    changes: &Changes<'_>,
) -> Result<Promise, ForwardFailure> {
    let head = if forwarding.takes_whole_url {
        let url = format!("{}{}", visit.facts.base_url(), changes.target);
        glue::head(&url, changes.on_request)
    } else {
        glue::head(changes.target, changes.on_request)
    };
    let options = &forwarding.options;
    let unsettled = changes.unsettled.as_ref();
    let unsettled = unsettled.map(|value| Uint8Array::from(&*wire::encode(value)));
    forward::forward(&visit.request, context, options, &head, changes.on_response, unsettled)
        .map_err(|error| ForwardFailure::of(&error))
}
