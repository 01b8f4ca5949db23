//! The SQLite database of a Durable Object, and the cells of its rows.

use js_sys::{Array, ArrayBuffer, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};

use super::glue;
use crate::account::Provider;
use crate::identity::AccountName;
use crate::store::StoreError;
use crate::time::Timestamp;

/// An object's database.
pub(super) struct Database {
    sql: JsValue,
}

impl Database {
    /// The database of the object with this state.
    pub(super) fn new(state: &JsValue) -> Self {
        Self { sql: glue::property(&glue::property(state, "storage"), "sql") }
    }

    /// Runs a query that returns no rows.
    pub(super) fn write(&self, query: &str, values: &[JsValue]) -> Result<(), StoreError> {
        let written = glue::run_statement(&self.sql, query, &Array::of(values));
        written.map_err(|error| StoreError(glue::message_of(&error)))
    }

    /// The columns of every row, one after another.
    pub(super) fn cells(
        &self,
        query: &str,
        values: &[JsValue],
    ) -> Result<Vec<JsValue>, StoreError> {
        let cells = glue::run_query(&self.sql, query, &Array::of(values));
        cells.map(|cells| cells.to_vec()).map_err(|error| StoreError(glue::message_of(&error)))
    }

    /// The first column of the first row, as `read` reads it.
    pub(super) fn cell<T>(
        &self,
        query: &str,
        values: &[JsValue],
        read: impl FnOnce(&JsValue) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        self.cells(query, values)?.first().map(read).transpose()
    }
}

/// The bytes in a cell.
pub(super) fn bytes_of(cell: &JsValue) -> Result<Vec<u8>, StoreError> {
    let buffer = cell.dyn_ref::<ArrayBuffer>().ok_or_else(|| wrong_cell("bytes"))?;
    Ok(Uint8Array::new(buffer).to_vec())
}

/// The bytes in a cell; `None` where the cell is empty.
pub(super) fn optional_bytes_of(cell: &JsValue) -> Result<Option<Vec<u8>>, StoreError> {
    if cell.is_null() { Ok(None) } else { bytes_of(cell).map(Some) }
}

/// A cell with bytes.
pub(super) fn blob(bytes: &[u8]) -> JsValue {
    Uint8Array::from(bytes).into()
}

/// The text in a cell.
pub(super) fn text_of(cell: &JsValue) -> Result<String, StoreError> {
    cell.as_string().ok_or_else(|| wrong_cell("a text"))
}

/// A text, or an empty cell.
pub(super) fn optional(text: Option<&str>) -> JsValue {
    text.map_or(JsValue::NULL, JsValue::from_str)
}

// SQLite's numbers go through JavaScript's, and the stores keep theirs within 2^53.

#[expect(clippy::cast_precision_loss, reason = "see above")]
pub(super) fn units(units: u64) -> JsValue {
    JsValue::from_f64(units as f64)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "see above")]
pub(super) fn units_of(cell: &JsValue) -> Result<u64, StoreError> {
    Ok(number_of(cell)? as u64)
}

#[expect(clippy::cast_precision_loss, reason = "see above")]
pub(super) fn time(point: Timestamp) -> JsValue {
    JsValue::from_f64(point.as_millis() as f64)
}

#[expect(clippy::cast_possible_truncation, reason = "see above")]
pub(super) fn time_of(cell: &JsValue) -> Result<Timestamp, StoreError> {
    Ok(Timestamp::from_millis(number_of(cell)? as i64))
}

/// The time in a cell; `None` where the cell is empty.
pub(super) fn optional_time_of(cell: &JsValue) -> Result<Option<Timestamp>, StoreError> {
    if cell.is_null() { Ok(None) } else { time_of(cell).map(Some) }
}

/// The provider of a row. One that is unknown is an error: its rows are nobody else's.
pub(super) fn provider_of(cell: &JsValue) -> Result<Provider, StoreError> {
    let word = text_of(cell)?;
    Provider::from_word(&word)
        .ok_or_else(|| StoreError(format!("a row of the unknown provider {word:?}")))
}

/// The account of a row. A text that names none is an error: the row is nobody else's.
pub(super) fn account_of(cell: &JsValue) -> Result<AccountName, StoreError> {
    let text = text_of(cell)?;
    AccountName::parse(&text)
        .map_err(|error| StoreError(format!("a row of the account {text:?}: {error}")))
}

fn number_of(cell: &JsValue) -> Result<f64, StoreError> {
    cell.as_f64().ok_or_else(|| wrong_cell("a number"))
}

/// The schema lets no other value in: a default in its place would hide a broken row.
fn wrong_cell(expected: &str) -> StoreError {
    StoreError(format!("a cell of the database is not {expected}"))
}
