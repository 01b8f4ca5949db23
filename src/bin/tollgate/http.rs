//! HTTP, one request at a time.

use std::net::Ipv4Addr;
use std::sync::OnceLock;
use std::time::Duration;

use tollgate::time::Timestamp;
use ureq::{Agent, http};

use super::{Failure, clock};

/// A response.
pub(crate) struct Response {
    /// The status code.
    pub(crate) status: u16,
    /// The times of sending and of arrival, on this machine's clock.
    pub(crate) between: (Timestamp, Timestamp),
    /// The body; empty where it is not text.
    pub(crate) body: String,
    headers: http::HeaderMap,
    url: String,
}

/// Something to send.
pub(crate) struct Request<'a> {
    /// The method.
    pub(crate) method: &'a str,
    /// The address.
    pub(crate) url: &'a str,
    /// Header fields.
    pub(crate) headers: &'a [(&'a str, &'a str)],
    /// The body, if there is one.
    pub(crate) body: Option<&'a str>,
}

impl Request<'_> {
    /// Sends it. Redirects are not followed: what is sent may be secret.
    pub(crate) fn send(&self) -> Result<Response, Failure> {
        let mut request = http::Request::builder().method(self.method).uri(self.url);
        for (name, value) in self.headers {
            request = request.header(*name, *value);
        }
        let url = self.url.to_owned();
        let odd = |error: http::Error| Failure::usage(format!("{}: {error}", self.url));
        let failed = |error: ureq::Error| Failure::unreachable(self.url, &error);
        let sent_at = clock::now();
        let sent = match self.body {
            Some(body) => agent().run(request.body(body).map_err(odd)?),
            None => agent().run(request.body(()).map_err(odd)?),
        };
        let mut response = sent.map_err(failed)?;
        let body = response.body_mut().with_config().limit(MAX_BODY_BYTES).read_to_vec();
        let body = String::from_utf8(body.map_err(failed)?).unwrap_or_default();
        let between = (sent_at, clock::now());
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Response { status, between, body, headers, url })
    }
}

impl Response {
    /// A header field, where it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body of a 200.
    pub(crate) fn good(self) -> Result<String, Failure> {
        if self.status == 200 {
            return Ok(self.body);
        }
        Err(Failure::unreachable(&self.url, &format!("it answers {}", self.status)))
    }
}

/// Fetches a public resource.
pub(crate) fn get(url: &str) -> Result<Response, Failure> {
    Request { method: "GET", url, headers: &[("accept", "application/json")], body: None }.send()
}

/// Whether a URL is of this machine.
pub(crate) fn is_loopback(url: &str) -> bool {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = authority.split('/').next().unwrap_or_default();
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    host == "localhost"
        || host == "[::1]"
        || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

/// One for all requests, so that a connection serves several.
fn agent() -> &'static Agent {
    static AGENT: OnceLock<Agent> = OnceLock::new();
    AGENT.get_or_init(new_agent)
}

fn new_agent() -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(Duration::from_secs(30)))
        .timeout_connect(Some(Duration::from_secs(10)))
        .user_agent(concat!("tollgate/", env!("CARGO_PKG_VERSION")))
        .allow_non_standard_methods(true)
        .build();
    Agent::new_with_config(config)
}

const MAX_BODY_BYTES: u64 = 4 * 1024 * 1024;
