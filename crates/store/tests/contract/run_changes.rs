//! What runs did to single objects.

use domain::run::{Action, ObjectKind};
use store::{Change, RunChange, StoreError};
use uuid::Uuid;

use crate::{
    runs::start,
    support::{NOW, TestDb, on_both_engines, some_id},
};

/// A change of that user.
pub fn change(object_id: Uuid, action: Action) -> RunChange {
    RunChange {
        object: ObjectKind::User,
        object_id,
        display_name: "Zoë \"Z\" O'Neil".to_owned(),
        address: "zoe@contoso.com".to_owned(),
        action,
        reason: "not in directory".to_owned(),
        changes: vec![Change::new("Name", "Zoe", "Zoë"), Change::new("Alias", "", "z@contoso.com")],
    }
}

on_both_engines! {
    async fn the_history_of_a_run_comes_back_page_by_page_and_counted(db: &TestDb) {
        let customer = db.customer().await;
        let (run, run_public_id) = start(&customer).await;
        let group = RunChange {
            object: ObjectKind::Group,
            address: String::new(),
            changes: Vec::new(),
            ..change(some_id(), Action::Added)
        };
        let all = [change(some_id(), Action::Added), change(some_id(), Action::Missing), group, change(some_id(), Action::Added)];
        let mut write = customer.begin().await.unwrap();
        write.add_run_changes(run, NOW, &all[..1]).await.unwrap();
        write.add_run_changes(run, NOW.plus(1), &[]).await.unwrap();
        write.add_run_changes(run, NOW.plus(2), &all[1..]).await.unwrap();
        write.commit().await.unwrap();

        let rows = customer.run_changes(run, 0, 9).await.unwrap();
        assert_eq!(rows.iter().map(|row| &row.change).collect::<Vec<_>>(), all.iter().collect::<Vec<_>>());
        assert!(rows.iter().all(|row| row.run_id == run && row.run_public_id == run_public_id));
        assert_eq!((rows[0].at, rows[1].at), (NOW, NOW.plus(2)));
        let page = customer.run_changes(run, rows[0].id, 2).await.unwrap();
        assert_eq!(page, rows[1..3]);
        assert_eq!(customer.run_change_counts(run).await.unwrap(), [
            (ObjectKind::Group, Action::Added, 1),
            (ObjectKind::User, Action::Added, 2),
            (ObjectKind::User, Action::Missing, 1),
        ]);
    }

    async fn the_history_of_an_object_goes_over_runs_the_latest_first(db: &TestDb) {
        let customer = db.customer().await;
        let (ada, other) = (some_id(), some_id());
        let mut runs = Vec::new();
        for action in [Action::Added, Action::Missing, Action::Restored] {
            let (run, _) = start(&customer).await;
            let mut write = customer.begin().await.unwrap();
            write.add_run_changes(run, NOW, &[change(other, action), change(ada, action)]).await.unwrap();
            write.commit().await.unwrap();
            runs.insert(0, run);
        }
        let rows = customer.object_changes(ada, None, 9).await.unwrap();
        assert_eq!(rows.iter().map(|row| (row.run_id, row.change.action)).collect::<Vec<_>>(), [
            (runs[0], Action::Restored),
            (runs[1], Action::Missing),
            (runs[2], Action::Added),
        ]);
        assert!(rows.iter().all(|row| row.change.object_id == ada));
        assert_eq!(customer.object_changes(ada, None, 1).await.unwrap(), rows[..1]);
        assert_eq!(customer.object_changes(ada, Some(rows[0].id), 9).await.unwrap(), rows[1..]);

        db.execute(&format!("DELETE FROM runs WHERE id = {}", runs[1])).await;
        assert_eq!(customer.object_changes(ada, None, 9).await.unwrap().len(), 2);
    }

    async fn a_run_that_is_not_there_has_no_history(db: &TestDb) {
        let customer = db.customer().await;
        let mut write = customer.begin().await.unwrap();
        let refused = write.add_run_changes(7, NOW, &[change(some_id(), Action::Added)]).await;
        assert!(matches!(refused, Err(StoreError::Missing(_))), "{refused:?}");
    }
}
