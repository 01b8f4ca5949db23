//! After paying: whether access is back, and who it is that wants to pay.

use std::rc::Rc;

use super::memory::{Caller, Memory};
use super::usage::exhausted;
use super::{Gate, Purpose, Step};
use crate::account::AccountRecord;
use crate::config::{Config, SubscriptionSource};
use crate::identity::Identity;
use crate::quota::Usage;
use crate::request::{RequestFacts, ReturnPath, credential};
use crate::time::Timestamp;
use crate::usage::AccountUsage;

/// A verified caller and its account's record.
#[derive(Debug)]
pub struct KnownAccount {
    /// Who it is.
    pub identity: Rc<Identity>,
    /// What the ledger knows; `None` where it has never heard of the account.
    pub record: Option<AccountRecord>,
}

impl Gate {
    /// A request that asks whether access to `path` is back. It is never passed: it ends with
    /// [`Step::ShowStatus`], or with a denial where it isn't known who asks.
    pub fn for_status(config: Rc<Config>, facts: &RequestFacts, path: &ReturnPath) -> Self {
        // The route is that of the path; credentials stand where they stand in this request.
        let (method, path) = ("GET".to_owned(), path.path().to_owned());
        let facts = RequestFacts { method, path, ..facts.clone() };
        Self::of(Purpose::Status, config, Rc::new(facts))
    }

    /// A request of somebody who wants to pay. It ends with [`Step::ShowAccount`] or a denial.
    pub fn for_account(config: Rc<Config>, facts: Rc<RequestFacts>) -> Self {
        Self::of(Purpose::Account, config, facts)
    }

    pub(super) fn begin_status(&mut self, memory: &mut Memory, now: Timestamp) -> Step {
        let Ok(index) = self.find_route() else { return Step::ShowStatus(None) };
        self.route = Some(index);
        if self.config.routes.get(index).is_some_and(|route| route.open) {
            return Step::ShowStatus(None);
        }
        self.check_credential(memory, now)
    }

    /// Whether a request for the path would pass, by what the ledger has just said. What this
    /// isolate remembered is forgotten: nobody who has paid waits for that.
    pub(super) fn show_status(
        &mut self,
        caller: &Rc<Caller>,
        usage: &Usage,
        memory: &mut Memory,
        now: Timestamp,
    ) -> Step {
        let record = usage.account.as_ref();
        if let Some(view) = memory.known_account_mut(&caller.account) {
            view.renew(record, now);
        }
        let good = match self.check_standing(caller, record, now) {
            Ok(good) => good,
            Err(denial) => {
                if let Some(step) = self.ask_outage(denial.cause, caller, memory, now) {
                    return step;
                }
                let identity = self.identity_of(caller, record, now);
                return Step::ShowStatus(Some(Box::new(self.completed(*denial, Some(&identity)))));
            }
        };
        let told = AccountUsage::new(&self.config, self.plan_of(caller, record, now), usage);
        let metering = self.matched().and_then(|route| route.metering.as_ref());
        let costs = metering.map_or(&[][..], |metering| &metering.costs);
        let is_wanted = |meter: &str| costs.iter().any(|cost| cost.meter == meter);
        let full = told.quotas.iter().find(|quota| quota.is_full && is_wanted(&quota.meter));
        let denial = full.filter(|_| told.credits.is_empty()).map(exhausted);
        let complete = |denial| Box::new(self.completed(denial, Some(&good.identity)));
        Step::ShowStatus(denial.map(complete))
    }

    pub(super) fn show_account(&self, caller: &Caller, usage: &Usage, now: Timestamp) -> Step {
        let record = usage.account.clone();
        let identity = self.identity_of(caller, record.as_ref(), now);
        Step::ShowAccount(Box::new(KnownAccount { identity, record }))
    }

    /// The page to come back to, as the value of a `return` parameter; `None` where paying would
    /// change nothing for this caller, or another method than GET was refused.
    pub(super) fn way_back(&self) -> Option<String> {
        if self.config.billing.is_empty() || self.by_token_alone {
            return None;
        }
        let facts = &self.facts;
        let is_page = matches!(facts.method.as_str(), "GET" | "HEAD");
        if !is_page || matches!(self.purpose, Purpose::Usage | Purpose::Account) {
            return Some("/".to_owned());
        }
        // No credential comes along.
        let target = credential::strip(&self.config.credentials, facts).target;
        let target = match self.purpose {
            Purpose::Passage => target.unwrap_or_else(|| facts.target()),
            _ => facts.path.clone(),
        };
        let path = ReturnPath::new(&target, &self.config.prefix)
            .or_else(|_| ReturnPath::new(&facts.path, &self.config.prefix));
        Some(path.map_or_else(|_| "/".to_owned(), |path| path.encoded()))
    }

    /// Remembers whether paying changes anything for a caller: not where its token says it all.
    pub(super) fn note_source(&mut self, caller: &Caller) {
        self.by_token_alone = self.subscription_of(caller) == SubscriptionSource::Token;
    }
}
