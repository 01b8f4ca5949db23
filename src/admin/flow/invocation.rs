//! An operation that an operator may do, with its input.

use super::call::Objects;
use crate::account::Provider;
use crate::admin::idempotency::IdempotencyKey;
use crate::admin::invalid::InvalidRequest;
use crate::admin::query::{PageRequest, Query};
use crate::admin::refusal::Refusal;
use crate::config::{Config, Operator};
use crate::identity::AccountName;

/// One request, past all checks that hold for every operation.
pub(super) struct Invocation<'a> {
    pub(super) config: &'a Config,
    pub(super) operator: &'a Operator,
    /// The parameters in the path, decoded.
    pub(super) parameters: Vec<String>,
    pub(super) query: Query,
    /// Empty where the operation takes none.
    pub(super) body: String,
    pub(super) idempotency_key: Option<IdempotencyKey>,
}

impl Invocation<'_> {
    pub(super) fn objects(&self) -> Objects {
        Objects { deadline_ms: self.config.deadlines.ledger_ms }
    }

    /// The name of the account in the path.
    pub(super) fn account(&self) -> Result<AccountName, Refusal> {
        let name = AccountName::new(Some(self.parameter(0)), self.parameter(1));
        name.map_err(|error| InvalidRequest::Path(error).into())
    }

    /// The payment provider in the path.
    pub(super) fn provider(&self) -> Result<Provider, Refusal> {
        Provider::from_word(self.parameter(0)).ok_or(Refusal::NoProvider)
    }

    /// A parameter in the path; there is one for each pair of braces.
    pub(super) fn parameter(&self, index: usize) -> &str {
        self.parameters.get(index).map_or("", String::as_str)
    }

    pub(super) fn actor(&self) -> String {
        self.operator.name.clone()
    }

    pub(super) fn page(&self) -> Result<PageRequest, Refusal> {
        Ok(self.query.page()?)
    }
}
