//! Requests for the gate itself about an account. They are identified as any request is,
//! and then read the account instead of spending its units: none of them ever passes.

mod read;

use std::rc::Rc;

use super::Memory;
use super::admit::burst_need;
use super::case::{Halt, Matter, Request, Turn, route_at};
use super::identify::{Identify, Sender};
use super::memory::Caller;
use super::step::{CallError, Errand, Need, Outcome, Process, Step};
use crate::config::{Config, Route, RouteIndex};
use crate::decision::Denial;
use crate::quota::Usage;
use crate::time::Timestamp;

/// A request that asks the gate for an `A`.
#[derive(Debug)]
pub struct Inquiry<A> {
    request: Request,
    subject: Subject<A>,
    /// The greatest age of usage that was read before, in milliseconds.
    max_age_ms: i64,
    stage: Stage,
}

/// An inquiry that has begun, and its first step.
pub type Begun<A> = (Inquiry<A>, Step<Result<A, Box<Denial>>>);

/// The subject of an inquiry, and the function that answers it.
pub(super) enum Subject<A> {
    /// The caller's own account.
    Account(fn(&mut Turn<'_>, &Caller, &Usage) -> Answer<A>),
    /// A page, by its route.
    Page(RouteIndex, fn(&mut Turn<'_>, &Route, &Caller, &Usage) -> Answer<A>),
}

/// An answer; or the denial, or the doubt about the payment provider, that comes before it.
pub(super) type Answer<A> = Result<A, Hitch>;

/// The reason why an account that was read makes no answer.
#[derive(Debug)]
pub(super) enum Hitch {
    /// The inbox has to be asked first whether the payment provider is down.
    Outage,
    /// The caller is denied.
    Deny(Box<Denial>),
}

/// The progress of an inquiry.
#[derive(Debug)]
enum Stage {
    Identify(Identify),
    Inquire(Inquire),
    /// It has ended.
    Ended,
}

/// A place where the inquiry of a verified caller waits.
#[derive(Debug)]
enum Inquire {
    /// The answer of the route's burst limit.
    Burst(Rc<Caller>),
    /// The account's usage.
    Usage(Rc<Caller>),
    /// Another request, which reads the same.
    Queued(Rc<Caller>),
    /// The state of the payment provider.
    Outage(Rc<Caller>),
}

impl<A> Process for Inquiry<A> {
    type End = Result<A, Box<Denial>>;

    fn resume(&mut self, outcome: Outcome, memory: &mut Memory, now: Timestamp) -> Step<Self::End> {
        let stage = std::mem::replace(&mut self.stage, Stage::Ended);
        self.advance(memory, now, |turn| match stage {
            Stage::Identify(place) => {
                let sender = turn.resume_identify(place, outcome);
                turn.begin_inquire(sender.map_err(|halt| halt.within(Stage::Identify))?)
            }
            Stage::Inquire(place) => {
                turn.resume_inquire(place, outcome).map_err(|halt| halt.within(Stage::Inquire))
            }
            Stage::Ended => Err(Halt::fault("an outcome came after the answer")),
        })
    }

    fn route(&self) -> Option<RouteIndex> {
        match self.subject {
            Subject::Account(_) => None,
            Subject::Page(route, _) => Some(route),
        }
    }

    fn take_errands(&mut self) -> Vec<Errand> {
        std::mem::take(&mut self.request.notes.errands)
    }
}

impl<A> Inquiry<A> {
    /// Begins an inquiry.
    pub(super) fn start(
        request: Request,
        subject: Subject<A>,
        max_age_ms: i64,
        memory: &mut Memory,
        now: Timestamp,
    ) -> Begun<A> {
        let mut inquiry = Self { request, subject, max_age_ms, stage: Stage::Ended };
        let step = inquiry.advance(memory, now, |turn| {
            let sender = turn.identify();
            turn.begin_inquire(sender.map_err(|halt| halt.within(Stage::Identify))?)
        });
        (inquiry, step)
    }

    /// Takes a turn. `go_on` leads to a caller whose account can be read.
    fn advance(
        &mut self,
        memory: &mut Memory,
        now: Timestamp,
        go_on: impl FnOnce(&mut Turn<'_>) -> Result<Ready, Halt<Stage>>,
    ) -> Step<Result<A, Box<Denial>>> {
        let Self { request, subject, max_age_ms, .. } = self;
        let turn = request.turn(|config| subject.matter(config), memory, now);
        let end = turn.and_then(|mut turn| {
            let ready = go_on(&mut turn)?;
            let within = |halt: Halt<Inquire>| halt.within(Stage::Inquire);
            let (caller, usage) = turn.usage_of(ready, *max_age_ms).map_err(within)?;
            let answer = match subject {
                Subject::Account(answer) => answer(&mut turn, &caller, &usage),
                Subject::Page(index, answer) => {
                    let route = route_at(turn.case.config, *index)?;
                    answer(&mut turn, route, &caller, &usage)
                }
            };
            answer.map_err(|hitch| match hitch {
                Hitch::Outage => {
                    Halt::Need(Need::ReadOutage, Stage::Inquire(Inquire::Outage(caller)))
                }
                Hitch::Deny(denial) => Halt::Deny(denial),
            })
        });
        match end {
            Ok(answer) => Step::End(Ok(answer)),
            Err(Halt::Need(need, stage)) => {
                self.stage = stage;
                Step::Need(need)
            }
            Err(Halt::Deny(denial)) => Step::End(Err(self.request.with_notes(denial))),
            Err(Halt::Fault(detail)) => Step::End(Err(self.request.fault(&detail))),
        }
    }
}

impl<A> Subject<A> {
    fn matter<'c>(&self, config: &'c Config) -> Result<Matter<'c>, Halt<Stage>> {
        match self {
            Self::Account(_) => Ok(Matter::Account),
            Self::Page(index, _) => route_at(config, *index).map(Matter::Page),
        }
    }
}

impl<A> std::fmt::Debug for Subject<A> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Account(_) => formatter.write_str("Account"),
            Self::Page(route, _) => formatter.debug_tuple("Page").field(route).finish(),
        }
    }
}

/// A caller whose account is to be read, or was just read.
struct Ready {
    caller: Rc<Caller>,
    read: Option<Result<Box<Usage>, CallError>>,
}

impl Turn<'_> {
    fn begin_inquire(&mut self, sender: Sender) -> Result<Ready, Halt<Stage>> {
        let caller = match sender {
            Sender::Caller(caller) => caller,
            // Free pages are for reading: they say nothing of an account.
            Sender::Visitor => return Err(self.case.deny_visitor().into()),
        };
        let need = match self.case.matter {
            Matter::Passage(route) | Matter::Page(route) => burst_need(route, &caller),
            Matter::Account => None,
        };
        match need {
            Some(need) => Err(Halt::Need(need, Stage::Inquire(Inquire::Burst(caller)))),
            None => Ok(Ready { caller, read: None }),
        }
    }

    fn resume_inquire(&mut self, place: Inquire, outcome: Outcome) -> Result<Ready, Halt<Inquire>> {
        let (caller, read) = match place {
            Inquire::Burst(caller) => {
                self.case.check_burst(outcome.burst_answered()?, &caller)?;
                (caller, None)
            }
            Inquire::Usage(caller) => (caller, Some(outcome.usage_read()?)),
            Inquire::Queued(caller) => {
                outcome.waited()?;
                (caller, None)
            }
            Inquire::Outage(caller) => {
                self.outage_read(outcome.outage_read()?);
                (caller, None)
            }
        };
        Ok(Ready { caller, read })
    }

    /// The usage of a caller's account: just read, remembered, or to be read.
    fn usage_of(
        &mut self,
        ready: Ready,
        max_age_ms: i64,
    ) -> Result<(Rc<Caller>, Rc<Usage>), Halt<Inquire>> {
        let Ready { caller, read } = ready;
        let usage = match read {
            Some(read) => self.take_usage(&caller, read)?,
            None => self.known_usage(&caller, max_age_ms)?,
        };
        Ok((caller, usage))
    }
}
