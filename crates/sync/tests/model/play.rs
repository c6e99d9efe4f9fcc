//! Playing histories, and shortening one that fails.

use std::{
    fmt::Write as _,
    hash::{BuildHasher, Hasher},
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use domain::Timestamp;

use crate::{
    steps::{Step, history},
    world::{Database, World},
};

/// How many steps a history has; fewer where each takes longer.
const fn length(database: Database) -> usize {
    match database {
        Database::Sqlite => 60,
        Database::Postgres => 40,
    }
}

/// How many histories are played at the same time: one waits for the disk while another computes.
const AT_ONCE: usize = 2;
/// How long a history may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often a failing history is played again to shorten it.
const TRIES: usize = 200;

/// Whether each step is told, with what there was before it.
static TELLING: AtomicBool = AtomicBool::new(false);

/// Plays as many histories as a test or a soak is to have.
pub fn play_many(database: Database, (few, many): (u64, u64)) {
    let variable = |name: &str| std::env::var(name).ok();
    let number = |name: &str| variable(name).and_then(|text| text.parse::<u64>().ok());
    let (first, histories) = match (number("ROLLCALL_HISTORY"), number("ROLLCALL_SOAK")) {
        (Some(seed), _) => {
            let on_postgres = variable("ROLLCALL_HISTORY_ON").is_some_and(|name| name == "postgres");
            if on_postgres != (database == Database::Postgres) {
                return;
            }
            (seed, 1)
        }
        (None, Some(factor)) => {
            // Other ones each time. The hasher's keys are the chance at hand.
            let chance = std::collections::hash_map::RandomState::new().build_hasher().finish();
            (chance % 1_000_000_000, many * factor.max(1))
        }
        (None, None) => (0, few),
    };
    println!("{database:?}: the histories {first} to {}", first + histories - 1);
    let next = AtomicU64::new(first);
    let failed = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + histories || failed.lock().unwrap().is_some() {
                        return;
                    }
                    let steps = history(seed, length(database));
                    if let Err(why) = runtime.block_on(play(database, seed, &steps)) {
                        let mut failed = failed.lock().unwrap();
                        if failed.is_none() {
                            *failed = Some(runtime.block_on(shorten(database, seed, steps, why)));
                        }
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_none(), "{}", failed.unwrap_or_default());
}

/// A step that went wrong, and why.
struct Failure {
    step: usize,
    why: String,
}

async fn play(database: Database, seed: u64, steps: &[Step]) -> Result<(), Failure> {
    let mut world = World::new(database, seed).await;
    let own = steps.to_vec();
    // In a task of its own, so that a panic is a failure like any other.
    let at = std::sync::Arc::new(AtomicU64::new(0));
    let reached = std::sync::Arc::clone(&at);
    let played = tokio::spawn(async move {
        for (step, number) in own.iter().zip(0..) {
            reached.store(number, Ordering::Relaxed);
            if let Err(why) = make(&mut world, *step).await {
                world.remove().await;
                return Err(why);
            }
        }
        world.remove().await;
        Ok(())
    });
    let result = match tokio::time::timeout(PATIENCE, played).await {
        Ok(Ok(result)) => result,
        Ok(Err(broken)) => Err(format!("{broken}")),
        Err(_elapsed) => Err("it does not end".to_owned()),
    };
    result.map_err(|why| Failure { step: usize::try_from(at.load(Ordering::Relaxed)).unwrap(), why })
}

async fn make(world: &mut World, step: Step) -> Result<(), String> {
    if TELLING.load(Ordering::Relaxed) {
        println!("before {step:?}:\n{}\n", world.told());
    }
    if let Some(checked) = world.run(step).await {
        return checked;
    }
    if let Step::Hours(hours) = step {
        let hours = i64::from(hours);
        world.clock.advance(hours * Timestamp::HOUR);
        world.tenant.sim().advance_clock(time::Duration::hours(hours));
        return Ok(());
    }
    if world.change(step) || world.set_rule(step).await || world.decide(step).await {
        return Ok(());
    }
    Err(format!("nobody makes the step {step:?}"))
}

/// Leaves out whatever the failure does not need.
async fn shorten(database: Database, seed: u64, mut steps: Vec<Step>, first: Failure) -> String {
    steps.truncate(first.step + 1);
    let mut failure = first;
    let mut tries = 0;
    let mut part = steps.len() / 2;
    while part > 0 {
        let mut from = 0;
        while from < steps.len() && tries < TRIES {
            tries += 1;
            let mut fewer = steps.clone();
            fewer.drain(from..(from + part).min(steps.len()));
            match play(database, seed, &fewer).await {
                Err(same) => {
                    fewer.truncate(same.step + 1);
                    (steps, failure) = (fewer, same);
                }
                Ok(()) => from += part,
            }
        }
        part /= 2;
    }
    let mut text = format!("history {seed} on {database:?} fails, shortened to:\n");
    for step in &steps {
        let _ = writeln!(text, "  {step:?}");
    }
    let _ = write!(text, "{}", failure.why);
    // Once more, with what there was before each step.
    println!("{text}\n");
    TELLING.store(true, Ordering::Relaxed);
    let _same = play(database, seed, &steps).await;
    text
}
