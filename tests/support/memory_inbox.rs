//! The inbox's store in memory. Tests can make it fail.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use tollgate::billing::inbox::{
    AccountFilter, AccountSummary, Claim, Content, CustomerKey, CustomerStore, EventFilter,
    EventKey, EventRow, EventState, InboxStore, Link, Retention, SubscriptionKey,
};
use tollgate::billing::outage::{Attempt, Signal};
use tollgate::identity::AccountName;
use tollgate::store::StoreError;
use tollgate::time::Timestamp;

/// The rows, open to the tests.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct MemoryInbox {
    pub(crate) events: BTreeMap<EventKey, (EventRow, Option<Content>)>,
    pub(crate) links: BTreeMap<CustomerKey, Link>,
    pub(crate) claims: BTreeMap<CustomerKey, BTreeMap<AccountName, Timestamp>>,
    pub(crate) conflicts: BTreeSet<CustomerKey>,
    /// Account and customer.
    pub(crate) owners: BTreeMap<SubscriptionKey, (AccountName, Option<String>)>,
    pub(crate) paid_at: BTreeMap<CustomerKey, Timestamp>,
    /// With the time of the last look.
    pub(crate) accounts: BTreeMap<AccountName, (AccountSummary, Timestamp)>,
    pub(crate) signals: BTreeSet<Signal>,
    pub(crate) forgot_at: Option<Timestamp>,
    pub(crate) last_number: u64,
    /// Number of calls that succeed before one fails; without end where `None`.
    pub(crate) calls_left: Cell<Option<usize>>,
}

impl MemoryInbox {
    fn reach(&self) -> Result<(), StoreError> {
        let left = self.calls_left.get();
        self.calls_left.set(left.map(|calls| calls.saturating_sub(1)));
        if left == Some(0) { Err(StoreError("disk full".to_owned())) } else { Ok(()) }
    }

    fn rows(&self, is_meant: impl Fn(&EventRow) -> bool) -> Vec<EventRow> {
        let mut rows: Vec<_> = self.events.values().map(|(row, _)| row.clone()).collect();
        rows.retain(is_meant);
        rows.sort_by_key(|row| row.number);
        rows
    }
}

impl InboxStore for MemoryInbox {
    fn event(&self, key: &EventKey) -> Result<Option<EventRow>, StoreError> {
        self.reach()?;
        Ok(self.events.get(key).map(|(row, _)| row.clone()))
    }

    fn content(&self, key: &EventKey) -> Result<Option<Content>, StoreError> {
        self.reach()?;
        Ok(self.events.get(key).and_then(|(_, content)| content.clone()))
    }

    fn add_event(&mut self, row: &EventRow, content: &Content) -> Result<(), StoreError> {
        self.reach()?;
        self.last_number += 1;
        let row = EventRow { number: self.last_number, ..row.clone() };
        self.events.insert(row.key(), (row, Some(content.clone())));
        Ok(())
    }

    fn update_event(&mut self, row: &EventRow) -> Result<(), StoreError> {
        self.reach()?;
        if let Some((kept, _)) = self.events.get_mut(&row.key()) {
            let EventRow { account, state, reason, attempts, due_at, .. } = row.clone();
            *kept = EventRow { account, state, reason, attempts, due_at, ..kept.clone() };
        }
        Ok(())
    }

    fn due_accounts(&self, now: Timestamp, limit: usize) -> Result<Vec<AccountName>, StoreError> {
        self.reach()?;
        let mut accounts: BTreeMap<AccountName, (u32, Timestamp)> = BTreeMap::new();
        for row in self.rows(|row| row.state == EventState::Received && row.due_at <= now) {
            let account = accounts.entry(row.account.clone().expect("it is known"));
            let (attempts, due_at) =
                account.or_insert((u32::MAX, Timestamp::from_millis(i64::MAX)));
            *attempts = (*attempts).min(row.attempts);
            *due_at = (*due_at).min(row.due_at);
        }
        let mut accounts: Vec<_> = accounts.into_iter().collect();
        accounts.sort_by_key(|(_, order)| *order);
        Ok(accounts.into_iter().take(limit).map(|(account, _)| account).collect())
    }

    fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.reach()?;
        let received = self.rows(|row| row.state == EventState::Received);
        Ok(received.iter().map(|row| row.due_at).min())
    }

    fn received_of(
        &self,
        account: &AccountName,
        limit: usize,
    ) -> Result<Vec<EventRow>, StoreError> {
        self.reach()?;
        let mut rows = self
            .rows(|row| row.state == EventState::Received && row.account.as_ref() == Some(account));
        rows.sort_by_key(|row| (row.attempts, row.number));
        rows.truncate(limit);
        Ok(rows)
    }

    fn waiting_of(&self, customer: &CustomerKey) -> Result<Vec<EventRow>, StoreError> {
        self.reach()?;
        let is_meant = |row: &EventRow| {
            row.state == EventState::Waiting && row.customer_key().as_ref() == Some(customer)
        };
        Ok(self.rows(is_meant))
    }

    fn waiting_due(&self, now: Timestamp, limit: usize) -> Result<Vec<EventRow>, StoreError> {
        self.reach()?;
        let mut rows = self.rows(|row| row.state == EventState::Waiting && row.due_at <= now);
        rows.sort_by_key(|row| row.due_at);
        rows.truncate(limit);
        Ok(rows)
    }

    fn events(
        &self,
        filter: EventFilter,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<EventRow>, StoreError> {
        self.reach()?;
        let mut rows = self.rows(|row| {
            row.kind != "tollgate.note"
                && filter.state.is_none_or(|state| row.state == state)
                && filter.provider.is_none_or(|provider| row.provider == provider)
                && before.is_none_or(|before| row.number < before)
        });
        rows.reverse();
        rows.truncate(limit);
        Ok(rows)
    }

    fn put_account(&mut self, summary: &AccountSummary) -> Result<(), StoreError> {
        self.reach()?;
        let unseen = || (summary.clone(), Timestamp::default());
        let (known, _) = self.accounts.entry(summary.account.clone()).or_insert_with(unseen);
        if known.updated_at <= summary.updated_at {
            known.clone_from(summary);
        }
        Ok(())
    }

    fn accounts(
        &self,
        filter: &AccountFilter,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<AccountSummary>, StoreError> {
        self.reach()?;
        let is_meant = |summary: &&AccountSummary| {
            filter.status.as_ref().is_none_or(|status| summary.status == *status)
                && (filter.plan.is_none() || filter.plan == summary.plan)
                && filter
                    .prefix
                    .as_ref()
                    .is_none_or(|prefix| summary.account.as_str().starts_with(prefix))
                && after.is_none_or(|after| summary.account.as_str() > after)
        };
        let summaries = self.accounts.values().map(|(summary, _)| summary);
        Ok(summaries.filter(is_meant).take(limit).cloned().collect())
    }

    fn to_look_at(
        &self,
        now: Timestamp,
        looked_before: Timestamp,
        limit: usize,
    ) -> Result<Vec<AccountName>, StoreError> {
        self.reach()?;
        let mut due: Vec<_> = self
            .accounts
            .values()
            .filter(|(_, looked_at)| *looked_at <= looked_before)
            .filter_map(|(summary, _)| Some((summary.look_at?, summary.account.clone())))
            .filter(|(look_at, _)| *look_at <= now)
            .collect();
        due.sort();
        Ok(due.into_iter().take(limit).map(|(_, account)| account).collect())
    }

    fn note_look(
        &mut self,
        account: &AccountName,
        now: Timestamp,
        look_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.reach()?;
        if let Some((summary, looked_at)) = self.accounts.get_mut(account) {
            (summary.look_at, *looked_at) = (Some(look_at), now);
        }
        Ok(())
    }

    fn add_signal(&mut self, signal: &Signal) -> Result<(), StoreError> {
        self.reach()?;
        self.signals.insert(signal.clone());
        Ok(())
    }

    fn signals(&self, since: Timestamp) -> Result<Vec<Signal>, StoreError> {
        self.reach()?;
        let counts = |signal: &&Signal| {
            let id = signal.customer.clone();
            let customer = CustomerKey { provider: signal.provider, id };
            let has_paid = self.paid_at.get(&customer).is_some_and(|at| *at < signal.at);
            let is_known = has_paid && self.links.contains_key(&customer);
            signal.at > since && (signal.attempt == Attempt::Call || is_known)
        };
        let signals: Vec<_> = self.signals.iter().filter(counts).cloned().collect();
        Ok(if signals.iter().all(|signal| signal.is_good) { Vec::new() } else { signals })
    }

    fn forget(&mut self, limits: Retention, now: Timestamp) -> Result<(), StoreError> {
        self.reach()?;
        self.forgot_at = Some(now);
        let Retention { contents_before, events_before, signals_before } = limits;
        self.events.retain(|_, (row, content)| {
            use EventState::{Applied, Ignored, Received};
            let is_done = matches!(row.state, Applied | Ignored);
            let is_old = row.received_at < contents_before;
            if is_done && is_old {
                *content = None;
            }
            let was_asked = row.state == Applied
                && matches!(row.kind.as_str(), "tollgate.reread" | "tollgate.note");
            let is_closed = row.state != Received;
            !(was_asked && is_old || is_closed && row.received_at < events_before)
        });
        self.signals.retain(|signal| signal.at >= signals_before);
        Ok(())
    }

    fn forgot_at(&self) -> Result<Option<Timestamp>, StoreError> {
        self.reach()?;
        Ok(self.forgot_at)
    }
}

impl CustomerStore for MemoryInbox {
    fn link(&self, customer: &CustomerKey) -> Result<Option<Link>, StoreError> {
        self.reach()?;
        Ok(self.links.get(customer).cloned())
    }

    fn put_link(&mut self, customer: &CustomerKey, link: &Link) -> Result<(), StoreError> {
        self.reach()?;
        self.links.insert(customer.clone(), link.clone());
        Ok(())
    }

    fn customers_of(&self, account: &AccountName) -> Result<Vec<CustomerKey>, StoreError> {
        self.reach()?;
        let linked = self.links.iter().filter(|(_, link)| link.account == *account);
        let mut all: BTreeSet<_> = linked.map(|(customer, _)| customer.clone()).collect();
        for (key, (owner, customer)) in &self.owners {
            let customer = customer.clone().filter(|_| owner == account);
            all.extend(customer.map(|id| CustomerKey { provider: key.provider, id }));
        }
        Ok(all.into_iter().collect())
    }

    fn claims(&self, customer: &CustomerKey) -> Result<Vec<Claim>, StoreError> {
        self.reach()?;
        let claims = self.claims.get(customer).into_iter().flatten();
        let one =
            |(account, at): (&AccountName, &Timestamp)| Claim { account: account.clone(), at: *at };
        let mut claims: Vec<_> = claims.map(one).collect();
        claims.sort_by_key(|claim| (claim.at, claim.account.clone()));
        Ok(claims)
    }

    fn put_claim(&mut self, customer: &CustomerKey, claim: &Claim) -> Result<(), StoreError> {
        self.reach()?;
        let claims = self.claims.entry(customer.clone()).or_default();
        claims.insert(claim.account.clone(), claim.at);
        Ok(())
    }

    fn note_conflict(&mut self, customer: &CustomerKey, is_open: bool) -> Result<(), StoreError> {
        self.reach()?;
        if is_open {
            self.conflicts.insert(customer.clone());
        } else {
            self.conflicts.remove(customer);
        }
        Ok(())
    }

    fn conflicts(
        &self,
        after: Option<&CustomerKey>,
        limit: usize,
    ) -> Result<Vec<CustomerKey>, StoreError> {
        self.reach()?;
        let all = self.conflicts.iter().filter(|key| after.is_none_or(|after| *key > after));
        Ok(all.take(limit).cloned().collect())
    }

    fn owner(&self, subscription: &SubscriptionKey) -> Result<Option<AccountName>, StoreError> {
        self.reach()?;
        Ok(self.owners.get(subscription).map(|(account, _)| account.clone()))
    }

    fn put_owner(
        &mut self,
        subscription: &SubscriptionKey,
        account: &AccountName,
        customer: Option<&str>,
    ) -> Result<(), StoreError> {
        self.reach()?;
        let owner = (account.clone(), customer.map(str::to_owned));
        self.owners.insert(subscription.clone(), owner);
        Ok(())
    }

    fn owner_by_customer(&self, customer: &CustomerKey) -> Result<Option<AccountName>, StoreError> {
        self.reach()?;
        let CustomerKey { provider, id } = customer;
        let pays = |(key, (_, payer)): &(&SubscriptionKey, &(AccountName, Option<String>))| {
            key.provider == *provider && payer.as_ref() == Some(id)
        };
        Ok(self.owners.iter().find(pays).map(|(_, (account, _))| account.clone()))
    }

    fn note_payment(&mut self, customer: &CustomerKey, at: Timestamp) -> Result<(), StoreError> {
        self.reach()?;
        let known = self.paid_at.entry(customer.clone()).or_insert(at);
        *known = (*known).min(at);
        Ok(())
    }
}
