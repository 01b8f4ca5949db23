//! Makes the answers to one request, each in the format that its caller prefers.

use super::asker::{Asker, Place};
use super::negotiate::Format;
use super::page::Frame;
use super::problem::DenialView;
use super::response::Answer;
use super::status_title::status_title;
use super::{field, headers, message, page, problem, status, style, usage};
use crate::cause::Cause;
use crate::config::Brand;
use crate::decision::Denial;
use crate::request::ReturnPath;
use crate::time::Timestamp;
use crate::usage::AccountUsage;

/// Makes the answers to one request.
#[derive(Clone, Copy, Debug)]
pub struct Responder<'a> {
    /// The facts about the request.
    pub asker: Asker<'a>,
    /// The gate's address.
    pub place: Place<'a>,
    /// The looks and places of the operator.
    pub brand: &'a Brand,
    /// The time of the answer.
    pub now: Timestamp,
}

impl Responder<'_> {
    /// The answer to a denied request. `support_id` names this one denial in the operator's log.
    pub fn denied(&self, denial: &Denial, support_id: &str) -> Answer {
        let Self { asker, place, brand, now } = self;
        let looks = self.presentation();
        let type_uri = place.type_uri(denial.cause);
        let mut headers = headers::common(looks.format, looks.policy(brand), asker, place);
        headers::push_denial(&mut headers, denial, &type_uri, headers::realm(brand, asker), *now);
        let status = denial.cause.status();
        if !asker.wants_body() {
            return Answer { status, headers, body: String::new() };
        }
        let view = DenialView {
            denial,
            type_uri: &type_uri,
            detail: &message::detail(denial, *now),
            instance: &asker.instance(),
            support_id,
            now: *now,
        };
        let body = match looks.format {
            Format::Html => page::denied(&view, self.frame(&looks), asker),
            Format::Json => view.json(),
            Format::Text => view.text(),
        };
        Answer { status, headers, body }
    }

    /// The page behind the problem type URI of `cause`: its meaning, and what to do about it.
    pub fn explained(&self, cause: Cause) -> Answer {
        let looks = self.presentation();
        let headers = headers::public(looks.format, looks.policy(self.brand));
        let type_uri = self.place.type_uri(cause);
        let body = match looks.format {
            _ if !self.asker.wants_body() => String::new(),
            Format::Html => page::explained(cause, &type_uri, self.frame(&looks)),
            Format::Json => problem::explanation_json(cause, &type_uri),
            Format::Text => problem::explanation_text(cause),
        };
        Answer { status: 200, headers, body }
    }

    /// The standing of the caller's own account.
    pub fn usage(&self, usage: &AccountUsage) -> Answer {
        let Self { asker, place, brand, now } = self;
        let looks = self.presentation();
        let mut headers = headers::private(looks.format, looks.policy(brand), asker, place);
        let quotas: Vec<_> = usage.quotas.iter().map(|quota| quota.state.clone()).collect();
        headers::push_standing(&mut headers, &quotas, &usage.notices, *now);
        let body = match looks.format {
            _ if !asker.wants_body() => String::new(),
            Format::Html => page::usage(usage, brand, self.frame(&looks), *now),
            Format::Json => usage::usage_json(usage),
            Format::Text => usage::text(usage, brand, *now),
        };
        Answer { status: 200, headers, body }
    }

    /// Lets a page of another origin ask for [`Self::usage`] with a credential.
    pub fn usage_preflight(&self) -> Answer {
        let headers = headers::preflight(&self.asker, &self.place);
        Answer { status: 204, headers, body: String::new() }
    }

    /// The answer to the question whether access to `path` is back: `denial` is the reason against
    /// it. `attempt` counts the looks before this one.
    ///
    /// A page goes back to where its reader came from, or looks again by itself.
    pub fn status(&self, denial: Option<&Denial>, path: &ReturnPath, attempt: usize) -> Answer {
        let Self { asker, place, brand, now } = self;
        let looks = self.presentation();
        let mut headers = headers::private(looks.format, looks.policy(brand), asker, place);
        let again_s = status::pause_s(attempt);
        let pause_s = again_s.unwrap_or(LONGEST_PAUSE_S);
        if denial.is_some() {
            headers::push_retry_after(&mut headers, pause_s);
        }
        let body = match (looks.format, denial) {
            (Format::Html, None) => return self.see_other(path.as_str()),
            // Loading the page again must not post again.
            (Format::Html, Some(_)) if asker.method == "POST" => {
                return self.see_other(&status::look_url(place.prefix, path, attempt));
            }
            _ if !asker.wants_body() => String::new(),
            (Format::Html, Some(denial)) => {
                let again = status::look_url(place.prefix, path, attempt.saturating_add(1));
                let look = status::Look { path: path.as_str(), again: &again, again_s };
                let type_uri = place.type_uri(denial.cause);
                page::waiting(denial, &look, &type_uri, self.frame(&looks), *now)
            }
            (Format::Json, _) => status::json(denial, path.as_str(), pause_s, *now),
            (Format::Text, _) => status::text(denial, path.as_str(), pause_s, *now),
        };
        Answer { status: 200, headers, body }
    }

    /// Sends a browser to `url`. A program gets it as JSON (`{"url": …}`) and goes there itself.
    pub fn leads_to(&self, url: &str) -> Answer {
        if self.asker.format() != Format::Json {
            return self.see_other(url);
        }
        let headers = headers::private(Format::Json, String::new(), &self.asker, &self.place);
        let body = serde_json::json!({ "url": url }).to_string();
        Answer { status: 200, headers, body }
    }

    /// An answer to a `HEAD` where only a `GET` has more to return.
    pub fn nothing(&self) -> Answer {
        let headers = headers::bare(&self.asker, &self.place);
        Answer { status: 204, headers, body: String::new() }
    }

    /// An error of the gate's own endpoints, such as 404 for one that does not exist.
    ///
    /// `Allow`, `Retry-After` and `WWW-Authenticate` are for the caller to add.
    pub fn problem(&self, status: u16, detail: &str) -> Answer {
        let Self { asker, place, brand, .. } = self;
        let looks = self.presentation();
        let title = status_title(status);
        let headers = headers::common(looks.format, looks.policy(brand), asker, place);
        let body = match looks.format {
            _ if !asker.wants_body() => String::new(),
            Format::Html => page::plain(status, title, detail, self.frame(&looks)),
            Format::Json => problem::plain_json(status, title, detail, &asker.instance()),
            Format::Text => problem::plain_text(title, detail),
        };
        Answer { status, headers, body }
    }

    fn see_other(&self, url: &str) -> Answer {
        let mut headers = headers::private(Format::Text, String::new(), &self.asker, &self.place);
        let mut location = String::with_capacity(url.len());
        field::push_uri(&mut location, url);
        headers::push_location(&mut headers, location);
        Answer { status: 303, headers, body: String::new() }
    }

    fn presentation(&self) -> Presentation {
        let format = self.asker.format();
        let is_page = format == Format::Html;
        let brand_sheet = if is_page { style::brand_sheet(self.brand) } else { String::new() };
        Presentation { format, brand_sheet }
    }

    fn frame<'a>(&'a self, looks: &'a Presentation) -> Frame<'a> {
        Frame::new(self.brand, &looks.brand_sheet, &self.asker)
    }
}

/// The format of an answer, and for a page the sheet that its policy has to allow.
struct Presentation {
    format: Format,
    brand_sheet: String,
}

impl Presentation {
    /// The Content-Security-Policy; empty where there is no page.
    fn policy(&self, brand: &Brand) -> String {
        match self.format {
            Format::Html => style::content_security_policy(brand, &self.brand_sheet),
            Format::Json | Format::Text => String::new(),
        }
    }
}

/// The longest wait that a program is asked for between two looks, in seconds.
const LONGEST_PAUSE_S: u64 = 60;
