//! Who sends no credential: verified crawlers, readers of free pages, and everybody else.

use std::rc::Rc;

use super::afterwards::OriginAnswer;
use super::{Errand, Gate, Memory, Progress, Purpose, Step};
use crate::allowance::{
    COOKIE_NAME, Grant, Page, Reader, ReadersReply, ReadersRequest, ReportDue, Verdict, View,
    address_key, is_delivered, is_view, lets_through,
};
use crate::cause::Cause;
use crate::config::{Anonymous, Route};
use crate::decision::{Denial, FreePage, Pass};
use crate::gate::Visitor;
use crate::request::readings;
use crate::time::Timestamp;

impl Gate {
    pub(super) fn check_visitor(&mut self, memory: &mut Memory, now: Timestamp) -> Step {
        let (config, facts) = (Rc::clone(&self.config), Rc::clone(&self.facts));
        let route = self.route.and_then(|index| config.routes.get(index));
        // Free pages are for reading. A request for the gate itself asks about an account.
        if self.purpose != Purpose::Passage {
            return self.deny_visitor(route);
        }
        let visitor = Visitor::of(&config, &facts);
        if route.is_some_and(|route| lets_through(&route.crawlers, visitor.bot_category)) {
            return self.pass(Pass::default());
        }
        let free = route.filter(|route| route.free.is_some() && is_view(&facts.method));
        let (Some(route), Some(key)) = (free, &config.allowance_key) else {
            return self.deny_visitor(route);
        };
        let value = visitor.cookie(COOKIE_NAME);
        let known = value.and_then(|value| Reader::read(value, key, facts.host(), now));
        let reader =
            known.unwrap_or_else(|| Reader::new(key.reader_id(&memory.next_reader_seed())));
        let starts = route.free.is_some_and(|allowance| reader.used(allowance, now) == 0);
        match &route.free_burst {
            // Without an address everybody would be counted as one.
            Some(binding) if starts && !visitor.address.is_empty() => {
                self.progress = Progress::Start(Box::new(reader));
                Step::LimitBurst { binding: binding.clone(), key: address_key(visitor.address) }
            }
            _ => self.view_page(reader, memory, now),
        }
    }

    /// Goes on with a reader who starts a count, if its address is within the rate.
    pub(super) fn start_answered(
        &mut self,
        reader: Reader,
        is_within: bool,
        memory: &mut Memory,
        now: Timestamp,
    ) -> Step {
        if is_within {
            return self.view_page(reader, memory, now);
        }
        let mut denial = Denial::new(Cause::RateLimited);
        denial.retry_at = Some(now.plus_ms(START_RETRY_MS));
        self.deny(denial, None)
    }

    fn view_page(&mut self, mut reader: Reader, memory: &mut Memory, now: Timestamp) -> Step {
        let (config, facts) = (Rc::clone(&self.config), Rc::clone(&self.facts));
        let allowance = self.matched().and_then(|route| route.free);
        let (Some(allowance), Some(key), Ok(readings)) =
            (allowance, &config.allowance_key, readings(&facts.path))
        else {
            return self.misconfigured("a page is free by no allowance");
        };
        let names = Page::names(&facts, &readings, &reader.id(), key);
        let Some(page) = memory.readers().name_of(&reader, allowance, &names, now) else {
            return self.misconfigured("a page has no name");
        };
        let View { quota, verdict } = memory.readers().view(&mut reader, allowance, page, now);
        let free_page = match verdict {
            Verdict::AlreadySeen => None,
            Verdict::Counted(grant) => {
                let set_cookie = reader.set_cookie(key, facts.host(), now);
                Some(Box::new(FreePage { grant, set_cookie }))
            }
            Verdict::UsedUp => {
                let mut denial = Denial::new(Cause::AllowanceExhausted);
                denial.retry_at = Some(quota.resets_at);
                denial.quota = Some(quota);
                return self.deny(denial, None);
            }
        };
        self.pass(Pass { quotas: vec![quota], free_page, ..Pass::default() })
    }

    fn deny_visitor(&self, route: Option<&Route>) -> Step {
        let is_offer = route.is_some_and(|route| route.anonymous == Anonymous::Offer);
        let cause = if is_offer { Cause::PaymentRequired } else { Cause::SignInRequired };
        self.deny(Denial::new(cause), None)
    }
}

/// Takes over the origin's answer to a free page that was counted. Returns whether the reader got
/// the page, and with it the cookie that counts it. A page is not given back where the reader broke
/// the request off.
pub fn settle_page(
    grant: &Grant,
    answer: &OriginAnswer<'_>,
    memory: &mut Memory,
    now: Timestamp,
) -> (bool, Vec<Errand>) {
    if !is_delivered(answer.status) {
        if !answer.is_callers_doing() {
            memory.readers().give_back(grant);
        }
        return (false, Vec::new());
    }
    let due = memory.readers().confirm(grant, now);
    (true, due.into_iter().map(Errand::ReportReaders).collect())
}

/// What [`Errand::ReportReaders`] has to send; `None` where somebody else has done it.
pub fn readers_to_report(due: ReportDue, memory: &mut Memory) -> Option<ReadersRequest> {
    memory.readers().take(due.shard)
}

/// Takes over what the report was answered.
pub fn readers_reported(reply: &ReadersReply, memory: &mut Memory) {
    memory.readers().correct(&reply.corrections);
}

/// The longer of the two periods that the platform's rate limits know.
const START_RETRY_MS: i64 = 60_000;
