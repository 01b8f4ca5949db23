//! The pages that people see. Templates are compiled in and escape everything.

use std::borrow::Cow;

use askama::Template;

use super::asker::Asker;
use super::message::{
    Explanation, LANGUAGE, advice, date, detail, explanation, instruction, kind, label, says_when,
    title,
};
use super::problem::DenialView;
use super::quota_line::QuotaLine;
use super::status::Look;
use super::style::SHEET;
use super::usage::{credit_lines, links, nothing_to_count, notice_text, plan_name, remedies};
use crate::cause::{Action, Cause, Remedy, Source};
use crate::config::Brand;
use crate::decision::Denial;
use crate::time::Timestamp;
use crate::usage::AccountUsage;

/// The parts of every page.
pub(super) struct Frame<'a> {
    name: &'a str,
    logo_url: Option<&'a str>,
    sheet: &'static str,
    brand_sheet: &'a str,
    language: &'static str,
}

impl<'a> Frame<'a> {
    /// The frame in the brand's looks; `brand_sheet` is the one its policy allows.
    pub(super) fn new(brand: &'a Brand, brand_sheet: &'a str, asker: &Asker<'a>) -> Self {
        let name = if brand.name.is_empty() { asker.host } else { &brand.name };
        let logo_url = brand.logo_url.as_deref();
        Self { name, logo_url, sheet: SHEET, brand_sheet, language: LANGUAGE }
    }
}

/// The page of a denial.
pub(super) fn denied(view: &DenialView<'_>, frame: Frame<'_>, asker: &Asker<'_>) -> String {
    let denial = view.denial;
    let says_when = says_when(denial);
    let shown = |remedy: &&Remedy| !(says_when && remedy.action == Action::Wait);
    let remedies = denial.remedies.iter().filter(shown);
    let mut steps: Vec<_> =
        remedies.map(|remedy| ShownRemedy::new(remedy, denial.retry_at, view.now)).collect();
    if let Some(first) =
        steps.iter_mut().find(|step| step.href.is_some() && step.posts_to.is_none())
    {
        first.primary = true;
    }
    let looks_again = steps.iter().any(|step| step.posts_to.is_some());
    let try_again = match asker.method {
        _ if looks_again => TryAgain::Never,
        // A link sends GET: it can't repeat anything else.
        method if method != "GET" => TryAgain::Never,
        _ if denial.cause.status() >= 429 && !steps.iter().any(|step| step.primary) => {
            TryAgain::Button
        }
        _ => TryAgain::Link,
    };
    render(&DeniedPage {
        frame,
        kind: kind(denial.cause),
        ours: denial.cause.source() != Source::Caller && denial.cause.status() >= 500,
        title: title(denial.cause),
        detail: view.detail,
        advice: advice(denial),
        quota: denial.quota.as_ref().map(QuotaLine::denying),
        try_again,
        steps,
        code: denial.cause.word(),
        status: denial.cause.status(),
        type_uri: view.type_uri,
        path: shortened(view.instance),
        support_id: view.support_id,
        time: view.now.rfc3339(),
        shown_time: date(view.now),
    })
}

/// The page behind a problem type URI.
pub(super) fn explained(cause: Cause, type_uri: &str, frame: Frame<'_>) -> String {
    let told = explanation(cause);
    let (kind, title, code) = (kind(cause), title(cause), cause.word());
    render(&ExplainedPage { frame, kind, title, told, code, status: cause.status(), type_uri })
}

/// The page of a problem of the gate's own endpoints.
pub(super) fn plain(status: u16, title: &str, detail: &str, frame: Frame<'_>) -> String {
    render(&PlainPage { frame, status, title, detail })
}

/// The page about the caller's own account.
pub(super) fn usage(
    usage: &AccountUsage,
    brand: &Brand,
    frame: Frame<'_>,
    now: Timestamp,
) -> String {
    let has_credits = !usage.credits.is_empty();
    let denial = usage.denial.as_deref();
    let mut steps: Vec<_> = remedies(usage).map(|one| ShownRemedy::new(one, None, now)).collect();
    if let Some(first) = steps.iter_mut().find(|step| step.href.is_some()) {
        first.primary = true;
    }
    steps.extend(links(usage, brand).map(|(label, href)| ShownRemedy {
        label: label.into(),
        href: Some(href),
        posts_to: None,
        price: None,
        primary: false,
    }));
    render(&UsagePage {
        frame,
        plan: plan_name(usage),
        price: usage.plan.as_ref().and_then(|plan| plan.price.as_deref()),
        trouble: denial.map(|denial| Trouble {
            title: title(denial.cause),
            detail: detail(denial, now),
            advice: advice(denial),
        }),
        notices: usage.notices.iter().filter_map(notice_text).collect(),
        quotas: usage
            .quotas
            .iter()
            .map(|quota| QuotaLine::of_account(quota, has_credits, now))
            .collect(),
        nothing: nothing_to_count(usage),
        credits: credit_lines(usage),
        steps,
        time: now.rfc3339(),
        shown_time: date(now),
    })
}

/// The page of somebody who waits for access to come back.
pub(super) fn waiting(
    denial: &Denial,
    look: &Look<'_>,
    type_uri: &str,
    frame: Frame<'_>,
    now: Timestamp,
) -> String {
    // Whoever waits here has been to the others: the button comes first.
    let (again, others): (Vec<_>, Vec<_>) =
        denial.remedies.iter().partition(|remedy| remedy.action == Action::CheckAgain);
    let remedies = again.into_iter().chain(others);
    let steps = remedies.map(|remedy| ShownRemedy::new(remedy, denial.retry_at, now)).collect();
    render(&StatusPage {
        frame,
        title: title(denial.cause),
        detail: detail(denial, now),
        advice: advice(denial),
        again_s: look.again_s,
        again: look.again,
        path: look.path,
        steps,
        code: denial.cause.word(),
        status: denial.cause.status(),
        type_uri,
        time: now.rfc3339(),
        shown_time: date(now),
    })
}

/// The offer of a page to load the same address again.
#[derive(Clone, Copy, Eq, PartialEq)]
enum TryAgain {
    /// As the main thing to do, where waiting helps and there is no other.
    Button,
    /// In a sentence, for somebody who has done what the buttons ask for.
    Link,
    Never,
}

/// One remedy as it is shown: a button where there is a place to go, else a sentence.
struct ShownRemedy<'a> {
    label: Cow<'static, str>,
    href: Option<&'a str>,
    /// Of a button that has the gate look again.
    posts_to: Option<String>,
    price: Option<&'a str>,
    primary: bool,
}

impl<'a> ShownRemedy<'a> {
    fn new(remedy: &'a Remedy, retry_at: Option<Timestamp>, now: Timestamp) -> Self {
        let href = remedy.safe_href();
        let label = match href {
            Some(_) => label(remedy),
            None => instruction(remedy, retry_at, now),
        };
        let offer = remedy.plan.as_ref().filter(|_| remedy.action == Action::ChoosePlan);
        let price = offer.filter(|_| href.is_some()).and_then(|plan| plan.price.as_deref());
        let looks_again = remedy.action == Action::CheckAgain;
        let posts_to =
            href.filter(|_| looks_again).map(|href| href.replacen("/status?", "/refresh?", 1));
        Self { label, href, posts_to, price, primary: false }
    }
}

#[derive(Template)]
#[template(path = "denied.html")]
struct DeniedPage<'a> {
    frame: Frame<'a>,
    kind: &'static str,
    ours: bool,
    title: &'static str,
    detail: &'a str,
    advice: &'static str,
    quota: Option<QuotaLine>,
    steps: Vec<ShownRemedy<'a>>,
    try_again: TryAgain,
    code: &'static str,
    status: u16,
    type_uri: &'a str,
    path: &'a str,
    support_id: &'a str,
    time: String,
    shown_time: String,
}

#[derive(Template)]
#[template(path = "explained.html")]
struct ExplainedPage<'a> {
    frame: Frame<'a>,
    kind: &'static str,
    title: &'static str,
    told: Explanation,
    code: &'static str,
    status: u16,
    type_uri: &'a str,
}

#[derive(Template)]
#[template(path = "status.html")]
struct StatusPage<'a> {
    frame: Frame<'a>,
    title: &'static str,
    detail: Cow<'a, str>,
    advice: &'static str,
    again_s: Option<u64>,
    again: &'a str,
    path: &'a str,
    steps: Vec<ShownRemedy<'a>>,
    code: &'static str,
    status: u16,
    type_uri: &'a str,
    time: String,
    shown_time: String,
}

#[derive(Template)]
#[template(path = "usage.html")]
struct UsagePage<'a> {
    frame: Frame<'a>,
    plan: &'a str,
    price: Option<&'a str>,
    trouble: Option<Trouble<'a>>,
    notices: Vec<Cow<'static, str>>,
    quotas: Vec<QuotaLine>,
    nothing: &'static str,
    credits: Vec<String>,
    steps: Vec<ShownRemedy<'a>>,
    time: String,
    shown_time: String,
}

/// The reason of refusals, and advice on the next move.
struct Trouble<'a> {
    title: &'static str,
    detail: Cow<'a, str>,
    advice: &'static str,
}

#[derive(Template)]
#[template(path = "plain.html")]
struct PlainPage<'a> {
    frame: Frame<'a>,
    status: u16,
    title: &'a str,
    detail: &'a str,
}

/// Rendering fails only where a value's own `Display` does, and none here can.
fn render(page: &impl Template) -> String {
    page.render().unwrap_or_default()
}

/// The beginning of a path: enough to recognise it.
fn shortened(path: &str) -> &str {
    path.get(..path.floor_char_boundary(MAX_PATH_BYTES)).unwrap_or(path)
}

const MAX_PATH_BYTES: usize = 160;
