//! What is read of an account, and changed of it: by its ledger.

use super::{Asked, Done, Next, Question, Refusal, Then, desk, keys};
use crate::account::{AccountRecord, ApiKey, Standing, Status, Subscription, judge, standing};
use crate::admin::query::{BAD_CURSOR, page_json};
use crate::admin::{self, Change, Order, Reply, What, body, shown};
use crate::answer;
use crate::billing::desk::AccountSummary;
use crate::edge::isolate::now;
use crate::edge::ledger::{Message, read};
use crate::identity::account_name;
use crate::plan::plan_named;
use crate::quota::store::AuditEntry;
use crate::quota::{CreditPack, Usage};
use crate::usage::AccountUsage;
use crate::wire::Wire;

impl Asked<'_> {
    /// What is asked of the ledger of the account that the path names.
    pub(super) fn ask_account(&self, body: &str) -> Result<Question, Refusal> {
        let tenant = self.part(0);
        let object = account_name((tenant != "-").then_some(tenant), self.part(1));
        let secret = self.new_secret()?;
        let message = self.message(body, secret.as_deref())?;
        let then = match secret {
            Some(secret) => Then::File(secret),
            None if self.operation.what == What::Reread => Then::Reread(0),
            None => Then::Tell,
        };
        Ok(Question { object, message, then })
    }

    fn message(&self, body: &str, secret: Option<&str>) -> Result<Message, Refusal> {
        let new_id = ApiKey::id_in(secret.unwrap_or_default()).to_owned();
        let change = match self.operation.what {
            What::ListAudit => return self.audit_wanted(),
            What::ListCredits => return Ok(Message::Credits),
            What::ReadUsage => {
                let plan = self.query.get("plan").map(str::to_owned);
                if let Some(id) = &plan {
                    body::known_plan(id, self.config).map_err(Refusal::bad)?;
                }
                let member = self.query.get("member").map(str::to_owned);
                return Ok(Message::Usage { plan, member });
            }
            What::AddCredits => body::credits(body, now()),
            What::AddKey => body::key(body, new_id, now()),
            What::RevokeKey => {
                body::nothing(body).map(|()| Change::RevokeKey(self.part(2).to_owned()))
            }
            What::RotateKey => body::rotation(body, self.part(2).to_owned(), new_id),
            What::PutAccount => body::record(body, self.config),
            What::Revoke => body::revocation(body, now()),
            What::Reread => body::nothing(body).map(|()| Change::Reread),
            _ => return Ok(Message::Read),
        };
        let change = change.map_err(Refusal::bad)?;
        let order = Order { change, actor: self.operator.name.clone(), once: self.once(body)? };
        Ok(Message::CarryOut(Box::new(order)))
    }

    /// What the ledger said to it.
    pub(super) fn account_said(&self, question: Question, reply: &str) -> Result<Next, Refusal> {
        let json = match question.message {
            Message::CarryOut(order) => {
                let Question { object, then, .. } = question;
                return carried_out(object, &order.change, then, heard(reply)?);
            }
            Message::Audit { .. } => self.audit(heard(reply)?)?,
            Message::Credits => self.credits(&heard::<Vec<_>>(reply)?)?,
            Message::Usage { plan, .. } => self.usage(plan.as_deref(), &heard(reply)?),
            _ => {
                let record: Option<AccountRecord> = heard(reply)?;
                let record = record.ok_or(Refusal::new(404, admin::change::NO_ACCOUNT))?;
                let json = || serde_json::to_string(&record).unwrap_or_default();
                match self.operation.what {
                    What::ListKeys => self.keys(&record)?,
                    What::ListSubscriptions => self.subscriptions(&record)?,
                    _ => json(),
                }
            }
        };
        Ok(Next::Done(Done::json(200, json)))
    }

    /// One entry more than is shown says whether there are more.
    fn audit_wanted(&self) -> Result<Message, Refusal> {
        let page = self.page()?;
        let before = match page.after {
            None => None,
            Some(after) => Some(after.parse().map_err(|_| Refusal::bad(BAD_CURSOR))?),
        };
        Ok(Message::Audit { before, limit: page.limit.saturating_add(1) })
    }

    fn audit(&self, mut entries: Vec<(u64, AuditEntry)>) -> Result<String, Refusal> {
        let limit = self.page()?.limit;
        let has_more = entries.len() > limit;
        entries.truncate(limit);
        let last = entries.last().filter(|_| has_more).map(|(number, _)| number.to_string());
        let items: Vec<_> = entries.iter().map(|(_, entry)| shown::audit_entry(entry)).collect();
        Ok(page_json(&items, last.as_deref()))
    }

    fn credits(&self, packs: &[CreditPack]) -> Result<String, Refusal> {
        let ids: Vec<_> = packs.iter().map(|pack| pack.id.as_str()).collect();
        let (range, next) = self.page()?.of(&ids).map_err(Refusal::bad)?;
        let packs = packs.get(range).unwrap_or_default();
        Ok(page_json(&packs.iter().map(answer::credit_json).collect::<Vec<_>>(), next))
    }

    /// Each subscription of the account, judged for itself. The operator's own has no id.
    fn subscriptions(&self, record: &AccountRecord) -> Result<String, Refusal> {
        let own = Some(&record.own).filter(|own| own.status != Status::None);
        let own = own.map(|own| ("", own, serde_json::to_string(own)));
        let billed = record.billed.iter().map(|billed| {
            (billed.id.as_str(), &billed.subscription, serde_json::to_string(billed))
        });
        let all: Vec<_> = own.into_iter().chain(billed).collect();
        let ids: Vec<_> = all.iter().map(|(id, ..)| *id).collect();
        let (range, next) = self.page()?.of(&ids).map_err(Refusal::bad)?;
        let items = all.into_iter().skip(range.start).take(range.len());
        let items = items.map(|(_, subscription, json)| {
            shown::with_member(json.unwrap_or_default(), &self.standing(subscription))
        });
        Ok(page_json(&items.collect::<Vec<_>>(), next))
    }

    fn standing(&self, subscription: &Subscription) -> String {
        let plan = subscription.plan.as_deref();
        let plan = plan.and_then(|id| plan_named(&self.config.plans, id));
        let grace_days = plan.map_or(0, |plan| plan.grace_days);
        match standing(subscription, grace_days, self.config.provider_outage, now()) {
            Standing::Good { .. } => r#""standing":{"access":true,"cause":null}"#.to_owned(),
            Standing::Denied { cause, .. } => {
                format!(r#""standing":{{"access":false,"cause":"{}"}}"#, cause.word())
            }
        }
    }

    fn usage(&self, plan: Option<&str>, usage: &Usage) -> String {
        let (config, record) = (self.config, usage.account.as_ref());
        let judged = |record| judge(record, &config.plans, None, config.provider_outage, now());
        let leading = record.and_then(|record| judged(record).leading());
        let of_record = leading.and_then(|leading| leading.plan.as_deref());
        let plan = plan.or(of_record).and_then(|id| config.plan(id));
        let mut told = AccountUsage::new(config, plan, usage);
        // Where the token says what was paid for, there need not be a record.
        if record.is_some() || plan.is_none() {
            told.judge(config, plan, record, config.provider_outage, now());
        }
        answer::usage_json(&told)
    }

    pub(super) fn page(&self) -> Result<admin::Page, Refusal> {
        self.query.page().map_err(Refusal::bad)
    }
}

/// The answer to a change. A new key has to be filed first, and the desk to be told how the account
/// stands: also of a change that comes again, since what was cut off may have been just that.
fn carried_out(
    account: String,
    change: &Change,
    then: Then,
    (reply, summary): (Reply, Option<AccountSummary>),
) -> Result<Next, Refusal> {
    let status = u16::try_from(reply.status).unwrap_or(503);
    let replayed = reply.is_replay.then_some(("Idempotency-Replayed", "true".into()));
    if status >= 400 {
        let mut refusal = Refusal::new(status, reply.body);
        refusal.headers.extend(replayed);
        return Err(refusal);
    }
    let mut done = Done::json(status, reply.body);
    if let Then::Reread(read) = then {
        done.json = format!("{{\"read\":{read},\"record\":{}}}", done.json);
        if read == 0 && *change == Change::Reread && summary.is_none() {
            return Err(Refusal::new(404, admin::change::NO_ACCOUNT));
        }
    }
    done.headers.extend(replayed);
    let is_record =
        matches!(change, Change::Record(_) | Change::RevokeBefore(_) | Change::RevokeToken(_));
    Ok(match (then, summary) {
        (Then::File(_), _) if reply.is_replay => Next::Done(keys::without_secret(done)),
        (Then::File(secret), _) => Next::Ask(keys::to_file(done, account, &secret)),
        (_, Some(summary)) if is_record => {
            desk::to_index(done, AccountSummary { account, ..summary })
        }
        _ => Next::Done(done),
    })
}

/// Reads what an object said.
pub(super) fn heard<T: Wire>(reply: &str) -> Result<T, Refusal> {
    read(reply).map_err(|reason| Refusal::new(503, reason))
}
