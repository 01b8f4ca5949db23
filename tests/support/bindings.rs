//! A Worker's environment, as a map.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tollgate::config::{Binding, Bindings};
use tollgate::identity::ObjectClass;

/// Variables, secrets and resources by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Vars {
    values: BTreeMap<String, Binding>,
    resources: BTreeSet<String>,
}

impl Vars {
    /// With the variable `name`; a string as it is, anything else as a table of `wrangler.toml`.
    pub(crate) fn with(mut self, name: &str, value: Value) -> Self {
        let binding = match value {
            Value::String(text) => Binding::Text(text),
            other => Binding::Json(other),
        };
        self.values.insert(name.to_owned(), binding);
        self
    }

    /// With every class of Durable Objects.
    pub(crate) fn with_objects(self) -> Self {
        ObjectClass::ALL.iter().fold(self, |vars, class| vars.with_resource(class.binding()))
    }

    /// With a resource of this name, such as a class of Durable Objects.
    pub(crate) fn with_resource(mut self, name: &str) -> Self {
        self.resources.insert(name.to_owned());
        self
    }
}

impl Bindings for Vars {
    fn value(&self, name: &str) -> Option<Binding> {
        self.values.get(name).cloned()
    }

    fn has_resource(&self, name: &str) -> bool {
        self.resources.contains(name)
    }
}
