//! What is asked of the desk: events, customers, outages, and the list of accounts.

use super::accounts::heard;
use super::{Asked, Done, Next, Question, Refusal, Then};
use crate::account::{Provider, Status};
use crate::admin::query::page_json;
use crate::admin::{What, body, shown};
use crate::billing::BillingEvent;
use crate::billing::desk::{
    AccountFilter, AccountPage, AccountSummary, CustomerKey, CustomerPage, CustomerRow,
    DeskRequest, EventDetail, EventFilter, EventKey, EventPage, EventState, Link, Linked, Retried,
};
use crate::billing::outage::Outages;
use crate::config::Role;
use crate::edge::desk::NAME;
use crate::edge::isolate::now;
use crate::edge::ledger::Message;
use crate::report;

impl Asked<'_> {
    /// What is asked of the desk.
    pub(super) fn ask_desk(&self, body: &str) -> Result<Question, Refusal> {
        let request = match self.operation.what {
            What::ListAccounts => {
                let (filter, page) = (self.account_filter()?, self.page()?);
                DeskRequest::Accounts { filter, cursor: page.after, limit: page.limit }
            }
            What::ListEvents => {
                let (filter, page) = (self.event_filter()?, self.page()?);
                DeskRequest::Events { filter, cursor: page.after, limit: page.limit }
            }
            What::ListConflicts => {
                let page = self.page()?;
                DeskRequest::Conflicts { cursor: page.after, limit: page.limit }
            }
            What::ReadEvent => DeskRequest::Event(self.event()?),
            What::RetryEvent => {
                body::nothing(body).map_err(Refusal::bad)?;
                let actor = self.operator.name.clone();
                DeskRequest::Retry { event: self.event()?, actor }
            }
            What::ReadCustomer => DeskRequest::Customer(self.customer()?),
            What::PutCustomer => {
                let account = body::account(body).map_err(Refusal::bad)?;
                let actor = self.operator.name.clone();
                let may_move = self.operator.role >= Role::Admin;
                DeskRequest::Link { customer: self.customer()?, account, actor, may_move }
            }
            _ => DeskRequest::Outage,
        };
        Ok(to_desk(request, Then::Tell))
    }

    /// What the desk said to it.
    pub(super) fn desk_said(&self, message: Message, reply: &str) -> Result<Next, Refusal> {
        let json = match self.operation.what {
            What::ListAccounts => {
                let page: AccountPage = heard(reply)?;
                let items = page.items.iter().map(serde_json::to_string);
                let items: Vec<_> = items.map(Result::unwrap_or_default).collect();
                page_json(&items, page.next_cursor.as_deref())
            }
            What::ListEvents => {
                let page: EventPage = heard(reply)?;
                let items: Vec<_> = page.items.iter().map(shown::event).collect();
                page_json(&items, page.next_cursor.as_deref())
            }
            What::ReadEvent => {
                let found: Option<EventDetail> = heard(reply)?;
                let EventDetail { row, body } = found.ok_or_else(no_event)?;
                let body = format!("\"body\":{}", shown::optional(body.as_deref()));
                shown::with_member(shown::event(&row), &body)
            }
            What::RetryEvent => {
                let found: Option<Retried> = heard(reply)?;
                let Retried { row, notes } = found.ok_or_else(no_event)?;
                return Ok(noted(Done::json(200, shown::event(&row)), notes));
            }
            What::ListConflicts => {
                let page: CustomerPage = heard(reply)?;
                let items: Vec<_> = page.items.iter().map(shown::customer).collect();
                page_json(&items, page.next_cursor.as_deref())
            }
            What::ReadCustomer => {
                let found: Option<CustomerRow> = heard(reply)?;
                let refusal =
                    || Refusal::new(404, "Nobody has said which account this customer is.");
                shown::customer(&found.ok_or_else(refusal)?)
            }
            What::PutCustomer => {
                let linked: Linked = heard(reply)?;
                let Message::Desk(DeskRequest::Link { account, actor, .. }) = message else {
                    return Err(no_event());
                };
                if linked.is_refused {
                    return Err(Refusal::new(403, others_customer(linked.before.as_deref())));
                }
                let link = Some(Link { account, at: now(), actor, is_decided: true });
                let row = CustomerRow { key: self.customer()?, link, claims: Vec::new() };
                let released = format!("\"released\":{}", linked.released);
                let json = shown::with_member(shown::customer(&row), &released);
                return Ok(noted(Done::json(200, json), linked.notes));
            }
            _ => shown::outages(self.config.provider_outage, &heard::<Outages>(reply)?),
        };
        Ok(Next::Done(Done::json(200, json)))
    }

    fn account_filter(&self) -> Result<AccountFilter, Refusal> {
        let [status, plan, prefix] =
            ["status", "plan", "prefix"].map(|name| self.query.get(name).map(str::to_owned));
        let is_status = |word: &String| Status::from_word(word).is_some();
        if status.as_ref().is_some_and(|word| !is_status(word)) {
            return Err(Refusal::bad("status: expected a status of a subscription."));
        }
        Ok(AccountFilter { status, plan, prefix })
    }

    fn event_filter(&self) -> Result<EventFilter, Refusal> {
        let state = self.query.get("state");
        let provider = self.query.get("provider");
        let filter = EventFilter {
            state: state.and_then(EventState::from_word),
            provider: provider.and_then(Provider::from_word),
        };
        if state.is_some() != filter.state.is_some() {
            let detail = "state: expected received, applied, waiting, ignored or failed.";
            return Err(Refusal::bad(detail));
        }
        if provider.is_some() != filter.provider.is_some() {
            return Err(Refusal::bad(format!("provider: expected {}.", Provider::words())));
        }
        Ok(filter)
    }

    fn event(&self) -> Result<EventKey, Refusal> {
        Ok(EventKey { provider: self.provider()?, id: self.part(1).to_owned() })
    }

    fn customer(&self) -> Result<CustomerKey, Refusal> {
        Ok(CustomerKey { provider: self.provider()?, id: self.part(1).to_owned() })
    }

    fn provider(&self) -> Result<Provider, Refusal> {
        Provider::from_word(self.part(0)).ok_or_else(|| {
            Refusal::new(404, format!("There is no such provider: {}.", Provider::words()))
        })
    }
}

/// What is to be done once customers were read again.
pub(super) fn reread(read: Result<usize, String>) -> Result<Then, Refusal> {
    read.map(Then::Reread).map_err(|reason| {
        Refusal::new(502, format!("Not every customer could be read again: {reason}."))
    })
}

/// Has the desk's list of accounts say how this one stands, and tells what was done then.
pub(super) fn to_index(done: Done, summary: AccountSummary) -> Next {
    Next::Ask(to_desk(DeskRequest::PutAccount(summary), Then::Indexed(done)))
}

/// The answer to a change that the desk was told of. Where it has not heard, the next change or
/// event says the same.
pub(super) fn indexed(done: Done, reply: Result<String, String>) -> Next {
    if let Err(reason) = reply {
        worker::console_error!("{}", report::fault_line("account-index", &reason));
    }
    Next::Done(done)
}

fn to_desk(request: DeskRequest, then: Then) -> Question {
    Question { object: NAME.to_owned(), message: Message::Desk(request), then }
}

/// Has the ledgers take notes over before this is answered. The desk sends them too, which changes
/// nothing then.
pub(super) fn noted(done: Done, mut notes: Vec<(String, BillingEvent)>) -> Next {
    let Some((account, event)) = notes.pop() else { return Next::Done(done) };
    let message = Message::ApplyBilling { account: account.clone(), events: vec![event] };
    Next::Ask(Question { object: account, message, then: Then::Noted(notes, done) })
}

/// Why an operator may not link a customer.
fn others_customer(before: Option<&str>) -> String {
    match before {
        Some(account) => {
            format!(
                "This customer is the account {account}'s: giving it to another takes the role admin."
            )
        }
        None => {
            "Events name another account for this customer: deciding that takes the role admin."
                .to_owned()
        }
    }
}

fn no_event() -> Refusal {
    Refusal::new(404, "There is no such event.")
}
