//! After paying: whether access is back, and which account wants to pay.

use std::rc::Rc;

use super::Memory;
use super::case::{Case, Matter, Request, Turn};
use super::inquiry::{Answer, Begun, Hitch, Inquiry, Subject};
use super::memory::Caller;
use super::usage::exhausted;
use crate::account::AccountRecord;
use crate::config::{Config, Route, SubscriptionSource};
use crate::decision::Denial;
use crate::identity::Identity;
use crate::quota::Usage;
use crate::request::{RequestFacts, ReturnPath, credential};
use crate::time::Timestamp;
use crate::usage::AccountUsage;

/// A verified caller and its account's record.
#[derive(Debug)]
pub struct KnownAccount {
    /// The caller.
    pub identity: Rc<Identity>,
    /// The ledger's record; `None` where it has none.
    pub record: Option<AccountRecord>,
}

/// The state of access to a page.
#[derive(Debug)]
pub enum Access {
    /// It is.
    Open,
    /// It is denied, for this.
    Denied(Box<Denial>),
}

impl Access {
    /// The denial, where access is not back.
    pub fn denial(&self) -> Option<&Denial> {
        match self {
            Self::Open => None,
            Self::Denied(denial) => Some(denial),
        }
    }
}

impl Inquiry<Access> {
    /// Begins a request that asks whether access to `path` is back. `now` is the edge's clock.
    ///
    /// `None` where the page is open to everybody, or belongs to no route: then nobody need be
    /// identified.
    pub fn access(
        config: Rc<Config>,
        facts: &RequestFacts,
        path: &ReturnPath,
        memory: &mut Memory,
        now: Timestamp,
    ) -> Option<Begun<Access>> {
        // The route is that of the path; credentials stand where they stand in this request.
        let facts = Rc::new(facts.get(path.path()));
        let request = Request::new(config, facts, memory, now);
        let index = request.find_route().ok()?;
        if request.config.route(index).is_some_and(|route| route.open) {
            return None;
        }
        let subject = Subject::Page(index, access);
        Some(Self::start(request, subject, ASKED_AGAIN_MS, memory, now))
    }
}

impl Inquiry<Box<KnownAccount>> {
    /// Begins a request of somebody who wants to pay. `now` is the edge's clock.
    pub fn account(
        config: Rc<Config>,
        facts: Rc<RequestFacts>,
        memory: &mut Memory,
        now: Timestamp,
    ) -> Begun<Box<KnownAccount>> {
        let request = Request::new(config, facts, memory, now);
        Self::start(request, Subject::Account(known_account), ASKED_AGAIN_MS, memory, now)
    }
}

/// Whether a request for the path would pass, by the ledger's last word. The isolate's memory of
/// denials is renewed: nobody who has paid waits for that.
fn access(turn: &mut Turn<'_>, route: &Route, caller: &Caller, usage: &Usage) -> Answer<Access> {
    let case = turn.case;
    let record = usage.account.as_ref();
    if let Some(view) = turn.memory.known_account_mut(&caller.account) {
        view.keep(record.cloned(), 0, case.now);
        view.forget_refusals();
    }
    let standing = match case.check_standing(route, caller, record) {
        Ok(standing) => standing,
        Err(denial) if turn.begin_outage_check(denial.cause) => return Err(Hitch::Outage),
        Err(denial) => {
            let identity = case.identity_of(caller, record);
            return Ok(Access::Denied(case.deny(*denial, caller, &identity)));
        }
    };
    let own = AccountUsage::new(case.config, case.plan_of(caller, record), usage);
    let costs = route.metering.as_ref().map_or(&[][..], |metering| &metering.costs);
    let is_wanted = |meter: &str| costs.iter().any(|cost| cost.meter == meter);
    let full = own.quotas.iter().find(|quota| quota.is_full && is_wanted(&quota.state.name.meter));
    Ok(match full.filter(|_| own.credits.is_empty()) {
        None => Access::Open,
        Some(quota) => Access::Denied(case.deny(exhausted(quota), caller, &standing.identity)),
    })
}

#[expect(clippy::unnecessary_wraps, reason = "it has the type of all answers")]
fn known_account(turn: &mut Turn<'_>, caller: &Caller, usage: &Usage) -> Answer<Box<KnownAccount>> {
    let record = usage.account.clone();
    let identity = turn.case.identity_of(caller, record.as_ref());
    Ok(Box::new(KnownAccount { identity, record }))
}

impl Case<'_> {
    /// The page to come back to, as the value of a `return` parameter. `None` where paying changes
    /// nothing for the caller: its rights stand in its token alone, until the next one.
    pub(super) fn way_back(self, caller: &Caller) -> Option<String> {
        let config = self.config;
        if config.billing.is_empty() || self.subscription_of(caller) == SubscriptionSource::Token {
            return None;
        }
        let facts = self.facts;
        let is_page = matches!(facts.method.as_str(), "GET" | "HEAD");
        let target = match self.matter {
            Matter::Passage(_) if is_page => {
                // No credential comes along.
                let stripped = credential::strip(&config.credentials, facts).target;
                stripped.unwrap_or_else(|| facts.target())
            }
            Matter::Page(_) if is_page => facts.path.clone(),
            Matter::Passage(_) | Matter::Page(_) | Matter::Account => return Some("/".to_owned()),
        };
        let path = ReturnPath::new(&target, &config.prefix)
            .or_else(|_| ReturnPath::new(&facts.path, &config.prefix));
        Some(path.map_or_else(|_| "/".to_owned(), |path| path.encoded()))
    }
}

/// The greatest age of usage, in milliseconds, for somebody who has just paid.
const ASKED_AGAIN_MS: i64 = 500;
