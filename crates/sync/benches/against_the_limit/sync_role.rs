//! The program that is measured: a run of the portal, on a database that the portal keeps.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

use directory::entra::{Endpoints, Http};
use domain::{
    Clock, Random, Secret, Timestamp,
    run::{Outcome, Purpose, Trigger},
    settings::EntraText,
};
use store::{DatabaseUrl, Store, Vault};
use sync::{
    Actor, Engine,
    connect::{self, ConnectForm},
    run::run_to_end,
};

use crate::{Failure, Measure, Task, child, meter::Meter};

/// The system's clock.
pub struct SystemClock;

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

/// Numbers that differ from each other and from those of another process, and are no secret.
pub struct NoRandom(AtomicU64);

impl Default for NoRandom {
    fn default() -> Self {
        Self(AtomicU64::new(u64::from(std::process::id()) << 32))
    }
}

impl Random for NoRandom {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            // An odd factor maps different numbers to different ones, and the low ones into all bytes.
            let bits = self.0.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            for (byte, value) in chunk.iter_mut().zip(bits.to_le_bytes()) {
                *byte = value;
            }
        }
    }
}

/// Runs one sync, after it has connected a fresh portal to the tenant.
#[tokio::main]
pub async fn run() -> Result<(), Failure> {
    let Some(Task { tenant, database, first, links: _ }) = child::order()? else { return Ok(()) };
    let address = database.ok_or("a sync needs a database")?;
    let store = Store::open(&DatabaseUrl::parse(&address)?, Vault::new([7; 32])).await?;
    let customer = store.customer("default").await?.ok_or("a fresh database has no customer")?;
    let endpoints = Endpoints::parse(&tenant.url, &tenant.url)?;
    let engine = Engine::new(
        store.clone(),
        Http::new(None)?,
        endpoints,
        Arc::new(SystemClock),
        Arc::new(NoRandom::default()),
    );
    let actor = Actor::command_line();
    if first {
        let text = EntraText {
            enabled: true,
            tenant: tenant.id,
            client_id: tenant.client_id,
            sync_frequency: "6h".to_owned(),
            delete_users_after: "7d".to_owned(),
            ..EntraText::default()
        };
        let secret = Some(Secret::new(tenant.client_secret));
        let form = ConnectForm { text, secret, confirm_tenant: false, ..ConnectForm::default() };
        let saved = connect::save(&engine, &customer, &actor, form).await?;
        saved.map_err(|refused| format!("{refused:?}"))?;
    }
    child::ready()?;
    let meter = Meter::start()?;
    let report = run_to_end(&engine, &customer, Purpose::Sync, Trigger::CommandLine, &actor).await??;
    let reading = meter.read()?;
    let run = customer.run(report.run).await?.ok_or("the run has no row")?;
    if run.outcome != Outcome::Succeeded {
        return Err(format!("the sync did not succeed: {:?} {}", report.error, report.summary).into());
    }
    let counts = run.counts;
    child::answer(&Measure {
        wall: reading.wall,
        cpu: reading.cpu,
        server_cpu: 0.0,
        peak_mb: reading.peak_mb,
        objects: counts.users_read + counts.groups_read,
        requests: counts.requests,
        pages: counts.pages,
        bytes: counts.bytes,
        links: None,
        remark: format!(
            "{} Read {} ms, planned {} ms, applied {} ms.",
            report.summary, counts.fetch_ms, counts.plan_ms, counts.apply_ms
        ),
    })?;
    child::over()?;
    store.close().await;
    Ok(())
}
