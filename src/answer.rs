//! The HTTP response made from a denial: status, header fields and a body that the caller reads.
//!
//! Status and header fields are the same in every format, so that a program can act on an answer
//! whoever it was written for.

mod field;
mod headers;
mod message;
mod negotiate;
mod page;
mod problem;
mod status;
mod style;
mod usage;

use std::borrow::Cow;

use crate::cause::Cause;
use crate::config::Brand;
use crate::decision::Denial;
use crate::request::ReturnPath;
use crate::time::Timestamp;
use crate::usage::AccountUsage;

pub use headers::{CAUSE_HEADER, EXPOSED_HEADERS, NOTICE_HEADER, passed_headers};
pub use negotiate::Format;
use page::Frame;
use problem::Told;
pub use usage::{credit_json, credits_json};

/// A whole response.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Header fields in order; a name may stand more than once.
    pub headers: Headers,
    /// The body; empty for HEAD.
    pub body: String,
}

/// Names and values of header fields. Values are printable ASCII.
pub type Headers = Vec<(&'static str, Cow<'static, str>)>;

/// What an answer has to know about the request. Everything is as it was sent; empty means absent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asker<'a> {
    /// The raw method.
    pub method: &'a str,
    /// `Accept`.
    pub accept: &'a str,
    /// `Origin`, which a browser sends with cross-origin requests.
    pub origin: &'a str,
    /// `Sec-Fetch-Mode`: `navigate` where a browser loads a page.
    pub fetch_mode: &'a str,
    /// `Sec-Fetch-Site`: how the page that asks stands to this host, in the browser's own words.
    pub fetch_site: &'a str,
    /// The host that was asked.
    pub host: &'a str,
    /// The raw path, with or without its query. The query is never repeated: it may hold a token.
    pub path: &'a str,
}

impl Asker<'_> {
    /// The format that the caller prefers.
    pub fn format(&self) -> Format {
        Format::negotiate(self.accept, self.fetch_mode == "navigate")
    }

    fn wants_body(&self) -> bool {
        self.method != "HEAD"
    }

    /// The path alone, as a URI reference that can't be read as another host (RFC 3986 §4.2).
    fn instance(&self) -> Cow<'_, str> {
        let path = self.path.split(['?', '#']).next().unwrap_or_default();
        let path = path.get(..path.floor_char_boundary(MAX_INSTANCE_BYTES)).unwrap_or_default();
        let names_a_host = path.starts_with("//");
        if !names_a_host && field::is_uri(path) {
            return Cow::Borrowed(path);
        }
        let mut out = String::with_capacity(path.len().saturating_add(2));
        if names_a_host {
            out.push_str("/.");
        }
        field::push_uri(&mut out, path);
        Cow::Owned(out)
    }
}

/// Where the gate stands.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Scheme and host, such as `https://api.example.com`.
    pub base_url: &'a str,
    /// Path of the gate's own endpoints, such as `/_tollgate/`.
    pub prefix: &'a str,
    /// Names of configured header fields that may carry a credential, separated by `, `, for
    /// `Vary`. `Authorization` and `Cookie` need not be named.
    pub credential_headers: &'a str,
}

impl Place<'_> {
    /// The problem type URI of `cause` (RFC 9457 §3.1.1), such as
    /// `https://api.example.com/_tollgate/problems/quota-exhausted`.
    pub fn type_uri(&self, cause: Cause) -> String {
        let length = self.base_url.len().saturating_add(self.prefix.len()).saturating_add(48);
        let mut out = String::with_capacity(length);
        field::push_uri(&mut out, self.base_url);
        field::push_uri(&mut out, self.prefix);
        out.push_str("problems/");
        out.push_str(cause.word());
        out
    }
}

/// The answer to a denied request. `support_id` names this one denial in the operator's log.
pub fn denied(
    denial: &Denial,
    asker: &Asker<'_>,
    place: &Place<'_>,
    brand: &Brand,
    support_id: &str,
    now: Timestamp,
) -> Answer {
    let dress = Dress::new(asker.format(), brand);
    let type_uri = place.type_uri(denial.cause);
    let mut headers = headers::common(dress.format, dress.policy(brand), asker, place);
    headers::push_denial(&mut headers, denial, &type_uri, headers::realm(brand, asker), now);
    let status = denial.cause.status();
    if !asker.wants_body() {
        return Answer { status, headers, body: String::new() };
    }
    let told = Told {
        denial,
        type_uri: &type_uri,
        detail: &message::detail(denial, now),
        instance: &asker.instance(),
        support_id,
        now,
    };
    let body = match dress.format {
        Format::Html => page::denied(&told, dress.frame(brand, asker), asker),
        Format::Json => told.json(),
        Format::Text => told.text(),
    };
    Answer { status, headers, body }
}

/// What stands behind the problem type URI of `cause`: what it means and what to do about it.
pub fn explained(cause: Cause, asker: &Asker<'_>, place: &Place<'_>, brand: &Brand) -> Answer {
    let dress = Dress::new(asker.format(), brand);
    let headers = headers::public(dress.format, dress.policy(brand));
    let type_uri = place.type_uri(cause);
    let body = match dress.format {
        _ if !asker.wants_body() => String::new(),
        Format::Html => page::explained(cause, &type_uri, dress.frame(brand, asker)),
        Format::Json => problem::explanation_json(cause, &type_uri),
        Format::Text => problem::explanation_text(cause),
    };
    Answer { status: 200, headers, body }
}

/// How the caller's own account stands.
pub fn usage(
    usage: &AccountUsage,
    asker: &Asker<'_>,
    place: &Place<'_>,
    brand: &Brand,
    now: Timestamp,
) -> Answer {
    let dress = Dress::new(asker.format(), brand);
    let mut headers = headers::private(dress.format, dress.policy(brand), asker, place);
    let quotas: Vec<_> = usage.quotas.iter().map(|quota| quota.state.clone()).collect();
    headers::push_standing(&mut headers, &quotas, &usage.notices, now);
    let body = match dress.format {
        _ if !asker.wants_body() => String::new(),
        Format::Html => page::usage(usage, brand, dress.frame(brand, asker), now),
        Format::Json => usage::json(usage),
        Format::Text => usage::text(usage, brand, now),
    };
    Answer { status: 200, headers, body }
}

/// Whether access to `path` is back: `denial` is why it isn't. `attempt` is how often was looked.
///
/// A page goes back to where its reader came from, or looks again by itself.
pub fn status(
    denial: Option<&Denial>,
    path: &ReturnPath,
    attempt: usize,
    asker: &Asker<'_>,
    place: &Place<'_>,
    brand: &Brand,
    now: Timestamp,
) -> Answer {
    let dress = Dress::new(asker.format(), brand);
    let mut headers = headers::private(dress.format, dress.policy(brand), asker, place);
    let again_s = status::pause_s(attempt);
    let pause_s = again_s.unwrap_or(LONGEST_PAUSE_S);
    if denial.is_some() {
        headers.push(("Retry-After", pause_s.to_string().into()));
    }
    let body = match (dress.format, denial) {
        (Format::Html, None) => return see_other(path.as_str(), asker, place, brand),
        // Loading the page again must not post again.
        (Format::Html, Some(_)) if asker.method == "POST" => {
            let look = status::look_url(place.prefix, path, attempt);
            return see_other(&look, asker, place, brand);
        }
        _ if !asker.wants_body() => String::new(),
        (Format::Html, Some(denial)) => {
            let again = status::look_url(place.prefix, path, attempt.saturating_add(1));
            let look = status::Look { path: path.as_str(), again: &again, again_s };
            let type_uri = place.type_uri(denial.cause);
            page::waiting(denial, &look, &type_uri, dress.frame(brand, asker), now)
        }
        (Format::Json, _) => status::json(denial, path.as_str(), pause_s, now),
        (Format::Text, _) => status::text(denial, path.as_str(), pause_s, now),
    };
    Answer { status: 200, headers, body }
}

/// Sends a browser to `url`; a program is told it as JSON (`{"url": …}`) and goes there itself.
pub fn leads_to(url: &str, asker: &Asker<'_>, place: &Place<'_>, brand: &Brand) -> Answer {
    let dress = Dress::new(asker.format(), brand);
    if dress.format != Format::Json {
        return see_other(url, asker, place, brand);
    }
    let headers = headers::private(dress.format, String::new(), asker, place);
    let body = serde_json::json!({ "url": url }).to_string();
    Answer { status: 200, headers, body }
}

/// An answer to a `HEAD` where only a `GET` has more to return.
pub fn nothing(asker: &Asker<'_>, place: &Place<'_>) -> Answer {
    Answer { status: 204, headers: headers::bare(asker, place), body: String::new() }
}

fn see_other(url: &str, asker: &Asker<'_>, place: &Place<'_>, brand: &Brand) -> Answer {
    let dress = Dress::new(Format::Text, brand);
    let mut headers = headers::private(dress.format, String::new(), asker, place);
    let mut location = String::with_capacity(url.len());
    field::push_uri(&mut location, url);
    headers.push(("Location", location.into()));
    Answer { status: 303, headers, body: String::new() }
}

/// The same for the operator, as JSON.
pub fn usage_json(usage: &AccountUsage) -> String {
    usage::json(usage)
}

/// Lets a page of another origin ask for [`usage`] with a credential.
pub fn usage_preflight(asker: &Asker<'_>, place: &Place<'_>) -> Answer {
    Answer { status: 204, headers: headers::preflight(asker, place), body: String::new() }
}

/// An error of the gate's own endpoints, such as 404 for one that does not exist.
///
/// `Allow` and `WWW-Authenticate` are for the caller to add.
pub fn problem(
    status: u16,
    title: &str,
    detail: &str,
    asker: &Asker<'_>,
    place: &Place<'_>,
    brand: &Brand,
) -> Answer {
    let dress = Dress::new(asker.format(), brand);
    let headers = headers::common(dress.format, dress.policy(brand), asker, place);
    let body = match dress.format {
        _ if !asker.wants_body() => String::new(),
        Format::Html => page::plain(status, title, detail, dress.frame(brand, asker)),
        Format::Json => problem::plain_json(status, title, detail, &asker.instance()),
        Format::Text => problem::plain_text(title, detail),
    };
    Answer { status, headers, body }
}

/// An error of an endpoint for programs: problem details (RFC 9457), whatever the caller prefers.
pub fn problem_json(status: u16, title: &str, detail: &str, asker: &Asker<'_>) -> Answer {
    let body = problem::plain_json(status, title, detail, &asker.instance());
    let headers = vec![
        ("Content-Type", "application/problem+json".into()),
        ("Cache-Control", "no-store".into()),
        ("X-Content-Type-Options", "nosniff".into()),
    ];
    Answer { status, headers, body: if asker.wants_body() { body } else { String::new() } }
}

/// The format of an answer, and for a page the sheet that its policy has to allow.
struct Dress {
    format: Format,
    brand_sheet: String,
}

impl Dress {
    fn new(format: Format, brand: &Brand) -> Self {
        let is_page = format == Format::Html;
        let brand_sheet = if is_page { style::brand_sheet(brand) } else { String::new() };
        Self { format, brand_sheet }
    }

    /// The Content-Security-Policy; empty where there is no page.
    fn policy(&self, brand: &Brand) -> String {
        match self.format {
            Format::Html => style::content_security_policy(brand, &self.brand_sheet),
            Format::Json | Format::Text => String::new(),
        }
    }

    fn frame<'a>(&'a self, brand: &'a Brand, asker: &Asker<'a>) -> Frame<'a> {
        Frame::new(brand, &self.brand_sheet, asker)
    }
}

/// How long a program is told to wait once it has asked often.
const LONGEST_PAUSE_S: u64 = 60;

/// Longer paths are cut: an answer must not be made large by its request.
const MAX_INSTANCE_BYTES: usize = 1_024;
