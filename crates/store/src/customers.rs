//! Customers: who the portal reads directories for.

use domain::{Timestamp, settings::GuardLimits};

use crate::{
    CustomerStore, CustomerWrite, Store, StoreError, Write,
    error::Result,
    sql::{all, execute, one, optional, statements},
};

statements! {
    ALL = "SELECT id, slug, name, max_removals, max_removals_percent, min_removals, created_at, suspended_at FROM customers ORDER BY id";
    BY_SLUG = "SELECT id, slug, name, max_removals, max_removals_percent, min_removals, created_at, suspended_at FROM customers WHERE slug = $1";
    COUNT = "SELECT COUNT(*) FROM customers";
    ADD = "INSERT INTO customers (slug, name, max_removals, max_removals_percent, min_removals, created_at)
           VALUES ($1, $2, $3, $4, $5, $6) RETURNING id";
    SET_GUARD = "UPDATE customers SET max_removals = $2, max_removals_percent = $3, min_removals = $4 WHERE id = $1";
    RENAME = "UPDATE customers SET name = $2 WHERE id = $1";
    SUSPEND = "UPDATE customers SET suspended_at = $2 WHERE id = $1";
    DELETE = "DELETE FROM customers WHERE id = $1";
}

/// A customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    /// The number by which rows refer to it.
    pub id: i64,
    /// The name in addresses of pages and on the command line; it never changes.
    pub slug: String,
    /// The name on pages.
    pub name: String,
    /// The deletion guard's limits.
    pub guard: GuardLimits,
    /// When it was created.
    pub created_at: Timestamp,
    /// Since when it is suspended.
    pub suspended_at: Option<Timestamp>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    slug: String,
    name: String,
    max_removals: i64,
    max_removals_percent: i64,
    min_removals: i64,
    created_at: i64,
    suspended_at: Option<i64>,
}

impl From<Row> for Customer {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            slug: row.slug,
            name: row.name,
            guard: GuardLimits {
                max_removals: row.max_removals,
                max_removals_percent: row.max_removals_percent,
                min_removals: row.min_removals,
            },
            created_at: Timestamp(row.created_at),
            suspended_at: row.suspended_at.map(Timestamp),
        }
    }
}

impl Store {
    /// Every customer, by name.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn customers(&self) -> Result<Vec<Customer>> {
        let mut connection = self.read().await?;
        let mut customers: Vec<Customer> =
            all!(connection, Row, ALL)?.into_iter().map(Customer::from).collect();
        // Folding is Rust's work, not SQL's: the engines do not agree on it.
        customers.sort_by_cached_key(|customer| (customer.name.to_lowercase(), customer.id));
        Ok(customers)
    }

    /// The way to the rows of the customer with that slug; `None` when there is none.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn customer(&self, slug: &str) -> Result<Option<CustomerStore>> {
        let mut connection = self.read().await?;
        let row = optional!(connection, Row, BY_SLUG, slug)?;
        Ok(row.map(|row| CustomerStore::new(self, row.into())))
    }

    pub(crate) async fn customer_count(&self) -> Result<i64> {
        let mut connection = self.read().await?;
        Ok(one!(connection, (i64,), COUNT)?.0)
    }
}

impl Write {
    /// Adds a customer with the usual limits of the deletion guard; answers its number.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when the slug is.
    pub async fn add_customer(&mut self, slug: &str, name: &str, now: Timestamp) -> Result<i64> {
        let guard = GuardLimits::default();
        let (id,) = one!(
            self.connection,
            (i64,),
            ADD,
            slug,
            name,
            guard.max_removals,
            guard.max_removals_percent,
            guard.min_removals,
            now.0
        )
        .map_err(|error: StoreError| error.or_taken(|| format!("The customer name \"{slug}\"")))?;
        Ok(id)
    }

    /// Deletes a customer with every row of its own: users, groups, settings, runs, audit log.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when the customer is gone.
    pub async fn delete_customer(&mut self, customer_id: i64) -> Result<()> {
        match execute!(self.connection, DELETE, customer_id)? {
            1 => Ok(()),
            _ => Err(StoreError::Missing("The customer")),
        }
    }
}

impl CustomerWrite {
    /// Sets the limits of the deletion guard.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when the customer is gone.
    pub async fn set_guard(&mut self, guard: GuardLimits) -> Result<()> {
        let changed = execute!(
            self.connection,
            SET_GUARD,
            self.customer_id,
            guard.max_removals,
            guard.max_removals_percent,
            guard.min_removals
        )?;
        if changed == 1 { Ok(()) } else { Err(StoreError::Missing("The customer")) }
    }

    /// Gives the customer another name; the slug stays.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when the customer is gone.
    pub async fn rename_customer(&mut self, name: &str) -> Result<()> {
        let changed = execute!(self.connection, RENAME, self.customer_id, name)?;
        if changed == 1 { Ok(()) } else { Err(StoreError::Missing("The customer")) }
    }

    /// Suspends the customer since that moment, or with `None` ends its suspension.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when the customer is gone.
    pub async fn suspend_customer(&mut self, since: Option<Timestamp>) -> Result<()> {
        let changed = execute!(self.connection, SUSPEND, self.customer_id, since.map(|since| since.0))?;
        if changed == 1 { Ok(()) } else { Err(StoreError::Missing("The customer")) }
    }
}
