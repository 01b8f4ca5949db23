//! Messages to the directories of API keys.

use crate::account::KeyOwner;
use crate::wire::wire;

/// A message to a directory of API keys.
pub(super) enum KeyDirectoryMessage {
    /// Add a key. The reply is empty.
    File {
        /// The hash of the key.
        hash: String,
        /// The owner.
        owner: KeyOwner,
    },
    /// Find the owner of the key with this hash.
    Find(String),
}

wire! {
    enum KeyDirectoryMessage {
        1: File { 1: hash, 2: owner },
        2: Find(hash),
    }
}
