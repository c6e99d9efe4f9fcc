//! Checkpoints: how far the reading of a directory has come, so that a killed run goes on where it was.

use domain::{Timestamp, service::Service};

use crate::{
    CustomerStore, CustomerWrite,
    error::Result,
    sql::{execute, optional, statements},
};

statements! {
    GET = "SELECT round, next_link, selection, pages, objects, updated_at FROM checkpoints WHERE customer_id = $1 AND service = $2 AND kind = $3";
    PUT = "INSERT INTO checkpoints (customer_id, service, kind, round, next_link, selection, pages, objects, updated_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
           ON CONFLICT (customer_id, service, kind) DO UPDATE SET round = excluded.round, next_link = excluded.next_link,
               selection = excluded.selection, pages = excluded.pages, objects = excluded.objects, updated_at = excluded.updated_at";
    CLEAR = "DELETE FROM checkpoints WHERE customer_id = $1 AND service = $2 AND kind = $3";
}

/// What is being read; each has its own cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckpointKind {
    /// The directory's users.
    Users,
}

impl CheckpointKind {
    const fn name(self) -> &'static str {
        match self {
            Self::Users => "users",
        }
    }
}

/// How far a round of reading has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The directory service that is read.
    pub service: Service,
    /// What of it is read.
    pub kind: CheckpointKind,
    /// The round's number; objects that it has seen carry it.
    pub round: i64,
    /// Where to read on.
    pub next_link: String,
    /// The properties that were selected: with others, the round has to start over.
    pub selection: String,
    /// Pages read so far.
    pub pages: i64,
    /// Objects read so far.
    pub objects: i64,
    /// When it was written.
    pub updated_at: Timestamp,
}

impl CustomerStore {
    /// How far the reading has come; `None` when no round is under way.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn checkpoint(&self, service: Service, kind: CheckpointKind) -> Result<Option<Checkpoint>> {
        let mut connection = self.read().await?;
        type Row = (i64, String, String, i64, i64, i64);
        let row = optional!(connection, Row, GET, self.id(), service.name(), kind.name())?;
        Ok(row.map(|(round, next_link, selection, pages, objects, updated_at)| Checkpoint {
            service,
            kind,
            round,
            next_link,
            selection,
            pages,
            objects,
            updated_at: Timestamp(updated_at),
        }))
    }
}

impl CustomerWrite {
    /// Notes how far the reading has come, in the transaction that writes what was read.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn put_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        execute!(
            self.connection,
            PUT,
            self.customer_id,
            checkpoint.service.name(),
            checkpoint.kind.name(),
            checkpoint.round,
            checkpoint.next_link.as_str(),
            checkpoint.selection.as_str(),
            checkpoint.pages,
            checkpoint.objects,
            checkpoint.updated_at.0
        )?;
        Ok(())
    }

    /// Forgets how far the reading had come: the round is over, or has to start over.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn clear_checkpoint(&mut self, service: Service, kind: CheckpointKind) -> Result<()> {
        execute!(self.connection, CLEAR, self.customer_id, service.name(), kind.name())?;
        Ok(())
    }
}
