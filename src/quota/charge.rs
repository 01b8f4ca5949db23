//! The charge of a request, and its return.

use std::rc::Rc;

use super::units::{take_up_to, total};
use crate::wire::wire;

/// The units that a passed request took from the isolate's leases, so that they can be given back.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Charge {
    /// The holder of the leases. Another holder may have leases of the same ids.
    pub holder: Rc<str>,
    /// The units, lease by lease.
    pub takings: Vec<Taking>,
}

/// Units that were taken from one lease.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Taking {
    /// The lease's id.
    pub lease: u64,
    /// The meter.
    pub meter: String,
    /// Number of units.
    pub units: u64,
}

impl Charge {
    /// Units of a meter in it.
    pub fn units_of(&self, meter: &str) -> u64 {
        let of_meter = self.takings.iter().filter(|taking| taking.meter == meter);
        total(of_meter.map(|taking| taking.units))
    }

    /// Whether nothing was taken.
    pub fn is_empty(&self) -> bool {
        self.takings.is_empty()
    }

    /// Both together; they are of the same holder.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let holder = if self.is_empty() { other.holder } else { self.holder };
        Self { holder, takings: self.takings.into_iter().chain(other.takings).collect() }
    }

    /// The part of it beyond `units` of a meter: what was taken too much.
    #[must_use]
    pub fn beyond(&self, meter: &str, units: u64) -> Self {
        let mut rest = units;
        let mut charge = Self { holder: Rc::clone(&self.holder), takings: Vec::new() };
        for taking in self.takings.iter().filter(|taking| taking.meter == meter) {
            let mut beyond = taking.units;
            let kept = take_up_to(&mut rest, taking.units);
            take_up_to(&mut beyond, kept);
            charge.push(taking.lease, meter, beyond);
        }
        charge
    }

    pub(super) fn push(&mut self, lease: u64, meter: &str, units: u64) {
        if units > 0 {
            self.takings.push(Taking { lease, meter: meter.to_owned(), units });
        }
    }
}

wire!(Charge { 1: holder, 2: takings });
wire!(Taking { 1: lease, 2: meter, 3: units });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_beyond_the_real_cost_comes_off_the_end() {
        let mut charge = Charge::default();
        for (lease, units) in [(1, 3), (2, 5)] {
            charge.push(lease, "tokens", units);
        }
        charge.push(3, "api", 1);
        let beyond = charge.beyond("tokens", 4);
        assert_eq!((beyond.takings.len(), beyond.units_of("tokens")), (1, 4));
        assert_eq!(charge.beyond("tokens", 0).units_of("tokens"), 8);
        assert!(charge.beyond("tokens", 8).is_empty() && charge.beyond("none", 0).is_empty());
    }
}
