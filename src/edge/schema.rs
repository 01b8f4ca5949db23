//! The tables of each class of objects, and how a database of an earlier release becomes one of
//! this.
//!
//! A migration that was released is never changed; a change is a further one behind it. It only
//! adds: an earlier release may run beside this one, or come back. What is not needed any more is
//! removed two releases later.
//!
//! The drills stand for a later release, and have a migration more.

use super::database::{Database, units, units_of};
use crate::store::StoreError;

/// The migrations of a class, in order. A database's version is the number of those that it has.
pub(super) type Migrations = &'static [&'static str];

/// Those of `Ledger`.
pub(super) const LEDGER: Migrations = &[
    include_str!("schema/ledger_1.sql"),
    #[cfg(feature = "drills")]
    include_str!("schema/ledger_2_drill.sql"),
];
/// Those of `Inbox`.
pub(super) const INBOX: Migrations = &[
    include_str!("schema/inbox_1.sql"),
    #[cfg(feature = "drills")]
    include_str!("schema/inbox_2_drill.sql"),
];
/// Those of `KeyDirectory`.
pub(super) const KEY_DIRECTORY: Migrations = &[include_str!("schema/key_directory_1.sql")];
/// Those of `ReaderRegistry`.
pub(super) const READER_REGISTRY: Migrations = &[include_str!("schema/reader_registry_1.sql")];

/// Runs the migrations that a database doesn't have yet. Where one fails, the caller undoes all of
/// them: they are part of its transaction.
///
/// # Errors
///
/// The database failed.
pub(super) fn migrate(database: &Database, migrations: Migrations) -> Result<(), StoreError> {
    let read = || database.cell("SELECT version FROM schema_version", &[], units_of);
    // The table is nearly always there, and to say "if not exists" each time costs a statement.
    let version = read().or_else(|_| database.write(VERSION_TABLE, &[]).and_then(|()| read()))?;
    // A later release may have been here: all of ours are among its migrations then.
    for (migration, number) in migrations.iter().zip(1..).skip(skipped(version)) {
        database.write(migration, &[])?;
        let query = "INSERT OR REPLACE INTO schema_version (id, version) VALUES (1, ?)";
        database.write(query, &[units(number)])?;
    }
    Ok(())
}

fn skipped(version: Option<u64>) -> usize {
    usize::try_from(version.unwrap_or_default()).unwrap_or(usize::MAX)
}

const VERSION_TABLE: &str = "CREATE TABLE schema_version (
    id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL)";
