//! What every run and every change needs, handed in once.

use std::sync::Arc;

use directory::entra::{Credentials, Endpoints, Graph, Http};
use domain::{Clock, Random, Timestamp};
use store::{AuditEntry, Change, Store};
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use crate::run::Owner;

/// Few enough that a page's change never waits long for a run's chunk.
const CHUNK: i64 = 1_000;
/// How many rows a run looks at in one read where it writes nothing.
const PAGE: i64 = 5_000;

/// The store, the way to the directory, time and chance. Made once per process; clones share everything.
#[derive(Clone)]
pub struct Engine {
    /// The database.
    pub store: Store,
    /// The HTTP client.
    pub http: Http,
    /// Where tokens are issued and Graph answers.
    pub endpoints: Endpoints,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub random: Arc<dyn Random>,
    /// Who this process is, to the other owners of leases.
    pub(crate) owner: Owner,
    /// How many objects a run decides about in one transaction.
    pub(crate) chunk: i64,
    /// How many it looks at in one read.
    pub(crate) page: i64,
    /// The syncs that go on by themselves.
    pub(crate) tasks: TaskTracker,
    /// Becomes true when running syncs are to end.
    stopping: Arc<watch::Sender<bool>>,
}

impl Engine {
    /// An engine of this process.
    #[must_use]
    pub fn new(
        store: Store,
        http: Http,
        endpoints: Endpoints,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        let owner = Owner::this_process(random.as_ref());
        let stopping = Arc::new(watch::Sender::new(false));
        Self {
            store,
            http,
            endpoints,
            clock,
            random,
            owner,
            chunk: CHUNK,
            page: PAGE,
            tasks: TaskTracker::new(),
            stopping,
        }
    }

    /// The same engine with another number of objects per transaction of a run. The result of a run does not depend on it.
    #[must_use]
    pub fn with_chunk(self, objects: i64) -> Self {
        Self { chunk: objects.max(1), page: objects.max(1), ..self }
    }

    /// Asks every sync of this engine to end at its next page or chunk. What a run has written stays, and the next one goes on from there.
    pub fn stop(&self) {
        self.stopping.send_replace(true);
    }

    /// Waits until every sync of this engine has ended; call [`stop`](Self::stop) first.
    pub async fn idle(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Whether [`stop`](Self::stop) was called.
    pub(crate) fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Waits for [`stop`](Self::stop).
    pub async fn stopped(&self) {
        let mut stopping = self.stopping.subscribe();
        // The sender lives in `self`, so this cannot fail before it is true.
        let _closed = stopping.wait_for(|stopping| *stopping).await;
    }

    /// A tenant's client with these credentials.
    pub(crate) fn graph(&self, credentials: Credentials) -> Graph {
        Graph::new(
            &self.http,
            self.endpoints.clone(),
            credentials,
            Arc::clone(&self.clock),
            Arc::clone(&self.random),
        )
    }
}

/// Who makes a change, for the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The signed-in administrator; `None` on the command line.
    pub administrator_id: Option<i64>,
    /// The name to show.
    pub name: String,
}

impl Actor {
    /// Somebody at the command line of the server.
    #[must_use]
    pub fn command_line() -> Self {
        Self { administrator_id: None, name: "command line".to_owned() }
    }

    /// The entry of the audit log for what this actor did.
    pub(crate) fn entry(
        &self,
        at: Timestamp,
        action: &str,
        object: &str,
        changes: Vec<Change>,
    ) -> AuditEntry {
        AuditEntry {
            at,
            administrator_id: self.administrator_id,
            actor: self.name.clone(),
            action: action.to_owned(),
            object: object.to_owned(),
            changes,
        }
    }
}
