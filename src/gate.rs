//! The step machine: one request, from its facts to a decision.
//!
//! The gate does no I/O. [`Gate::start`] and [`Process::resume`] return the next [`Step`]: a
//! [`Need`], which the driver meets and whose [`Outcome`] it hands back, or the end. In the steady
//! state the first step is the end already: everything needed is in the isolate's [`Memory`].
//!
//! The order of the checks, which is also the order in which a request can be denied:
//! facts → route → credential → token → account → decision (`docs/life-of-a-request.md`).
//!
//! Three stages make that order. *Identify* leads from a credential to a verified caller, *admit*
//! from a caller to a pass. An [`Inquiry`], a request for the gate itself, is identified the same
//! way and then *inquires* about the account; by its type it can't end in a pass. Each stage is an
//! enum of the places where it waits, and each place holds what it goes on with.

mod admit;
mod afterwards;
mod api_key;
mod applicant;
pub mod captured;
mod case;
mod identify;
mod inquiry;
mod ledger_call;
mod ledger_reply;
mod memory;
mod outage;
mod remedies;
mod sign_in;
mod standing;
mod step;
#[cfg(test)]
mod stories;
mod token;
mod usage;
mod visitor;
mod way_back;

pub use afterwards::{
    COST_HEADER, OriginAnswer, Settlement, Unsettled, give_back, ledger_replied, settle, watch,
};
pub use captured::Visitor;
pub use inquiry::{Begun, Inquiry};
pub use memory::Memory;
pub use outage::outage_reported;
pub use remedies::fault;
pub use step::{CallError, Errand, Need, Outcome, Process, Step};
pub use token::keys_refreshed;
pub use visitor::{readers_reported, readers_to_report, settle_page};
pub use way_back::{Access, KnownAccount};

use std::rc::Rc;

use applicant::Admit;
use case::{Halt, Matter, Request, Turn, route_at};
use identify::{Identify, Sender};
use remedies::bad_request;
use visitor::NewReader;

use crate::config::{Config, Route, RouteIndex};
use crate::decision::{Decision, Pass};
use crate::request::RequestFacts;
use crate::time::Timestamp;

/// One request that wants to pass, on its way to a decision.
#[derive(Debug)]
pub struct Gate {
    request: Request,
    state: State,
}

/// The progress of a request.
#[derive(Debug)]
enum State {
    /// It was denied before a route was matched.
    Unmatched,
    /// It is on this route.
    Matched { route: RouteIndex, stage: Stage },
}

/// The progress of a request on its route.
#[derive(Debug)]
enum Stage {
    /// A verified caller is being made of its credential.
    Identify(Identify),
    /// It has no credential; its address is being checked.
    Visitor(Box<NewReader>),
    /// Its caller is known.
    Admit(Admit),
    /// It is decided.
    Decided,
}

impl Gate {
    /// Begins a request. `now` is the edge's clock.
    pub fn start(
        config: Rc<Config>,
        facts: Rc<RequestFacts>,
        memory: &mut Memory,
        now: Timestamp,
    ) -> (Self, Step<Decision>) {
        let request = Request::new(config, facts, memory, now);
        let mut gate = Self { request, state: State::Unmatched };
        let step = gate.begin(memory, now);
        (gate, step)
    }

    fn begin(&mut self, memory: &mut Memory, now: Timestamp) -> Step<Decision> {
        let Request { config, facts, .. } = &self.request;
        if facts.is_odd_upgrade() {
            let denial = bad_request("only a GET can become a WebSocket", config);
            return Step::End(Decision::Deny(Box::new(denial)));
        }
        let route = match self.request.find_route() {
            Ok(route) => route,
            Err(denial) => return Step::End(Decision::Deny(denial)),
        };
        self.advance(route, memory, now, |turn, route| {
            if route.open || turn.case.facts.is_preflight() {
                return Ok(Box::new(Pass { is_preflight: !route.open, ..Pass::default() }));
            }
            let sender = turn.identify();
            turn.serve(route, sender.map_err(|halt| halt.within(Stage::Identify))?)
        })
    }

    /// Takes a turn on a route. This is the one place where a request passes.
    fn advance(
        &mut self,
        index: RouteIndex,
        memory: &mut Memory,
        now: Timestamp,
        go_on: impl FnOnce(&mut Turn<'_>, &Route) -> Result<Box<Pass>, Halt<Stage>>,
    ) -> Step<Decision> {
        let matter = |config| route_at(config, index).map(Matter::Passage);
        let turn = self.request.turn(matter, memory, now);
        let end = turn.and_then(|mut turn| {
            let route = route_at(turn.case.config, index)?;
            go_on(&mut turn, route)
        });
        let (stage, step) = match end {
            Ok(mut pass) => {
                pass.route = Some(index);
                (Stage::Decided, Step::End(Decision::Pass(pass)))
            }
            Err(Halt::Need(need, stage)) => (stage, Step::Need(need)),
            Err(Halt::Deny(denial)) => {
                (Stage::Decided, Step::End(Decision::Deny(self.request.with_notes(denial))))
            }
            Err(Halt::Fault(detail)) => {
                (Stage::Decided, Step::End(Decision::Deny(self.request.fault(&detail))))
            }
        };
        self.state = State::Matched { route: index, stage };
        step
    }
}

impl Process for Gate {
    type End = Decision;

    fn resume(&mut self, outcome: Outcome, memory: &mut Memory, now: Timestamp) -> Step<Decision> {
        let (index, stage) = match std::mem::replace(&mut self.state, State::Unmatched) {
            State::Unmatched => {
                let denial = self.request.fault(LATE);
                return Step::End(Decision::Deny(denial));
            }
            State::Matched { route, stage } => (route, stage),
        };
        self.advance(index, memory, now, |turn, route| match stage {
            Stage::Identify(place) => {
                let sender = turn.resume_identify(place, outcome);
                turn.serve(route, sender.map_err(|halt| halt.within(Stage::Identify))?)
            }
            Stage::Visitor(reader) => {
                let pass = turn.reader_checked(route, *reader, outcome.burst_answered()?);
                pass.map_err(|halt| halt.within(Stage::Visitor))
            }
            Stage::Admit(place) => {
                let pass = turn.resume_admit(route, place, outcome);
                pass.map_err(|halt| halt.within(Stage::Admit))
            }
            Stage::Decided => Err(Halt::fault(LATE)),
        })
    }

    fn route(&self) -> Option<RouteIndex> {
        match self.state {
            State::Unmatched => None,
            State::Matched { route, .. } => Some(route),
        }
    }

    fn take_errands(&mut self) -> Vec<Errand> {
        std::mem::take(&mut self.request.notes.errands)
    }
}

impl Turn<'_> {
    /// Admits a caller, or lets a visitor through for free.
    fn serve(&mut self, route: &Route, sender: Sender) -> Result<Box<Pass>, Halt<Stage>> {
        match sender {
            Sender::Caller(caller) => {
                self.begin_admit(route, caller).map_err(|halt| halt.within(Stage::Admit))
            }
            Sender::Visitor => {
                self.check_visitor(route).map_err(|halt| halt.within(Stage::Visitor))
            }
        }
    }
}

const LATE: &str = "an outcome came after the decision";
