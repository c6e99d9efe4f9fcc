//! What a sync costs, against the least that it could cost: `make bench`, or `cargo bench -p sync`.
//!
//! Three programs read the same simulated tenant, one after the other, on each engine:
//!
//! - *download* asks for every page of users and groups and reads it, and keeps nothing;
//! - *limit* does that and upserts each object as it came, by its id, into one table: whatever keeps a directory writes at least this;
//! - *sync* is a run of the portal.
//!
//! Each is a process of its own, and so is the tenant: time of the processor and memory are those of one side only. All three read users and
//! groups side by side, and ask for a page while the one before is worked on. They read through the portal's own Graph client, so that what
//! differs is only what they do with the objects.
//!
//! First everything is read without any latency, where work counts most; then a round in which nothing has happened and one in which one in a
//! hundred users has changed; then everything once more from a tenant that takes 50 ms for an answer, where waiting counts most. A line of the
//! table is one program in one of these; below the tables stand the aims, and the same figures as a line of JSON each.
//!
//! | environment | meaning |
//! | --- | --- |
//! | `ROLLCALL_BENCH_USERS` | sizes of the tenant, such as `10000,100000`; 10000 without it. There are 50 groups of 20 members for each 1,000 users |
//! | `ROLLCALL_BENCH_ENGINES` | `sqlite,postgres` without it |
//! | `ROLLCALL_TEST_POSTGRES` | the server's address; `make bench` starts one |

mod child;
mod database;
mod meter;
mod reader;
mod simulator;
mod sync_role;
mod table;

use std::{env, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{
    child::Child,
    database::{Databases, Engine},
    simulator::{Order, Tenant},
    table::{Line, Tables},
};

/// What a role of this program fails with.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Milliseconds that an answer takes where waiting counts.
const FAR: u64 = 50;
/// One in so many users changes.
const CHANGED: usize = 100;

/// Who reads the tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Program {
    /// Reads and keeps nothing.
    Download,
    /// Reads and keeps the objects as they came.
    Limit,
    /// The portal.
    Sync,
}

impl Program {
    const ALL: [Self; 3] = [Self::Download, Self::Limit, Self::Sync];
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Download => "download",
            Self::Limit => "limit",
            Self::Sync => "sync",
        })
    }
}

/// What a reading process is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Task {
    /// The tenant.
    pub tenant: Tenant,
    /// Address of the database, for those that keep something.
    pub database: Option<String>,
    /// Whether the database is fresh.
    pub first: bool,
    /// Where the rounds of users and of groups go on; the portal keeps its own.
    pub links: Option<[String; 2]>,
}

/// What a reading process answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Measure {
    /// How long it took, in seconds.
    pub wall: f64,
    /// Time of the processor meanwhile, in seconds.
    pub cpu: f64,
    /// The same of the database server, when there is one.
    pub server_cpu: f64,
    /// The largest memory that the process had, in MB.
    pub peak_mb: f64,
    /// Users and groups told of.
    pub objects: i64,
    /// Requests, the one for the token and retries included.
    pub requests: i64,
    /// Pages of users and groups.
    pub pages: i64,
    /// Body bytes received.
    pub bytes: i64,
    /// Where the next rounds begin.
    pub links: Option<[String; 2]>,
    /// What the program has to say for itself.
    pub remark: String,
}

fn main() -> Result<(), Failure> {
    let role = env::args().nth(1).unwrap_or_default();
    match role.as_str() {
        "simulator" => simulator::run(),
        "download" => reader::run(Program::Download),
        "limit" => reader::run(Program::Limit),
        "sync" => sync_role::run(),
        // cargo says --bench.
        _ => compare(),
    }
}

/// A list from the environment.
fn list<T: FromStr<Err: Into<Failure>>>(name: &str, otherwise: &str) -> Result<Vec<T>, Failure> {
    let text = env::var(name).unwrap_or_else(|_| otherwise.to_owned());
    text.split(',').map(|part| part.trim().parse::<T>().map_err(Into::into)).collect()
}

fn compare() -> Result<(), Failure> {
    let sizes: Vec<usize> = list("ROLLCALL_BENCH_USERS", "10000")?;
    let engines: Vec<Engine> = list("ROLLCALL_BENCH_ENGINES", "sqlite,postgres")?;
    let mut tables = Tables::default();
    for users in sizes {
        for engine in &engines {
            let databases = Databases::of(*engine)?;
            tables.heading(users, *engine)?;
            on(&databases, users, &mut tables)?;
        }
    }
    tables.end()
}

/// All programs in all circumstances, on one engine.
fn on(databases: &Databases, users: usize, tables: &mut Tables) -> Result<(), Failure> {
    let mut tenant = Child::start("simulator")?;
    let address: Tenant = tenant.ask(&Order::Begin { users })?;

    let mut tasks = Vec::new();
    let mut lines = Vec::new();
    for program in Program::ALL {
        let mut task =
            Task { tenant: address.clone(), database: databases.fresh(program)?, first: true, links: None };
        let measure = Child::once(program, &task, databases)?;
        task.first = false;
        task.links = measure.links.clone();
        tasks.push((program, task));
        lines.push((program, measure));
    }
    tables.add(&Line::of("everything", users, databases.engine, 0, lines))?;

    let mut round = |circumstance, tables: &mut Tables| -> Result<(), Failure> {
        let mut lines = Vec::new();
        for (program, task) in &mut tasks {
            let measure = Child::once(*program, task, databases)?;
            task.links = measure.links.clone();
            lines.push((*program, measure));
        }
        tables.add(&Line::of(circumstance, users, databases.engine, 0, lines))
    };
    round("nothing new", tables)?;
    let () = tenant.ask(&Order::Change { every: CHANGED })?;
    round("1 % changed", tables)?;

    // The changed tenant, from the start: what was read before is forgotten.
    let () = tenant.ask(&Order::Latency { ms: FAR })?;
    let mut lines = Vec::new();
    for program in Program::ALL {
        let task =
            Task { tenant: address.clone(), database: databases.fresh(program)?, first: true, links: None };
        lines.push((program, Child::once(program, &task, databases)?));
    }
    tables.add(&Line::of("everything", users, databases.engine, FAR, lines))
}
