//! The rules that must hold, and the words for a broken one.

/// The rules, by the names that tests and stories use.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Rule {
    /// More passed in a window than its limit allows. Of a lenient meter: more than the limit and
    /// the spending of lost holders since they were last heard.
    QuotaExceeded,
    /// More of a pack of credits was spent than it had.
    CreditsOverspent,
    /// A unit that was held ahead was spent after its quota's window, or its credits, had ended.
    SpentAfterItsEnd,
    /// A unit was spent that the ledger had taken back, given up or never granted.
    SpentGoneUnit,
    /// More was spent of a lease than it has units.
    SpentTwice,
    /// A unit was spent by another member than it is counted for.
    MembersMixedUp,
    /// A request passed for less than it costs.
    Underpaid,
    /// A request was refused that the quotas and credits had room for.
    RefusedWithRoom,
    /// A customer with units left was refused for longer than is stated.
    RefusedTooLong,
    /// After all is quiet, units are charged that nobody spent and no named isolate lost.
    ChargedForNothing,
    /// After all is quiet, something passed that isn't charged.
    PassedUncharged,
    /// A holder was forgotten while it could still spend what it held.
    ForgottenTooSoon,
    /// A message was heard again, or after a later one.
    HeardAgain,
    /// A holder reported something else to the ledger than the facts.
    ReportIsWrong,
    /// Units that passed during an outage were counted more than once.
    OutageCountedTwice,
    /// The ledger's rows are not what the book has; only looked at where the books are compared.
    BooksDiffer,
    /// The ledger failed though its store did not: it found a rule of its own broken. With a
    /// deliberate fault it may, and the other rules must still find out.
    LedgerFaulty,
}

impl Rule {
    /// All that hold by themselves, without a look at the ledger's rows after each call.
    pub(crate) const ALL: [Self; 15] = [
        Self::QuotaExceeded,
        Self::CreditsOverspent,
        Self::SpentAfterItsEnd,
        Self::SpentGoneUnit,
        Self::SpentTwice,
        Self::MembersMixedUp,
        Self::Underpaid,
        Self::RefusedWithRoom,
        Self::RefusedTooLong,
        Self::ChargedForNothing,
        Self::PassedUncharged,
        Self::ForgottenTooSoon,
        Self::HeardAgain,
        Self::ReportIsWrong,
        Self::OutageCountedTwice,
    ];
}

/// A rule that was broken, and how.
#[derive(Clone, Debug)]
pub(crate) struct Broken {
    pub(crate) rule: Rule,
    pub(crate) how: String,
}
