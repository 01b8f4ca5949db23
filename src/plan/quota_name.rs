//! The name of a quota: meter, period and scope, as callers and operators read it.

use std::fmt;

use serde::{Serialize, Serializer};

use super::period::Period;
use crate::wire::{Content, Unreadable, Wire, write_text};
use crate::words::words;

/// The name of a quota, unique in its plan: `<meter>/<period>`, such as `api/month`, with `/member`
/// behind it where each member has a count of its own. In JSON and messages it is that text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct QuotaName {
    /// The meter that is limited. May hold slashes.
    pub meter: String,
    /// The period in which units are counted.
    pub period: Period,
    /// The scope of the count.
    pub scope: Scope,
}

words! {
    /// The scope of a count: the whole account, or each member.
    #[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
    pub enum Scope {
        /// Those of the whole account.
        #[default]
        Account = "account",
        /// Those of each member (the token's subject) on their own, inside the account's quotas.
        Member = "member",
    }
}

impl QuotaName {
    /// The quota that `text` names. `None` where it has no meter or no known period.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, scope) = match text.strip_suffix(OF_MEMBER) {
            Some(name) => (name, Scope::Member),
            None => (text, Scope::Account),
        };
        let (meter, period) = name.rsplit_once('/').filter(|(meter, _)| !meter.is_empty())?;
        Some(Self { meter: meter.to_owned(), period: Period::from_word(period)?, scope })
    }
}

impl fmt::Display for QuotaName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of_member = if self.scope == Scope::Member { OF_MEMBER } else { "" };
        write!(formatter, "{}/{}{of_member}", self.meter, self.period.word())
    }
}

impl Serialize for QuotaName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Wire for QuotaName {
    fn write(&self, number: u32, out: &mut Vec<u8>) {
        write_text(number, &self.to_string(), out);
    }

    fn read(content: Content<'_>) -> Result<Self, Unreadable> {
        Self::parse(content.text()?).ok_or(Unreadable::Broken)
    }
}

/// The end of the name of a quota that each member has for its own.
const OF_MEMBER: &str = "/member";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire;

    #[test]
    fn names_say_meter_period_and_scope() {
        for (text, meter, period, scope) in [
            ("api/month", "api", Period::Month, Scope::Account),
            ("a/b/day", "a/b", Period::Day, Scope::Account),
            ("api/cycle/member", "api", Period::Cycle, Scope::Member),
            ("month/day/hour/member", "month/day", Period::Hour, Scope::Member),
            ("member/minute", "member", Period::Minute, Scope::Account),
            ("a/member/minute", "a/member", Period::Minute, Scope::Account),
        ] {
            let name = QuotaName { meter: meter.to_owned(), period, scope };
            assert_eq!(name.to_string(), text);
            assert_eq!(QuotaName::parse(text), Some(name.clone()));
            assert_eq!(serde_json::to_value(&name).unwrap(), text);
            assert_eq!(wire::encode(&name), wire::encode(&text.to_owned()));
            assert_eq!(wire::decode(&wire::encode(&name)), Ok(name));
        }
    }

    #[test]
    fn nothing_else_is_a_name() {
        for text in [
            "",
            "api",
            "/month",
            "api/",
            "api/week",
            "api/Month",
            "api/member",
            "api/month/members",
        ] {
            assert_eq!(QuotaName::parse(text), None, "{text}");
            let decoded: Result<QuotaName, _> = wire::decode(&wire::encode(&text.to_owned()));
            assert!(decoded.is_err(), "{text}");
        }
    }
}
