//! How long a first sync takes, and a second one that changes nothing: `cargo bench -p sync`. `USERS=100000` before it asks for more people.
//!
//! The simulated tenant runs in this process, so time and memory are those of both sides together.

use std::{
    io::Write as _,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Instant, SystemTime},
};

use directory::entra::{Endpoints, Http};
use domain::{Clock, Random, Secret, Timestamp, run::Trigger, settings::EntraText};
use entra_sim::{Options, Sim, Size};
use store::{DatabaseUrl, Store, Vault};
use sync::{
    Actor, Engine,
    connect::{self, ConnectForm},
    run::run_to_end,
};

struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "a benchmark lives in real time, and its lease must not run out"
    )]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

struct Counting(AtomicU64);

impl Random for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let bits = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed).to_le_bytes();
            for (byte, value) in chunk.iter_mut().zip(bits) {
                *byte = value;
            }
        }
    }
}

type Failure = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let users = std::env::var("USERS").ok().and_then(|text| text.parse().ok()).unwrap_or(10_000);
    let size = Size { users, ..Size::default() };
    let tenant = Sim::start(Options { size, ..Options::default() }).await?;
    let folder = tempfile::tempdir()?;
    let store =
        Store::open(&DatabaseUrl::Sqlite(folder.path().join("rollcall.db")), Vault::new([7; 32])).await?;
    let customer = store.customer("default").await?.ok_or("a fresh database has no customer")?;
    let endpoints = Endpoints::parse(tenant.url(), tenant.url())?;
    let random = Arc::new(Counting(AtomicU64::new(1)));
    let engine = Engine::new(store, Http::new(None)?, endpoints, Arc::new(SystemClock), random);
    let text = EntraText {
        enabled: true,
        tenant: tenant.tenant_id(),
        client_id: tenant.client_id(),
        sync_frequency: "6h".to_owned(),
        delete_users_after: "7d".to_owned(),
        ..EntraText::default()
    };
    let form =
        ConnectForm { text, secret: Some(Secret::new(tenant.client_secret())), ..ConnectForm::default() };
    let actor = Actor::command_line();
    connect::save(&engine, &customer, &actor, form).await?.map_err(|refused| format!("{refused:?}"))?;
    for name in ["first sync", "second sync"] {
        let began = Instant::now();
        let report = run_to_end(&engine, &customer, Trigger::CommandLine, &actor).await??;
        let seconds = began.elapsed().as_secs_f64();
        writeln!(
            std::io::stdout(),
            "{name:<12} {seconds:>7.2} s  {:>9} KB peak  {}",
            peak(),
            report.summary
        )?;
    }
    tenant.stop().await;
    Ok(())
}

/// The largest memory that this process had, in KB.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or_else(String::new, |line| line.trim().trim_end_matches(" kB").to_owned())
}
