//! The recycle bin: what is deleted is gone everywhere else, and comes back as the one it was.

use domain::{
    Timestamp,
    conflict::{Conflict, Reason, State},
    group::GroupKind,
    guard::Guarded,
    run::ObjectKind,
    service::{Source, Status},
};
use store::{Binned, BinnedGroup, BinnedUser, CustomerStore, Deletion, StoreError, UserWrite};

use crate::{
    groups::new_group,
    support::{
        NOW, TestDb, address, addresses, counts, in_one_write, missing, new_user, on_both_engines, read,
        some_id, write,
    },
};

const DAY: i64 = Timestamp::DAY;

fn deletion(user_id: i64) -> Deletion {
    Deletion { user_id, reason: "by hand".to_owned() }
}

async fn delete(customer: &CustomerStore, user_ids: &[i64]) -> Vec<i64> {
    let deletions: Vec<_> = user_ids.iter().copied().map(deletion).collect();
    in_one_write!(customer, |write| {
        write.delete_users(&deletions, "eve@contoso.com", NOW.plus(5)).await.unwrap()
    })
}

async fn bin(customer: &CustomerStore) -> Vec<Binned> {
    customer.recycle_bin(None, 100).await.unwrap()
}

on_both_engines! {
    async fn a_deleted_user_is_in_the_bin_with_all_that_it_was_and_nowhere_else(db: &TestDb) {
        let customer = db.customer().await;
        let leaver = UserWrite {
            conflict: Some(missing(3)),
            service_on: false,
            sign_in_blocked: true,
            ..new_user("Ada", "ada@contoso.com", &["b@contoso.com", "a@contoso.com"])
        };
        let manual = UserWrite { source: Source::Manual, external_id: None, ..new_user("Manual", "m@contoso.com", &[]) };
        let ids = write(&customer, &[leaver.clone(), manual, new_user("C", "c@contoso.com", &[])]).await;
        in_one_write!(customer, |write| {
            write.await_take_overs(&[(ids[1], "x".to_owned(), "X".to_owned())], NOW).await.unwrap();
            for kind in [Guarded::Removal, Guarded::Deletion] {
                write.hold(1, kind, &[(ids[0], "gone".to_owned()), (ids[2], "gone".to_owned())], NOW).await.unwrap();
            }
        });
        // Twice the same and one that is not there are no error.
        assert_eq!(delete(&customer, &[ids[0], ids[1], ids[0], 999_999]).await, ids[..2]);
        let [manual, ada] = bin(&customer).await.try_into().unwrap();
        assert_eq!(ada, Binned {
            id: ada.id,
            object: ObjectKind::User,
            object_id: ids[0],
            public_id: leaver.public_id,
            source: Source::Azure,
            external_id: Some("ada".to_owned()),
            display_name: "Ada".to_owned(),
            address: "ada@contoso.com".to_owned(),
            reason: "by hand".to_owned(),
            deleted_by: "eve@contoso.com".to_owned(),
            deleted_at: NOW.plus(5),
            user: Some(BinnedUser {
                primary: "ada@contoso.com".to_owned(),
                aliases: vec!["a@contoso.com".to_owned(), "b@contoso.com".to_owned()],
                service_on: false,
                sign_in_blocked: true,
                created_at: NOW,
                missing_since: Some(NOW.plus(3)),
            }),
            group: None,
        });
        assert_eq!((manual.source, manual.external_id, manual.user.unwrap().missing_since), (Source::Manual, None, None));

        assert_eq!(customer.user(leaver.public_id).await.unwrap(), None);
        assert_eq!(customer.conflicts(None, 9).await.unwrap(), []);
        assert_eq!(customer.take_overs().await.unwrap(), []);
        for kind in [Guarded::Removal, Guarded::Deletion] {
            let held = customer.held(kind, 0, 9).await.unwrap();
            assert_eq!(held.iter().map(|row| row.held.object_id).collect::<Vec<_>>(), [ids[2]]);
        }
        assert_eq!(db.number(&format!("SELECT COUNT(*) FROM held WHERE object_id = {}", ids[0])).await, 0);
        assert_eq!(counts(db, &customer).await, [(Source::Azure, Status::Active, 1)]);
        // The addresses are free.
        write(&customer, &[new_user("New", "a@contoso.com", &["ada@contoso.com"])]).await;
    }

    async fn a_restored_user_has_its_number_its_id_and_its_birth(db: &TestDb) {
        let customer = db.customer().await;
        let leaver = UserWrite { conflict: Some(missing(0)), ..new_user("Ada", "ada@contoso.com", &["a@contoso.com"]) };
        let [id] = write(&customer, std::slice::from_ref(&leaver)).await.try_into().unwrap();
        delete(&customer, &[id]).await;
        let [other] = write(&customer, &[new_user("Later", "later@contoso.com", &[])]).await.try_into().unwrap();
        assert_ne!(other, id, "a number is never given twice");

        let restored = in_one_write!(customer, |write| {
            let [binned] = write.binned(Source::Azure, &["ada".to_owned(), "nobody".to_owned()]).await.unwrap().try_into().unwrap();
            let user = binned.user.unwrap();
            let restored = UserWrite {
                restore_as: Some(binned.object_id),
                public_id: binned.public_id,
                aliases: addresses(&["a@contoso.com"]),
                created_at: Some(user.created_at),
                now: NOW.plus(9),
                ..new_user(&binned.display_name, &user.primary, &[])
            };
            let new = new_user("New", "new@contoso.com", &[]);
            let ids = write.write_users(&[new, restored]).await.unwrap().ids;
            write.take_from_bin(&[binned.id]).await.unwrap();
            ids[1]
        });
        assert_eq!(restored, id);
        let user = customer.user(leaver.public_id).await.unwrap().unwrap();
        assert_eq!((user.id, user.created_at, user.changed_at), (id, NOW, NOW.plus(9)));
        assert_eq!((user.status, user.aliases), (Status::Active, addresses(&["a@contoso.com"])));
        assert_eq!(bin(&customer).await, []);
        assert_eq!(counts(db, &customer).await, [(Source::Azure, Status::Active, 3)]);
        // It can be deleted once more, and users that come later get numbers of their own.
        assert_eq!(delete(&customer, &[id]).await, [id]);
        write(&customer, &[new_user("Last", "last@contoso.com", &[])]).await;
        counts(db, &customer).await;
    }

    async fn a_user_is_not_restored_over_one_that_is_there(db: &TestDb) {
        let customer = db.customer().await;
        let [id] = write(&customer, &[new_user("A", "a@contoso.com", &[])]).await.try_into().unwrap();
        let mut write = customer.begin().await.unwrap();
        let twin = UserWrite { restore_as: Some(id), ..new_user("B", "b@contoso.com", &[]) };
        assert!(matches!(write.write_users(&[twin]).await, Err(StoreError::Taken(_))));
    }

    async fn only_those_that_are_still_due_are_deleted_on_time(db: &TestDb) {
        let customer = db.customer().await;
        let user = |key: &str, conflict: Option<Conflict>| UserWrite { conflict, ..new_user(key, &format!("{key}@contoso.com"), &[]) };
        let ids = write(&customer, &[
            user("due", Some(Conflict { reason: Reason::DisabledInDirectory, ..missing(0) })),
            user("back", None),
            user("ignored", Some(Conflict { state: State::Ignored, ..missing(0) })),
            user("later", Some(missing(1))),
            user("promised", Some(Conflict { not_before: Some(NOW.plus(DAY + 1)), ..missing(0) })),
            user("unasked", Some(missing(0))),
            UserWrite { source: Source::Ldap, ..user("ldap", Some(missing(0))) },
        ])
        .await;
        let asked: Vec<i64> = ids.iter().copied().filter(|id| *id != ids[5]).collect();
        let before = read(&customer, ["due"]).await;
        let deleted = in_one_write!(customer, |write| {
            write.delete_due(Source::Azure, NOW.plus(DAY), DAY, &asked, "sync", NOW.plus(DAY)).await.unwrap()
        });
        assert_eq!(deleted, before);
        let [binned] = bin(&customer).await.try_into().unwrap();
        assert_eq!((binned.object_id, binned.reason.as_str()), (ids[0], "disabled in directory"));
        assert_eq!(binned.user.unwrap().missing_since, Some(NOW));
        counts(db, &customer).await;
        assert_eq!(db.number("SELECT COUNT(*) FROM users").await, 6);
        let none = in_one_write!(customer, |write| { write.delete_due(Source::Azure, NOW.plus(9 * DAY), DAY, &[], "sync", NOW).await.unwrap() });
        assert_eq!(none, []);
    }

    async fn a_user_that_lost_its_address_keeps_it_in_the_bin_as_the_last_known_one(db: &TestDb) {
        let customer = db.customer().await;
        let lost = UserWrite { address_lost: true, conflict: Some(missing(0)), ..new_user("A", "a@contoso.com", &["x@contoso.com"]) };
        let ids = write(&customer, &[lost]).await;
        delete(&customer, &ids).await;
        let user = bin(&customer).await.remove(0).user.unwrap();
        assert_eq!((user.primary.as_str(), user.aliases.len()), ("a@contoso.com", 0));
    }

    async fn deleted_groups_are_in_the_bin_as_well(db: &TestDb) {
        let customer = db.customer().await;
        let bare = store::GroupWrite { address: None, kind: GroupKind::Security, ..new_group("Bare", "bare@contoso.com") };
        let ids = in_one_write!(customer, |write| {
            let ids = write.write_groups(&[new_group("All", "all@contoso.com"), bare, new_group("Stays", "stays@contoso.com")]).await.unwrap();
            write.hold(1, Guarded::Group, &[(ids[0], "gone".to_owned())], NOW).await.unwrap();
            ids
        });
        let deleted = in_one_write!(customer, |write| {
            assert_eq!(write.delete_groups(&[999_999], "gone", "sync", NOW).await.unwrap(), Vec::<i64>::new());
            write.delete_groups(&ids[..2], "gone", "sync", NOW).await.unwrap()
        });
        assert_eq!(deleted, ids[..2]);
        let [bare, all] = bin(&customer).await.try_into().unwrap();
        assert_eq!((all.object, all.object_id, all.address.as_str(), all.user), (ObjectKind::Group, ids[0], "all@contoso.com", None));
        assert_eq!(all.group, Some(BinnedGroup { kind: GroupKind::Distribution, created_at: NOW }));
        assert_eq!((bare.address.as_str(), bare.external_id.as_deref()), ("", Some("bare")));
        assert_eq!(customer.group_count(Source::Azure).await.unwrap(), 1);
        assert_eq!(customer.held_count(Guarded::Group).await.unwrap(), 0);
    }

    async fn the_bin_is_read_from_the_latest_and_emptied_from_the_oldest(db: &TestDb) {
        let customer = db.customer().await;
        let users: Vec<_> = (0..4).map(|n| new_user("U", &format!("u{n}@contoso.com"), &[])).collect();
        let ids = write(&customer, &users).await;
        for (after, id) in (0..).zip(&ids) {
            in_one_write!(customer, |write| { write.delete_users(&[deletion(*id)], "eve", NOW.plus(after)).await.unwrap() });
        }
        let first = customer.recycle_bin(None, 3).await.unwrap();
        assert_eq!(first.iter().map(|row| row.object_id).collect::<Vec<_>>(), [ids[3], ids[2], ids[1]]);
        let rest = customer.recycle_bin(Some(first[2].id), 3).await.unwrap();
        assert_eq!(rest.iter().map(|row| row.object_id).collect::<Vec<_>>(), [ids[0]]);

        let mut portal = db.store.begin().await.unwrap();
        assert_eq!(portal.purge_bin(NOW.plus(2)).await.unwrap(), 2);
        assert_eq!(portal.purge_bin(NOW.plus(2)).await.unwrap(), 0);
        portal.commit().await.unwrap();
        assert_eq!(bin(&customer).await.len(), 2);
    }

    async fn another_customers_users_and_entries_are_not_deleted_taken_or_seen(db: &TestDb) {
        let (them, us) = (db.customer().await, db.other_customer().await);
        let due = UserWrite { conflict: Some(missing(0)), ..new_user("A", "a@contoso.com", &[]) };
        let ids = write(&them, &[due, new_user("B", "b@contoso.com", &[])]).await;
        let group_ids = in_one_write!(them, |write| { write.write_groups(&[new_group("G", "g@contoso.com")]).await.unwrap() });
        delete(&them, &ids[1..]).await;
        let theirs = bin(&them).await;

        assert_eq!(bin(&us).await, []);
        assert_eq!(delete(&us, &ids).await, Vec::<i64>::new());
        in_one_write!(us, |write| {
            let later = NOW.plus(9 * DAY);
            assert_eq!(write.delete_due(Source::Azure, later, DAY, &ids, "sync", later).await.unwrap(), []);
            assert_eq!(write.delete_groups(&group_ids, "gone", "sync", later).await.unwrap(), Vec::<i64>::new());
            assert_eq!(write.binned(Source::Azure, &["b".to_owned()]).await.unwrap(), []);
            write.take_from_bin(&[theirs[0].id]).await.unwrap();
        });
        assert_eq!(bin(&them).await, theirs);
        assert_eq!(read(&them, ["a"]).await[0].primary_address, address("a@contoso.com"));
        assert_eq!(them.group_count(Source::Azure).await.unwrap(), 1);
        counts(db, &them).await;

        // Nor is a number that is theirs restored here.
        let mut write = us.begin().await.unwrap();
        let stolen = UserWrite { restore_as: Some(ids[0]), public_id: some_id(), ..new_user("E", "e@contoso.com", &[]) };
        assert!(matches!(write.write_users(&[stolen]).await, Err(StoreError::Taken(_))));
    }
}
