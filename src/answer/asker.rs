//! The facts that every answer goes by: about the request, and about the gate's address.

use std::borrow::Cow;

use super::field;
use super::negotiate::Format;
use crate::cause::Cause;

/// The facts of a request that its answer depends on, as they were sent; empty means absent.
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

    /// Whether the answer has a body: a `HEAD` gets none.
    pub(super) fn wants_body(&self) -> bool {
        self.method != "HEAD"
    }

    /// The path alone, as a URI reference that can't be read as another host (RFC 3986 §4.2).
    pub(super) fn instance(&self) -> Cow<'_, str> {
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

/// The place of the gate: its address and its own paths.
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

/// Longer paths are cut: an answer must not be made large by its request.
const MAX_INSTANCE_BYTES: usize = 1_024;
