//! The database: SQLite and Postgres behind one API.
//!
//! [`Store`] is the portal as a whole: customers, administrators, sessions. It hands out a [`CustomerStore`], which is the only way to a
//! customer's rows. Changes go through a transaction: [`Store::begin`] gives a [`Write`], [`CustomerStore::begin`] a [`CustomerWrite`], and a
//! run's chunks come from [`CustomerStore::begin_chunk`], which first confirms the run's lease. A transaction that is dropped changes nothing.
//! This crate alone knows SQL. It reads no clock and draws no random number: moments, ids and nonces come in as parameters.
//!
//! # Adding a table family
//!
//! 1. **The tables** go into the next migration, `migrations/sqlite/NNNN_name.sql` and `migrations/postgres/NNNN_name.sql` with the same number
//!    and name, the same tables, columns and unique indexes. Numbers are INTEGER ↔ BIGINT or BOOLEAN, times UTC milliseconds, enums TEXT with
//!    CHECK, JSON is TEXT, Postgres text is COLLATE "C", SQLite tables are STRICT. A customer's row carries `customer_id` with ON DELETE CASCADE.
//! 2. **The code** is one file with the row types, the statements and the `impl` blocks that use them, named in [`families!`] below. All SQL
//!    stands in its `statements!` block, in words that both engines take: `$1` parameters, CAST, no `::`, no LOWER, no JSON operator. Many rows
//!    go in one statement through `given(…)`. Every statement of a customer's rows carries `customer_id`, also where an id would do: a
//!    foreign id answers like a missing one.
//! 3. **What comes back** becomes a type of `domain` or of the family. A value that this version does not know is a
//!    [`StoreError::Corrupt`] that names table, column and row. An UPDATE that must hit a row checks how many it hit.
//! 4. **The tests** of the family are written once, against the API, and run on both engines. Each method that takes an id is also tried
//!    with another customer's.

mod batch;
mod error;
mod given;
mod open;
#[cfg(feature = "raw-objects")]
mod raw_objects;
mod sql;
mod vault;

/// Declares the table families: their modules, and the list of every statement.
macro_rules! families {
    ($($family:ident),+ $(,)?) => {
        $(mod $family;)+

        /// Every SQL statement of this crate, for the tests that prepare them all on both engines.
        pub fn statements() -> impl Iterator<Item = &'static Statement> {
            [$($family::STATEMENTS),+].into_iter().flatten()
        }
    };
}

families!(
    additions,
    administrators,
    audit,
    claims,
    conflict_lists,
    conflicts,
    cursors,
    customers,
    deletion_days,
    directory_lists,
    exceptions,
    former_users,
    group_lists,
    groups,
    guard_log,
    held,
    leases,
    mirror,
    mirror_groups,
    mirror_lists,
    mirror_members,
    mirror_unseen,
    recycle_bin,
    password_links,
    run_changes,
    runs,
    schedules,
    second_approvals,
    services,
    sessions,
    take_overs,
    topics,
    undone_runs,
    user_counts,
    user_details,
    user_lists,
    user_pages,
    user_search,
    user_writes,
    users,
);

use std::{fmt, sync::Arc};

use domain::Timestamp;

use crate::{
    open::{Durability, Pools},
    sql::Connection,
};

#[cfg(feature = "raw-objects")]
pub use crate::raw_objects::RawObjects;
pub use crate::{
    additions::Addition,
    administrators::{Administrator, NewAdministrator},
    audit::{AuditEntry, AuditFilter, AuditPage, AuditRow, Change},
    batch::MirrorWritten,
    claims::{ClaimKind, ClaimRow, HolderRow},
    conflict_lists::ConflictFilter,
    conflicts::ConflictRow,
    cursors::{Cursor, CursorKind},
    customers::Customer,
    directory_lists::Listed,
    error::{Result, StoreError},
    exceptions::{Exception, ExceptionKind},
    former_users::{Former, PresentUser},
    group_lists::{GroupList, GroupPage, ListedMember},
    groups::{Group, GroupWrite},
    held::{Held, HeldRow},
    leases::{Lease, LeaseRow},
    mirror::MirrorUser,
    mirror_groups::MirrorGroup,
    mirror_lists::{Candidate, Mirrored, Standing},
    mirror_members::Member,
    open::DatabaseUrl,
    recycle_bin::{Binned, BinnedGroup, BinnedUser, Deletion},
    run_changes::{RunChange, RunChangeRow},
    runs::{NewRun, Run},
    schedules::Schedule,
    second_approvals::Approver,
    services::DirectoryService,
    sessions::{NewSession, Session},
    sql::Statement,
    take_overs::TakeOver,
    undone_runs::UndoneRun,
    user_details::TouchingException,
    user_lists::{ExportedUser, UserCursor, UserFilter, UserList, UserOrder, UserPage, UserRow},
    user_search::Search,
    user_writes::{UserWrite, Written},
    users::User,
    vault::Vault,
};

/// The portal's database. Cheap to clone: every clone is the same one.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    pools: Pools,
    vault: Vault,
}

impl Store {
    /// Opens the database and brings its schema up to this version. A SQLite file is created when it is not there, readable by its owner only.
    ///
    /// # Errors
    /// [`StoreError::Unreachable`], [`StoreError::NewerSchema`] when a later version has been here, [`StoreError::Damaged`].
    pub async fn open(url: &DatabaseUrl, vault: Vault) -> Result<Self> {
        let pools = Pools::open(url).await?;
        Ok(Self { inner: Arc::new(Inner { pools, vault }) })
    }

    /// Asks the database for a sign of life: what `/readyz` reports.
    ///
    /// # Errors
    /// [`StoreError::Unreachable`] or [`StoreError::Busy`].
    pub async fn ping(&self) -> Result<()> {
        self.customer_count().await.map(|_| ())
    }

    /// Lets the database look at tables that have just got their first rows, so that it knows how to find them: a run calls this behind its first
    /// page and its first chunk. Next to nothing when there is no such table.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn analyse_new_tables(&self) -> Result<()> {
        self.inner.pools.analyse_new().await
    }

    /// Closes every connection, after those that are in use have come back. Later calls are refused as unreachable.
    pub async fn close(&self) {
        self.inner.pools.close().await;
    }

    /// Begins a change to the portal itself: customers, administrators, sessions. It outlives a power cut.
    ///
    /// # Errors
    /// [`StoreError::Unreachable`] or [`StoreError::Busy`].
    pub async fn begin(&self) -> Result<Write> {
        Ok(Write { connection: self.inner.pools.write(Durability::Full).await? })
    }

    pub(crate) async fn read(&self) -> Result<Connection> {
        self.inner.pools.read().await
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Store")
    }
}

/// A change to the portal itself, made by [`Write::commit`] or not at all.
pub struct Write {
    connection: Connection,
}

impl Write {
    /// Makes the changes last.
    ///
    /// # Errors
    /// Anything the database has against it; nothing was changed then.
    pub async fn commit(self) -> Result<()> {
        self.connection.commit().await
    }
}

/// One customer's rows, and no others. Cheap to clone.
#[derive(Clone)]
pub struct CustomerStore {
    inner: Arc<Inner>,
    customer: Arc<Customer>,
}

impl CustomerStore {
    pub(crate) fn new(store: &Store, customer: Customer) -> Self {
        Self { inner: Arc::clone(&store.inner), customer: Arc::new(customer) }
    }

    /// The customer, as read when this was handed out.
    #[must_use]
    pub fn customer(&self) -> &Customer {
        &self.customer
    }

    /// Begins a change that outlives a power cut once it is committed: what an administrator is told is saved.
    ///
    /// # Errors
    /// [`StoreError::Unreachable`] or [`StoreError::Busy`].
    pub async fn begin(&self) -> Result<CustomerWrite> {
        self.write(Durability::Full).await
    }

    /// Begins a chunk of the run that holds the lease. A power cut may undo the last chunks, whole and in order; the run does them again.
    ///
    /// # Errors
    /// [`StoreError::LostLease`] when the lease is no longer this owner's or has expired by `now`; else as [`CustomerStore::begin`].
    pub async fn begin_chunk(&self, lease: &Lease, now: Timestamp) -> Result<CustomerWrite> {
        let mut write = self.write(Durability::Chunk).await?;
        write.confirm(lease, now).await?;
        Ok(write)
    }

    /// The same for a chunk that may go on beside others begun in this way, because no two of them write the same rows. What changes the lease
    /// waits for all of them.
    ///
    /// # Errors
    /// As [`CustomerStore::begin_chunk`].
    pub async fn begin_shared_chunk(&self, lease: &Lease, now: Timestamp) -> Result<CustomerWrite> {
        let mut write = self.write(Durability::Chunk).await?;
        write.confirm_shared(lease, now).await?;
        Ok(write)
    }

    async fn write(&self, durability: Durability) -> Result<CustomerWrite> {
        Ok(CustomerWrite {
            connection: self.inner.pools.write(durability).await?,
            customer_id: self.customer.id,
            vault: self.inner.vault.clone(),
        })
    }

    pub(crate) async fn read(&self) -> Result<Connection> {
        self.inner.pools.read().await
    }

    pub(crate) fn id(&self) -> i64 {
        self.customer.id
    }

    pub(crate) fn vault(&self) -> &Vault {
        &self.inner.vault
    }
}

impl fmt::Debug for CustomerStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CustomerStore").field("customer", &self.customer.slug).finish_non_exhaustive()
    }
}

/// A change to one customer's rows, made by [`CustomerWrite::commit`] or not at all.
pub struct CustomerWrite {
    connection: Connection,
    customer_id: i64,
    vault: Vault,
}

impl CustomerWrite {
    /// Makes the changes last.
    ///
    /// # Errors
    /// Anything the database has against it; nothing was changed then.
    pub async fn commit(self) -> Result<()> {
        self.connection.commit().await
    }
}
