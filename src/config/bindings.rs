//! The source of the configuration.

/// The source of the configuration: the Worker's environment, or a map in tests.
pub trait Bindings {
    /// The variable or secret of this name.
    fn value(&self, name: &str) -> Option<Binding>;

    /// Whether a binding of this name exists that is not a value: a service or an object class.
    fn has_resource(&self, name: &str) -> bool;
}

/// The value of a variable.
#[derive(Clone, Debug, PartialEq)]
pub enum Binding {
    /// A table, an array, a number or a boolean of `wrangler.toml`.
    Json(serde_json::Value),
    /// A string. Where a table is expected, it is read as JSON.
    Text(String),
}
