//! The operator's command line, run as a process.

#![expect(clippy::unwrap_used, reason = "a test stops where a file can't be written")]
#![expect(clippy::indexing_slicing, reason = "a test reads JSON in place")]

#[path = "command/accounts.rs"]
mod accounts;
#[path = "command/check.rs"]
mod check;
#[path = "command/explain.rs"]
mod explain;
#[path = "command/guide.rs"]
mod guide;
#[path = "command/live.rs"]
mod live;
#[path = "command/server.rs"]
mod server;
#[path = "command/shell.rs"]
mod shell;
#[path = "command/tokens.rs"]
mod tokens;
#[path = "command/tool.rs"]
mod tool;
