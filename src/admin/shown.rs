//! What operators are shown, as JSON.

use crate::account::ApiKey;
use crate::billing::desk::{Claim, CustomerRow, EventRow};
use crate::billing::outage::Outages;
use crate::quota::store::AuditEntry;
use crate::strict_json;
use crate::time::Timestamp;

/// An API key, without its secret.
pub fn key(key: &ApiKey) -> String {
    let json = serde_json::to_string(key).unwrap_or_default();
    with_member(json, &format!("\"prefix\":\"{}{}\"", ApiKey::MARK, key.id))
}

/// Whose requests a key makes, of one that is shown.
pub fn member_of_key(shown: &str) -> Option<String> {
    let key = strict_json::parse(shown).ok()?;
    key.get("member")?.as_str().map(str::to_owned)
}

/// An entry of the audit trail. What was done stands in it as JSON already.
pub fn audit_entry(entry: &AuditEntry) -> String {
    let AuditEntry { at, actor, action, detail } = entry;
    let [actor, action] = [actor, action].map(|text| quoted(text));
    let detail = if detail.starts_with('{') { detail.clone() } else { quoted(detail) };
    let at = at.rfc3339_exact();
    format!("{{\"at\":\"{at}\",\"actor\":{actor},\"action\":{action},\"detail\":{detail}}}")
}

/// An event of a payment provider.
pub fn event(row: &EventRow) -> String {
    let (provider, state) = (row.provider.word(), row.state.word());
    let [id, kind] = [&row.id, &row.kind].map(|text| quoted(text));
    let [customer, account, reason] =
        [&row.customer, &row.account, &row.reason].map(|text| optional(text.as_deref()));
    let [received_at, occurred_at] =
        [row.received_at, row.occurred_at].map(Timestamp::rfc3339_exact);
    let attempts = row.attempts;
    format!(
        "{{\"id\":{id},\"provider\":\"{provider}\",\"type\":{kind},\"received_at\":\"{received_at}\",\
         \"occurred_at\":\"{occurred_at}\",\"customer\":{customer},\"account\":{account},\
         \"state\":\"{state}\",\"reason\":{reason},\"attempts\":{attempts}}}"
    )
}

/// Which account a customer is, and which are named for it.
pub fn customer(row: &CustomerRow) -> String {
    let CustomerRow { key, link, claims } = row;
    let (provider, id) = (key.provider.word(), quoted(&key.id));
    let [account, at, actor] = [
        link.as_ref().map(|link| link.account.clone()),
        link.as_ref().map(|link| link.at.rfc3339_exact()),
        link.as_ref().map(|link| link.actor.clone()),
    ]
    .map(|text| optional(text.as_deref()));
    let is_decided = link.as_ref().is_some_and(|link| link.is_decided);
    let claim = |Claim { account, at }: &Claim| {
        format!("{{\"account\":{},\"at\":\"{}\"}}", quoted(account), at.rfc3339_exact())
    };
    let named = claims.iter().map(claim).collect::<Vec<_>>().join(",");
    format!(
        "{{\"provider\":\"{provider}\",\"customer\":{id},\"account\":{account},\"at\":{at},\
         \"actor\":{actor},\"decided\":{is_decided},\"conflict\":{},\"named\":[{named}]}}",
        row.is_in_conflict()
    )
}

/// Whether a provider is down.
pub fn outages(is_declared: bool, outages: &Outages) -> String {
    let is_detected = outages.is_detected();
    let since = optional(outages.since.map(Timestamp::rfc3339_exact).as_deref());
    let providers: Vec<_> = outages.providers.iter().map(|one| quoted(one.word())).collect();
    let providers = providers.join(",");
    let Outages { failing_customers, succeeding_customers, window_s, .. } = outages;
    format!(
        "{{\"declared\":{is_declared},\"detected\":{is_detected},\"providers\":[{providers}],\
         \"since\":{since},\"failing_customers\":{failing_customers},\
         \"succeeding_customers\":{succeeding_customers},\"window_s\":{window_s}}}"
    )
}

/// A text as JSON, null where there is none.
pub fn optional(text: Option<&str>) -> String {
    text.map_or_else(|| "null".to_owned(), quoted)
}

/// A text as JSON.
pub fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

/// A JSON object that is not empty, with one member more: `"name":value`.
pub fn with_member(mut object: String, member: &str) -> String {
    if object.pop() == Some('}') {
        object.push(',');
        object.push_str(member);
        object.push('}');
    }
    object
}
