//! Runs, their notices, and how old ones go.

use domain::{
    Timestamp,
    run::{Counts, Notice, NoticeKind, Outcome, Phase, Purpose, Trigger},
    service::Service,
};
use store::{CustomerStore, NewRun, StoreError};
use uuid::Uuid;

use crate::support::{NOW, TestDb, on_both_engines, some_id};

const COUNTS: Counts = Counts {
    users_read: 1,
    groups_read: 2,
    pages: 3,
    requests: 4,
    bytes: 5_000_000_000,
    throttled_ms: 6,
    added: 7,
    updated: 8,
    missing: 9,
    restored: 10,
    deleted: 11,
    left_out: 12,
    groups_added: 13,
    groups_updated: 14,
    groups_deleted: 15,
    held: 16,
    fetch_ms: 17,
    plan_ms: 18,
    apply_ms: 19,
};

/// Starts a run: its number and id.
pub async fn start(customer: &CustomerStore) -> (i64, Uuid) {
    start_for(customer, Purpose::Sync, NOW).await
}

async fn start_for(customer: &CustomerStore, purpose: Purpose, started_at: Timestamp) -> (i64, Uuid) {
    let public_id = some_id();
    let new = NewRun {
        public_id,
        service: Service::Entra,
        purpose,
        trigger: Trigger::SyncNow,
        actor: "ada@example.org".to_owned(),
        started_at,
    };
    let mut write = customer.begin().await.unwrap();
    let id = write.start_run(new).await.unwrap();
    write.commit().await.unwrap();
    (id, public_id)
}

async fn finish(customer: &CustomerStore, run_id: i64, outcome: Outcome) {
    let mut write = customer.begin().await.unwrap();
    let error = (outcome == Outcome::Failed).then_some("The tenant did not answer.");
    write.finish_run(run_id, outcome, error, "5 added", &COUNTS, NOW.plus(9)).await.unwrap();
    write.commit().await.unwrap();
}

pub fn notice(kind: NoticeKind, external_id: &str) -> Notice {
    Notice {
        kind,
        external_id: external_id.to_owned(),
        display_name: "Zoë".to_owned(),
        detail: "Skipped.".to_owned(),
    }
}

on_both_engines! {
    async fn a_run_is_followed_from_its_start_to_its_end(db: &TestDb) {
        let customer = db.customer().await;
        let (id, public_id) = start(&customer).await;
        let run = customer.running(Service::Entra).await.unwrap().unwrap();
        assert_eq!((run.id, run.phase, run.outcome, run.finished_at), (id, Phase::Fetch, Outcome::Running, None));
        assert_eq!((run.trigger, run.actor.as_str(), run.started_at), (Trigger::SyncNow, "ada@example.org", NOW));
        assert_eq!((run.purpose, run.read_at, run.counts), (Purpose::Sync, None, Counts::default()));
        assert_eq!(customer.running(Service::Ldap).await.unwrap(), None);

        let mut write = customer.begin().await.unwrap();
        write.update_run(id, Phase::Apply, &COUNTS).await.unwrap();
        write.note_read_at(id, NOW.plus(5)).await.unwrap();
        write.commit().await.unwrap();
        let run = customer.run(public_id).await.unwrap().unwrap();
        assert_eq!((run.phase, run.counts, run.read_at), (Phase::Apply, COUNTS, Some(NOW.plus(5))));

        finish(&customer, id, Outcome::Failed).await;
        let run = customer.run(public_id).await.unwrap().unwrap();
        assert_eq!((run.phase, run.outcome, run.finished_at), (Phase::Done, Outcome::Failed, Some(NOW.plus(9))));
        assert_eq!((run.error.as_deref(), run.summary.as_str()), (Some("The tenant did not answer."), "5 added"));
        assert_eq!(run.counts, COUNTS);
        assert_eq!(customer.running(Service::Entra).await.unwrap(), None);
    }

    async fn a_run_that_is_over_is_not_changed_any_more(db: &TestDb) {
        let customer = db.customer().await;
        let (id, public_id) = start(&customer).await;
        finish(&customer, id, Outcome::Succeeded).await;
        let mut write = customer.begin().await.unwrap();
        assert!(matches!(write.update_run(id, Phase::Fetch, &Counts::default()).await, Err(StoreError::Missing(_))));
        let again = write.finish_run(id, Outcome::Failed, None, "", &Counts::default(), NOW).await;
        assert!(matches!(again, Err(StoreError::Missing(_))));
        assert!(matches!(write.note_read_at(id, NOW).await, Err(StoreError::Missing(_))));
        write.commit().await.unwrap();
        assert_eq!(customer.run(public_id).await.unwrap().unwrap().outcome, Outcome::Succeeded);
    }

    async fn runs_come_latest_first_page_by_page_and_the_last_success_is_known(db: &TestDb) {
        let customer = db.customer().await;
        assert_eq!(customer.last_success().await.unwrap(), None);
        let mut ids = Vec::new();
        for outcome in [Outcome::Succeeded, Outcome::Succeeded, Outcome::Failed] {
            let (id, _) = start(&customer).await;
            finish(&customer, id, outcome).await;
            ids.insert(0, id);
        }
        let numbers = |runs: Vec<store::Run>| runs.into_iter().map(|run| run.id).collect::<Vec<_>>();
        assert_eq!(numbers(customer.runs(None, 2).await.unwrap()), ids[..2]);
        assert_eq!(numbers(customer.runs(Some(ids[1]), 2).await.unwrap()), ids[2..]);
        assert_eq!(customer.last_success().await.unwrap().unwrap().id, ids[1]);
    }

    async fn notices_go_on_counting_over_transactions_and_are_counted_by_kind(db: &TestDb) {
        let customer = db.customer().await;
        let (run, _) = start(&customer).await;
        for batch in [["a", "b"], ["c", "d"]] {
            let mut write = customer.begin().await.unwrap();
            let batch = batch.map(|key| {
                notice(if key == "d" { NoticeKind::Clash } else { NoticeKind::NoAddress }, key)
            });
            write.add_notices(run, &batch).await.unwrap();
            write.add_notices(run, &[]).await.unwrap();
            write.commit().await.unwrap();
        }
        let all = customer.notices(run, 0, 10).await.unwrap();
        assert_eq!(all.iter().map(|(seq, n)| (*seq, n.external_id.as_str())).collect::<Vec<_>>(), [
            (1, "a"),
            (2, "b"),
            (3, "c"),
            (4, "d")
        ]);
        assert_eq!(all[0].1, notice(NoticeKind::NoAddress, "a"));
        let page = customer.notices(run, 1, 2).await.unwrap();
        assert_eq!(page.iter().map(|(seq, _)| *seq).collect::<Vec<_>>(), [2, 3]);
        let mut counts = customer.notice_counts(run).await.unwrap();
        counts.sort_by_key(|(_, count)| *count);
        assert_eq!(counts, [(NoticeKind::Clash, 1), (NoticeKind::NoAddress, 3)]);
    }

    async fn the_last_success_is_a_sync_that_succeeded_or_holds_removals_back(db: &TestDb) {
        let customer = db.customer().await;
        let mut last = None;
        for (purpose, outcome, counts) in [
            (Purpose::Sync, Outcome::Held, true),
            (Purpose::Read, Outcome::Succeeded, false),
            (Purpose::Sync, Outcome::Failed, false),
            (Purpose::Sync, Outcome::Succeeded, true),
            (Purpose::Preview, Outcome::Held, false),
            (Purpose::Sync, Outcome::Held, true),
        ] {
            let (id, _) = start_for(&customer, purpose, NOW).await;
            finish(&customer, id, outcome).await;
            if counts {
                last = Some((id, outcome));
            }
            let found = customer.last_success().await.unwrap().map(|run| (run.id, run.outcome));
            assert_eq!(found, last, "{purpose:?} {outcome:?}");
        }
    }

    async fn old_runs_go_with_what_hangs_on_them_but_never_a_customers_last_success(db: &TestDb) {
        let (one, two) = (db.customer().await, db.other_customer().await);
        let old = NOW.plus(-1);
        let mut kept = Vec::new();
        for (customer, purpose, at, outcome, stays) in [
            (&one, Purpose::Sync, old, Some(Outcome::Succeeded), false),
            (&one, Purpose::Sync, old, Some(Outcome::Held), true),
            (&one, Purpose::Read, old, Some(Outcome::Succeeded), false),
            (&one, Purpose::Sync, old, Some(Outcome::Failed), false),
            (&one, Purpose::Sync, old, None, true),
            (&one, Purpose::Sync, NOW, Some(Outcome::Failed), true),
            (&two, Purpose::Sync, old, Some(Outcome::Succeeded), true),
        ] {
            let (id, _) = start_for(customer, purpose, at).await;
            let mut write = customer.begin().await.unwrap();
            write.add_notices(id, &[notice(NoticeKind::Clash, "ada")]).await.unwrap();
            write.commit().await.unwrap();
            if let Some(outcome) = outcome {
                finish(customer, id, outcome).await;
            }
            if stays {
                kept.push(id);
            }
        }
        let mut write = db.store.begin().await.unwrap();
        assert_eq!(write.purge_runs(NOW).await.unwrap(), 3);
        assert_eq!(write.purge_runs(NOW).await.unwrap(), 0);
        write.commit().await.unwrap();
        let mut left: Vec<i64> = Vec::new();
        for customer in [&one, &two] {
            left.extend(customer.runs(None, 9).await.unwrap().into_iter().map(|run| run.id));
        }
        left.sort_unstable();
        assert_eq!(left, kept);
        assert_eq!(db.number("SELECT COUNT(*) FROM run_notices").await, 4);
    }

    async fn no_more_than_two_hundred_runs_go_at_once_the_oldest_first(db: &TestDb) {
        let customer = db.customer().await;
        db.execute(
            "INSERT INTO runs (public_id, customer_id, service, purpose, trigger, actor, phase, outcome, started_at, counts)
             WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 230)
             SELECT 'old-' || n, (SELECT MIN(id) FROM customers), 'entra', 'sync', 'schedule', '', 'done', 'failed', 1000 - n, '{}' FROM n",
        )
        .await;
        let mut write = db.store.begin().await.unwrap();
        assert_eq!(write.purge_runs(NOW).await.unwrap(), 200);
        write.commit().await.unwrap();
        assert_eq!(db.number("SELECT MIN(started_at) FROM runs").await, 1000 - 30);
        assert!(customer.last_success().await.unwrap().is_none());
    }
}
