//! The choice of headers that go on to the origin.
//!
//! Servers disagree about names. Where a header becomes a variable (CGI, `FastCGI`, WSGI), `-`
//! becomes `_`, and with some servers so does every other sign: `Tollgate.Account` and
//! `Tollgate-Account` are one variable there. So a name is judged as the least careful of them
//! reads it.

/// The kind of a header on its way to the origin. Each is a bit, so that kinds can be a set.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub enum HeaderKind {
    /// Part of a preflight's question.
    Cors = 1,
    /// In the gate's name, or `Expect`: the runtime takes the origin's `100 Continue` for its
    /// response.
    Own = 2,
    /// Replaces the method or the address that the gate has judged by.
    Override = 4,
    /// Any other.
    Other = 8,
}

impl HeaderKind {
    /// The kind of the header of this name, in any case.
    pub fn of(name: &str) -> Self {
        let is_one_of = |names: &[&str]| names.iter().any(|known| reads_as(name, known));
        if is_gates_own(name) || name.eq_ignore_ascii_case("expect") {
            Self::Own
        } else if is_one_of(&OVERRIDES) {
            Self::Override
        } else if is_cors(name) {
            Self::Cors
        } else {
            Self::Other
        }
    }

    /// The kinds that are taken off a request. `keeps_overrides` is the route's setting.
    pub const fn removed(is_preflight: bool, keeps_overrides: bool) -> u8 {
        let removed = Self::Own as u8;
        if is_preflight {
            removed | Self::Override as u8 | Self::Other as u8
        } else if keeps_overrides {
            removed
        } else {
            removed | Self::Override as u8
        }
    }
}

/// Whether a header is in the gate's name: any `Tollgate-…`, known or not.
pub fn is_gates_own(name: &str) -> bool {
    let start = name.bytes().take(OWN_START.len()).map(plain);
    start.eq(OWN_START.bytes())
}

const OWN_START: &str = "tollgate-";

/// Headers by which frameworks and servers take another method or address than was sent.
const OVERRIDES: [&str; 8] = [
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-method",
    "x-original-uri",
    "x-original-url",
    "x-override-url",
    "x-rewrite-url",
];

/// The headers of a preflight (Fetch standard, "CORS-preflight fetch"), spelled as browsers do.
fn is_cors(name: &str) -> bool {
    let start = name.get(..REQUEST_START.len()).unwrap_or_default();
    name.eq_ignore_ascii_case("origin") || start.eq_ignore_ascii_case(REQUEST_START)
}

const REQUEST_START: &str = "access-control-request-";

fn reads_as(name: &str, known: &str) -> bool {
    name.bytes().map(plain).eq(known.bytes())
}

/// A byte of a name as the least careful server reads it.
const fn plain(byte: u8) -> u8 {
    if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { b'-' }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::identity;

    /// Every sign that a header's name may hold (RFC 9110 §5.6.2).
    const SIGNS: &[u8] = b"!#$%&'*+-.^_`|~";

    const OWN: [&str; 11] = [
        identity::ACCOUNT_HEADER,
        identity::ASSERTION_HEADER,
        identity::DEGRADED_HEADER,
        identity::ENTITLEMENTS_HEADER,
        identity::PLAN_HEADER,
        identity::TENANT_HEADER,
        "Tollgate-Cost",
        "Tollgate-Cause",
        "Tollgate-Notice",
        "Tollgate-Not-Known-Yet",
        "Tollgate-",
    ];

    /// The name with other signs and cases, as `seed` has it.
    fn respelled(name: &str, seed: &[u8]) -> String {
        let mut seed = seed.iter().cycle();
        let mut next = || seed.next().copied().map_or(0, usize::from);
        let spelled = name.bytes().map(|byte| match byte {
            b'-' => SIGNS.iter().cycle().nth(next()).copied().unwrap_or(byte),
            _ if next() % 2 == 0 => byte.to_ascii_uppercase(),
            _ => byte.to_ascii_lowercase(),
        });
        spelled.map(char::from).collect()
    }

    proptest! {
        #[test]
        fn no_spelling_of_a_name_of_ours_goes_on(
            name in prop::sample::select(&OWN[..]),
            rest in "[!-~]{0,20}",
            seed in prop::collection::vec(any::<u8>(), 1..40),
        ) {
            let name = respelled(&format!("{name}{rest}"), &seed);
            prop_assert!(is_gates_own(&name), "{}", name);
            prop_assert_eq!(HeaderKind::of(&name), HeaderKind::Own);
        }

        #[test]
        fn no_spelling_of_an_override_is_taken_for_another_header(
            name in prop::sample::select(&OVERRIDES[..]),
            seed in prop::collection::vec(any::<u8>(), 1..40),
        ) {
            prop_assert_eq!(HeaderKind::of(&respelled(name, &seed)), HeaderKind::Override);
        }

        #[test]
        fn what_reads_as_a_name_of_ours_is_what_starts_so_with_signs_as_dashes(name in "[!-~]{0,24}") {
            let sign = |c: char| match c {
                c if c.is_ascii_alphanumeric() => c.to_ascii_lowercase(),
                _ => '-',
            };
            let read: String = name.chars().map(sign).collect();
            prop_assert_eq!(is_gates_own(&name), read.starts_with("tollgate-"), "{}", name);
        }
    }

    #[test]
    fn other_headers_are_left_alone() {
        for name in [
            "Tollgate",
            "Tollgatekeeper",
            "X-Tollgate-Account",
            "-Tollgate-Account",
            "Toll-Gate-Plan",
            "X-HTTP-Method-Overrides",
            "X-Original-URL-Path",
            "X-Forwarded-Host",
            "Authorization",
            "Cookie",
            "Expect-CT",
            "Access-Control",
            "Access_Control-Request-Method",
            "Origin-Agent",
            "",
        ] {
            assert_eq!(HeaderKind::of(name), HeaderKind::Other, "{name}");
        }
    }

    #[test]
    fn a_preflight_takes_along_what_it_asks_with_and_nothing_else() {
        let goes_on =
            |name: &str| HeaderKind::of(name) as u8 & HeaderKind::removed(true, true) == 0;
        for name in
            ["origin", "Origin", "Access-Control-Request-Method", "access-control-request-x"]
        {
            assert!(goes_on(name), "{name}");
        }
        for name in ["cookie", "x-http-method-override", "tollgate-plan", "user-agent", "expect"] {
            assert!(!goes_on(name), "{name}");
        }
    }

    #[test]
    fn a_route_may_keep_overrides_and_never_what_is_ours() {
        let removed =
            |name: &str, keeps| HeaderKind::of(name) as u8 & HeaderKind::removed(false, keeps) != 0;
        for (name, by_default, where_kept) in [
            ("X_HTTP.Method~Override", true, false),
            ("X-Rewrite-URL", true, false),
            ("Tollgate~Entitlements", true, true),
            ("Expect", true, true),
            ("Origin", false, false),
            ("Accept", false, false),
        ] {
            assert_eq!(
                (removed(name, false), removed(name, true)),
                (by_default, where_kept),
                "{name}"
            );
        }
    }
}
