//! The inbox's rows in the SQLite database of its Durable Object.

use wasm_bindgen::JsValue;

use super::customer_store::customer_key;
use super::database::{
    account_of, blob, bytes_of, optional, optional_time_of, provider_of, text_of, time, time_of,
    units, units_of,
};
use super::inbox_tables::SqlInboxStore;
use crate::billing::inbox::{
    AccountFilter, AccountSummary, Content, CustomerKey, EventFilter, EventKey, EventRow,
    EventState, InboxStore, Retention,
};
use crate::billing::outage::{Attempt, Signal};
use crate::identity::AccountName;
use crate::store::StoreError;
use crate::time::Timestamp;

impl InboxStore for SqlInboxStore {
    fn event(&self, key: &EventKey) -> Result<Option<EventRow>, StoreError> {
        let rows = self.event_rows("WHERE provider = ? AND id = ?", &event_key(key))?;
        Ok(rows.into_iter().next())
    }

    fn content(&self, key: &EventKey) -> Result<Option<Content>, StoreError> {
        let query = "SELECT event, body FROM event WHERE provider = ? AND id = ? \
                     AND body IS NOT NULL";
        let cells = self.database.cells(query, &event_key(key))?;
        let [event, body] = cells.as_slice() else { return Ok(None) };
        Ok(Some(Content { event: bytes_of(event)?, body: text_of(body)? }))
    }

    fn add_event(&mut self, row: &EventRow, content: &Content) -> Result<(), StoreError> {
        let query = "INSERT OR REPLACE INTO event (provider, id, kind, occurred_at_ms, \
                         received_at_ms, customer, subscription, account, state, reason, attempts, \
                         due_at_ms, event, body) \
                     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
        let [provider, id] = event_key(&row.key());
        let [occurred_at, received_at] = [row.occurred_at, row.received_at].map(time);
        let [account, state, reason, attempts, due_at] = changing(row);
        let [customer, subscription] =
            [&row.customer, &row.subscription].map(|text| optional(text.as_deref()));
        let [kind, body] = [&row.kind, &content.body].map(JsValue::from);
        let event = blob(&content.event);
        let values = [
            provider,
            id,
            kind,
            occurred_at,
            received_at,
            customer,
            subscription,
            account,
            state,
            reason,
            attempts,
            due_at,
            event,
            body,
        ];
        self.has_queued |= row.state == EventState::Received;
        self.database.write(query, &values)?;
        #[cfg(feature = "drills")]
        self.database.write(
            "UPDATE event SET drill = 'later' WHERE provider = ? AND id = ?",
            &event_key(&row.key()),
        )?;
        Ok(())
    }

    fn update_event(&mut self, row: &EventRow) -> Result<(), StoreError> {
        let query = "UPDATE event SET account = ?, state = ?, reason = ?, attempts = ?, \
                         due_at_ms = ? WHERE provider = ? AND id = ?";
        let [account, state, reason, attempts, due_at] = changing(row);
        let [provider, id] = event_key(&row.key());
        self.has_queued |= row.state == EventState::Received;
        self.database.write(query, &[account, state, reason, attempts, due_at, provider, id])
    }

    fn due_accounts(&self, now: Timestamp, limit: usize) -> Result<Vec<AccountName>, StoreError> {
        // A look at the first rows of an index, however many there are.
        let query = "SELECT account FROM event WHERE state = 'received' AND due_at_ms <= ? \
                     ORDER BY attempts, due_at_ms LIMIT ?";
        let rows = limit.saturating_mul(ROWS_OF_ACCOUNT);
        let mut accounts: Vec<AccountName> = Vec::new();
        for cell in self.database.cells(query, &[time(now), rows.into()])? {
            let account = account_of(&cell)?;
            if accounts.len() < limit && !accounts.contains(&account) {
                accounts.push(account);
            }
        }
        Ok(accounts)
    }

    fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        let query = "SELECT due_at_ms FROM event WHERE state = 'received' \
                     ORDER BY due_at_ms LIMIT 1";
        self.database.cells(query, &[])?.first().map(time_of).transpose()
    }

    fn received_of(
        &self,
        account: &AccountName,
        limit: usize,
    ) -> Result<Vec<EventRow>, StoreError> {
        let rest = "WHERE state = 'received' AND account = ? ORDER BY attempts, number LIMIT ?";
        self.event_rows(rest, &[account.as_str().into(), limit.into()])
    }

    fn waiting_of(&self, customer: &CustomerKey) -> Result<Vec<EventRow>, StoreError> {
        let rest = "WHERE state = 'waiting' AND provider = ? AND customer = ? ORDER BY number";
        self.event_rows(rest, &customer_key(customer))
    }

    fn waiting_due(&self, now: Timestamp, limit: usize) -> Result<Vec<EventRow>, StoreError> {
        let rest = "WHERE state = 'waiting' AND due_at_ms <= ? ORDER BY due_at_ms LIMIT ?";
        self.event_rows(rest, &[time(now), limit.into()])
    }

    fn events(
        &self,
        filter: EventFilter,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<EventRow>, StoreError> {
        let (mut rest, mut values) = (String::from("WHERE kind <> 'tollgate.note'"), Vec::new());
        if let Some(state) = filter.state {
            let is_in_index = !matches!(state, EventState::Applied | EventState::Received);
            rest.push_str(if is_in_index { LISTED } else { "" });
            // As a literal, so that SQLite sees that an index has these rows.
            rest.push_str(&[" AND state = '", state.word(), "'"].concat());
        }
        if let Some(provider) = filter.provider {
            rest.push_str(" AND provider = ?");
            values.push(provider.word().into());
        }
        if let Some(before) = before {
            rest.push_str(" AND number < ?");
            values.push(units(before));
        }
        rest.push_str(" ORDER BY number DESC LIMIT ?");
        values.push(limit.into());
        self.event_rows(&rest, &values)
    }

    fn put_account(&mut self, summary: &AccountSummary) -> Result<(), StoreError> {
        let query = "INSERT INTO account_index (account, plan, status, cause, updated_at_ms, \
                         look_at_ms) VALUES (?, ?, ?, ?, ?, ?) \
                     ON CONFLICT (account) DO UPDATE SET plan = excluded.plan, \
                         status = excluded.status, cause = excluded.cause, \
                         updated_at_ms = excluded.updated_at_ms, look_at_ms = excluded.look_at_ms \
                     WHERE excluded.updated_at_ms >= account_index.updated_at_ms";
        let AccountSummary { account, plan, status, cause, updated_at, look_at } = summary;
        let [plan, cause] = [plan, cause].map(|text| optional(text.as_deref()));
        let look_at = look_at.map_or(JsValue::NULL, time);
        let [account, status] = [account.as_str(), status].map(JsValue::from);
        self.database.write(query, &[account, plan, status, cause, time(*updated_at), look_at])
    }

    fn accounts(
        &self,
        filter: &AccountFilter,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<AccountSummary>, StoreError> {
        let query = "SELECT account, plan, status, cause, updated_at_ms, look_at_ms \
                     FROM account_index WHERE account > ?1 AND account >= ?2 \
                     AND substr(account, 1, length(?2)) = ?2 \
                     AND (?3 IS NULL OR status = ?3) AND (?4 IS NULL OR plan = ?4) \
                     ORDER BY account LIMIT ?5";
        let [after, prefix] =
            [after, filter.prefix.as_deref()].map(|text| text.unwrap_or_default().into());
        let [status, plan] = [&filter.status, &filter.plan].map(|text| optional(text.as_deref()));
        let cells = self.database.cells(query, &[after, prefix, status, plan, limit.into()])?;
        cells.as_chunks().0.iter().map(summary).collect()
    }

    fn to_look_at(
        &self,
        now: Timestamp,
        looked_before: Timestamp,
        limit: usize,
    ) -> Result<Vec<AccountName>, StoreError> {
        let query = "SELECT account FROM account_index WHERE look_at_ms <= ? \
                     AND looked_at_ms <= ? ORDER BY look_at_ms LIMIT ?";
        let cells = self.database.cells(query, &[time(now), time(looked_before), limit.into()])?;
        cells.iter().map(account_of).collect()
    }

    fn note_look(
        &mut self,
        account: &AccountName,
        now: Timestamp,
        look_at: Timestamp,
    ) -> Result<(), StoreError> {
        let query = "UPDATE account_index SET looked_at_ms = ?, look_at_ms = ? WHERE account = ?";
        self.database.write(query, &[time(now), time(look_at), account.as_str().into()])
    }

    fn add_signal(&mut self, signal: &Signal) -> Result<(), StoreError> {
        let query = "INSERT OR IGNORE INTO signal (provider, customer, at_ms, is_call, is_good) \
                     VALUES (?, ?, ?, ?, ?)";
        let Signal { provider, attempt, customer, at, is_good } = signal;
        let flags = [*attempt == Attempt::Call, *is_good].map(|flag| units(u64::from(flag)));
        let [is_call, is_good] = flags;
        self.database
            .write(query, &[provider.word().into(), customer.into(), time(*at), is_call, is_good])
    }

    fn signals(&self, since: Timestamp) -> Result<Vec<Signal>, StoreError> {
        let query = "SELECT provider, customer, at_ms, is_call, is_good FROM signal \
                     WHERE at_ms > ?1 AND EXISTS \
                         (SELECT 1 FROM signal WHERE is_good = 0 AND at_ms > ?1) \
                     AND (is_call = 1 OR (EXISTS (SELECT 1 FROM payer \
                             WHERE payer.provider = signal.provider \
                             AND payer.customer = signal.customer \
                             AND payer.paid_at_ms < signal.at_ms) \
                         AND EXISTS (SELECT 1 FROM customer \
                             WHERE customer.provider = signal.provider \
                             AND customer.id = signal.customer))) \
                     ORDER BY provider, is_call, customer, at_ms, is_good";
        let cells = self.database.cells(query, &[time(since)])?;
        cells.as_chunks().0.iter().map(signal).collect()
    }

    fn forget(&mut self, limits: Retention, now: Timestamp) -> Result<(), StoreError> {
        let Retention { contents_before, events_before, signals_before } = limits;
        let [contents, events, signals] =
            [contents_before, events_before, signals_before].map(time);
        self.database.write(FORGET_ASKED, std::slice::from_ref(&contents))?;
        self.database.write(FORGET_CONTENTS, &[contents])?;
        self.database.write(FORGET_EVENTS, &[events])?;
        self.database.write("DELETE FROM signal WHERE at_ms < ?", &[signals])?;
        self.database.write("INSERT OR REPLACE INTO forgot (id, at_ms) VALUES (1, ?)", &[time(now)])
    }

    fn forgot_at(&self) -> Result<Option<Timestamp>, StoreError> {
        self.database.cells("SELECT at_ms FROM forgot", &[])?.first().map(time_of).transpose()
    }
}

impl SqlInboxStore {
    fn event_rows(&self, rest: &str, values: &[JsValue]) -> Result<Vec<EventRow>, StoreError> {
        let query = format!(
            "SELECT number, provider, id, kind, occurred_at_ms, received_at_ms, customer, \
             subscription, account, state, reason, attempts, due_at_ms FROM event {rest}"
        );
        let cells = self.database.cells(&query, values)?;
        cells.as_chunks().0.iter().map(event_row).collect()
    }
}

/// Rows that are read to find an account whose events are due.
const ROWS_OF_ACCOUNT: usize = 16;

/// The condition of the index `event_listed`, word for word.
const LISTED: &str = " AND state IN ('waiting', 'ignored', 'failed')";

const FORGET_ASKED: &str = "DELETE FROM event WHERE received_at_ms < ? AND state = 'applied' \
                            AND kind IN ('tollgate.reread', 'tollgate.note')";
const FORGET_CONTENTS: &str = "UPDATE event SET event = NULL, body = NULL \
                               WHERE received_at_ms < ? AND state IN ('applied', 'ignored') \
                               AND body IS NOT NULL";
const FORGET_EVENTS: &str = "DELETE FROM event WHERE received_at_ms < ? AND state <> 'received'";

fn event_key(key: &EventKey) -> [JsValue; 2] {
    [key.provider.word().into(), key.id.as_str().into()]
}

/// Account, state, reason, attempts and `due_at`.
fn changing(row: &EventRow) -> [JsValue; 5] {
    let account = optional(row.account.as_ref().map(AccountName::as_str));
    let reason = optional(row.reason.as_deref());
    [account, row.state.word().into(), reason, row.attempts.into(), time(row.due_at)]
}

fn event_row(cells: &[JsValue; 13]) -> Result<EventRow, StoreError> {
    let [number, provider, id, kind, occurred_at, received_at, rest @ ..] = cells;
    let [customer, subscription, account, state, reason, attempts, due_at] = rest;
    let state = text_of(state)?;
    let unknown = || StoreError(format!("an event in the unknown state {state:?}"));
    Ok(EventRow {
        number: units_of(number)?,
        provider: provider_of(provider)?,
        id: text_of(id)?,
        kind: text_of(kind)?,
        occurred_at: time_of(occurred_at)?,
        received_at: time_of(received_at)?,
        customer: customer.as_string(),
        subscription: subscription.as_string(),
        account: (!account.is_null()).then(|| account_of(account)).transpose()?,
        state: EventState::from_word(&state).ok_or_else(unknown)?,
        reason: reason.as_string(),
        attempts: u32::try_from(units_of(attempts)?).unwrap_or(u32::MAX),
        due_at: time_of(due_at)?,
    })
}

fn summary(cells: &[JsValue; 6]) -> Result<AccountSummary, StoreError> {
    let [account, plan, status, cause, updated_at, look_at] = cells;
    Ok(AccountSummary {
        account: account_of(account)?,
        plan: plan.as_string(),
        status: text_of(status)?,
        cause: cause.as_string(),
        updated_at: time_of(updated_at)?,
        look_at: optional_time_of(look_at)?,
    })
}

fn signal([provider, customer, at, is_call, is_good]: &[JsValue; 5]) -> Result<Signal, StoreError> {
    let attempt = if units_of(is_call)? == 1 { Attempt::Call } else { Attempt::Charge };
    Ok(Signal {
        provider: provider_of(provider)?,
        attempt,
        customer: text_of(customer)?,
        at: time_of(at)?,
        is_good: units_of(is_good)? == 1,
    })
}
