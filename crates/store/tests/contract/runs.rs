//! Runs, their notices, and checkpoints.

use domain::{
    Timestamp,
    run::{Counts, Notice, NoticeKind, Outcome, Phase, Trigger},
    service::Service,
};
use store::{Checkpoint, CheckpointKind, CustomerStore, NewRun, StoreError};
use uuid::Uuid;

use crate::support::{NOW, TestDb, on_both_engines, some_id};

const COUNTS: Counts =
    Counts { users_read: 1, pages: 2, requests: 3, bytes: 5_000_000_000, added: 5, updated: 6, left_out: 7 };

/// Starts a run: its number and id.
pub async fn start(customer: &CustomerStore) -> (i64, Uuid) {
    let public_id = some_id();
    let new = NewRun {
        public_id,
        service: Service::Entra,
        trigger: Trigger::SyncNow,
        actor: "ada@example.org".to_owned(),
        started_at: NOW,
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
        assert_eq!(customer.running(Service::Ldap).await.unwrap(), None);

        let mut write = customer.begin().await.unwrap();
        write.update_run(id, Phase::Apply, &COUNTS).await.unwrap();
        write.commit().await.unwrap();
        let run = customer.run(public_id).await.unwrap().unwrap();
        assert_eq!((run.phase, run.counts), (Phase::Apply, COUNTS));

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

    async fn a_checkpoint_is_the_last_one_put_until_it_is_cleared(db: &TestDb) {
        let customer = db.customer().await;
        let (service, kind) = (Service::Entra, CheckpointKind::Users);
        assert_eq!(customer.checkpoint(service, kind).await.unwrap(), None);
        let mut checkpoint = Checkpoint {
            service,
            kind,
            round: 1,
            next_link: "https://graph.example/next?$skiptoken=1".to_owned(),
            selection: "id,mail".to_owned(),
            pages: 1,
            objects: 999,
            updated_at: NOW,
        };
        for page in 2..4 {
            checkpoint.pages = page;
            checkpoint.updated_at = Timestamp(page);
            let mut write = customer.begin().await.unwrap();
            write.put_checkpoint(&checkpoint).await.unwrap();
            write.commit().await.unwrap();
        }
        assert_eq!(customer.checkpoint(service, kind).await.unwrap(), Some(checkpoint));
        assert_eq!(customer.checkpoint(Service::Ldap, kind).await.unwrap(), None);
        let mut write = customer.begin().await.unwrap();
        write.clear_checkpoint(service, kind).await.unwrap();
        write.commit().await.unwrap();
        assert_eq!(customer.checkpoint(service, kind).await.unwrap(), None);
    }
}
