//! After the storm: everything that is under way comes through, and every unit has to be found.

use tollgate::quota::LedgerRequest;
use tollgate::quota::store::CounterKey;

use crate::book::{Book, State, meter_place};
use crate::rules::Rule;
use crate::world::{Account, World};

impl World<'_> {
    /// Waits until the ledgers have forgotten every holder, and looks at what is left.
    pub(crate) fn calm_down(&mut self) {
        self.is_calm = true;
        if self.outcome.broken.is_some() {
            return;
        }
        self.now_ms += SILENCE_MS;
        let now = self.ledger_now();
        let terms = self.terms();
        for account in &mut self.accounts {
            // A holder that never asked for units; it only brings the ledger to look around.
            let visitor = LedgerRequest::default();
            account.is_out = false;
            let handled = account.ledger.handle(&mut account.store, terms, &visitor, now);
            match handled {
                Ok(reply) => {
                    account.store.commit(&mut self.changed);
                    let forgotten = &self.changed.forgotten;
                    account.book.heard(self.schedule, &visitor, &reply, forgotten, now);
                }
                Err(error) => {
                    account.store.roll_back();
                    if self.options.fault.is_none() {
                        account.book.fail(Rule::LedgerFaulty, error.to_string());
                    }
                }
            }
            account.find_every_unit();
        }
        for account in 0..self.accounts.len() {
            self.check(account);
        }
    }
}

impl Account {
    /// Every unit that is charged has passed, or was lost with an isolate that has a name.
    fn find_every_unit(&mut self) {
        let book = &mut self.book;
        let mut windows: Vec<Tied> = book.windows.iter().map(|w| Tied::new(w.passed)).collect();
        let mut packs: Vec<Tied> = book.packs.iter().map(|p| Tied::new(p.passed)).collect();
        let mut odd = None;
        for holder in &book.holders {
            for lease in &holder.leases {
                let (charged, spent) = (lease.charged(), lease.spent);
                let is_explained = match lease.state {
                    State::Out => false,
                    State::LostAndReturned if charged <= spent => true,
                    _ => charged == spent || (charged > spent && holder.trouble.is_some()),
                };
                if !is_explained {
                    let how = format!("isolate {} {:?} {lease:?}", holder.isolate, holder.trouble);
                    odd = Some((charged < spent, how));
                }
                let of_quota = |units: u64| units.min(lease.from_quota);
                for window in lease.windows.iter() {
                    windows[window].differ(of_quota(charged), of_quota(spent));
                }
                let (first, last) = (charged.min(spent), charged.max(spent));
                for (pack, units) in lease.credits(first, last) {
                    packs[pack].differ(
                        if charged > spent { units } else { 0 },
                        if charged > spent { 0 } else { units },
                    );
                }
            }
        }
        if let Some((is_too_little, how)) = odd {
            book.fail(unbalanced(is_too_little), how);
        }
        for (key, counter) in self.store.kept_counters() {
            let place = book.place_of_window(key);
            let charged = place.map_or(0, |place| windows[place].charged());
            if counter.used != charged {
                let window = place.map(|place| &book.windows[place]);
                let how = format!("{key:?} has {counter:?}, not {charged}: {window:?}");
                book.fail(unbalanced(counter.used < charged), how);
            }
        }
        for pack in self.store.packs() {
            let place = book.packs.iter().position(|other| other.bought.id == pack.id).unwrap();
            let charged = packs[place].charged();
            if pack.units - pack.left != charged {
                let how = format!("{pack:?}, but {charged} of {:?}", book.packs[place]);
                book.fail(unbalanced(pack.units - pack.left < charged), how);
            }
        }
        self.outages_are_counted_once();
    }

    /// Units that passed while the ledger was out of reach are counted at most once in each kind of
    /// window.
    fn outages_are_counted_once(&mut self) {
        let Self { book, store, .. } = self;
        for (key, counter) in store.counters() {
            if counter.degraded == 0 {
                continue;
            }
            let is_alike = |other: &CounterKey| {
                (&other.meter, &other.member, other.period) == (&key.meter, &key.member, key.period)
            };
            let alike = store.counters().iter().filter(|(other, _)| is_alike(other));
            let counted: u64 = alike.map(|(_, counter)| counter.degraded).sum();
            let passed = book.passed_in_outage[meter_place(&key.meter)];
            if counted > passed {
                let how = format!("{counted} of {passed} in {key:?}");
                book.fail(Rule::OutageCountedTwice, how);
            }
        }
    }
}

impl Book {
    fn place_of_window(&self, key: &CounterKey) -> Option<usize> {
        let known = self.window_of(key)?.key;
        self.windows.iter().position(|window| window.key == known)
    }
}

/// The units that passed, and the difference of the charged units from them.
#[derive(Clone, Copy, Debug)]
struct Tied {
    passed: u64,
    lost: u64,
    unheard: u64,
}

impl Tied {
    fn new(passed: u64) -> Self {
        Self { passed, lost: 0, unheard: 0 }
    }

    fn differ(&mut self, charged: u64, spent: u64) {
        self.lost += charged.saturating_sub(spent);
        self.unheard += spent.saturating_sub(charged);
    }

    fn charged(self) -> u64 {
        (self.passed + self.lost).saturating_sub(self.unheard)
    }
}

fn unbalanced(is_too_little: bool) -> Rule {
    if is_too_little { Rule::PassedUncharged } else { Rule::ChargedForNothing }
}

/// Longer than any holder is remembered.
const SILENCE_MS: u64 = 200_000;
