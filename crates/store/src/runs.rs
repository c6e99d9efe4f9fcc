//! Runs of the sync: how each stands or ended, what it counted, and what it has to tell about single objects.

use domain::{
    Timestamp,
    run::{Counts, Notice, NoticeKind, Outcome, Phase, Purpose, Trigger},
    service::Service,
};
use uuid::Uuid;

use crate::{
    CustomerStore, CustomerWrite, StoreError, Write,
    error::Result,
    given::Given,
    sql::{all, execute, one, optional, statements},
};

statements! {
    PAGE = "SELECT id, public_id, service, purpose, trigger, actor, phase, outcome, started_at, read_at, finished_at, counts, error,
                summary
            FROM runs WHERE customer_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3";
    BY_PUBLIC_ID = "SELECT id, public_id, service, purpose, trigger, actor, phase, outcome, started_at, read_at, finished_at, counts, error,
                summary
            FROM runs WHERE customer_id = $1 AND public_id = $2";
    RUNNING = "SELECT id, public_id, service, purpose, trigger, actor, phase, outcome, started_at, read_at, finished_at, counts, error,
                summary
            FROM runs WHERE customer_id = $1 AND outcome = 'running' AND service = $2 ORDER BY id DESC LIMIT 1";
    /// Each outcome is looked up by itself: in the index, the latest of each stands at an end.
    LAST_SUCCESS = "SELECT id, public_id, service, purpose, trigger, actor, phase, outcome, started_at, read_at, finished_at, counts, error,
                summary
            FROM runs WHERE customer_id = $1 AND id IN (
                SELECT MAX(s.id) FROM runs s WHERE s.customer_id = $1 AND s.outcome = 'succeeded' AND s.purpose = 'sync'
                UNION ALL
                SELECT MAX(h.id) FROM runs h WHERE h.customer_id = $1 AND h.outcome = 'held' AND h.purpose = 'sync')
            ORDER BY id DESC LIMIT 1";
    START = "INSERT INTO runs (customer_id, public_id, service, purpose, trigger, actor, phase, outcome, started_at, counts)
             VALUES ($1, $2, $3, $4, $5, $6, 'fetch', 'running', $7, '{}') RETURNING id";
    UPDATE = "UPDATE runs SET phase = $3, counts = $4 WHERE customer_id = $1 AND id = $2 AND outcome = 'running'";
    READ_AT = "UPDATE runs SET read_at = $3 WHERE customer_id = $1 AND id = $2 AND outcome = 'running'";
    FINISH = "UPDATE runs SET phase = 'done', outcome = $3, error = $4, summary = $5, finished_at = $6, counts = $7
              WHERE customer_id = $1 AND id = $2 AND outcome = 'running'";
    /// Of every customer's. A success goes only when there is a later one.
    PURGE = "DELETE FROM runs WHERE id IN (
                SELECT r.id FROM runs r WHERE r.started_at < $1 AND r.outcome <> 'running'
                    AND (r.outcome = 'failed' OR r.purpose <> 'sync' OR EXISTS (
                        SELECT 1 FROM runs s WHERE s.customer_id = r.customer_id AND s.outcome IN ('succeeded', 'held')
                            AND s.id > r.id AND s.purpose = 'sync'))
                ORDER BY r.started_at LIMIT $2)";
    NOTICES = "SELECT seq, kind, external_id, display_name, detail FROM run_notices
               WHERE customer_id = $1 AND run_id = $2 AND seq > $3 ORDER BY seq LIMIT $4";
    NOTICES_OF_KIND = "SELECT seq, kind, external_id, display_name, detail FROM run_notices
                       WHERE customer_id = $1 AND run_id = $2 AND kind = $3 AND seq > $4 ORDER BY seq LIMIT $5";
    NOTICE_COUNTS = "SELECT kind, COUNT(*) FROM run_notices WHERE customer_id = $1 AND run_id = $2 GROUP BY kind ORDER BY kind";
    LAST_SEQ = "SELECT COALESCE(MAX(seq), 0) FROM run_notices WHERE customer_id = $1 AND run_id = $2";
    ADD_NOTICES = "INSERT INTO run_notices (customer_id, run_id, seq, kind, external_id, display_name, detail)
                   SELECT r.customer_id, r.id, given.seq, given.kind, given.external_id, given.display_name, given.detail
                   FROM runs r CROSS JOIN ",
                  given("$3": seq "BIGINT" 0 "$3", kind "TEXT" 1 "$4", external_id "TEXT" 2 "$5", display_name "TEXT" 3 "$6", detail "TEXT" 4 "$7"),
                  " WHERE r.customer_id = $1 AND r.id = $2";
}

/// How many runs a call of [`Write::purge_runs`] deletes.
const MOST_RUNS_PURGED: i64 = 200;

/// A run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its number: later runs have greater ones.
    pub id: i64,
    /// The id in addresses of pages.
    pub public_id: Uuid,
    /// Which directory service it read.
    pub service: Service,
    /// What it is for.
    pub purpose: Purpose,
    /// What started it.
    pub trigger: Trigger,
    /// Who started it, in words.
    pub actor: String,
    /// Where it is.
    pub phase: Phase,
    /// How it stands or ended.
    pub outcome: Outcome,
    /// When it started.
    pub started_at: Timestamp,
    /// When it had read the directory completely; `None` while it has not.
    pub read_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// What it read and changed so far.
    pub counts: Counts,
    /// Why it failed, in words for an administrator.
    pub error: Option<String>,
    /// What came of it, in words; empty while it runs.
    pub summary: String,
}

/// A run to be started.
#[derive(Clone, Debug)]
pub struct NewRun {
    /// The id in addresses of pages.
    pub public_id: Uuid,
    /// Which directory service it reads.
    pub service: Service,
    /// What it is for.
    pub purpose: Purpose,
    /// What started it.
    pub trigger: Trigger,
    /// Who started it, in words.
    pub actor: String,
    /// The present moment.
    pub started_at: Timestamp,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    public_id: String,
    service: String,
    purpose: String,
    trigger: String,
    actor: String,
    phase: String,
    outcome: String,
    started_at: i64,
    read_at: Option<i64>,
    finished_at: Option<i64>,
    counts: String,
    error: Option<String>,
    summary: String,
}

impl TryFrom<Row> for Run {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self> {
        let corrupt = |column| StoreError::corrupt("runs", column, row.id);
        Ok(Self {
            id: row.id,
            public_id: Uuid::parse_str(&row.public_id).map_err(|_| corrupt("public_id"))?,
            service: Service::named(&row.service).ok_or_else(|| corrupt("service"))?,
            purpose: Purpose::named(&row.purpose).ok_or_else(|| corrupt("purpose"))?,
            trigger: Trigger::named(&row.trigger).ok_or_else(|| corrupt("trigger"))?,
            actor: row.actor,
            phase: Phase::named(&row.phase).ok_or_else(|| corrupt("phase"))?,
            outcome: Outcome::named(&row.outcome).ok_or_else(|| corrupt("outcome"))?,
            started_at: Timestamp(row.started_at),
            read_at: row.read_at.map(Timestamp),
            finished_at: row.finished_at.map(Timestamp),
            counts: serde_json::from_str(&row.counts).map_err(|_| corrupt("counts"))?,
            error: row.error,
            summary: row.summary,
        })
    }
}

impl CustomerStore {
    /// The runs, the latest first, `before` the one with that number.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn runs(&self, before: Option<i64>, limit: i64) -> Result<Vec<Run>> {
        let mut connection = self.read().await?;
        let rows = all!(connection, Row, PAGE, self.id(), before.unwrap_or(i64::MAX), limit)?;
        rows.into_iter().map(Run::try_from).collect()
    }

    /// The run with that id.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn run(&self, public_id: Uuid) -> Result<Option<Run>> {
        let mut connection = self.read().await?;
        let row = optional!(connection, Row, BY_PUBLIC_ID, self.id(), public_id.to_string())?;
        row.map(Run::try_from).transpose()
    }

    /// The run of that service that is going on, or whose process died and which nobody has ended yet.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn running(&self, service: Service) -> Result<Option<Run>> {
        let mut connection = self.read().await?;
        let row = optional!(connection, Row, RUNNING, self.id(), service.name())?;
        row.map(Run::try_from).transpose()
    }

    /// The latest sync that brought the users in line with a complete read, whether or not removals wait for an approval.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn last_success(&self) -> Result<Option<Run>> {
        let mut connection = self.read().await?;
        let row = optional!(connection, Row, LAST_SUCCESS, self.id())?;
        row.map(Run::try_from).transpose()
    }

    /// The notices of a run in their order, each with its number in the run, `after` that number (0 for all).
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn notices(&self, run_id: i64, after_seq: i64, limit: i64) -> Result<Vec<(i64, Notice)>> {
        let mut connection = self.read().await?;
        let rows = all!(connection, NoticeRow, NOTICES, self.id(), run_id, after_seq, limit)?;
        rows.into_iter().map(|row| notice(row, run_id)).collect()
    }

    /// As [`CustomerStore::notices`], of one kind only.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn notices_of(
        &self,
        run_id: i64,
        kind: NoticeKind,
        after_seq: i64,
        limit: i64,
    ) -> Result<Vec<(i64, Notice)>> {
        let mut connection = self.read().await?;
        let rows = all!(connection, NoticeRow, NOTICES_OF_KIND, self.id(), run_id, kind.name(), after_seq, limit)?;
        rows.into_iter().map(|row| notice(row, run_id)).collect()
    }

    /// How many notices of each kind a run has.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn notice_counts(&self, run_id: i64) -> Result<Vec<(NoticeKind, i64)>> {
        let mut connection = self.read().await?;
        all!(connection, (String, i64), NOTICE_COUNTS, self.id(), run_id)?
            .into_iter()
            .map(|(kind, count)| Ok((notice_kind(&kind, run_id)?, count)))
            .collect()
    }
}

/// Number in the run, kind, the directory's id, name, detail.
type NoticeRow = (i64, String, String, String, String);

fn notice((seq, kind, external_id, display_name, detail): NoticeRow, run_id: i64) -> Result<(i64, Notice)> {
    Ok((seq, Notice { kind: notice_kind(&kind, run_id)?, external_id, display_name, detail }))
}

fn notice_kind(name: &str, run_id: i64) -> Result<NoticeKind> {
    NoticeKind::named(name).ok_or_else(|| StoreError::corrupt("run_notices", "kind", format!("run {run_id}")))
}

fn counts_json(counts: &Counts) -> Result<String> {
    serde_json::to_string(counts).map_err(|error| StoreError::Database(error.into()))
}

impl Write {
    /// Deletes runs of any customer that are over and started before that moment, the oldest first, with their notices and changes. The
    /// last success of a customer stays, however old. Answers how many were deleted: at most 200, so that nobody waits long for the database.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn purge_runs(&mut self, before: Timestamp) -> Result<u64> {
        execute!(self.connection, PURGE, before.0, MOST_RUNS_PURGED)
    }
}

impl CustomerWrite {
    /// Starts a run in the phase of fetching; answers its number.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn start_run(&mut self, new: NewRun) -> Result<i64> {
        let (id,) = one!(
            self.connection,
            (i64,),
            START,
            self.customer_id,
            new.public_id.to_string(),
            new.service.name(),
            new.purpose.name(),
            new.trigger.name(),
            new.actor.as_str(),
            new.started_at.0
        )?;
        Ok(id)
    }

    /// Notes where a run is, and what it has read and changed so far.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when this customer has no such run going on.
    pub async fn update_run(&mut self, run_id: i64, phase: Phase, counts: &Counts) -> Result<()> {
        let changed = execute!(
            self.connection,
            UPDATE,
            self.customer_id,
            run_id,
            phase.name(),
            counts_json(counts)?
        )?;
        if changed == 1 { Ok(()) } else { Err(StoreError::Missing("The run")) }
    }

    /// Notes that a run has read the directory completely.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when this customer has no such run going on.
    pub async fn note_read_at(&mut self, run_id: i64, at: Timestamp) -> Result<()> {
        let changed = execute!(self.connection, READ_AT, self.customer_id, run_id, at.0)?;
        if changed == 1 { Ok(()) } else { Err(StoreError::Missing("The run")) }
    }

    /// Ends a run.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when this customer has no such run going on.
    pub async fn finish_run(
        &mut self,
        run_id: i64,
        outcome: Outcome,
        error: Option<&str>,
        summary: &str,
        counts: &Counts,
        now: Timestamp,
    ) -> Result<()> {
        let changed = execute!(
            self.connection,
            FINISH,
            self.customer_id,
            run_id,
            outcome.name(),
            error,
            summary,
            now.0,
            counts_json(counts)?
        )?;
        if changed == 1 { Ok(()) } else { Err(StoreError::Missing("The run")) }
    }

    /// Adds notices behind those that the run has.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when this customer has no such run.
    pub async fn add_notices(&mut self, run_id: i64, notices: &[Notice]) -> Result<()> {
        if notices.is_empty() {
            return Ok(());
        }
        let (last,) = one!(self.connection, (i64,), LAST_SEQ, self.customer_id, run_id)?;
        let given = Given::nothing()
            .ints((last + 1..).take(notices.len()))
            .texts(notices.iter().map(|notice| notice.kind.name()))
            .texts(notices.iter().map(|notice| notice.external_id.as_str()))
            .texts(notices.iter().map(|notice| notice.display_name.as_str()))
            .texts(notices.iter().map(|notice| notice.detail.as_str()));
        match execute!(self.connection, ADD_NOTICES, self.customer_id, run_id; given)? {
            0 => Err(StoreError::Missing("The run")),
            _ => Ok(()),
        }
    }
}
