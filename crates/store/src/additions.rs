//! Additions: addresses that an administrator adds to the sync of a directory service by hand. Each is linked to its person once the directory
//! delivers one.

use domain::{Timestamp, address::Address, service::Service};

use crate::{
    CustomerStore, CustomerWrite, StoreError,
    error::Result,
    sql::{Connection, all, execute, row_count, statements},
};

statements! {
    ALL = "SELECT id, address, external_id, reads_without, created_by, created_at FROM additions
           WHERE customer_id = $1 AND service = $2 ORDER BY address";
    ADD = "INSERT INTO additions (customer_id, service, address, external_id, reads_without, created_by, created_at)
           VALUES ($1, $2, $3, $4, 0, $5, $6)";
    LINK = "UPDATE additions SET external_id = $3, reads_without = 0 WHERE customer_id = $1 AND id = $2";
    COUNT_READ = "UPDATE additions SET reads_without = reads_without + 1 WHERE customer_id = $1 AND service = $2 AND external_id IS NULL";
    REMOVE = "DELETE FROM additions WHERE customer_id = $1 AND id = $2";
}

/// An addition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addition {
    /// Its number.
    pub id: i64,
    /// The address that was typed.
    pub address: Address,
    /// The directory's key of the person; `None` until one was found.
    pub external_id: Option<String>,
    /// Complete reads of the directory that did not find anybody.
    pub reads_without: i64,
    /// Who added it, in words.
    pub created_by: String,
    /// When it was added.
    pub created_at: Timestamp,
}

async fn all_of(connection: &mut Connection, customer_id: i64, service: Service) -> Result<Vec<Addition>> {
    type Row = (i64, String, Option<String>, i64, String, i64);
    all!(connection, Row, ALL, customer_id, service.name())?
        .into_iter()
        .map(|(id, address, external_id, reads_without, created_by, created_at)| {
            Ok(Addition {
                id,
                address: Address::parse(&address)
                    .ok_or_else(|| StoreError::corrupt("additions", "address", id))?,
                external_id,
                reads_without,
                created_by,
                created_at: Timestamp(created_at),
            })
        })
        .collect()
}

impl CustomerStore {
    /// The additions of a service, by address.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn additions(&self, service: Service) -> Result<Vec<Addition>> {
        all_of(&mut self.read().await?, self.id(), service).await
    }
}

impl CustomerWrite {
    /// The additions of a service, by address, as this transaction sees them.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn additions_in(&mut self, service: Service) -> Result<Vec<Addition>> {
        all_of(&mut self.connection, self.customer_id, service).await
    }

    /// Adds an address to a service, linked to its person when that is known.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when it was added before.
    pub async fn add_addition(
        &mut self,
        service: Service,
        address: &Address,
        external_id: Option<&str>,
        by: &str,
        now: Timestamp,
    ) -> Result<()> {
        execute!(
            self.connection,
            ADD,
            self.customer_id,
            service.name(),
            address.as_str(),
            external_id,
            by,
            now.0
        )
        .map_err(|error: StoreError| error.or_taken(|| format!("The addition {address}")))?;
        Ok(())
    }

    /// Links an addition to the person with that key of the directory.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when this customer has no such addition.
    pub async fn link_addition(&mut self, id: i64, external_id: &str) -> Result<()> {
        match execute!(self.connection, LINK, self.customer_id, id, external_id)? {
            0 => Err(StoreError::Missing("The addition")),
            _ => Ok(()),
        }
    }

    /// Counts a complete read for every addition that nobody was found for; answers how many there are.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn count_read_without(&mut self, service: Service) -> Result<i64> {
        execute!(self.connection, COUNT_READ, self.customer_id, service.name()).map(row_count)
    }

    /// Removes an addition; answers whether it was there.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn remove_addition(&mut self, id: i64) -> Result<bool> {
        Ok(execute!(self.connection, REMOVE, self.customer_id, id)? > 0)
    }
}
