//! A verified caller who wants to pass, and the places where its request waits for that.

use std::rc::Rc;

use super::case::Halt;
use super::memory::Caller;
use super::sign_in::AnonymousUsage;
use crate::decision::Pass;
use crate::quota::Charge;

/// A place where a request waits to be admitted.
#[derive(Debug)]
pub(super) enum Admit {
    /// The answer of the burst limit.
    Burst(Applicant),
    /// The ledger's reply.
    Ledger(Box<Awaited>),
    /// Another request, whose message to the same ledger is under way.
    Queued(Applicant),
    /// The state of the payment provider, before the caller is denied for a payment.
    Outage(Applicant),
}

/// A verified caller who wants to pass.
#[derive(Debug)]
pub(super) struct Applicant {
    pub(super) caller: Rc<Caller>,
    demand: Demand,
}

/// The demand for units, in which a request counts once, however often it is looked at.
#[derive(Debug)]
enum Demand {
    /// It is still to be noted.
    Unnoted,
    /// Noted, along with free pages that are still to be counted for the account.
    Noted(Option<Box<AnonymousUsage>>),
}

/// A pass, or the need that comes before one.
pub(super) type Admission = Result<Box<Pass>, Halt<Admit>>;

/// A message to the ledger that a request waits for.
#[derive(Debug)]
pub(super) struct Awaited {
    pub(super) applicant: Applicant,
    /// The message's number.
    pub(super) number: u64,
    /// Units that were held already and are set aside for the request.
    pub(super) set_aside: Charge,
    /// The place, in the caller's anonymous usage, of the count that the message carries.
    pub(super) merge: Option<usize>,
}

impl Applicant {
    pub(super) fn new(caller: Rc<Caller>) -> Self {
        Self { caller, demand: Demand::Unnoted }
    }

    /// Notes the demand, unless that was done. `note` returns the free pages to be counted.
    pub(super) fn note_demand(&mut self, note: impl FnOnce() -> Option<Box<AnonymousUsage>>) {
        if let Demand::Unnoted = self.demand {
            self.demand = Demand::Noted(note());
        }
    }

    /// The free pages that are to be counted for the account.
    pub(super) fn anonymous(&self) -> Option<&AnonymousUsage> {
        match &self.demand {
            Demand::Unnoted => None,
            Demand::Noted(anonymous) => anonymous.as_deref(),
        }
    }

    /// Lets the count of free pages wait for another request. Returns whether there was one.
    pub(super) fn put_off_anonymous(&mut self) -> bool {
        match &mut self.demand {
            Demand::Unnoted => false,
            Demand::Noted(anonymous) => anonymous.take().is_some(),
        }
    }
}
