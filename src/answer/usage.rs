//! The standing of an account, as JSON, as text, and in the words that a page shows.

use std::borrow::Cow;

use serde::Serialize;

use super::body::{push_line, to_json};
use super::field::notice_word;
use super::message::{advice, date, detail, grouped, instruction, title};
use super::quota_line::QuotaLine;
use crate::account::Status;
use crate::cause::{Action, Notice, Remedy};
use crate::config::Brand;
use crate::plan::{Enforcement, PlanOffer, QuotaName};
use crate::quota::CreditPack;
use crate::time::Timestamp;
use crate::usage::{AccountUsage, QuotaUse};

/// The standing of an account as JSON, for its caller and for the operator.
pub fn usage_json(usage: &AccountUsage) -> String {
    to_json(&UsageBody {
        plan: usage.plan.as_ref(),
        status: usage.status,
        cause: usage.denial.as_ref().map(|denial| denial.cause.word()),
        remedies: usage.denial.as_ref().map_or(&[], |denial| &denial.remedies),
        notices: usage.notices.iter().map(NoticeBody::of).collect(),
        quotas: usage.quotas.iter().map(QuotaBody::of).collect(),
        credits: usage.credits.iter().map(PackBody::of_caller).collect(),
        credits_left: usage.credits_left(),
    })
}

/// As plain text.
pub(super) fn text(usage: &AccountUsage, brand: &Brand, now: Timestamp) -> String {
    let mut out = String::with_capacity(512);
    push_line(&mut out, &[plan_name(usage)]);
    push_line(&mut out, &[]);
    if let Some(denial) = &usage.denial {
        let detail = detail(denial, now);
        push_line(&mut out, &[title(denial.cause), ". ", &detail, " ", advice(denial)]);
    }
    for told in usage.notices.iter().filter_map(notice_text) {
        push_line(&mut out, &[&told]);
    }
    let has_credits = !usage.credits.is_empty();
    for quota in &usage.quotas {
        let line = QuotaLine::of_account(quota, has_credits, now);
        let QuotaLine { name, shown, state, reset, .. } = &line;
        push_line(&mut out, &[name, ": ", shown, ". ", state, ". Starts again ", reset, "."]);
    }
    if usage.quotas.is_empty() && usage.denial.is_none() {
        push_line(&mut out, &[nothing_to_count(usage)]);
    }
    for pack in credit_lines(usage) {
        push_line(&mut out, &["Credits: ", &pack, "."]);
    }
    push_line(&mut out, &[]);
    for remedy in remedies(usage) {
        let what = instruction(remedy, None, now);
        match remedy.safe_href() {
            Some(href) => push_line(&mut out, &["- ", &what, ": ", href]),
            None => push_line(&mut out, &["- ", &what]),
        }
    }
    for (label, href) in links(usage, brand) {
        push_line(&mut out, &["- ", label, ": ", href]);
    }
    out
}

/// Packs of credits for the operator, all that there ever were.
pub fn credits_json(packs: &[CreditPack]) -> String {
    to_json(&PacksBody { packs: packs.iter().map(PackBody::of).collect() })
}

/// One pack of credits for the operator.
pub fn credit_json(pack: &CreditPack) -> String {
    to_json(&PackBody::of(pack))
}

/// The plan's name.
pub(super) fn plan_name(usage: &AccountUsage) -> &str {
    usage.plan.as_ref().map_or("No plan", |plan| &plan.name)
}

pub(super) fn nothing_to_count(usage: &AccountUsage) -> &'static str {
    match usage.plan {
        Some(_) => "Your plan has no limits, so there is nothing to count.",
        None => "Your account has no plan, so there is nothing to count.",
    }
}

/// Credits in words: what is left in all, and what of it ends when.
pub(super) fn credit_lines(usage: &AccountUsage) -> Vec<String> {
    let units = |left: u64| match left {
        1 => "1 unit".to_owned(),
        left => format!("{} units", grouped(left)),
    };
    let pack = |pack: &CreditPack| match pack.expires_at {
        Some(at) => format!("{} until {}", units(pack.left), date(at)),
        None => format!("{} without an end", units(pack.left)),
    };
    match usage.credits.as_slice() {
        [] => Vec::new(),
        [only] => vec![pack(only)],
        all => {
            let total = format!("{} in all", units(usage.credits_left()));
            std::iter::once(total).chain(all.iter().map(pack)).collect()
        }
    }
}

/// The text of a notice about the subscription; quotas speak for themselves.
pub(super) fn notice_text(notice: &Notice) -> Option<Cow<'static, str>> {
    let text = match notice {
        Notice::ProviderOutage => {
            return Some(Cow::Borrowed(
                "Our payment provider has a problem at the moment. Nothing is wrong with your \
                 card, and your access goes on.",
            ));
        }
        Notice::PaymentGrace { until } => format!(
            "Your last payment did not go through. Your access goes on until {}: please update \
             your payment method before.",
            date(*until)
        ),
        Notice::SubscriptionEnding { at } => {
            format!("Your subscription is cancelled and ends on {}.", date(*at))
        }
        Notice::QuotaNearLimit { .. } | Notice::SoftQuotaPassed { .. } => return None,
    };
    Some(Cow::Owned(text))
}

/// Remedies of a denial, before it comes to the operator's places. Where waiting helps, the
/// quota's own words are enough.
pub(super) fn remedies(usage: &AccountUsage) -> impl Iterator<Item = &Remedy> {
    let all = usage.denial.as_ref().map_or(&[][..], |denial| &denial.remedies);
    all.iter().filter(|one| !matches!(one.action, Action::Wait | Action::ContactSupport))
}

/// The operator's places that no remedy leads to, each with the text of its button.
pub(super) fn links<'a>(
    usage: &'a AccountUsage,
    brand: &'a Brand,
) -> impl Iterator<Item = (&'static str, &'a str)> {
    let places = [
        ("See plans", &usage.plans_url),
        ("Your account", &brand.account_url),
        ("Contact support", &brand.support_url),
    ];
    places.into_iter().filter_map(|(label, href)| {
        let href = href.as_deref()?;
        let is_new = remedies(usage).all(|remedy| remedy.href.as_deref() != Some(href));
        is_new.then_some((label, href))
    })
}

#[derive(Serialize)]
struct UsageBody<'a> {
    plan: Option<&'a PlanOffer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'static str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    remedies: &'a [Remedy],
    notices: Vec<NoticeBody<'a>>,
    quotas: Vec<QuotaBody<'a>>,
    credits: Vec<PackBody<'a>>,
    credits_left: u64,
}

#[derive(Serialize)]
struct QuotaBody<'a> {
    name: &'a QuotaName,
    meter: &'a str,
    meter_name: &'a str,
    limit: u64,
    used: u64,
    left: u64,
    resets_at: String,
    window_s: u64,
    enforcement: Enforcement,
}

impl<'a> QuotaBody<'a> {
    fn of(quota: &'a QuotaUse) -> Self {
        let (state, meter) = (&quota.state, quota.state.name.meter.as_str());
        Self {
            name: &state.name,
            meter,
            meter_name: quota.meter_name.as_deref().unwrap_or(meter),
            limit: state.limit,
            used: state.used,
            left: state.remaining(),
            resets_at: state.resets_at.rfc3339(),
            window_s: state.window_s,
            enforcement: state.enforcement,
        }
    }
}

/// The members of a notice that it has; the same as in the header field.
#[derive(Default, Serialize)]
struct NoticeBody<'a> {
    notice: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    quota: Option<&'a QuotaName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    percent: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
}

impl<'a> NoticeBody<'a> {
    fn of(notice: &'a Notice) -> Self {
        let mut body = Self { notice: notice_word(notice), ..Self::default() };
        match notice {
            Notice::ProviderOutage => {}
            Notice::PaymentGrace { until } => body.until = Some(until.rfc3339()),
            Notice::QuotaNearLimit { quota, percent } => {
                body.quota = Some(quota);
                body.percent = Some(*percent);
            }
            Notice::SoftQuotaPassed { quota } => body.quota = Some(quota),
            Notice::SubscriptionEnding { at } => body.at = Some(at.rfc3339()),
        }
        body
    }
}

#[derive(Serialize)]
struct PacksBody<'a> {
    packs: Vec<PackBody<'a>>,
}

#[derive(Serialize)]
struct PackBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    units: Option<u64>,
    left: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    added_at: Option<String>,
    expires_at: Option<String>,
}

impl<'a> PackBody<'a> {
    fn of(pack: &'a CreditPack) -> Self {
        Self {
            id: Some(&pack.id),
            units: Some(pack.units),
            added_at: Some(pack.added_at.rfc3339_exact()),
            ..Self::of_caller(pack)
        }
    }

    /// Without what is between operator and ledger.
    fn of_caller(pack: &CreditPack) -> Self {
        let expires_at = pack.expires_at.map(Timestamp::rfc3339_exact);
        Self { id: None, units: None, left: pack.left, added_at: None, expires_at }
    }
}
