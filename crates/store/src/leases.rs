//! Leases: who may do a customer's work of a kind, until when, under which token.
//!
//! The token rises with every taking and never falls, so that an owner who was thought dead and comes back cannot pass for the present one.

use domain::Timestamp;

use crate::{
    CustomerStore, CustomerWrite, StoreError,
    error::Result,
    open::Durability,
    sql::{execute, one, optional, statements},
};

statements! {
    HELD = "SELECT owner, token, expires_at FROM leases WHERE customer_id = $1 AND name = $2 AND owner <> ''";
    PREPARE = "INSERT INTO leases (customer_id, name, owner, token, expires_at) VALUES ($1, $2, '', 0, 0)
               ON CONFLICT (customer_id, name) DO NOTHING";
    /// Changes nothing, but locks the row on Postgres until the transaction ends; SQLite has one writer anyway.
    LOCK = "UPDATE leases SET token = token WHERE customer_id = $1 AND name = $2 RETURNING owner, token, expires_at";
    TAKE = "UPDATE leases SET owner = $3, token = token + 1, expires_at = $4 WHERE customer_id = $1 AND name = $2 RETURNING token";
    RENEW = "UPDATE leases SET expires_at = $5 WHERE customer_id = $1 AND name = $2 AND token = $3 AND expires_at > $4";
    RELEASE = "UPDATE leases SET owner = '', expires_at = 0 WHERE customer_id = $1 AND name = $2 AND token = $3";
    BREAK = "UPDATE leases SET owner = '', token = token + 1, expires_at = 0 WHERE customer_id = $1 AND name = $2";
    /// Changes nothing, but locks the row on Postgres, so that the lease cannot change hands before the chunk is committed.
    CONFIRM = "UPDATE leases SET token = token WHERE customer_id = $1 AND name = $2 AND token = $3 AND expires_at > $4";
}

/// A lease that was taken. It is good as long as its token is the row's and the row has not expired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// What is leased, such as `sync`.
    pub name: String,
    /// Who took it.
    pub owner: String,
    /// The token of this taking.
    pub token: i64,
}

/// A lease as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseRow {
    /// Who holds it.
    pub owner: String,
    /// The token of the last taking.
    pub token: i64,
    /// From when on anybody may take it.
    pub expires_at: Timestamp,
}

impl CustomerStore {
    /// Who holds that lease, or held it last without releasing it; `None` when it is free.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn lease(&self, name: &str) -> Result<Option<LeaseRow>> {
        let mut connection = self.read().await?;
        let row = optional!(connection, (String, i64, i64), HELD, self.id(), name)?;
        Ok(row.map(|(owner, token, expires_at)| LeaseRow { owner, token, expires_at: Timestamp(expires_at) }))
    }

    /// Takes a lease for `ttl_ms` milliseconds when it is free, has expired by `now`, or its owner is dead; `None` when a live owner holds it.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn take_lease(
        &self,
        name: &str,
        owner: &str,
        now: Timestamp,
        ttl_ms: i64,
        owner_is_dead: impl Fn(&str) -> bool + Send,
    ) -> Result<Option<Lease>> {
        let mut write = self.write(Durability::Full).await?;
        execute!(write.connection, PREPARE, self.id(), name)?;
        let (holder, _, expires_at) =
            one!(write.connection, (String, i64, i64), LOCK, self.id(), name)?;
        if expires_at > now.0 && !owner_is_dead(&holder) {
            return Ok(None);
        }
        let (token,) =
            one!(write.connection, (i64,), TAKE, self.id(), name, owner, now.plus(ttl_ms).0)?;
        write.commit().await?;
        Ok(Some(Lease { name: name.to_owned(), owner: owner.to_owned(), token }))
    }

    /// Lets a lease last until `ttl_ms` milliseconds from `now`. `false` when it was lost: expired, or taken by another.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn renew_lease(&self, lease: &Lease, now: Timestamp, ttl_ms: i64) -> Result<bool> {
        // What a renewal promises is of no worth after a power cut: the owner is gone then.
        let mut write = self.write(Durability::Chunk).await?;
        let name = lease.name.as_str();
        let renewed =
            execute!(write.connection, RENEW, self.id(), name, lease.token, now.0, now.plus(ttl_ms).0)?;
        write.commit().await?;
        Ok(renewed == 1)
    }

    /// Gives a lease back; one that was lost meanwhile stays with its new owner.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn release_lease(&self, lease: &Lease) -> Result<()> {
        let mut write = self.write(Durability::Chunk).await?;
        execute!(write.connection, RELEASE, self.id(), lease.name.as_str(), lease.token)?;
        write.commit().await
    }
}

impl CustomerWrite {
    /// Takes a lease away from whoever holds it: its next chunk is refused as [`StoreError::LostLease`].
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn break_lease(&mut self, name: &str) -> Result<()> {
        execute!(self.connection, BREAK, self.customer_id, name).map(drop)
    }

    pub(crate) async fn confirm(&mut self, lease: &Lease, now: Timestamp) -> Result<()> {
        let name = lease.name.as_str();
        match execute!(self.connection, CONFIRM, self.customer_id, name, lease.token, now.0)? {
            1 => Ok(()),
            _ => Err(StoreError::LostLease(lease.name.clone())),
        }
    }
}
