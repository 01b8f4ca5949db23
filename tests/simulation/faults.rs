//! Deliberate faults. Each is put between the code and the world, and each must be caught.

use tollgate::plan::{Lost, Meter, Terms};
use tollgate::quota::lease::LEASE_LIFETIME_MS;
use tollgate::quota::{GrantOutcome, LedgerReply, LedgerRequest};

use crate::schedule::Schedule;

/// The deliberate mistake.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fault {
    /// A lease is granted, and its units stay in the quota.
    NoDebitAtGrant,
    /// Credits are spent, and stay in their pack.
    CreditsNotDebited,
    /// Credits can be used after they have expired.
    CreditsNeverExpire,
    /// A message that comes again is heard as a new one.
    RepeatsAreCounted,
    /// A message is heard although a later one was.
    OldMessagesAreHeard,
    /// The reports of messages get lost, but the messages are heard.
    ReportsAreDropped,
    /// Returned units are added to those returned before.
    ReturnsAddUp,
    /// Holders are forgotten while they may still spend what they hold.
    ReclaimsTooEarly,
    /// Holders believe that their leases live five times as long.
    LeasesLiveLonger,
    /// A lease may be spent although its quota's window is over.
    LeasesOutliveWindows,
    /// Clocks run slow, far beyond what is allowed for.
    ClocksAreTooSlow,
    /// Units go back to the newest window and not to the one they came from.
    RefundInTheWrongWindow,
    /// Lost units of a strict meter go back.
    StrictIsLenient,
    /// The writes of a call stay although it failed afterwards.
    FailedCallsStay,
    /// Some answers are given without having written.
    AnswersBeforeItWrites,
    /// Units that one member got are spent by all.
    MembersShare,
    /// Units that an origin brings back are given back twice.
    UnitsComeBackTwice,
    /// An isolate gives nothing back.
    NothingIsGivenBack,
    /// An isolate that forgot an account uses the same name again.
    NamesAreReused,
    /// Refusals are remembered for most of an hour.
    RefusalsAreKept,
    /// Granted units are debited twice.
    DebitsTwice,
    /// Lost units of a lenient meter stay charged.
    LenientIsStrict,
    /// Units that passed uncounted during an outage are counted with every message.
    OutagesAreCountedAgain,
    /// A lease arrives with a unit less than was granted.
    AUnitIsMissing,
    /// Some messages leave the live rows as they were.
    LiveRowsAreNotWritten,
    /// Holders for whom the live row has no room are not kept.
    FurtherHoldersFallOut,
}

impl Fault {
    /// True for a fault of the packed rows.
    pub(crate) fn is_of_packing(self) -> bool {
        matches!(self, Self::LiveRowsAreNotWritten | Self::FurtherHoldersFallOut)
    }

    /// The message that the ledger gets in the place of another.
    pub(crate) fn spoilt(self, request: &LedgerRequest) -> Option<LedgerRequest> {
        (self == Self::ReportsAreDropped)
            .then(|| LedgerRequest { leases: Vec::new(), ..request.clone() })
    }

    /// The answer that arrives in the place of another.
    pub(crate) fn spoil_reply(self, reply: &mut LedgerReply) {
        let Some(GrantOutcome::Granted { leases, .. }) = &mut reply.grant else { return };
        for lease in leases {
            match self {
                Self::LeasesLiveLonger => lease.lifetime_ms *= 5,
                Self::LeasesOutliveWindows => {
                    lease.lifetime_ms = LEASE_LIFETIME_MS.unsigned_abs();
                }
                Self::AUnitIsMissing => lease.units -= 1,
                Self::MembersShare => lease.is_of_member = false,
                _ => {}
            }
        }
    }

    /// The terms that the ledger goes by.
    pub(crate) fn spoilt_terms<'t>(self, terms: Terms<'t>, lenient: &'t [Meter]) -> Terms<'t> {
        match self {
            Self::StrictIsLenient => Terms { meters: lenient, ..terms },
            Self::LenientIsStrict => Terms { meters: &[], ..terms },
            _ => terms,
        }
    }
}

/// The meters of a schedule, all of them lenient.
pub(crate) fn lenient(schedule: &Schedule) -> Vec<Meter> {
    let mut meters = schedule.meters.clone();
    for meter in &mut meters {
        meter.lost = Lost::Lenient;
    }
    meters
}
