//! One customer's store neither shows nor changes another's rows, whatever ids it is handed.

use domain::{
    Secret,
    group::MemberKind,
    run::{Action, Counts, NoticeKind, Outcome, Phase},
    service::{Service, Source},
};
use store::{AuditEntry, Cursor, CursorKind, CustomerStore, StoreError, UserCursor, UserPage, UserWrite};

use crate::{
    mirror_groups::{directory_group, membership},
    run_changes::change,
    runs::{notice, start},
    support::{NOW, Seeded, TestDb, address, directory_user, new_user, on_both_engines, write},
};

/// The numbers and ids of the rows that a customer was filled with.
struct Filled {
    user: UserWrite,
    user_id: i64,
    run_id: i64,
    run: uuid::Uuid,
    mirror_id: i64,
    group_mirror_id: i64,
}

/// Gives a customer a row in every table.
async fn fill(customer: &CustomerStore) -> Filled {
    let user = new_user("Ada", "ada@contoso.com", &["countess@contoso.com"]);
    let user_id = write(customer, std::slice::from_ref(&user)).await[0];
    let (run_id, run) = start(customer).await;
    let mut write = customer.begin().await.unwrap();
    write.add_notices(run_id, &[notice(NoticeKind::Clash, "ada")]).await.unwrap();
    write.mirror_users(Service::Entra, 1, &[directory_user("ada", &["SMTP:ada@contoso.com"])]).await.unwrap();
    write.save_service(Service::Entra, true, "{}", None, NOW).await.unwrap();
    write.seal_secret("entra", &Secret::new("hunter2"), &Seeded::new(1), NOW).await.unwrap();
    write.set_managed_domains(&["contoso.com".to_owned()]).await.unwrap();
    write.raise_topic("users").await.unwrap();
    write
        .put_cursor(&Cursor {
            service: Service::Entra,
            kind: CursorKind::Users,
            round: 1,
            full: true,
            idle: false,
            link: "next".to_owned(),
            selection: "id".to_owned(),
            pages: 1,
            objects: 1,
            updated_at: NOW,
        })
        .await
        .unwrap();
    write
        .audit(AuditEntry {
            at: NOW,
            administrator_id: None,
            actor: "command line".to_owned(),
            action: "settings.save".to_owned(),
            object: "Azure AD".to_owned(),
            changes: vec![],
        })
        .await
        .unwrap();
    write.commit().await.unwrap();
    fill_groups_and_history(customer, run_id, &user).await;
    customer.take_lease("sync", "a", NOW, 1000, |_| false).await.unwrap().unwrap();
    let mirror_id = customer.dirty_users(Service::Entra, 0, 1).await.unwrap()[0].id;
    let group_mirror_id = customer.dirty_groups(Service::Entra, 0, 1).await.unwrap()[0].id;
    Filled { user, user_id, run_id, run, mirror_id, group_mirror_id }
}

async fn fill_groups_and_history(customer: &CustomerStore, run_id: i64, user: &UserWrite) {
    let mut write = customer.begin().await.unwrap();
    write
        .mirror_groups(Service::Entra, 1, &[directory_group("staff", Some("staff@contoso.com"))])
        .await
        .unwrap();
    write.join_members(Service::Entra, 1, &[membership("staff", "ada", MemberKind::User)]).await.unwrap();
    write.add_run_changes(run_id, NOW, &[change(user.public_id, Action::Added)]).await.unwrap();
    write.commit().await.unwrap();
}

on_both_engines! {
    async fn reading_with_another_customers_ids_is_like_reading_what_is_not_there(db: &TestDb) {
        let theirs = fill(&db.customer().await).await;
        let us = db.other_customer().await;
        assert_eq!(us.user(theirs.user.public_id).await.unwrap(), None);
        assert!(us.user_aliases(&[theirs.user_id]).await.unwrap().is_empty());
        assert_eq!(us.users(UserPage { limit: 9, ..UserPage::default() }).await.unwrap().rows, []);
        let page = us.users(UserPage { before: Some(UserCursor { key: "b".to_owned(), id: 0 }), limit: 9, ..UserPage::default() });
        let page = page.await.unwrap();
        assert_eq!((page.rows.len(), page.has_previous, page.has_next), (0, false, false));
        assert_eq!(us.export_users(None, 9).await.unwrap(), []);
        assert_eq!(us.user_counts().await.unwrap(), []);
        assert_eq!(us.run(theirs.run).await.unwrap(), None);
        assert_eq!(us.runs(None, 9).await.unwrap(), []);
        assert_eq!(us.running(Service::Entra).await.unwrap(), None);
        assert_eq!(us.last_success().await.unwrap(), None);
        assert_eq!(us.notices(theirs.run_id, 0, 9).await.unwrap(), []);
        assert_eq!(us.notice_counts(theirs.run_id).await.unwrap(), []);
        assert_eq!(us.audit(None, 9).await.unwrap(), []);
        assert_eq!(us.service(Service::Entra).await.unwrap(), None);
        assert_eq!(us.secret("entra").await.unwrap(), None);
        assert_eq!(us.secret_saved_at("entra").await.unwrap(), None);
        assert_eq!(us.managed_domains().await.unwrap(), Vec::<String>::new());
        assert_eq!(us.topic_versions().await.unwrap(), []);
        assert_eq!(us.cursor(Service::Entra, CursorKind::Users).await.unwrap(), None);
        assert_eq!(us.dirty_users(Service::Entra, 0, 9).await.unwrap(), []);
        assert_eq!(us.lease("sync").await.unwrap(), None);
        assert_eq!(us.mirror_page(Service::Entra, 0, 9).await.unwrap(), []);
        assert_eq!(us.mirrored_people(Service::Entra, 0, 9).await.unwrap(), []);
        let everywhere = us.mirrored_by_address(Service::Entra, &address("ada@contoso.com"), 9).await.unwrap();
        assert_eq!(everywhere, []);
        assert_eq!(us.mirror_count(Service::Entra).await.unwrap(), 0);
        assert_eq!(us.removal_candidates(Service::Entra, 0, 9).await.unwrap(), None);
        assert_eq!(us.dirty_groups(Service::Entra, 0, 9).await.unwrap(), []);
        assert_eq!(us.group_members(Service::Entra, "staff", "", 9).await.unwrap(), []);
        assert_eq!(us.member_of(Service::Entra, "ada").await.unwrap(), Vec::<String>::new());
        assert_eq!(us.run_changes(theirs.run_id, 0, 9).await.unwrap(), []);
        assert_eq!(us.object_changes(theirs.user.public_id, None, 9).await.unwrap(), []);
        assert_eq!(us.run_change_counts(theirs.run_id).await.unwrap(), []);
        let mut write = us.begin().await.unwrap();
        assert_eq!(write.mirror_by_external_id(Service::Entra, &["ada".to_owned()]).await.unwrap(), []);
        assert_eq!(write.claims(&[address("ada@contoso.com")]).await.unwrap(), []);
        assert_eq!(write.holders(&[address("ada@contoso.com")]).await.unwrap(), []);
        assert_eq!(write.users_by_external_id(Source::Azure, &["ada".to_owned()]).await.unwrap(), []);
    }

    async fn writing_with_another_customers_ids_changes_nothing_of_theirs(db: &TestDb) {
        let them = db.customer().await;
        let theirs = fill(&them).await;
        let us = db.other_customer().await;

        let missing = |result: Result<(), StoreError>| matches!(result, Err(StoreError::Missing(_)));
        let mut write = us.begin().await.unwrap();
        assert!(missing(write.update_run(theirs.run_id, Phase::Apply, &Counts::default()).await));
        let finished = write.finish_run(theirs.run_id, Outcome::Failed, None, "", &Counts::default(), NOW).await;
        assert!(missing(finished));
        assert!(missing(write.note_read_at(theirs.run_id, NOW).await));
        let history = [change(theirs.user.public_id, Action::Deleted)];
        assert!(missing(write.add_run_changes(theirs.run_id, NOW, &history).await));
        assert!(missing(write.add_notices(theirs.run_id, &[notice(NoticeKind::Clash, "x")]).await));
        let taken_over = UserWrite { id: Some(theirs.user_id), ..new_user("Eve", "eve@contoso.com", &[]) };
        assert!(missing(write.write_users(&[taken_over]).await.map(drop)));
        drop(write);

        let mut write = us.begin().await.unwrap();
        write.clear_dirty(Service::Entra, &[theirs.mirror_id]).await.unwrap();
        let (ada, staff) = (["ada".to_owned()], ["staff".to_owned()]);
        assert_eq!(write.mirror_users_gone(Service::Entra, &ada).await.unwrap(), 0);
        assert_eq!(write.end_full_round_users(Service::Entra, 9).await.unwrap(), 0);
        assert_eq!(write.mark_dirty(Service::Entra, &ada).await.unwrap(), 0);
        write.clear_dirty_groups(&[theirs.group_mirror_id]).await.unwrap();
        assert_eq!(write.mirror_groups_gone(Service::Entra, &staff).await.unwrap(), 0);
        assert_eq!(write.end_full_round_groups(Service::Entra, 9).await.unwrap(), 0);
        let staffs = [address("staff@contoso.com")];
        assert_eq!(write.mark_groups_dirty_by_address(Service::Entra, &staffs).await.unwrap(), 0);
        write.leave_members(Service::Entra, &[("staff".to_owned(), "ada".to_owned())]).await.unwrap();
        assert_eq!(write.mark_all_dirty(Service::Entra).await.unwrap(), 0);
        write.release_addresses(&[(theirs.user_id, address("countess@contoso.com"))]).await.unwrap();
        write.remove_secret("entra").await.unwrap();
        write.clear_cursor(Service::Entra, CursorKind::Users).await.unwrap();
        write.set_managed_domains(&[]).await.unwrap();
        write.raise_topic("users").await.unwrap();
        write.save_service(Service::Ldap, true, "{}", None, NOW).await.unwrap();
        write.commit().await.unwrap();

        let user = them.user(theirs.user.public_id).await.unwrap().unwrap();
        assert_eq!((user.display_name.as_str(), user.aliases.len()), ("Ada", 1));
        assert_eq!(them.run(theirs.run).await.unwrap().unwrap().outcome, Outcome::Running);
        assert_eq!(them.notices(theirs.run_id, 0, 9).await.unwrap().len(), 1);
        let mirrored = them.dirty_users(Service::Entra, 0, 9).await.unwrap();
        assert_eq!(mirrored.iter().map(|row| row.gone).collect::<Vec<_>>(), [false]);
        let mirrored = them.dirty_groups(Service::Entra, 0, 9).await.unwrap();
        assert_eq!(mirrored.iter().map(|row| row.gone).collect::<Vec<_>>(), [false]);
        assert_eq!(them.member_of(Service::Entra, "ada").await.unwrap(), ["staff"]);
        assert_eq!(them.run(theirs.run).await.unwrap().unwrap().read_at, None);
        assert_eq!(them.run_changes(theirs.run_id, 0, 9).await.unwrap().len(), 1);
        assert!(them.secret("entra").await.unwrap().is_some());
        assert!(them.cursor(Service::Entra, CursorKind::Users).await.unwrap().is_some());
        assert_eq!(them.managed_domains().await.unwrap(), ["contoso.com"]);
        assert_eq!(them.topic_versions().await.unwrap(), [("users".to_owned(), 1)]);
        assert!(them.service(Service::Entra).await.unwrap().unwrap().enabled);
    }

    async fn two_customers_may_have_the_same_addresses_keys_and_names(db: &TestDb) {
        let (one, two) = (db.customer().await, db.other_customer().await);
        for customer in [&one, &two] {
            write(customer, &[new_user("Ada", "ada@contoso.com", &["countess@contoso.com"])]).await;
            let mut write = customer.begin().await.unwrap();
            write.mirror_users(Service::Entra, 1, &[directory_user("ada", &["SMTP:ada@contoso.com"])]).await.unwrap();
            write.commit().await.unwrap();
        }
        let mut write = one.begin().await.unwrap();
        assert_eq!(write.holders(&[address("ada@contoso.com")]).await.unwrap().len(), 1);
        assert_eq!(write.claims(&[address("ada@contoso.com")]).await.unwrap().len(), 1);
        drop(write);
        assert_eq!(two.export_users(None, 9).await.unwrap().len(), 1);
    }

    async fn the_database_itself_lets_no_row_point_into_another_customers(db: &TestDb) {
        let theirs = fill(&db.customer().await).await;
        let us = db.other_customer().await.customer().id;
        let strays = [
            format!(
                "INSERT INTO user_addresses (customer_id, address, user_id, is_primary) VALUES ({us}, 'x@contoso.com', {}, FALSE)",
                theirs.user_id
            ),
            format!(
                "INSERT INTO mirror_addresses (customer_id, mirror_user_id, address, kind) VALUES ({us}, {}, 'x@contoso.com', 'alias')",
                theirs.mirror_id
            ),
            format!(
                "INSERT INTO run_notices (customer_id, run_id, seq, kind, external_id, display_name, detail)
                 VALUES ({us}, {}, 9, 'clash', '', '', '')",
                theirs.run_id
            ),
            format!(
                "INSERT INTO run_changes (customer_id, run_id, at, object, object_id, display_name, address, action, reason, changes)
                 VALUES ({us}, {}, 0, 'user', '', '', '', 'added', '', '[]')",
                theirs.run_id
            ),
        ];
        for stray in strays {
            assert!(db.refuses(&stray).await, "{stray}");
        }
    }

    async fn a_customer_that_is_deleted_takes_every_row_along(db: &TestDb) {
        let customer = db.customer().await;
        fill(&customer).await;
        db.execute("DELETE FROM customers").await;
        for table in [
            "audit", "cursors", "directory_services", "leases", "managed_domains", "mirror_addresses", "mirror_groups", "mirror_members",
            "mirror_users", "run_changes", "run_notices",
            "runs", "secrets", "topics", "user_addresses", "user_counts", "users",
        ] {
            assert_eq!(db.number(&format!("SELECT COUNT(*) FROM {table}")).await, 0, "{table}");
        }
    }
}
