//! The way in which requests of a route are forwarded: the part that is the same for all of them,
//! handed to JavaScript once per isolate.

use std::cell::RefCell;
use std::rc::Rc;

use wasm_bindgen::JsValue;

use super::bindings::Environment;
use super::glue::forward::{ForwardFailure, ForwardOptions};
use crate::config::{Config, OriginTarget, Route, RouteIndex, Uncounted};
use crate::request::HeaderKind;

/// The kind of a request that passes, as far as it is forwarded in a way of its own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Passing {
    /// A CORS preflight on a gated route.
    Preflight,
    /// A page that a reader sees for free.
    FreePage,
    /// Any other.
    Other,
}

impl Passing {
    const COUNT: usize = 3;
}

/// The way in which requests of one kind are forwarded, on one route.
pub(super) struct Forwarding {
    /// The same for JavaScript.
    pub(super) options: ForwardOptions,
    /// Whether the target is a whole URL, with the request's own scheme and host: a service binding
    /// has none.
    pub(super) takes_whole_url: bool,
    /// Whether a charge is looked at again once the origin has answered.
    pub(super) is_settled: bool,
    /// Whether the origin may state the cost in a header of its response.
    pub(super) reads_cost: bool,
}

impl Forwarding {
    /// The way for requests of `route`, `None` where none is known.
    ///
    /// # Errors
    ///
    /// The service binding of its origin is gone.
    fn new(
        env: &JsValue,
        config: &Config,
        route: Option<&Route>,
        passing: Passing,
    ) -> Result<Self, ForwardFailure> {
        let origin = route.and_then(|route| route.origin.as_ref()).unwrap_or(&config.origin);
        let is_preflight = passing == Passing::Preflight;
        let keeps_overrides = route.is_some_and(|route| route.forward_overrides);
        let mut forwarding = Self::to(env, origin)?;
        let options = &forwarding.options;
        options.set_removed_kinds(HeaderKind::removed(is_preflight, keeps_overrides));
        options.set_is_cached(route.is_some_and(|route| route.cache));
        options.set_deadline_ms(config.deadlines.origin_ms);
        options.set_is_preflight(is_preflight);
        let settle_on = settle_on(route, passing);
        for outcome in &settle_on {
            match outcome {
                SettleOn::AnyResponse => options.set_settle_on_any_response(true),
                SettleOn::CacheHit => options.set_settle_on_cache_hit(true),
                SettleOn::Failure => options.set_settle_on_failure(true),
                SettleOn::NotModified => options.set_settle_on_not_modified(true),
                SettleOn::StatedCost => {
                    options.set_settle_on_any_response(true);
                    options.set_reads_cost(true);
                }
            }
        }
        forwarding.is_settled = !settle_on.is_empty();
        forwarding.reads_cost = settle_on.contains(&SettleOn::StatedCost);
        Ok(forwarding)
    }

    /// The way for requests that no decision was made about. Nothing is settled on it.
    ///
    /// # Errors
    ///
    /// The service binding is gone.
    pub(super) fn unchecked(
        env: &JsValue,
        origin: &OriginTarget,
        deadline_ms: u32,
    ) -> Result<Self, ForwardFailure> {
        let forwarding = Self::to(env, origin)?;
        forwarding.options.set_removed_kinds(HeaderKind::removed(false, false));
        forwarding.options.set_deadline_ms(deadline_ms);
        Ok(forwarding)
    }

    fn to(env: &JsValue, origin: &OriginTarget) -> Result<Self, ForwardFailure> {
        let options = ForwardOptions::new();
        let takes_whole_url = match origin {
            OriginTarget::Url(url) => {
                options.set_base(url);
                false
            }
            OriginTarget::Service(binding) => {
                let gone = || format!("the service binding {binding:?} is gone");
                let service = Environment(env).get(binding);
                options.set_service(&service.ok_or_else(|| ForwardFailure::Unreachable(gone()))?);
                true
            }
        };
        Ok(Self { options, takes_whole_url, is_settled: false, reads_cost: false })
    }
}

/// The outcomes of a request on which its charge is settled.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum SettleOn {
    /// Any response: a free page counts where it was delivered, and the reader gets a cookie.
    AnyResponse,
    /// The answer came from a cache.
    CacheHit,
    /// The origin failed.
    Failure,
    /// The caller had the answer already.
    NotModified,
    /// Any response: the origin may state the cost in it.
    StatedCost,
}

fn settle_on(route: Option<&Route>, passing: Passing) -> Vec<SettleOn> {
    if passing == Passing::FreePage {
        return vec![SettleOn::AnyResponse, SettleOn::Failure];
    }
    let Some((route, metering)) = route.and_then(|route| Some((route, route.metering.as_ref()?)))
    else {
        return Vec::new();
    };
    let is_free = |kind| metering.uncounted.contains(&kind);
    let outcomes = [
        (SettleOn::Failure, route.refund),
        (SettleOn::NotModified, is_free(Uncounted::NotModified)),
        (SettleOn::CacheHit, is_free(Uncounted::CacheHit)),
        (SettleOn::StatedCost, metering.is_settled),
    ];
    outcomes.into_iter().filter(|(_, is_one)| *is_one).map(|(outcome, _)| outcome).collect()
}

/// The ways that an isolate has worked out so far.
#[derive(Default)]
pub(super) struct Forwardings(RefCell<Vec<Option<Rc<Forwarding>>>>);

impl Forwardings {
    /// The way for requests of the route with this index, worked out at the first call.
    ///
    /// # Errors
    ///
    /// The service binding of its origin is gone.
    pub(super) fn of(
        &self,
        env: &JsValue,
        config: &Config,
        route: Option<RouteIndex>,
        passing: Passing,
    ) -> Result<Rc<Forwarding>, ForwardFailure> {
        let row = route.map_or(0, |index| index.get().saturating_add(1));
        let place = row.saturating_mul(Passing::COUNT).saturating_add(passing as usize);
        if let Some(Some(known)) = self.0.borrow().get(place) {
            return Ok(Rc::clone(known));
        }
        let route = route.and_then(|index| config.route(index));
        let made = Rc::new(Forwarding::new(env, config, route, passing)?);
        let mut all = self.0.borrow_mut();
        if all.len() <= place {
            all.resize(place.saturating_add(1), None);
        }
        if let Some(slot) = all.get_mut(place) {
            *slot = Some(Rc::clone(&made));
        }
        Ok(made)
    }
}
