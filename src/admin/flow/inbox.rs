//! Operations of the inbox: events, customers, outages, and the list of accounts.

use super::invocation::Invocation;
use super::step::{Done, Progress, Step};
use super::write::deliver_notes;
use crate::account::{Provider, Status};
use crate::admin::body;
use crate::admin::invalid::InvalidRequest;
use crate::admin::refusal::Refusal;
use crate::admin::view::{
    CustomerView, EventDetailView, EventView, LinkedView, Listing, OutageView,
};
use crate::billing::inbox::{
    AccountFilter, CustomerKey, CustomerRow, EventFilter, EventKey, EventState, Link, Retried,
};
use crate::config::Role;

pub(super) fn list_accounts<'a>(invocation: &Invocation<'a>) -> Progress<'a> {
    let (filter, page) = (account_filter(invocation)?, invocation.page()?);
    let call = invocation.objects().accounts(filter, page.after, page.limit);
    Ok(call.then(|page, _| {
        let listing = Listing::new(&page.items, page.next_cursor.as_deref());
        Ok(Step::done(Done::view(&listing)))
    }))
}

pub(super) fn list_conflicts<'a>(invocation: &Invocation<'a>) -> Progress<'a> {
    let page = invocation.page()?;
    Ok(invocation.objects().conflicts(page.after, page.limit).then(|page, _| {
        let items = page.items.iter().map(CustomerView::from);
        Ok(Step::done(Done::view(&Listing::new(items, page.next_cursor.as_deref()))))
    }))
}

pub(super) fn list_events<'a>(invocation: &Invocation<'a>) -> Progress<'a> {
    let (filter, page) = (event_filter(invocation)?, invocation.page()?);
    Ok(invocation.objects().events(filter, page.after, page.limit).then(|page, _| {
        let items = page.items.iter().map(EventView::from);
        Ok(Step::done(Done::view(&Listing::new(items, page.next_cursor.as_deref()))))
    }))
}

pub(super) fn read_event<'a>(invocation: &Invocation<'a>) -> Progress<'a> {
    Ok(invocation.objects().event(event(invocation)?).then(|detail, _| {
        let detail = detail.ok_or(Refusal::NoEvent)?;
        Ok(Step::done(Done::view(&EventDetailView::from(&detail))))
    }))
}

pub(super) fn retry_event<'a>(invocation: &Invocation<'a>) -> Progress<'a> {
    body::nothing(&invocation.body)?;
    let objects = invocation.objects();
    Ok(objects.retry(event(invocation)?, invocation.actor()).then(move |retried, _| {
        let Retried { row, notes } = retried.ok_or(Refusal::NoEvent)?;
        Ok(deliver_notes(objects, notes, Done::view(&EventView::from(&row))))
    }))
}

pub(super) fn read_customer<'a>(invocation: &Invocation<'a>) -> Progress<'a> {
    Ok(invocation.objects().customer(customer(invocation)?).then(|row, _| {
        let row = row.ok_or(Refusal::NoCustomer)?;
        Ok(Step::done(Done::view(&CustomerView::from(&row))))
    }))
}

/// Links a customer to an account. Only the highest role may take it from another account.
pub(super) fn put_customer<'a>(invocation: &Invocation<'a>) -> Progress<'a> {
    let account = body::account(&invocation.body)?;
    let (key, actor, objects) = (customer(invocation)?, invocation.actor(), invocation.objects());
    let may_move = invocation.operator.role >= Role::Admin;
    let call = objects.link(key.clone(), account.clone(), actor.clone(), may_move);
    Ok(call.then(move |linked, now| {
        if linked.is_refused {
            return Err(Refusal::CustomerTaken { account: linked.before });
        }
        let link = Link { account, at: now, actor, is_decided: true };
        let row = CustomerRow { key, link: Some(link), claims: Vec::new() };
        let done = Done::view(&LinkedView::new(&row, linked.released));
        Ok(deliver_notes(objects, linked.notes, done))
    }))
}

pub(super) fn read_outage<'a>(invocation: &Invocation<'a>) -> Step<'a> {
    let is_declared = invocation.config.provider_outage;
    invocation
        .objects()
        .outage()
        .then(move |outages, _| Ok(Step::done(Done::view(&OutageView::new(is_declared, &outages)))))
}

fn account_filter(invocation: &Invocation<'_>) -> Result<AccountFilter, Refusal> {
    let [status, plan, prefix] =
        ["status", "plan", "prefix"].map(|name| invocation.query.get(name).map(str::to_owned));
    if status.as_ref().is_some_and(|word| Status::from_word(word).is_none()) {
        return Err(InvalidRequest::parameter("status", "a status of a subscription").into());
    }
    Ok(AccountFilter { status, plan, prefix })
}

fn event_filter(invocation: &Invocation<'_>) -> Result<EventFilter, Refusal> {
    let state = invocation.query.get("state").map(|word| {
        let expected = "received, applied, waiting, ignored or failed";
        EventState::from_word(word).ok_or(InvalidRequest::parameter("state", expected))
    });
    let provider = invocation.query.get("provider").map(|word| {
        Provider::from_word(word).ok_or_else(|| InvalidRequest::Parameter {
            name: "provider",
            expected: Provider::words().into(),
        })
    });
    Ok(EventFilter { state: state.transpose()?, provider: provider.transpose()? })
}

fn event(invocation: &Invocation<'_>) -> Result<EventKey, Refusal> {
    Ok(EventKey { provider: invocation.provider()?, id: invocation.parameter(1).to_owned() })
}

fn customer(invocation: &Invocation<'_>) -> Result<CustomerKey, Refusal> {
    Ok(CustomerKey { provider: invocation.provider()?, id: invocation.parameter(1).to_owned() })
}
