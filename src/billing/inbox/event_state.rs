//! The states of an event at the inbox.

use crate::words::words;

words! {
    /// The state of an event.
    #[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
    pub enum EventState: Wire {
        /// It is on its way to its account.
        #[default]
        Received = "received",
        /// Its account has it.
        Applied = "applied",
        /// Its customer has no account yet.
        Waiting = "waiting",
        /// Nothing follows from it.
        Ignored = "ignored",
        /// It can't be read, or concerns nobody.
        Failed = "failed",
    }
}
