//! Random JSON for property tests.

use proptest::prelude::*;
use serde_json::Value;

/// A JSON value without children: null, a flag, a number of each kind, or one of `texts`.
pub(crate) fn any_leaf(
    texts: impl Strategy<Value = String> + 'static,
) -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        texts.prop_map(Value::from),
    ]
}
