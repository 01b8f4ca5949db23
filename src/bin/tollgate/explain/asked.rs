//! The request that is explained, as the edge would read it.

use tollgate::answer::Asker;
use tollgate::config::Config;
use tollgate::gate::captured;
use tollgate::request::{CredentialSource, RequestFacts, credential};

use crate::commands::Failure;

/// A request from the command line.
pub(super) struct RequestArguments {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
}

impl RequestArguments {
    /// Reads `GET https://api.example.com/articles/1`; without a method, GET is meant, and without
    /// a host any.
    pub(super) fn parse(text: &str, headers: &[(String, String)]) -> Result<Self, Failure> {
        let (method, url) = text.trim().split_once(' ').unwrap_or(("GET", text.trim()));
        let url = if url.starts_with('/') { format!("{ANY_HOST}{url}") } else { url.to_owned() };
        let is_method = |byte: u8| byte.is_ascii_graphic() && byte != b':' && byte != b'/';
        let is_clean = !url.contains(char::is_whitespace) && url.contains("://");
        if method.is_empty() || !method.bytes().all(is_method) || !is_clean {
            let expected = "expected a method and a URL, such as 'GET https://api.example.com/a'";
            return Err(Failure::usage(format!("{text:?}: {expected}")));
        }
        let headers =
            headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone()));
        Ok(Self { method: method.to_owned(), url, headers: headers.collect() })
    }

    /// Adds a credential where the configuration looks first.
    pub(super) fn carry(&mut self, token: &str, config: &Config) {
        match config.credentials.first() {
            None | Some(CredentialSource::Bearer) => {
                self.headers.push(("authorization".to_owned(), format!("Bearer {token}")));
            }
            Some(CredentialSource::Cookie(name)) => {
                self.headers.push(("cookie".to_owned(), format!("{name}={token}")));
            }
            Some(CredentialSource::Header(name)) => {
                self.headers.push((name.clone(), token.to_owned()));
            }
            Some(CredentialSource::Query(name)) => {
                let (before, fragment) = self.url.split_once('#').unwrap_or((&self.url, ""));
                let mark = if before.contains('?') { '&' } else { '?' };
                self.url = format!("{before}{mark}{name}={token}#{fragment}");
            }
        }
    }

    /// The facts for the gate.
    pub(super) fn facts(&self, config: &Config) -> Result<RequestFacts, Failure> {
        let read = credential::header_names(&config.credentials);
        let lines = [
            self.method.as_str(),
            &self.url,
            self.header("origin"),
            self.header("access-control-request-method"),
            self.header("upgrade"),
        ];
        let names = read.into_iter().chain(captured::header_names(config));
        let lines: Vec<_> = lines.into_iter().chain(names.map(|name| self.header(name))).collect();
        let facts = RequestFacts::from_lines(&lines.join("\n"));
        facts.ok_or_else(|| Failure::usage(format!("{:?} is no absolute URL", self.url)))
    }

    /// The wishes for an answer of the gate's own.
    pub(super) fn asker<'a>(&'a self, facts: &'a RequestFacts) -> Asker<'a> {
        Asker {
            method: &facts.method,
            accept: self.header("accept"),
            origin: self.header("origin"),
            fetch_mode: self.header("sec-fetch-mode"),
            fetch_site: self.header("sec-fetch-site"),
            host: facts.host(),
            path: &facts.path,
        }
    }

    /// The last value of a header; empty where it was not sent.
    fn header(&self, name: &str) -> &str {
        let mut values = self.headers.iter().rev();
        values.find(|(other, _)| other == name).map_or("", |(_, value)| value)
    }
}

/// The host of a request that names none.
const ANY_HOST: &str = "https://gate.example";
