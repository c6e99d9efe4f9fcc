//! What the pages of administration need: password links, who may do everything, customers' own changes, searching the audit log, and the parts
//! of a run's history.

use domain::{
    Timestamp,
    conflict::{Conflict, Reason, State},
    role::Role,
    run::{Action, NoticeKind, ObjectKind},
};
use store::{AuditEntry, AuditFilter, Change, CustomerStore, NewAdministrator, RunChange, StoreError};

use crate::{
    runs::{notice, start},
    support::{NOW, TestDb, new_user, on_both_engines, some_id, write},
};

async fn administrator(db: &TestDb, email: &str, role: Option<Role>) -> i64 {
    let mut write = db.store.begin().await.unwrap();
    let new = NewAdministrator {
        public_id: some_id(),
        email: email.to_owned(),
        display_name: "Ada".to_owned(),
        password_hash: "$argon2id$hunter2".to_owned(),
        every_customer_role: role,
        created_at: NOW,
    };
    let id = write.add_administrator(new).await.unwrap();
    write.commit().await.unwrap();
    id
}

async fn log(customer: &CustomerStore, actor: &str, action: &str, new: &str) {
    let mut write = customer.begin().await.unwrap();
    let entry = AuditEntry {
        at: NOW,
        administrator_id: None,
        actor: actor.to_owned(),
        action: action.to_owned(),
        object: "Entra ID".to_owned(),
        changes: vec![Change::new("Name", "", new)],
    };
    write.audit(entry).await.unwrap();
    write.commit().await.unwrap();
}

fn changed(action: Action, name: &str) -> RunChange {
    RunChange {
        object: ObjectKind::User,
        object_id: some_id(),
        display_name: name.to_owned(),
        address: "a@contoso.com".to_owned(),
        action,
        reason: String::new(),
        changes: vec![],
    }
}

on_both_engines! {
    async fn a_password_link_is_used_once_in_time_and_replaced_by_the_next(db: &TestDb) {
        let ada = administrator(db, "ada@example.org", None).await;
        let later = NOW.plus(Timestamp::DAY);
        let mut write = db.store.begin().await.unwrap();
        write.put_password_link(ada, &[1; 32], NOW, later).await.unwrap();
        write.put_password_link(ada, &[2; 32], NOW, later).await.unwrap();
        write.commit().await.unwrap();
        assert_eq!(db.store.password_link(&[1; 32], NOW).await.unwrap(), None, "replaced");
        assert_eq!(db.store.password_link(&[2; 32], NOW).await.unwrap(), Some(ada));
        assert_eq!(db.store.password_link(&[2; 32], later).await.unwrap(), None, "expired");
        assert_eq!(db.store.password_links(NOW).await.unwrap(), [(ada, later)]);
        let mut write = db.store.begin().await.unwrap();
        assert_eq!(write.use_password_link(&[2; 32], later).await.unwrap(), None, "expired");
        assert_eq!(write.use_password_link(&[2; 32], NOW).await.unwrap(), Some(ada));
        assert_eq!(write.use_password_link(&[2; 32], NOW).await.unwrap(), None, "used");
        write.put_password_link(ada, &[3; 32], NOW, later).await.unwrap();
        write.prune(later).await.unwrap();
        write.commit().await.unwrap();
        assert_eq!(db.number("SELECT COUNT(*) FROM password_links").await, 0);
    }

    async fn roles_and_accounts_change_and_those_who_may_do_everything_are_counted(db: &TestDb) {
        let ada = administrator(db, "ada@example.org", Some(Role::Administrator)).await;
        let eve = administrator(db, "eve@example.org", Some(Role::Viewer)).await;
        let customer = db.customer().await.customer().id;
        let mut write = db.store.begin().await.unwrap();
        assert_eq!(write.full_administrators().await.unwrap(), 1);
        write.set_every_customer_role(eve, Some(Role::Administrator)).await.unwrap();
        write.grant(eve, customer, Role::Viewer).await.unwrap();
        assert_eq!(write.full_administrators().await.unwrap(), 2);
        write.deactivate_administrator(ada, Some(NOW)).await.unwrap();
        assert_eq!(write.full_administrators().await.unwrap(), 1);
        write.set_password(eve, "").await.unwrap();
        assert_eq!(write.full_administrators().await.unwrap(), 0, "who has no password yet cannot sign in");
        write.rename_administrator(eve, "Eve").await.unwrap();
        assert!(matches!(write.deactivate_administrator(eve + 1, None).await, Err(StoreError::Missing(_))));
        assert!(matches!(write.set_every_customer_role(eve + 1, None).await, Err(StoreError::Missing(_))));
        write.commit().await.unwrap();
        let all = db.store.administrators().await.unwrap();
        assert_eq!(all.iter().map(|own| own.id).collect::<Vec<_>>(), [ada, eve]);
        assert_eq!((all[0].deactivated_at, all[1].roles.as_slice()), (Some(NOW), [(customer, Role::Viewer)].as_slice()));
        assert_eq!(db.store.administrator_by_public_id(all[1].public_id).await.unwrap().as_ref(), Some(&all[1]));
        let mut write = db.store.begin().await.unwrap();
        write.revoke(eve, customer).await.unwrap();
        write.set_every_customer_role(eve, None).await.unwrap();
        write.commit().await.unwrap();
        assert_eq!(db.store.administrator(eve).await.unwrap().unwrap().role_for(customer), None);
    }

    async fn a_customer_changes_itself_alone_and_is_deleted_with_its_rows(db: &TestDb) {
        let (one, two) = (db.customer().await, db.other_customer().await);
        let mut write = one.begin().await.unwrap();
        write.rename_customer("One").await.unwrap();
        write.suspend_customer(Some(NOW)).await.unwrap();
        write.commit().await.unwrap();
        let fresh = db.store.customers().await.unwrap();
        let seen: Vec<_> = fresh.iter().map(|own| (own.name.as_str(), own.suspended_at)).collect();
        assert_eq!(seen, [("One", Some(NOW)), ("Other", None)]);
        log(&one, "ada", "customer.add", "x").await;
        let mut write = db.store.begin().await.unwrap();
        write.delete_customer(one.customer().id).await.unwrap();
        assert!(matches!(write.delete_customer(one.customer().id).await, Err(StoreError::Missing(_))));
        write.commit().await.unwrap();
        assert!(db.store.customer("default").await.unwrap().is_none());
        assert_eq!(db.number("SELECT COUNT(*) FROM audit").await, 0);
        assert!(db.store.customer(&two.customer().slug).await.unwrap().is_some());
    }

    async fn the_audit_log_is_searched_in_any_case_page_by_page_and_each_customer_alone(db: &TestDb) {
        let (one, two) = (db.customer().await, db.other_customer().await);
        for number in 0..5 {
            log(&one, "Ada@example.org", "settings.save", &format!("BÜRO {number}")).await;
            log(&one, "eve@example.org", "administrator.invite", "nothing").await;
        }
        let filter = AuditFilter { actor: "ada".to_owned(), text: " büro".to_owned(), ..AuditFilter::default() };
        assert!(!filter.is_empty());
        let first = one.search_audit(&filter, None, 3).await.unwrap();
        let second = one.search_audit(&filter, first.next, 3).await.unwrap();
        let news: Vec<_> = first.rows.iter().chain(&second.rows).map(|row| row.entry.changes[0].new.as_str()).collect();
        assert_eq!(news, ["BÜRO 4", "BÜRO 3", "BÜRO 2", "BÜRO 1", "BÜRO 0"]);
        assert_eq!(second.next, None);
        let filter = AuditFilter { action: "administrator.invite".to_owned(), ..AuditFilter::default() };
        assert_eq!(one.search_audit(&filter, None, 99).await.unwrap().rows.len(), 5);
        let filter = AuditFilter { action: "administrator".to_owned(), ..AuditFilter::default() };
        assert_eq!(one.search_audit(&filter, None, 99).await.unwrap().rows.len(), 0, "the whole action");
        assert_eq!(two.search_audit(&AuditFilter::default(), None, 99).await.unwrap().rows, []);
        assert_eq!(db.store.search_portal_audit(&AuditFilter::default(), None, 99).await.unwrap().rows, []);
    }

    async fn the_changes_and_notices_of_a_run_are_read_by_kind(db: &TestDb) {
        let (one, two) = (db.customer().await, db.other_customer().await);
        let (run, _) = start(&one).await;
        let mut write = one.begin().await.unwrap();
        let changes = [
            changed(Action::Added, "a"), changed(Action::Deleted, "b"), changed(Action::Added, "c"),
            changed(Action::Added, "d"),
        ];
        write.add_run_changes(run, NOW, &changes).await.unwrap();
        let notices = [NoticeKind::Clash, NoticeKind::NoAddress, NoticeKind::Clash].map(|kind| notice(kind, "x"));
        write.add_notices(run, &notices).await.unwrap();
        write.commit().await.unwrap();
        let first = one.run_changes_of(run, Action::Added, 0, 2).await.unwrap();
        let rest = one.run_changes_of(run, Action::Added, first[1].id, 2).await.unwrap();
        let names: Vec<_> = first.iter().chain(&rest).map(|row| row.change.display_name.as_str()).collect();
        assert_eq!(names, ["a", "c", "d"]);
        let clashes = one.notices_of(run, NoticeKind::Clash, 1, 9).await.unwrap();
        assert_eq!(clashes.iter().map(|(seq, _)| *seq).collect::<Vec<_>>(), [3]);
        assert_eq!(two.run_changes_of(run, Action::Added, 0, 9).await.unwrap(), []);
        assert_eq!(two.notices_of(run, NoticeKind::Clash, 0, 9).await.unwrap(), []);
    }

    async fn deletions_are_counted_by_the_day_on_which_they_are_due(db: &TestDb) {
        let (one, two) = (db.customer().await, db.other_customer().await);
        let names = ["a", "b", "c", "d", "e"];
        let users: Vec<_> = names.iter().map(|name| new_user(name, &format!("{name}@contoso.com"), &[])).collect();
        let ids = write(&one, &users).await;
        let opened = |days: i64| Conflict::opened(Reason::NotInDirectory, NOW.plus(days * Timestamp::DAY));
        let conflicts = [
            opened(0),
            opened(0),
            opened(-9),
            Conflict { not_before: Some(NOW.plus(3 * Timestamp::DAY)), ..opened(-9) },
            Conflict { state: State::Ignored, ..opened(0) },
        ];
        let mut write = one.begin().await.unwrap();
        for (id, conflict) in ids.iter().zip(&conflicts) {
            write.set_conflict(*id, conflict).await.unwrap();
        }
        write.commit().await.unwrap();
        let days = one.deletion_days(NOW, 7 * Timestamp::DAY).await.unwrap();
        assert_eq!(days, [(-2, 1), (3, 1), (7, 2)]);
        assert_eq!(two.deletion_days(NOW, 7 * Timestamp::DAY).await.unwrap(), []);
    }
}
