//! Places in the lists of the configuration: a type for each list, so that none is mistaken for
//! another.

use super::{Config, Issuer, Route};

/// The place of a route in [`Config::routes`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RouteIndex(usize);

/// The place of an issuer in [`Config::issuers`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct IssuerIndex(usize);

impl RouteIndex {
    /// The route in this place, counted from 0.
    pub const fn new(place: usize) -> Self {
        Self(place)
    }

    /// The place, counted from 0.
    pub const fn get(self) -> usize {
        self.0
    }
}

impl IssuerIndex {
    /// The issuer in this place, counted from 0.
    pub const fn new(place: usize) -> Self {
        Self(place)
    }

    /// The place, counted from 0.
    pub const fn get(self) -> usize {
        self.0
    }
}

impl Config {
    /// The route in a place; `None` where it is of another configuration, and too high for this.
    pub fn route(&self, index: RouteIndex) -> Option<&Route> {
        self.routes.get(index.get())
    }

    /// The issuer in a place; `None` as for [`Self::route`].
    pub fn issuer_at(&self, index: IssuerIndex) -> Option<&Issuer> {
        self.issuers.get(index.get())
    }

    /// The issuer with this `iss`, and its place.
    pub fn issuer(&self, iss: &str) -> Option<(IssuerIndex, &Issuer)> {
        let mut placed = self.issuers.iter().enumerate();
        let (place, issuer) = placed.find(|(_, issuer)| issuer.rules.issuer == iss)?;
        Some((IssuerIndex(place), issuer))
    }
}
