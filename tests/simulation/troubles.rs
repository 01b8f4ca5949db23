//! The kinds of trouble, each apart, so that a story can do without those that it doesn't need.

use crate::random::Random;

/// A kind of trouble.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Trouble {
    /// Messages and answers get lost.
    Losses,
    /// Messages arrive twice.
    Copies,
    /// Messages take up to three seconds longer, and overtake each other.
    Delays,
    /// Messages take up to eighty seconds longer.
    LateMessages,
    /// Messages arrive after the ledger has forgotten their holder.
    Ghosts,
    /// Isolates die.
    Deaths,
    /// Isolates forget an account.
    Evictions,
    /// Requests are cancelled while they wait for the ledger.
    Cancels,
    /// The ledger's store fails in the middle of a call, and all of that call is lost.
    StoreFailures,
    /// The ledger restarts, also after it has written and before it has answered.
    Restarts,
    /// The ledger can't be reached for a while.
    Outages,
    /// Isolates' clocks are wrong by up to four hours.
    ClockOffsets,
    /// Isolates' clocks run too fast or too slow by up to a hundredth.
    ClockDrift,
    /// The account's plan, limits or status change.
    PlanChanges,
    /// Credits are bought.
    TopUps,
    /// Origins fail, and the units go back.
    OriginFailures,
    /// Origins say that less was used, and the rest goes back.
    RealCosts,
}

impl Trouble {
    pub(crate) const ALL: [Self; 17] = [
        Self::Losses,
        Self::Copies,
        Self::Delays,
        Self::LateMessages,
        Self::Ghosts,
        Self::Deaths,
        Self::Evictions,
        Self::Cancels,
        Self::StoreFailures,
        Self::Restarts,
        Self::Outages,
        Self::ClockOffsets,
        Self::ClockDrift,
        Self::PlanChanges,
        Self::TopUps,
        Self::OriginFailures,
        Self::RealCosts,
    ];
}

/// Some kinds of trouble.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Troubles(u32);

impl Troubles {
    /// None in some schedules, a few in most, all in some.
    pub(crate) fn draw(random: &mut Random) -> Self {
        let share = *random.pick(&[0, 150, 300, 300, 500, 1_000]);
        let mut troubles = Self(0);
        for trouble in Trouble::ALL {
            // Those that nothing is exact after have to be rare.
            let share = if trouble == Trouble::Ghosts { share / 8 } else { share };
            if random.happens(share) {
                troubles.0 |= 1 << trouble as u32;
            }
        }
        troubles
    }

    pub(crate) fn none() -> Self {
        Self(0)
    }

    pub(crate) fn has(self, trouble: Trouble) -> bool {
        self.0 & (1 << trouble as u32) != 0
    }

    pub(crate) fn remove(&mut self, trouble: Trouble) {
        self.0 &= !(1 << trouble as u32);
    }

    pub(crate) fn names(self) -> String {
        let kinds = Trouble::ALL.into_iter().filter(|trouble| self.has(*trouble));
        kinds.map(|trouble| format!("{trouble:?}")).collect::<Vec<_>>().join(", ")
    }
}

/// The rates of troubles, in a thousand cases.
#[derive(Clone, Debug)]
pub(crate) struct Rates {
    /// Of messages and of answers.
    pub(crate) lost: u64,
    pub(crate) copied: u64,
    pub(crate) delayed: u64,
    pub(crate) late: u64,
    pub(crate) ghosts: u64,
    /// Of calls of the ledger.
    pub(crate) store_fails: u64,
    pub(crate) restarts: u64,
    /// Of messages: what happens while they are under way.
    pub(crate) dies: u64,
    pub(crate) evicted: u64,
    pub(crate) cancelled: u64,
    /// Of requests that passed.
    pub(crate) origin_fails: u64,
}

impl Rates {
    pub(crate) fn draw(random: &mut Random) -> Self {
        let mut rate = |most: u64| {
            let most = *random.pick(&[most / 8, most / 2, most]);
            random.between(most / 2, most)
        };
        Self {
            lost: rate(300),
            copied: rate(300),
            delayed: rate(400),
            late: rate(100),
            ghosts: rate(100),
            store_fails: rate(200),
            restarts: rate(100),
            dies: rate(40),
            evicted: rate(60),
            cancelled: rate(100),
            origin_fails: rate(400),
        }
    }

    /// Sets those to nothing whose kind of trouble there isn't.
    pub(crate) fn keep(&mut self, troubles: Troubles) {
        for (trouble, rate) in [
            (Trouble::Losses, &mut self.lost),
            (Trouble::Copies, &mut self.copied),
            (Trouble::Delays, &mut self.delayed),
            (Trouble::LateMessages, &mut self.late),
            (Trouble::Ghosts, &mut self.ghosts),
            (Trouble::StoreFailures, &mut self.store_fails),
            (Trouble::Restarts, &mut self.restarts),
            (Trouble::Deaths, &mut self.dies),
            (Trouble::Evictions, &mut self.evicted),
            (Trouble::Cancels, &mut self.cancelled),
            (Trouble::OriginFailures, &mut self.origin_fails),
        ] {
            if !troubles.has(trouble) {
                *rate = 0;
            }
        }
    }
}
