//! `GATE_SECRET`: keys for texts that come back to the gate, and that nobody else can make.

use crate::mac::MacKey;

/// One value of the secret. The first signs, all of them verify.
#[derive(Clone, Debug)]
pub struct GateSecret {
    /// Signs the checksum in the text of API keys.
    pub api_keys: MacKey,
    /// Signs references to accounts, and hides the account's name in them.
    pub references: [MacKey; 2],
}

impl GateSecret {
    /// The keys behind one value.
    pub fn new(value: &str) -> Self {
        let derived = |purpose| MacKey::derived(value, purpose);
        Self {
            api_keys: derived("tollgate API keys: checksum, version 1"),
            references: [
                derived("tollgate references: signature, version 1"),
                derived("tollgate references: names, version 1"),
            ],
        }
    }
}

/// Shorter values can be guessed, by anybody with a reference or a key to try them on.
pub const MIN_SECRET_BYTES: usize = 32;
