//! One-time links by which an administrator chooses a password: an invitation, or a way back for who forgot it.
//!
//! Tokens are not here, only their SHA-256: who reads the database cannot use what it holds.

use domain::Timestamp;

use crate::{
    Store, Write,
    error::Result,
    sql::{all, execute, optional, statements},
};

statements! {
    IN_FORCE = "SELECT administrator_id, expires_at FROM password_links WHERE expires_at > $1";
    BY_TOKEN = "SELECT administrator_id FROM password_links WHERE token_hash = $1 AND expires_at > $2";
    PUT = "INSERT INTO password_links (token_hash, administrator_id, created_at, expires_at) VALUES ($1, $2, $3, $4)
           ON CONFLICT (administrator_id) DO UPDATE SET token_hash = excluded.token_hash, created_at = excluded.created_at,
               expires_at = excluded.expires_at";
    USE = "DELETE FROM password_links WHERE token_hash = $1 AND expires_at > $2 RETURNING administrator_id";
    DROP = "DELETE FROM password_links WHERE administrator_id = $1";
    PRUNE = "DELETE FROM password_links WHERE expires_at <= $1";
}

impl Store {
    /// The administrators for whom a link is in force, each with the moment at which it expires.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn password_links(&self, now: Timestamp) -> Result<Vec<(i64, Timestamp)>> {
        let mut connection = self.read().await?;
        let rows = all!(connection, (i64, i64), IN_FORCE, now.0)?;
        Ok(rows.into_iter().map(|(administrator, expires_at)| (administrator, Timestamp(expires_at))).collect())
    }

    /// Whose the link of that token is; `None` when it was used, has expired or never was one.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn password_link(&self, token_hash: &[u8; 32], now: Timestamp) -> Result<Option<i64>> {
        let mut connection = self.read().await?;
        let row = optional!(connection, (i64,), BY_TOKEN, token_hash.as_slice(), now.0)?;
        Ok(row.map(|(administrator,)| administrator))
    }
}

impl Write {
    /// Makes a link for an administrator by the SHA-256 of its token, in place of the one before.
    ///
    /// # Errors
    /// When there is no such administrator.
    pub async fn put_password_link(
        &mut self,
        administrator_id: i64,
        token_hash: &[u8; 32],
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<()> {
        execute!(self.connection, PUT, token_hash.as_slice(), administrator_id, now.0, expires_at.0).map(drop)
    }

    /// Uses a link up and answers whose it was: to exactly one caller, and only before it expires.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn use_password_link(&mut self, token_hash: &[u8; 32], now: Timestamp) -> Result<Option<i64>> {
        let row = optional!(self.connection, (i64,), USE, token_hash.as_slice(), now.0)?;
        Ok(row.map(|(administrator,)| administrator))
    }

    /// Makes the link of an administrator void, if there is one.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn drop_password_link(&mut self, administrator_id: i64) -> Result<()> {
        execute!(self.connection, DROP, administrator_id).map(drop)
    }

    pub(crate) async fn prune_password_links(&mut self, now: Timestamp) -> Result<()> {
        execute!(self.connection, PRUNE, now.0).map(drop)
    }
}
