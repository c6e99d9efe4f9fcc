//! The rows that a statement is given at once, and how each engine takes them: SQLite as one JSON text, Postgres as an array per column.

use serde_json::Value;
use sqlx::{Postgres, Sqlite, postgres::PgArguments, sqlite::SqliteArguments};

use crate::{error::Result, sql::add};

/// Rows, column by column, in the order in which the statement names the columns.
#[derive(Default)]
pub(crate) struct Given(Vec<Column>);

enum Column {
    Ints(Vec<i64>),
    OptionalInts(Vec<Option<i64>>),
    Texts(Vec<String>),
    OptionalTexts(Vec<Option<String>>),
    Flags(Vec<bool>),
    OptionalFlags(Vec<Option<bool>>),
}

impl Given {
    /// No rows and no columns: nothing is bound.
    pub(crate) const fn nothing() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn ints(mut self, values: impl IntoIterator<Item = i64>) -> Self {
        self.0.push(Column::Ints(values.into_iter().collect()));
        self
    }

    pub(crate) fn optional_ints(mut self, values: impl IntoIterator<Item = Option<i64>>) -> Self {
        self.0.push(Column::OptionalInts(values.into_iter().collect()));
        self
    }

    pub(crate) fn texts(mut self, values: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.0.push(Column::Texts(values.into_iter().map(Into::into).collect()));
        self
    }

    pub(crate) fn optional_texts(mut self, values: impl IntoIterator<Item = Option<String>>) -> Self {
        self.0.push(Column::OptionalTexts(values.into_iter().collect()));
        self
    }

    pub(crate) fn flags(mut self, values: impl IntoIterator<Item = bool>) -> Self {
        self.0.push(Column::Flags(values.into_iter().collect()));
        self
    }

    pub(crate) fn optional_flags(mut self, values: impl IntoIterator<Item = Option<bool>>) -> Self {
        self.0.push(Column::OptionalFlags(values.into_iter().collect()));
        self
    }

    pub(crate) fn add_to_sqlite(self, arguments: &mut SqliteArguments) -> Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        let mut rows: Vec<Vec<Value>> = Vec::new();
        for column in self.0 {
            let values: Vec<Value> = match column {
                Column::Ints(values) => values.into_iter().map(Value::from).collect(),
                Column::OptionalInts(values) => values.into_iter().map(Value::from).collect(),
                Column::Texts(values) => values.into_iter().map(Value::from).collect(),
                Column::OptionalTexts(values) => values.into_iter().map(Value::from).collect(),
                Column::Flags(values) => values.into_iter().map(Value::from).collect(),
                Column::OptionalFlags(values) => values.into_iter().map(Value::from).collect(),
            };
            rows.resize_with(values.len(), Vec::new);
            for (row, value) in rows.iter_mut().zip(values) {
                row.push(value);
            }
        }
        add::<Sqlite, _>(arguments, Value::from_iter(rows).to_string())
    }

    pub(crate) fn add_to_postgres(self, arguments: &mut PgArguments) -> Result<()> {
        for column in self.0 {
            match column {
                Column::Ints(values) => add::<Postgres, _>(arguments, values),
                Column::OptionalInts(values) => add::<Postgres, _>(arguments, values),
                Column::Texts(values) => add::<Postgres, _>(arguments, values),
                Column::OptionalTexts(values) => add::<Postgres, _>(arguments, values),
                Column::Flags(values) => add::<Postgres, _>(arguments, values),
                Column::OptionalFlags(values) => add::<Postgres, _>(arguments, values),
            }?;
        }
        Ok(())
    }
}
