//! The places of the gate's facts in an issuer's claims, and their reading.

use serde_json::{Map, Value};

use super::error::sentence;
use super::{MAX_NAME_BYTES, TokenError, numeric_date};
use crate::identity::Identity;
use crate::time::Timestamp;

/// The places of the gate's facts in an issuer's claims.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClaimMapping {
    /// The account; `sub` by default.
    pub account: ClaimPath,
    /// The tenant. Every token must name one where this is set: accounts of two tenants may have
    /// the same name, so that leaving it out would charge somebody else.
    pub tenant: Option<ClaimPath>,
    /// The plan's id.
    pub plan: Option<ClaimPath>,
    /// The entitlements: an array of strings, or one string separated by spaces.
    pub entitlements: Option<ClaimPath>,
}

/// The subject of a token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TokenIdentity {
    /// The caller, with the entitlements sorted and each named once.
    pub identity: Identity,
    /// The token's own id (`jti`).
    pub token_id: Option<String>,
    /// The time of issue (`iat`).
    pub issued_at: Option<Timestamp>,
}

impl ClaimMapping {
    /// Reads the subject of a token. Only for claims whose signature was found good.
    ///
    /// Names (account, tenant, plan, `sub`) are strings of 1 to [`MAX_NAME_BYTES`] bytes without
    /// control characters, or integers from 0 to 2⁶⁴-1, which stand for their decimal text:
    /// databases with numeric ids are common. Null is the same as absent.
    ///
    /// # Errors
    ///
    /// [`TokenError::BadClaims`], naming the first claim that is missing or has another shape.
    pub fn read(&self, claims: &Map<String, Value>) -> Result<TokenIdentity, TokenError> {
        let account = name_at(Some(&self.account), claims, sentence::ACCOUNT)?
            .ok_or(TokenError::BadClaims(sentence::ACCOUNT))?;
        let tenant = name_at(self.tenant.as_ref(), claims, sentence::TENANT)?;
        // "-" is how the gate writes "no tenant", see `Identity::account_name`.
        if tenant.as_deref() == Some("-") || (tenant.is_none() && self.tenant.is_some()) {
            return Err(TokenError::BadClaims(sentence::TENANT));
        }
        let subject = claims.get("sub").filter(|value| !value.is_null());
        let subject = subject.map(|value| name(value, sentence::SUBJECT)).transpose()?;
        let token_id = match claims.get("jti") {
            None | Some(Value::Null) => None,
            Some(value @ Value::String(_)) => Some(name(value, sentence::TOKEN_ID)?),
            Some(_) => return Err(TokenError::BadClaims(sentence::TOKEN_ID)),
        };
        let identity = Identity {
            subject: subject.filter(|subject| *subject != account),
            tenant,
            account,
            plan: name_at(self.plan.as_ref(), claims, sentence::PLAN)?,
            entitlements: self.entitlements(claims)?,
        };
        let issued_at = numeric_date::read(claims, "iat", sentence::ISSUED_AT)?;
        Ok(TokenIdentity { identity, token_id, issued_at })
    }

    fn entitlements(&self, claims: &Map<String, Value>) -> Result<Vec<String>, TokenError> {
        let bad_shape = TokenError::BadClaims(sentence::ENTITLEMENTS);
        let Some(path) = &self.entitlements else {
            return Ok(Vec::new());
        };
        let listed: Vec<&str> = match path.find(claims).map_err(|Detour| bad_shape)? {
            None => Vec::new(),
            Some(Value::String(text)) => text.split(' ').filter(|one| !one.is_empty()).collect(),
            Some(Value::Array(items)) => {
                items.iter().map(Value::as_str).collect::<Option<_>>().ok_or(bad_shape)?
            }
            Some(_) => return Err(bad_shape),
        };
        if !listed.iter().all(|one| is_name(one)) {
            return Err(bad_shape);
        }
        let mut entitlements: Vec<String> = listed.into_iter().map(str::to_owned).collect();
        entitlements.sort_unstable();
        entitlements.dedup();
        Ok(entitlements)
    }
}

/// Member names from the outside in. A name is taken literally: dots and slashes mean nothing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClaimPath(pub Vec<String>);

impl ClaimPath {
    /// Reads a path from the configuration: a string is one literal member name, an array of
    /// strings leads from the outside in. `None` for what is not [`Self::EXPECTED`].
    pub fn from_config(value: &Value) -> Option<Self> {
        let names = match value {
            Value::String(name) => vec![name.clone()],
            Value::Array(names) => {
                names.iter().map(|name| name.as_str().map(str::to_owned)).collect::<Option<_>>()?
            }
            _ => return None,
        };
        let is_path = (1..=MAX_PATH_NAMES).contains(&names.len())
            && names.iter().all(|name: &String| !name.is_empty());
        is_path.then_some(Self(names))
    }

    /// A description of a path in the configuration.
    pub const EXPECTED: &str = "the name of a claim such as \"sub\", or the way to a nested one \
         such as [\"app\", \"account\"] (at most 8 names)";

    /// The value at this path; `None` where it, or an object on the way, is absent or null.
    fn find<'a>(&self, claims: &'a Map<String, Value>) -> Result<Option<&'a Value>, Detour> {
        let Some((last, way)) = self.0.split_last() else {
            return Ok(None);
        };
        let mut object = claims;
        for name in way {
            object = match object.get(name) {
                None | Some(Value::Null) => return Ok(None),
                Some(Value::Object(inner)) => inner,
                Some(_) => return Err(Detour),
            };
        }
        Ok(object.get(last).filter(|value| !value.is_null()))
    }
}

/// Something on a path is not an object.
struct Detour;

fn name_at(
    path: Option<&ClaimPath>,
    claims: &Map<String, Value>,
    sentence: &'static str,
) -> Result<Option<String>, TokenError> {
    let found = path.map_or(Ok(None), |path| path.find(claims));
    let found = found.map_err(|Detour| TokenError::BadClaims(sentence))?;
    found.map(|value| name(value, sentence)).transpose()
}

fn name(value: &Value, sentence: &'static str) -> Result<String, TokenError> {
    let text = match value {
        Value::String(text) => Some(text.clone()).filter(|text| is_name(text)),
        Value::Number(number) => number.as_u64().map(|integer| integer.to_string()),
        _ => None,
    };
    text.ok_or(TokenError::BadClaims(sentence))
}

fn is_name(text: &str) -> bool {
    (1..=MAX_NAME_BYTES).contains(&text.len()) && !text.chars().any(char::is_control)
}

/// The longest path: more is a mistake, not a token.
const MAX_PATH_NAMES: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn path(names: &[&str]) -> ClaimPath {
        ClaimPath(names.iter().map(|&name| name.to_owned()).collect())
    }

    fn mapping() -> ClaimMapping {
        ClaimMapping {
            account: path(&["sub"]),
            tenant: None,
            plan: Some(path(&["https://example.com/plan"])),
            entitlements: Some(path(&["app", "features"])),
        }
    }

    fn read(mapping: &ClaimMapping, claims: Value) -> Result<TokenIdentity, TokenError> {
        let Value::Object(claims) = claims else { panic!("not an object") };
        mapping.read(&claims)
    }

    #[test]
    fn reads_the_facts_from_where_they_stand() {
        let claims = json!({
            "sub": "acme", "https://example.com/plan": "pro", "jti": "t1", "iat": 10,
            "app": {"features": ["export", "api", "export"]},
        });
        let found = read(&mapping(), claims).unwrap();
        assert_eq!(
            found.identity,
            Identity {
                tenant: None,
                account: "acme".into(),
                subject: None,
                plan: Some("pro".into()),
                entitlements: vec!["api".into(), "export".into()],
            }
        );
        assert_eq!(found.token_id.as_deref(), Some("t1"));
        assert_eq!(found.issued_at, Some(Timestamp::from_seconds(10)));
    }

    #[test]
    fn the_subject_is_kept_where_it_is_not_the_account() {
        let mapping = ClaimMapping { account: path(&["org"]), ..mapping() };
        let found = read(&mapping, json!({"org": "acme", "sub": "alice"})).unwrap();
        assert_eq!(found.identity.account, "acme");
        assert_eq!(found.identity.subject.as_deref(), Some("alice"));
    }

    #[test]
    fn entitlements_may_be_one_string() {
        let scope = ClaimMapping { entitlements: Some(path(&["scope"])), ..mapping() };
        let found = read(&scope, json!({"sub": "a", "scope": " write  read write "})).unwrap();
        assert_eq!(found.identity.entitlements, ["read", "write"]);
        for absent in [json!({"sub": "a"}), json!({"sub": "a", "scope": null})] {
            assert!(read(&scope, absent).unwrap().identity.entitlements.is_empty());
        }
    }

    #[test]
    fn integers_stand_for_their_decimal_text() {
        let found = read(&mapping(), json!({"sub": 18_446_744_073_709_551_615_u64})).unwrap();
        assert_eq!(found.identity.account, "18446744073709551615");
        for number in [json!(-1), json!(1.5), json!(1e3), json!(1e30)] {
            assert_eq!(
                read(&mapping(), json!({"sub": number})),
                Err(TokenError::BadClaims(sentence::ACCOUNT))
            );
        }
    }

    #[test]
    fn a_configured_tenant_is_required() {
        let mapping = ClaimMapping { tenant: Some(path(&["tid"])), ..mapping() };
        let found = read(&mapping, json!({"sub": "a", "tid": "north"})).unwrap();
        assert_eq!(found.identity.tenant.as_deref(), Some("north"));
        for claims in [json!({"sub": "a"}), json!({"sub": "a", "tid": "-"})] {
            assert_eq!(read(&mapping, claims), Err(TokenError::BadClaims(sentence::TENANT)));
        }
    }

    #[test]
    fn wrong_shapes_are_refused_by_name() {
        let long = "x".repeat(MAX_NAME_BYTES + 1);
        for (claims, sentence) in [
            (json!({}), sentence::ACCOUNT),
            (json!({"sub": null}), sentence::ACCOUNT),
            (json!({"sub": ""}), sentence::ACCOUNT),
            (json!({"sub": ["a"]}), sentence::ACCOUNT),
            (json!({"sub": "a\r\nb"}), sentence::ACCOUNT),
            (json!({"sub": long}), sentence::ACCOUNT),
            (json!({"sub": "a", "https://example.com/plan": {}}), sentence::PLAN),
            (json!({"sub": "a", "jti": 7}), sentence::TOKEN_ID),
            (json!({"sub": "a", "jti": ""}), sentence::TOKEN_ID),
            (json!({"sub": "a", "iat": "now"}), sentence::ISSUED_AT),
            (json!({"sub": "a", "app": "x"}), sentence::ENTITLEMENTS),
            (json!({"sub": "a", "app": {"features": {"api": true}}}), sentence::ENTITLEMENTS),
            (json!({"sub": "a", "app": {"features": ["api", 1]}}), sentence::ENTITLEMENTS),
            (json!({"sub": "a", "app": {"features": [""]}}), sentence::ENTITLEMENTS),
        ] {
            assert_eq!(
                read(&mapping(), claims.clone()),
                Err(TokenError::BadClaims(sentence)),
                "{claims}"
            );
        }
    }

    #[test]
    fn paths_are_read_literally() {
        assert_eq!(ClaimPath::from_config(&json!("a.b/c")), Some(path(&["a.b/c"])));
        assert_eq!(ClaimPath::from_config(&json!(["a", "b"])), Some(path(&["a", "b"])));
        for value in
            [json!(""), json!([]), json!(["a", ""]), json!(["a", 1]), json!(7), json!(null)]
        {
            assert_eq!(ClaimPath::from_config(&value), None, "{value}");
        }
        assert!(ClaimPath::from_config(&json!(vec!["a"; 8])).is_some());
        assert_eq!(ClaimPath::from_config(&json!(vec!["a"; 9])), None);
    }
}
