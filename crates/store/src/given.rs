//! The rows that a statement is given at once, and how each engine takes them: SQLite as one JSON text, Postgres as an array per column.
//!
//! The JSON is an array of rows, each an array; of a single column it is the array of its values. A run gives all that it writes in this form,
//! so it is written straight from the columns.

use serde::{Serialize, Serializer, ser::SerializeSeq};
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

    pub(crate) const fn is_nothing(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn add_to_sqlite(self, arguments: &mut SqliteArguments) -> Result<()> {
        let json = match self.0.as_slice() {
            [] => return Ok(()),
            [column] => serde_json::to_string(&Values(column)),
            columns => serde_json::to_string(&Rows(columns)),
        };
        add::<Sqlite, _>(arguments, json.map_err(|error| sqlx::Error::Encode(error.into()))?)
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

impl Column {
    fn len(&self) -> usize {
        match self {
            Self::Ints(values) => values.len(),
            Self::OptionalInts(values) => values.len(),
            Self::Texts(values) => values.len(),
            Self::OptionalTexts(values) => values.len(),
            Self::Flags(values) => values.len(),
            Self::OptionalFlags(values) => values.len(),
        }
    }

    /// Writes the value of a row; null where the column is shorter than the others.
    fn write<S: SerializeSeq>(&self, at: usize, to: &mut S) -> Result<(), S::Error> {
        match self {
            Self::Ints(values) => to.serialize_element(&values.get(at)),
            Self::OptionalInts(values) => to.serialize_element(&values.get(at)),
            Self::Texts(values) => to.serialize_element(&values.get(at)),
            Self::OptionalTexts(values) => to.serialize_element(&values.get(at)),
            Self::Flags(values) => to.serialize_element(&values.get(at)),
            Self::OptionalFlags(values) => to.serialize_element(&values.get(at)),
        }
    }
}

/// The values of the only column.
struct Values<'a>(&'a Column);

impl Serialize for Values<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut all = serializer.serialize_seq(Some(self.0.len()))?;
        for at in 0..self.0.len() {
            self.0.write(at, &mut all)?;
        }
        all.end()
    }
}

/// The rows of several columns.
struct Rows<'a>(&'a [Column]);

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rows = self.0.iter().map(Column::len).max().unwrap_or_default();
        serializer.collect_seq((0..rows).map(|at| Row { columns: self.0, at }))
    }
}

struct Row<'a> {
    columns: &'a [Column],
    at: usize,
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_seq(Some(self.columns.len()))?;
        for column in self.columns {
            column.write(self.at, &mut row)?;
        }
        row.end()
    }
}
