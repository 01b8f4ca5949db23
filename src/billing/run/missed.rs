//! The events that providers list and that never arrived.

use std::{slice, vec};

use super::error::RunError;
use super::state::Run;
use super::step::Step;
use crate::billing::api::{self, ApiAnswer};
use crate::billing::arrival::Arrival;
use crate::billing::inbox::Incoming;
use crate::billing::settings::Billing;

/// Has the inbox take in the events that each provider lists, the newest first, until a page has
/// nothing new. A failure is logged, and is the end for its provider.
pub(super) fn take_in<'a>(run: Run<'a>, then: fn(Run<'a>) -> Step<'a>) -> Step<'a> {
    let left = run.providers.all.iter();
    next_provider(run, left, then)
}

fn next_provider<'a>(
    run: Run<'a>,
    mut left: slice::Iter<'a, Billing>,
    then: fn(Run<'a>) -> Step<'a>,
) -> Step<'a> {
    match left.next() {
        Some(billing) => Listing { billing, pages_left: MAX_PAGES, left, then }.next(run, None),
        None => then(run),
    }
}

/// The list of one provider, and the providers behind it.
struct Listing<'a> {
    billing: &'a Billing,
    pages_left: usize,
    left: slice::Iter<'a, Billing>,
    then: fn(Run<'a>) -> Step<'a>,
}

impl<'a> Listing<'a> {
    fn next(mut self, run: Run<'a>, page: Option<&str>) -> Step<'a> {
        let request = api::missed(self.billing, page);
        let Some(request) = request.filter(|_| self.pages_left > 0) else { return self.end(run) };
        self.pages_left = self.pages_left.saturating_sub(1);
        let billing = self.billing;
        run.call(
            billing,
            request,
            None,
            Box::new(move |run, answered| {
                let listed = answered.and_then(|answered| {
                    Ok(api::missed_events(billing, &ApiAnswer::from(&answered))?)
                });
                match listed {
                    Ok((bodies, next)) => {
                        let (bodies, events) = (bodies.into_iter(), Vec::new());
                        Page { listing: self, bodies, events, next }.read(run)
                    }
                    Err(error) => self.fail(run, &error),
                }
            }),
        )
    }

    fn fail(self, run: Run<'a>, error: &RunError) -> Step<'a> {
        run.log(error, |run| self.end(run))
    }

    fn end(self, run: Run<'a>) -> Step<'a> {
        next_provider(run, self.left, self.then)
    }
}

/// A page whose events are being read.
struct Page<'a> {
    listing: Listing<'a>,
    bodies: vec::IntoIter<String>,
    events: Vec<Incoming>,
    next: Option<String>,
}

impl<'a> Page<'a> {
    fn read(mut self, run: Run<'a>) -> Step<'a> {
        while let Some(body) = self.bodies.next() {
            let billing = self.listing.billing;
            let arrival = Arrival::new(run.providers, billing, Vec::new(), body);
            if arrival.next().is_some() {
                return self.complete(run, arrival);
            }
            self.events.push(arrival.into_incoming());
        }
        self.take_in(run)
    }

    /// Asks the provider for the facts that an event lacks. Where they can't be had now, the event
    /// is left out and that is logged.
    fn complete(mut self, run: Run<'a>, mut arrival: Arrival) -> Step<'a> {
        let Some(request) = arrival.next() else {
            self.events.push(arrival.into_incoming());
            return self.read(run);
        };
        run.call_beside_budget(self.listing.billing, request, move |run, answered| {
            let completed = answered.map_err(Into::into);
            match completed.and_then(|answered| arrival.answered(&answered)) {
                Ok(()) => self.complete(run, arrival),
                Err(error) => run.log(&RunError::Provider(error), |run| self.read(run)),
            }
        })
    }

    fn take_in(self, run: Run<'a>) -> Step<'a> {
        let Self { listing, events, next, .. } = self;
        run.take_in(events, move |run, taken| match taken {
            Ok(taken) if next.is_none() || taken.iter().all(|taken| taken.is_repeated) => {
                listing.end(run)
            }
            Ok(_) => listing.next(run, next.as_deref()),
            Err(error) => listing.fail(run, &error),
        })
    }
}

/// Pages of one provider in one run.
const MAX_PAGES: usize = 3;
