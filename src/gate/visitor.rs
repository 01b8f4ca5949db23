//! Requests without a credential: of verified crawlers, readers of free pages, and everybody else.

use super::Memory;
use super::afterwards::OriginAnswer;
use super::captured::Visitor;
use super::case::{Case, Halt, Matter, Turn};
use super::step::{Errand, Need};
use crate::allowance::{
    COOKIE_NAME, Grant, Page, Reader, ReadersReply, ReadersRequest, ReportDue, Verdict, View,
    address_key, is_delivered, is_view, lets_through,
};
use crate::cause::Cause;
use crate::config::{Anonymous, Route};
use crate::decision::{Denial, FreePage, Pass};
use crate::time::Timestamp;

/// A reader whose address is being checked, since it starts a count.
#[derive(Debug)]
pub(super) struct NewReader(Reader);

/// A pass for a visitor, or the need that comes before one.
pub(super) type Visited = Result<Box<Pass>, Halt<Box<NewReader>>>;

impl Turn<'_> {
    /// Lets a visitor through for free, or denies.
    pub(super) fn check_visitor(&mut self, route: &Route) -> Visited {
        let Case { config, facts, now, .. } = self.case;
        let visitor = Visitor::of(config, facts);
        if lets_through(&route.crawlers, visitor.bot_category) {
            return Ok(Box::default());
        }
        let (Some(allowance), Some(key), true) =
            (route.free, &config.allowance_key, is_view(&facts.method))
        else {
            return Err(self.case.deny_visitor().into());
        };
        let value = visitor.cookie(COOKIE_NAME);
        let known = value.and_then(|value| Reader::read(value, key, facts.host(), now));
        let reader =
            known.unwrap_or_else(|| Reader::new(key.reader_id(&self.memory.next_reader_seed())));
        let starts = reader.used(allowance, now) == 0;
        match &route.free_burst {
            // Without an address everybody would be counted as one.
            Some(binding) if starts && !visitor.address.is_empty() => {
                let key = address_key(visitor.address);
                let need = Need::LimitBurst { binding: binding.clone(), key };
                Err(Halt::Need(need, Box::new(NewReader(reader))))
            }
            _ => self.view_page(route, reader),
        }
    }

    /// Goes on with a reader who starts a count, if its address is within the rate.
    pub(super) fn reader_checked(
        &mut self,
        route: &Route,
        reader: NewReader,
        is_within: bool,
    ) -> Visited {
        let NewReader(reader) = reader;
        if is_within {
            return self.view_page(route, reader);
        }
        let mut denial = Denial::new(Cause::RateLimited);
        denial.retry_at = Some(self.case.now.plus_ms(START_RETRY_MS));
        Err(self.case.deny_stranger(denial).into())
    }

    fn view_page(&mut self, route: &Route, mut reader: Reader) -> Visited {
        let Case { config, facts, now, .. } = self.case;
        let (Some(allowance), Some(key), Ok(readings)) =
            (route.free, &config.allowance_key, facts.readings())
        else {
            return Err(Halt::fault("a page is free by no allowance"));
        };
        let names = Page::names(facts, &readings, &reader.id(), key);
        let Some(page) = self.memory.readers().name_of(&reader, allowance, &names, now) else {
            return Err(Halt::fault("a page has no name"));
        };
        let View { quota, verdict } = self.memory.readers().view(&mut reader, allowance, page, now);
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
                return Err(self.case.deny_stranger(denial).into());
            }
        };
        Ok(Box::new(Pass { quotas: vec![quota], free_page, ..Pass::default() }))
    }
}

impl Case<'_> {
    /// Denies a visitor: with an offer, where the route makes one.
    pub(super) fn deny_visitor(self) -> Box<Denial> {
        let is_offer = match self.matter {
            Matter::Passage(route) | Matter::Page(route) => route.anonymous == Anonymous::Offer,
            Matter::Account => false,
        };
        let cause = if is_offer { Cause::PaymentRequired } else { Cause::SignInRequired };
        self.deny_stranger(Denial::new(cause))
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

/// The message of [`Errand::ReportReaders`]; `None` where another report has taken it along.
pub fn readers_to_report(due: ReportDue, memory: &mut Memory) -> Option<ReadersRequest> {
    memory.readers().take(due.shard)
}

/// Takes over the reply to the report.
pub fn readers_reported(reply: &ReadersReply, memory: &mut Memory) {
    memory.readers().correct(&reply.corrections);
}

/// The longer of the two periods that the platform's rate limits know.
const START_RETRY_MS: i64 = 60_000;
