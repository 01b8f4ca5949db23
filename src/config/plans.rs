//! Reads `PLANS`.

use super::fields::{ConfigReader, Expect, Fields};
use crate::plan::{Enforcement, FailurePolicy, Period, Plan, Quota, Scope, plan_named};
use crate::store::MAX_UNITS;

pub(super) fn read(reader: &ConfigReader<'_>) -> Vec<Plan> {
    let mut plans: Vec<Plan> = Vec::new();
    for (index, fields) in reader.tables("PLANS", EXAMPLE).into_iter().enumerate() {
        let Some(plan) = read_plan(fields) else { continue };
        if plans.iter().any(|other| other.id == plan.id) {
            let found = format!("{:?} a second time", plan.id);
            let expect = Expect::new("an id of its own for each plan", "\"pro\"");
            reader.mistake("PLANS", &format!("[{index}].id"), &found, expect);
        }
        for price in &plan.prices {
            if let Some(other) = plan_named(&plans, price) {
                let found = format!("{price:?}, which means the plan {:?} already", other.id);
                let expect = Expect::new("a price of its own for each plan", "\"price_1Abc\"");
                reader.mistake("PLANS", &format!("[{index}].prices"), &found, expect);
            }
        }
        plans.push(plan);
    }
    plans
}

const EXAMPLE: &str = "[[vars.PLANS]] id = \"pro\"  name = \"Pro\"  entitlements = [\"premium\"]";
const DEFAULT_GRACE_DAYS: u64 = 3;

fn read_plan(mut fields: Fields<'_>) -> Option<Plan> {
    let id = fields.needed_text("id", Expect::new("the plan's id in tokens", "\"pro\""));
    let name = fields.text("name", "\"Pro\"");
    let price = fields.text("price", "\"€20 a month\"");
    let entitlements = fields.words("entitlements", "[\"premium\"]");
    let quotas = read_quotas(&mut fields);
    let prices = fields.words("prices", "[\"price_1Abc\"]");
    let buy_url = fields.url("buy_url", "\"https://example.com/buy/pro\"");
    let on_sale = fields.flag("on_sale").unwrap_or(true);
    let on_outage =
        fields.choice("on_outage", &FailurePolicy::WORDS, "\"pass\"").unwrap_or_default();
    let grace_days = fields.whole("grace_days", 0..=365, "3").unwrap_or(DEFAULT_GRACE_DAYS);
    fields.finish();
    let id = id?;
    Some(Plan {
        name: name.unwrap_or_else(|| id.clone()),
        id,
        price,
        entitlements,
        quotas,
        prices,
        buy_url,
        on_sale,
        on_outage,
        grace_days: u32::try_from(grace_days).unwrap_or_default(),
    })
}

fn read_quotas(fields: &mut Fields<'_>) -> Vec<Quota> {
    let example = "[{ meter = \"api\", limit = 1000, per = \"month\" }]";
    let mut quotas: Vec<Quota> = Vec::new();
    for table in fields.tables("quotas", example) {
        let Some(quota) = read_quota(table) else { continue };
        if quotas.iter().any(|other| other.name() == quota.name()) {
            let expect = Expect::new("one quota per meter, period and scope", example);
            fields.mistake("quotas", &format!("{:?} twice", quota.name().to_string()), expect);
        }
        quotas.push(quota);
    }
    quotas
}

fn read_quota(mut fields: Fields<'_>) -> Option<Quota> {
    let meter = fields.needed_text("meter", Expect::new("the meter that is limited", "\"api\""));
    let is_whole = fields.has("limit") && fields.has("per");
    let says_enforcement = fields.has("enforcement");
    let limit = fields.whole("limit", 0..=MAX_UNITS, "1000");
    let period = fields.choice("per", &Period::WORDS, "\"month\"");
    let enforcement = fields.choice("enforcement", &Enforcement::WORDS, "\"soft\"");
    let is_hard = enforcement.map_or(!says_enforcement, |one| one == Enforcement::Hard);
    let scope = fields.choice("each", &Scope::WORDS, "\"member\"").unwrap_or_default();
    let overage_max = fields.whole("overage_max", 0..=MAX_UNITS, "500");
    let rollover_max = fields.whole("rollover_max", 0..=MAX_UNITS, "500").unwrap_or(0);
    let trial_limit = fields.whole("trial_limit", 0..=MAX_UNITS, "100");
    let utc_offset_min = read_offset(&mut fields);
    if !is_whole {
        let expect = Expect::new("a limit and a period", "limit = 1000, per = \"month\"");
        fields.mistake("", "a quota without limit or per", expect);
    }
    if overage_max.is_some() && is_hard {
        let expect = Expect::new("enforcement = \"soft\" beside it", "enforcement = \"soft\"");
        fields.mistake("overage_max", "an overage of a hard quota", expect);
    }
    fields.finish();
    Some(Quota {
        meter: meter?,
        limit: limit?,
        period: period?,
        utc_offset_min,
        enforcement: enforcement.unwrap_or_default(),
        scope,
        overage_max,
        rollover_max,
        trial_limit,
    })
}

/// Reads `+02:00` as 120.
fn read_offset(fields: &mut Fields<'_>) -> i32 {
    let example = "\"+02:00\"";
    let Some(text) = fields.text("utc_offset", example) else { return 0 };
    let parsed = parse_offset(&text);
    if parsed.is_none() {
        let expect = Expect::new("an offset from UTC of at most 14 hours", example);
        fields.mistake("utc_offset", &format!("{text:?}"), expect);
    }
    parsed.unwrap_or(0)
}

fn parse_offset(text: &str) -> Option<i32> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+')?),
    };
    let (hours, minutes) = rest.split_once(':')?;
    let is_digits = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
    let two = |part: &str| is_digits(part).then(|| part.parse::<i32>().ok()).flatten();
    let total = two(hours)?.checked_mul(60)?.checked_add(two(minutes).filter(|min| *min < 60)?)?;
    (total <= 14 * 60).then_some(total.saturating_mul(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_offsets() {
        assert_eq!(parse_offset("+02:00"), Some(120));
        assert_eq!(parse_offset("-03:30"), Some(-210));
        for bad in ["2", "+2:00", "+14:01", "+01:60", "+aa:00", "02:00", "+-1:00"] {
            assert_eq!(parse_offset(bad), None, "{bad}");
        }
    }
}
