//! The caller, as the origin gets it: headers and the claims of the signed assertion. The names of
//! accounts and of objects.

mod account_name;
mod object_name;

pub use account_name::{AccountName, AccountNameError, MAX_PART_BYTES};
pub use object_name::{ObjectClass, ObjectName};

use serde::Serialize;

use crate::text::percent;
use crate::time::Timestamp;

/// A verified caller.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Identity {
    /// The tenant, where the issuer names one.
    pub tenant: Option<String>,
    /// The account: the paying customer.
    pub account: String,
    /// The token's subject, where it is not the account itself.
    pub subject: Option<String>,
    /// Id of the plan the account is on, where one is known.
    pub plan: Option<String>,
    /// Everything the caller may use, sorted.
    pub entitlements: Vec<String>,
}

/// A caller without a token, let through by a gated route.
pub static NOBODY: Identity = Identity {
    tenant: None,
    account: String::new(),
    subject: None,
    plan: None,
    entitlements: Vec::new(),
};

impl Identity {
    /// A member of the account of this name: [`Self::account_name`], read back.
    pub fn of_account(name: &AccountName, member: Option<String>) -> Self {
        let (tenant, account) = (name.tenant(), name.account());
        let subject = member.filter(|member| *member != account);
        Self { tenant, account, subject, ..Self::default() }
    }

    /// The account's name throughout the gate. Its parts were checked with the token.
    pub fn account_name(&self) -> AccountName {
        AccountName::of_checked(self.tenant.as_deref(), &self.account)
    }

    /// The headers for the origin. Values are percent-encoded where a header can't hold them.
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = vec![(ACCOUNT_HEADER, header_value(&self.account))];
        if let Some(plan) = &self.plan {
            headers.push((PLAN_HEADER, header_value(plan)));
        }
        if !self.entitlements.is_empty() {
            let list: Vec<_> = self.entitlements.iter().map(|one| header_value(one)).collect();
            headers.push((ENTITLEMENTS_HEADER, list.join(" ")));
        }
        if let Some(tenant) = &self.tenant {
            headers.push((TENANT_HEADER, header_value(tenant)));
        }
        headers
    }

    /// The claims of an assertion without their times: they identify it.
    pub fn assertion_subject(&self, issuer: &str, audience: &str) -> String {
        self.assertion_claims(issuer, audience, Timestamp::default())
    }

    /// The claims of the assertion as JSON (RFC 7519), valid from `now` for
    /// [`ASSERTION_LIFETIME_S`].
    ///
    /// `issuer` is the gate's own host, `audience` the origin's. [`NOBODY`] has no `sub`.
    pub fn assertion_claims(&self, issuer: &str, audience: &str, now: Timestamp) -> String {
        let claims = AssertionClaims {
            iss: issuer,
            aud: audience,
            sub: (!self.account.is_empty()).then_some(&self.account),
            tenant: self.tenant.as_deref(),
            plan: self.plan.as_deref(),
            entitlements: &self.entitlements,
            iat: now.as_seconds(),
            exp: now.plus_seconds(ASSERTION_LIFETIME_S).as_seconds(),
        };
        serde_json::to_string(&claims).unwrap_or_default()
    }
}

/// All of the lists of entitlements together, sorted, each once.
pub fn union<'a>(lists: impl IntoIterator<Item = &'a [String]>) -> Vec<String> {
    let mut all: Vec<String> = lists.into_iter().flatten().cloned().collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Names the account.
pub const ACCOUNT_HEADER: &str = "Tollgate-Account";
/// Carries the signed assertion.
pub const ASSERTION_HEADER: &str = "Tollgate-Assertion";
/// Present where a request passed without its checks; the value is the reason.
pub const DEGRADED_HEADER: &str = "Tollgate-Degraded";
/// Lists the caller's entitlements, separated by spaces.
pub const ENTITLEMENTS_HEADER: &str = "Tollgate-Entitlements";
/// Names the plan.
pub const PLAN_HEADER: &str = "Tollgate-Plan";
/// Names the tenant.
pub const TENANT_HEADER: &str = "Tollgate-Tenant";

/// Lifetime of an assertion. Short, since it isn't bound to one request; long enough to be
/// reused for half its life, so that signing costs next to nothing per request.
pub const ASSERTION_LIFETIME_S: i64 = 60;

#[derive(Serialize)]
struct AssertionClaims<'a> {
    iss: &'a str,
    aud: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<&'a str>,
    entitlements: &'a [String],
    iat: i64,
    exp: i64,
}

/// Percent-encodes what may not stand in a header value, and the space and percent sign too.
fn header_value(text: &str) -> String {
    percent::encode(text, |byte| byte.is_ascii_graphic() && byte != b'%')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_an_account_leads_back_to_it() {
        for (tenant, account) in [(None, "a"), (Some("a/b"), "c%2F%25"), (Some("%"), "/")] {
            let name = AccountName::new(tenant, account).unwrap();
            let identity = Identity::of_account(&name, None);
            assert_eq!((identity.tenant.as_deref(), identity.account.as_str()), (tenant, account));
            assert_eq!(identity.account_name(), name);
        }
    }

    #[test]
    fn nobody_is_no_account() {
        let claims = NOBODY.assertion_claims("i", "a", Timestamp::from_seconds(5));
        let json = r#"{"iss":"i","aud":"a","entitlements":[],"iat":5,"exp":65}"#;
        assert_eq!(claims, json);
    }

    #[test]
    fn no_two_callers_share_an_assertion() {
        let of = |tenant: &str, account: &str, plan: &str, entitlements: &[&str]| {
            let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            let caller = Identity {
                tenant: some(tenant),
                account: account.into(),
                subject: None,
                plan: some(plan),
                entitlements: entitlements.iter().map(|&one| one.to_owned()).collect(),
            };
            caller.assertion_subject("https://gate", "origin")
        };
        let all = [
            of("", "a", "p", &["premium", "root"]),
            of("", "a", "p", &["premium root"]),
            of("", "a", "p", &["premium\nroot"]),
            of("", "a", "p", &["premium\",\"root"]),
            of("", "a", "p", &["premium"]),
            of("", "a", "p\npremium", &[]),
            of("", "a\np", "", &[]),
            of("", "a", "p", &[]),
            of("", "a", "", &["p"]),
            of("t", "a", "p", &[]),
            of("", "t/a", "p", &[]),
            NOBODY.assertion_subject("https://gate", "origin"),
            NOBODY.assertion_subject("https://gate\norigin", ""),
        ];
        for (index, one) in all.iter().enumerate() {
            assert!(!all.iter().skip(index + 1).any(|other| other == one), "{one}");
        }
    }

    #[test]
    fn header_values_hold_anything() {
        let identity = Identity { account: "a b\r\nx: ü%".into(), ..Identity::default() };
        assert_eq!(identity.headers(), [(ACCOUNT_HEADER, "a%20b%0D%0Ax:%20%C3%BC%25".to_owned())]);
    }
}
