//! A verified caller, as an isolate remembers it.

use std::rc::Rc;

use crate::bounded_map::text_bytes;
use crate::config::IssuerIndex;
use crate::identity::{AccountName, Identity};
use crate::time::Timestamp;

/// A verified caller.
#[derive(Debug)]
pub(crate) struct Caller {
    /// The account's name in the ledger.
    pub(crate) account: AccountName,
    /// Entitlements that the token itself claims.
    pub(crate) claimed: Vec<String>,
    /// The caller's identity by the token and its plan alone.
    pub(crate) identity: Rc<Identity>,
    /// The end of the token's validity, or the time to ask the directory of API keys again.
    pub(crate) expires_at: Timestamp,
    /// The credential that it was verified by.
    pub(crate) credential: Credential,
}

/// A credential that was verified, as far as it matters afterwards.
#[derive(Debug)]
pub(crate) enum Credential {
    /// A token.
    Token {
        /// The issuer.
        issuer: IssuerIndex,
        /// The key set that verified it.
        generation: u32,
        /// The token's own id.
        id: Option<String>,
        /// The time of issue.
        issued_at: Option<Timestamp>,
    },
    /// An API key.
    Key {
        /// Its id in the account's record.
        id: String,
        /// The time of the directory's answer.
        found_at: Timestamp,
    },
}

impl Caller {
    /// About how many bytes it takes. Entitlements are the most of it: a token may have 1,500.
    pub(super) fn bytes(&self) -> usize {
        let Identity { tenant, account, subject, plan, entitlements } = &*self.identity;
        let id = match &self.credential {
            Credential::Token { id, .. } => id.as_deref(),
            Credential::Key { id, .. } => Some(id.as_str()),
        };
        let names = [tenant, subject, plan].into_iter().flatten().chain([account]);
        let texts = names.chain(entitlements).chain(&self.claimed).map(String::as_str);
        let texts = texts.chain(id).chain([self.account.as_str()]);
        texts.map(text_bytes).fold(ENTRY_BYTES, usize::saturating_add)
    }

    /// The member, for a plan that counts each of them: the token's subject.
    pub(crate) fn member(&self) -> &str {
        self.identity.subject.as_deref().unwrap_or(&self.identity.account)
    }
}

/// A caller without its texts, and its place in the map.
const ENTRY_BYTES: usize = 400;
