//! A property of every input: reading ends, without a panic, in a configuration or in mistakes.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tollgate::config::{Config, VARIABLES};

use crate::any_json::any_leaf;
use crate::fixture::{changed, good};

/// Any JSON, made of words that the configuration knows and others.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = any_leaf(prop_oneof![
        "\\PC{0,12}",
        prop_oneof![
            Just("/**"),
            Just("https://a.example"),
            Just("service:SITE"),
            Just("pass"),
            Just("#000000"),
            Just("+01:00"),
            Just("month"),
            Just("bearer"),
            Just("%"),
        ]
        .prop_map(str::to_owned),
    ]);
    let name = prop_oneof![
        4 => prop_oneof![
            Just("match"), Just("open"), Just("requires"), Just("meter"), Just("cost"),
            Just("id"), Just("quotas"), Just("limit"), Just("per"), Just("utc_offset"),
            Just("iss"), Just("audience"), Just("keys"), Just("claims"), Just("account"),
            Just("free"), Just("crawlers"), Just("kty"), Just("color"), Just("name"), Just("ledger_ms"), Just("keys_secret"),
            Just("costs"), Just("settle"), Just("uncounted"), Just("each"), Just("overage_max"),
            Just("notify_at"), Just("keep_days"), Just("lost"),
        ]
        .prop_map(str::to_owned),
        1 => "\\PC{0,8}",
    ];
    leaf.prop_recursive(4, 32, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::vec((name.clone(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn check(found: &Result<Config, Box<tollgate::config::Invalid>>) -> Result<(), TestCaseError> {
    match found {
        Ok(config) => {
            let last = config.routes.last().map(|route| route.pattern.is_catch_all());
            prop_assert_eq!(last, Some(true));
            prop_assert!(config.prefix.starts_with('/') && config.prefix.ends_with('/'));
        }
        Err(invalid) => {
            prop_assert!(!invalid.mistakes.is_empty());
            for mistake in &invalid.mistakes {
                prop_assert!(!mistake.found.is_empty() && !mistake.expected.is_empty());
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_value_of_any_variable(
        values in proptest::collection::vec((0..VARIABLES.len(), any_json()), 1..4),
    ) {
        let vars = values.into_iter().fold(good(), |vars, (index, value)| {
            vars.with(VARIABLES[index].name, value)
        });
        check(&Config::parse(&vars))?;
    }

    #[test]
    fn any_text_of_any_variable(index in 0..VARIABLES.len(), text in "\\PC{0,60}") {
        check(&Config::parse(&good().with(VARIABLES[index].name, json!(text))))?;
    }

    #[test]
    fn any_value_of_any_field(
        name in prop_oneof![
            Just("ROUTES"), Just("PLANS"), Just("ISSUERS"), Just("BRAND"), Just("DEADLINES"),
            Just("METERS"),
        ],
        path in prop_oneof![
            Just("match"), Just("requires"), Just("meter"), Just("cost"), Just("origin"),
            Just("free"), Just("crawlers"),
            Just("id"), Just("quotas"), Just("quotas.limit"), Just("quotas.utc_offset"),
            Just("iss"), Just("audience"), Just("keys"), Just("claims"), Just("claims.account"),
            Just("color"), Just("name"), Just("support_url"), Just("buy_url"), Just("ledger_ms"),
            Just("costs"), Just("uncounted"), Just("quotas.overage_max"), Just("quotas.each"),
            Just("notify_at"), Just("keep_days"),
        ],
        value in any_json(),
    ) {
        check(&Config::parse(&good().with(name, changed(name, path, value))))?;
    }
}
