//! One request as the gate judges it: the facts that are known of it, and its denial.

use std::borrow::Cow;
use std::rc::Rc;

use super::Memory;
use super::memory::Caller;
use super::remedies::{self, bad_request, fault};
use super::step::{Errand, Misfit, Need};
use crate::cause::Cause;
use crate::config::{Config, Route, RouteIndex};
use crate::decision::Denial;
use crate::identity::Identity;
use crate::request::{RequestFacts, RouteMatch, match_route};
use crate::time::Timestamp;

/// The things that any request has from its beginning to its end.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) config: Rc<Config>,
    pub(super) facts: Rc<RequestFacts>,
    pub(super) started_at: Timestamp,
    pub(super) notes: Notes,
}

/// Knowledge that a request has gained on its way, and work that it leaves behind.
#[derive(Debug)]
pub(super) struct Notes {
    /// Number of times it has waited for another request.
    pub(super) waits: u32,
    /// Whether the payment provider is taken to be down.
    pub(super) provider_outage: bool,
    /// The reason why the inbox did not say that, for the log.
    pub(super) unanswered: Option<String>,
    pub(super) errands: Vec<Errand>,
}

/// One turn of a request, from an outcome to the next need or the end.
pub(super) struct Turn<'a> {
    pub(super) case: Case<'a>,
    pub(super) memory: &'a mut Memory,
    pub(super) notes: &'a mut Notes,
}

/// The ground of all judgements. Nothing in it changes while they are made.
#[derive(Clone, Copy)]
pub(super) struct Case<'a> {
    pub(super) config: &'a Config,
    pub(super) facts: &'a RequestFacts,
    pub(super) matter: Matter<'a>,
    pub(super) started_at: Timestamp,
    pub(super) now: Timestamp,
    pub(super) provider_outage: bool,
}

/// The thing that is asked for.
#[derive(Clone, Copy)]
pub(super) enum Matter<'a> {
    /// The passing of the request, on this route.
    Passage(&'a Route),
    /// The passing of a GET of the path, on this route.
    Page(&'a Route),
    /// The caller's own account: no route has a say in that.
    Account,
}

/// The reason why a stage stops before it is through. `P` is the place to go on from.
#[derive(Debug)]
pub(super) enum Halt<P> {
    /// Something is needed first.
    Need(Need, P),
    /// The request is denied.
    Deny(Box<Denial>),
    /// A mistake of ours or the operator's, in words for the log: never the caller's.
    Fault(Cow<'static, str>),
}

impl<P> Halt<P> {
    pub(super) fn fault(detail: &'static str) -> Self {
        Self::Fault(Cow::Borrowed(detail))
    }

    /// The same, seen from the stage around this one.
    pub(super) fn within<Q>(self, place: impl FnOnce(P) -> Q) -> Halt<Q> {
        match self {
            Self::Need(need, from) => Halt::Need(need, place(from)),
            Self::Deny(denial) => Halt::Deny(denial),
            Self::Fault(detail) => Halt::Fault(detail),
        }
    }
}

impl<P> From<Box<Denial>> for Halt<P> {
    fn from(denial: Box<Denial>) -> Self {
        Self::Deny(denial)
    }
}

impl<P> From<Misfit> for Halt<P> {
    fn from(misfit: Misfit) -> Self {
        Self::Fault(Cow::Owned(misfit.to_string()))
    }
}

impl Request {
    pub(super) fn new(
        config: Rc<Config>,
        facts: Rc<RequestFacts>,
        memory: &Memory,
        now: Timestamp,
    ) -> Self {
        let provider_outage = config.provider_outage || memory.outage.is_on(now);
        let notes = Notes { waits: 0, provider_outage, unanswered: None, errands: Vec::new() };
        Self { config, facts, started_at: now, notes }
    }

    /// The route of the path.
    ///
    /// # Errors
    ///
    /// A denial: the path can't be read, or belongs to no one route.
    pub(super) fn find_route(&self) -> Result<RouteIndex, Box<Denial>> {
        let Self { config, facts, .. } = self;
        let refuse = |detail: &str| Box::new(bad_request(detail, config));
        let readings = facts.readings().map_err(|error| refuse(error.code()))?;
        let patterns = config.routes.iter().map(|route| (&route.pattern, route.open));
        match match_route(&patterns, &facts.method, facts.host(), &readings) {
            RouteMatch::One(place) => Ok(RouteIndex::new(place)),
            RouteMatch::Ambiguous => Err(refuse("servers may read the path as different routes")),
            RouteMatch::None => Err(refuse("no route matches")),
        }
    }

    /// The next turn. `matter` finds the thing that is asked for in the configuration.
    ///
    /// # Errors
    ///
    /// Those of `matter`.
    pub(super) fn turn<'a, P>(
        &'a mut self,
        matter: impl FnOnce(&'a Config) -> Result<Matter<'a>, Halt<P>>,
        memory: &'a mut Memory,
        now: Timestamp,
    ) -> Result<Turn<'a>, Halt<P>> {
        let Self { config, facts, started_at, notes } = self;
        let config: &'a Config = config;
        let (started_at, provider_outage) = (*started_at, notes.provider_outage);
        let matter = matter(config)?;
        let case = Case { config, facts, matter, started_at, now, provider_outage };
        Ok(Turn { case, memory, notes })
    }

    /// Adds a note for the log to a denial that has none.
    pub(super) fn with_notes(&mut self, mut denial: Box<Denial>) -> Box<Denial> {
        let detail = &mut denial.facts.operator_detail;
        *detail = detail.take().or_else(|| self.notes.unanswered.take());
        denial
    }

    /// The denial for a fault of ours or the operator's.
    pub(super) fn fault(&self, detail: &str) -> Box<Denial> {
        Box::new(fault(Cause::Misconfigured, detail, Some(&self.config)))
    }
}

/// The route at this index.
///
/// # Errors
///
/// A fault where it is gone: a configuration doesn't change under a request.
pub(super) fn route_at<P>(config: &Config, index: RouteIndex) -> Result<&Route, Halt<P>> {
    config.route(index).ok_or_else(|| Halt::fault("the route that was matched is gone"))
}

/// The fault where an account can't be remembered: the memory of an isolate makes room for each.
pub(super) fn no_room<P>() -> Halt<P> {
    Halt::fault("the memory of accounts has no room")
}

impl<'a> Matter<'a> {
    /// Entitlements that it takes.
    fn requires(self) -> &'a [String] {
        match self {
            Self::Passage(route) | Self::Page(route) => &route.requires,
            // A caller needs none to read its own account.
            Self::Account => &[],
        }
    }
}

impl Case<'_> {
    /// Denies a caller, with all that is known about it; `identity` is the caller by its token and
    /// its record.
    pub(super) fn deny(
        self,
        mut denial: Denial,
        caller: &Caller,
        identity: &Identity,
    ) -> Box<Denial> {
        let plan = identity.plan.as_deref();
        denial.facts.account = Some(identity.account_name());
        let known = plan.and_then(|id| self.config.plan(id));
        denial.facts.plan = known.map(|plan| plan.name.clone());
        let way_back = self.way_back(caller);
        self.fill_in(&mut denial, plan, way_back.as_deref());
        Box::new(denial)
    }

    /// Denies a sender who isn't known.
    pub(super) fn deny_stranger(self, mut denial: Denial) -> Box<Denial> {
        self.fill_in(&mut denial, None, None);
        Box::new(denial)
    }

    fn fill_in(self, denial: &mut Denial, plan: Option<&str>, way_back: Option<&str>) {
        let requires = self.matter.requires();
        remedies::fill_in(denial, self.config, requires, plan, way_back, self.started_at);
    }
}
