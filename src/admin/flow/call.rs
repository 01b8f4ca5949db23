//! Calls of objects: each message with the type of its reply.

use super::message::{AccountRequest, CallError, ObjectCall, ObjectRequest};
use super::step::{Need, Progress, Step, pending};
use crate::account::{AccountRecord, KeyOwner};
use crate::admin::change::Command;
use crate::admin::refusal::{Refusal, Service};
use crate::admin::reply::Reply;
use crate::billing::BillingEvent;
use crate::billing::inbox::{
    AccountFilter, AccountPage, AccountSummary, CustomerKey, CustomerPage, CustomerRow,
    EventDetail, EventFilter, EventKey, EventPage, InboxRequest, Linked, Retried,
};
use crate::billing::outage::Outages;
use crate::identity::{AccountName, ObjectName};
use crate::quota::store::AuditEntry;
use crate::quota::{CreditPack, Usage};
use crate::time::Timestamp;
use crate::wire::{self, Field};

/// The objects, as one request calls them.
#[derive(Clone, Copy)]
pub(super) struct Objects {
    pub(super) deadline_ms: u32,
}

/// A call with a reply of the type `T`.
pub(super) struct Call<T> {
    message: ObjectCall,
    service: Service,
    read: fn(&[u8]) -> Result<T, CallError>,
}

impl Objects {
    pub(super) fn apply_billing(self, account: AccountName, event: BillingEvent) -> Call<()> {
        let request = AccountRequest::ApplyBilling(event);
        let message = self.message(ObjectRequest::Account { account, request });
        Call { message, service: Service::Ledger, read: unread }
    }

    pub(super) fn audit(
        self,
        account: AccountName,
        before: Option<u64>,
        limit: usize,
    ) -> Call<Vec<(u64, AuditEntry)>> {
        self.ask_account(account, AccountRequest::Audit { before, limit })
    }

    pub(super) fn credits(self, account: AccountName) -> Call<Vec<CreditPack>> {
        self.ask_account(account, AccountRequest::Credits)
    }

    pub(super) fn execute(
        self,
        account: AccountName,
        command: Command,
    ) -> Call<(Reply, Option<AccountSummary>)> {
        self.ask_account(account, AccountRequest::Execute(Box::new(command)))
    }

    pub(super) fn record(self, account: AccountName) -> Call<Option<AccountRecord>> {
        self.ask_account(account, AccountRequest::Record)
    }

    pub(super) fn usage(
        self,
        account: AccountName,
        plan: Option<String>,
        member: Option<String>,
    ) -> Call<Usage> {
        self.ask_account(account, AccountRequest::Usage { plan, member })
    }

    pub(super) fn accounts(
        self,
        filter: AccountFilter,
        cursor: Option<String>,
        limit: usize,
    ) -> Call<AccountPage> {
        self.ask_inbox(InboxRequest::Accounts { filter, cursor, limit })
    }

    pub(super) fn conflicts(self, cursor: Option<String>, limit: usize) -> Call<CustomerPage> {
        self.ask_inbox(InboxRequest::Conflicts { cursor, limit })
    }

    pub(super) fn customer(self, customer: CustomerKey) -> Call<Option<CustomerRow>> {
        self.ask_inbox(InboxRequest::Customer(customer))
    }

    pub(super) fn event(self, event: EventKey) -> Call<Option<EventDetail>> {
        self.ask_inbox(InboxRequest::Event(event))
    }

    pub(super) fn events(
        self,
        filter: EventFilter,
        cursor: Option<String>,
        limit: usize,
    ) -> Call<EventPage> {
        self.ask_inbox(InboxRequest::Events { filter, cursor, limit })
    }

    pub(super) fn link(
        self,
        customer: CustomerKey,
        account: AccountName,
        actor: String,
        may_move: bool,
    ) -> Call<Linked> {
        self.ask_inbox(InboxRequest::Link { customer, account, actor, may_move })
    }

    pub(super) fn outage(self) -> Call<Outages> {
        self.ask_inbox(InboxRequest::Outage)
    }

    pub(super) fn put_summary(self, summary: AccountSummary) -> Call<()> {
        let message = self.message(ObjectRequest::Inbox(InboxRequest::PutAccount(summary)));
        Call { message, service: Service::Inbox, read: unread }
    }

    pub(super) fn retry(self, event: EventKey, actor: String) -> Call<Option<Retried>> {
        self.ask_inbox(InboxRequest::Retry { event, actor })
    }

    pub(super) fn file_key(self, directory: ObjectName, hash: String, owner: KeyOwner) -> Call<()> {
        let message = self.message(ObjectRequest::FileKey { directory, hash, owner });
        Call { message, service: Service::KeyDirectory, read: unread }
    }

    fn ask_account<T: Field>(self, account: AccountName, request: AccountRequest) -> Call<T> {
        let message = self.message(ObjectRequest::Account { account, request });
        Call { message, service: Service::Ledger, read: decode }
    }

    fn ask_inbox<T: Field>(self, request: InboxRequest) -> Call<T> {
        Call {
            message: self.message(ObjectRequest::Inbox(request)),
            service: Service::Inbox,
            read: decode,
        }
    }

    const fn message(self, request: ObjectRequest) -> ObjectCall {
        ObjectCall { request, deadline_ms: self.deadline_ms }
    }
}

impl<T> Call<T> {
    /// Goes on with the reply and its time; without a reply the request ends with 503.
    pub(super) fn then<'a>(self, next: impl FnOnce(T, Timestamp) -> Progress<'a> + 'a) -> Step<'a>
    where
        T: 'a,
    {
        let service = self.service;
        self.then_either(move |reply, now| match reply {
            Ok(reply) => next(reply, now),
            Err(CallError(reason)) => Err(Refusal::Unreachable { service, reason }),
        })
    }

    /// Goes on whether or not there is a reply.
    pub(super) fn then_either<'a>(
        self,
        next: impl FnOnce(Result<T, CallError>, Timestamp) -> Progress<'a> + 'a,
    ) -> Step<'a>
    where
        T: 'a,
    {
        let Self { message, read, .. } = self;
        let rest = move |reply: Result<Vec<u8>, CallError>, now| {
            next(reply.and_then(|reply| read(&reply)), now)
        };
        Step::Need(Need::Call(pending(Box::new(message), rest)))
    }
}

fn decode<T: Field>(reply: &[u8]) -> Result<T, CallError> {
    wire::decode(reply).map_err(|error| CallError(format!("a reply that can't be read: {error}")))
}

/// The reader of a reply without content: its arrival is all that counts.
#[expect(clippy::unnecessary_wraps, reason = "as every reader of replies")]
const fn unread(_: &[u8]) -> Result<(), CallError> {
    Ok(())
}
