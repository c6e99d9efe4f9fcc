//! Steps that run a sync, and what must hold after each.

use domain::run::{Purpose, Trigger};
use store::Lease;
use sync::run::{RunReport, StartRefused, run_to_end};

use crate::{
    compare::{self, Seen},
    portal::Portal,
    steps::Step,
    sync::{self as reference, Counts},
    tenant::Tenant,
    world::{World, actor},
};

type Checked = Result<(), String>;

fn ensure(holds: bool, what: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(what()) }
}

impl World {
    /// Runs what the step says; `None` for a step that is no run.
    pub async fn run(&mut self, step: Step) -> Option<Checked> {
        if !self.rules.enabled {
            return matches!(
                step,
                Step::Sync | Step::SyncTwice | Step::Preview | Step::Interrupted { .. } | Step::Faulty { .. }
            )
            .then_some(Ok(()));
        }
        Some(match step {
            Step::Sync => self.sync().await,
            Step::SyncTwice => self.sync_twice().await,
            Step::Preview => self.preview().await,
            Step::Interrupted { at, kill, later } => self.interrupted(at, kill, later).await,
            Step::Faulty { groups, later } => self.faulty(groups, later).await,
            _ => return None,
        })
    }

    async fn start(&self, purpose: Purpose) -> RunReport {
        loop {
            let started =
                run_to_end(&self.engine, &self.customer, purpose, Trigger::CommandLine, &actor()).await;
            match started.unwrap() {
                Ok(report) => return report,
                // Of a run that was killed. Another process would see that its owner is dead; here it is this very process.
                Err(StartRefused::AlreadyRunning(_)) => self.release_lease().await,
                Err(refused) => panic!("{refused}"),
            }
        }
    }

    async fn release_lease(&self) {
        if let Some(row) = self.customer.lease("sync").await.unwrap() {
            let lease = Lease { name: "sync".to_owned(), owner: row.owner, token: row.token };
            self.customer.release_lease(&lease).await.unwrap();
        }
    }

    fn tenant_now(&self) -> Tenant {
        Tenant::of(&self.tenant.sim().directory())
    }

    /// The directory and the model, for whoever looks for the reason of a failure.
    pub fn told(&self) -> String {
        let tenant = self.tenant_now();
        let people = tenant.people.iter().map(|(id, person)| format!("  {id}: {person:?}"));
        let groups = tenant.groups.iter().map(|(id, group)| format!("  {id}: {group:?}"));
        let model = compare::lines(&self.model).into_iter().map(|line| format!("  {line}"));
        people
            .chain(groups)
            .chain(model)
            .chain([format!("  {:?}", self.rules)])
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// What the reference says that a sync would do now.
    fn expected(&mut self) -> (Portal, Counts) {
        let mut portal = self.model.clone();
        let counts = reference::sync(&mut portal, &self.tenant_now(), &self.rules, self.now());
        (portal, counts)
    }

    async fn sync(&mut self) -> Checked {
        if self.between {
            self.settle_between().await?;
        }
        let (portal, counts) = self.expected();
        let report = self.start(Purpose::Sync).await;
        ensure(report.error.is_none(), || format!("the sync failed: {:?}", report.error))?;
        let before = std::mem::replace(&mut self.model, portal);
        self.check(&before).await?;
        compare::counts(&self.customer, &report, Some(counts)).await?;
        let outcome = if counts.held > 0 { "held" } else { "succeeded" };
        ensure(report.outcome == outcome, || format!("the sync {} instead of {outcome}", report.outcome))
    }

    /// A sync that reads on where another one stopped before the tenant changed: what it sees is neither of both, so the model takes over
    /// what came of it, if that is sound.
    async fn settle_between(&mut self) -> Checked {
        let report = self.start(Purpose::Sync).await;
        ensure(report.error.is_none(), || format!("the resumed sync failed: {:?}", report.error))?;
        compare::counts(&self.customer, &report, None).await?;
        let seen = Seen::read(&self.customer).await;
        compare::sound(&self.customer, &seen).await?;
        compare::adopt(self, &seen).await;
        self.between = false;
        Ok(())
    }

    async fn check(&mut self, before: &Portal) -> Checked {
        let seen = Seen::read(&self.customer).await;
        compare::sound(&self.customer, &seen).await?;
        compare::learn(&mut self.model, &seen);
        let tenant = self.tenant_now();
        compare::accept_ties(&mut self.model, &before.groups, &seen, &tenant);
        compare::portal(&self.model, &seen)?;
        compare::mirror(&self.customer, &tenant).await?;
        compare::guard(&self.customer, &self.model, self.now()).await
    }

    async fn sync_twice(&mut self) -> Checked {
        if self.between {
            self.settle_between().await?;
        }
        let (_, first) = self.expected();
        self.sync().await?;
        let (_, again) = self.expected();
        // What is deleted last may leave an address to somebody; and people who were added are a larger number to measure a share of.
        ensure(again.is_quiet() || first.deleted > 0 || first.held > 0, || {
            format!("the reference itself is not settled after a sync: {again:?}")
        })?;
        self.tenant.sim().clear_requests();
        self.sync().await?;
        let log = self.tenant.sim().requests().requests;
        let delta = log.iter().filter(|request| request.path.contains("/delta")).count();
        ensure(delta == 2, || format!("{delta} delta requests of a quiet sync"))?;
        ensure(log.len() <= 4, || format!("{} requests of a quiet sync: {log:?}", log.len()))
    }

    async fn preview(&mut self) -> Checked {
        let before = Seen::read(&self.customer).await.at(self.now());
        let (_, counts) = self.expected();
        let report = self.start(Purpose::Preview).await;
        ensure(report.error.is_none(), || format!("the preview failed: {:?}", report.error))?;
        let after = Seen::read(&self.customer).await;
        before.same(&after).map_err(|difference| format!("a preview changed something:\n{difference}"))?;
        compare::guard(&self.customer, &self.model, self.now()).await?;
        let told =
            (report.changes.added, report.changes.missing, report.changes.restored, report.changes.deleted);
        let expected = (counts.added, counts.missing, counts.restored, counts.deleted);
        ensure(self.between || told == expected, || {
            format!("a preview says {told:?} (added, missing, restored, deleted), not {expected:?}")
        })?;
        self.between = false;
        compare::counts(&self.customer, &report, None).await
    }

    async fn interrupted(&mut self, at: u8, kill: bool, later: bool) -> Checked {
        let (portal, counts) = self.expected();
        // The guard measures a share of the users that there are, so that people who were added before the end are counted by the next run.
        let diluted = counts.held > 0 && counts.added + counts.restored > 0;
        let chunk = if at.is_multiple_of(2) { 1 } else { 1_000 };
        self.restart(chunk);
        self.clock.end_at(i64::from(at), kill, self.engine.clone());
        tokio::select! {
            biased;
            () = self.clock.killed.notified() => {}
            _report = self.start(Purpose::Sync) => {}
        };
        self.clock.let_go();
        self.restart(1_000);
        let seen = Seen::read(&self.customer).await;
        compare::sound(&self.customer, &seen).await?;
        if later || self.between || diluted {
            self.between = true;
            compare::adopt(self, &seen).await;
            return Ok(());
        }
        let report = self.start(Purpose::Sync).await;
        ensure(report.error.is_none(), || format!("the resumed sync failed: {:?}", report.error))?;
        let before = std::mem::replace(&mut self.model, portal);
        // Both runs may have read the whole directory.
        compare::forgive_reads(&mut self.model, &self.customer).await;
        self.check(&before).await?;
        compare::counts(&self.customer, &report, None).await
    }

    async fn faulty(&mut self, groups: bool, later: bool) -> Checked {
        let before = Seen::read(&self.customer).await;
        self.tenant.sim().fail_graph(entra_sim::GraphFault {
            route: if groups { "/groups/delta" } else { "/users/delta" }.to_owned(),
            status: 403,
            code: "Authorization_RequestDenied".to_owned(),
            message: String::new(),
            retry_after: None,
            times: None,
        });
        let report = self.start(Purpose::Sync).await;
        self.tenant.sim().clear_graph_faults();
        ensure(report.outcome == "failed", || format!("a sync without a complete read {}", report.outcome))?;
        let after = Seen::read(&self.customer).await;
        before
            .same(&after)
            .map_err(|difference| format!("a failed read changed something:\n{difference}"))?;
        compare::counts(&self.customer, &report, None).await?;
        self.between = true;
        if later { Ok(()) } else { self.resumed().await }
    }

    /// The sync behind one whose read failed a moment ago, with no change of the tenant in between.
    async fn resumed(&mut self) -> Checked {
        self.between = false;
        self.sync().await
    }
}
