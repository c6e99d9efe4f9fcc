//! Cursors: where the reading of a directory stands, for its users and for its groups.
//!
//! A cursor is either in the midst of a round, so that a killed run goes on where it was, or idle: the last round is over, and the link tells
//! what has changed since. Whoever reads a page writes the cursor behind it in the transaction that writes what the page said.

use domain::{Timestamp, service::Service};

use crate::{
    CustomerStore, CustomerWrite,
    error::Result,
    sql::{execute, optional, statements},
};

statements! {
    GET = "SELECT round, full_round, idle, link, selection, pages, objects, updated_at FROM cursors
           WHERE customer_id = $1 AND service = $2 AND kind = $3";
    PUT = "INSERT INTO cursors (customer_id, service, kind, round, full_round, idle, link, selection, pages, objects, updated_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
           ON CONFLICT (customer_id, service, kind) DO UPDATE SET round = excluded.round, full_round = excluded.full_round,
               idle = excluded.idle, link = excluded.link, selection = excluded.selection, pages = excluded.pages,
               objects = excluded.objects, updated_at = excluded.updated_at";
    CLEAR = "DELETE FROM cursors WHERE customer_id = $1 AND service = $2 AND kind = $3";
}

/// What is being read; each has its own cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CursorKind {
    /// The directory's users.
    Users,
    /// The directory's groups and who is in them.
    Groups,
}

impl CursorKind {
    const fn name(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Groups => "groups",
        }
    }
}

/// Where the reading stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The directory service that is read.
    pub service: Service,
    /// What of it is read.
    pub kind: CursorKind,
    /// The number of the round under way, or of the last one; objects that it saw carry it.
    pub round: i64,
    /// Whether the round reads everything; else only what has changed.
    pub full: bool,
    /// Whether no round is under way.
    pub idle: bool,
    /// Where to read on: the next link within a round, else the delta link.
    pub link: String,
    /// The properties that were selected: with others, a full round has to start over.
    pub selection: String,
    /// Pages read so far in the round.
    pub pages: i64,
    /// Objects read so far in the round.
    pub objects: i64,
    /// When it was written.
    pub updated_at: Timestamp,
}

impl CustomerStore {
    /// Where the reading stands; `None` when nothing was read yet, or has to be read from the beginning.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn cursor(&self, service: Service, kind: CursorKind) -> Result<Option<Cursor>> {
        let mut connection = self.read().await?;
        type Row = (i64, bool, bool, String, String, i64, i64, i64);
        let row = optional!(connection, Row, GET, self.id(), service.name(), kind.name())?;
        Ok(row.map(|(round, full, idle, link, selection, pages, objects, updated_at)| Cursor {
            service,
            kind,
            round,
            full,
            idle,
            link,
            selection,
            pages,
            objects,
            updated_at: Timestamp(updated_at),
        }))
    }
}

impl CustomerWrite {
    /// Notes where the reading stands, in the transaction that writes what was read.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn put_cursor(&mut self, cursor: &Cursor) -> Result<()> {
        execute!(
            self.connection,
            PUT,
            self.customer_id,
            cursor.service.name(),
            cursor.kind.name(),
            cursor.round,
            cursor.full,
            cursor.idle,
            cursor.link.as_str(),
            cursor.selection.as_str(),
            cursor.pages,
            cursor.objects,
            cursor.updated_at.0
        )?;
        Ok(())
    }

    /// Forgets where the reading stood: the next round reads everything.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn clear_cursor(&mut self, service: Service, kind: CursorKind) -> Result<()> {
        execute!(self.connection, CLEAR, self.customer_id, service.name(), kind.name())?;
        Ok(())
    }
}
