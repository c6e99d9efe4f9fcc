//! Writing users: addresses that change hands, refusals, counts.

use domain::{
    conflict::{Conflict, Reason, State},
    service::{Source, Status},
};
use store::{StoreError, UserWrite};

use crate::support::{
    NOW, TestDb, address, addresses, counts, in_one_write, missing, new_user, on_both_engines, read, some_id,
    write,
};

on_both_engines! {
    async fn a_user_comes_back_as_written_and_the_numbers_come_in_the_order_of_the_batch(db: &TestDb) {
        let customer = db.customer().await;
        let zoe = UserWrite {
            sign_in_blocked: true,
            ..new_user("Zoë Ångström", "zoe@contoso.com", &["z@contoso.com", "a@contoso.com", "z@contoso.com", "zoe@contoso.com"])
        };
        let manual = UserWrite { source: Source::Manual, external_id: None, ..new_user("Manual", "m@contoso.com", &[]) };
        let ids = write(&customer, &[zoe.clone(), manual.clone()]).await;
        let user = customer.user(zoe.public_id).await.unwrap().unwrap();
        assert_eq!(user.id, ids[0]);
        assert_eq!((user.display_name.as_str(), user.source), ("Zoë Ångström", Source::Azure));
        assert_eq!(user.primary_address, address("zoe@contoso.com"));
        assert_eq!(user.aliases, addresses(&["a@contoso.com", "z@contoso.com"]), "each once, without the primary");
        assert!(user.sign_in_blocked && user.service_on);
        assert_eq!((user.status, user.created_at, user.changed_at), (Status::Active, NOW, NOW));
        assert_eq!(read(&customer, ["zoe"]).await, [user]);
        let manual = customer.user(manual.public_id).await.unwrap().unwrap();
        assert_eq!((manual.id, manual.external_id), (ids[1], None));
    }

    async fn a_change_keeps_number_id_and_birth_and_takes_the_rest(db: &TestDb) {
        let customer = db.customer().await;
        let new = new_user("Ada Byron", "ada@contoso.com", &["byron@contoso.com"]);
        let ids = write(&customer, std::slice::from_ref(&new)).await;
        let changed = UserWrite {
            id: Some(ids[0]),
            public_id: some_id(),
            display_name: "Ada Lovelace".to_owned(),
            primary: address("lovelace@contoso.com"),
            aliases: addresses(&["ada@contoso.com"]),
            now: NOW.plus(5),
            ..new.clone()
        };
        assert_eq!(write(&customer, &[changed]).await, ids);
        let user = customer.user(new.public_id).await.unwrap().unwrap();
        assert_eq!((user.id, user.display_name.as_str()), (ids[0], "Ada Lovelace"));
        assert_eq!(user.primary_address, address("lovelace@contoso.com"));
        assert_eq!(user.aliases, addresses(&["ada@contoso.com"]));
        assert_eq!((user.created_at, user.changed_at), (NOW, NOW.plus(5)));
        // The address that was let go is free.
        write(&customer, &[new_user("Byron", "byron@contoso.com", &[])]).await;
    }

    async fn two_users_swap_their_addresses_in_one_batch(db: &TestDb) {
        let customer = db.customer().await;
        let (a, b) = (new_user("A", "a@contoso.com", &["x@contoso.com"]), new_user("B", "b@contoso.com", &[]));
        let ids = write(&customer, &[a.clone(), b.clone()]).await;
        let newcomer = new_user("C", "c@contoso.com", &["x@contoso.com"]);
        write(
            &customer,
            &[
                UserWrite { id: Some(ids[0]), primary: address("b@contoso.com"), aliases: vec![], ..a.clone() },
                UserWrite { id: Some(ids[1]), primary: address("a@contoso.com"), aliases: vec![], ..b.clone() },
                newcomer.clone(),
            ],
        )
        .await;
        let primary = async |user: &UserWrite| customer.user(user.public_id).await.unwrap().unwrap().primary_address;
        assert_eq!(primary(&a).await, address("b@contoso.com"));
        assert_eq!(primary(&b).await, address("a@contoso.com"));
        assert_eq!(customer.user(newcomer.public_id).await.unwrap().unwrap().aliases, addresses(&["x@contoso.com"]));
    }

    async fn an_address_held_outside_the_batch_is_refused_by_name_and_nothing_is_written(db: &TestDb) {
        let customer = db.customer().await;
        let ids = write(&customer, &[new_user("A", "a@contoso.com", &["shared@contoso.com"])]).await;
        let mut transaction = customer.begin().await.unwrap();
        let batch = [new_user("B", "b@contoso.com", &["shared@contoso.com"]), new_user("C", "c@contoso.com", &[])];
        let refused = transaction.write_users(&batch).await.unwrap_err();
        assert_eq!(refused.to_string(), "The address shared@contoso.com is already taken.");
        drop(transaction);
        assert_eq!(counts(db, &customer).await, [(Source::Azure, Status::Active, 1)]);

        // Two of one batch cannot have the same address either.
        let mut transaction = customer.begin().await.unwrap();
        let batch = [new_user("D", "d@contoso.com", &["e@contoso.com"]), new_user("E", "e@contoso.com", &[])];
        let refused = transaction.write_users(&batch).await.unwrap_err();
        assert!(refused.to_string().contains("e@contoso.com"), "{refused}");
        drop(transaction);

        // Released first, the address may be given to another.
        let mut transaction = customer.begin().await.unwrap();
        transaction.release_addresses(&[(ids[0], address("shared@contoso.com"))]).await.unwrap();
        transaction.release_addresses(&[]).await.unwrap();
        transaction.write_users(&[new_user("B", "b@contoso.com", &["shared@contoso.com"])]).await.unwrap();
        transaction.commit().await.unwrap();
        let [a, b] = read(&customer, ["a", "b"]).await;
        assert_eq!((a.aliases, b.aliases), (vec![], addresses(&["shared@contoso.com"])));
    }

    async fn the_directorys_key_belongs_to_one_user_of_a_source(db: &TestDb) {
        let customer = db.customer().await;
        write(&customer, &[new_user("A", "a@contoso.com", &[])]).await;
        let twin = UserWrite { external_id: Some("a".to_owned()), ..new_user("A", "a2@contoso.com", &[]) };
        let mut transaction = customer.begin().await.unwrap();
        let refused = transaction.write_users(std::slice::from_ref(&twin)).await.unwrap_err();
        assert!(matches!(refused, StoreError::Taken(_)), "{refused:?}");
        drop(transaction);
        write(&customer, &[UserWrite { source: Source::Ldap, ..twin }]).await;
    }

    async fn counts_follow_every_write(db: &TestDb) {
        let customer = db.customer().await;
        assert_eq!(counts(db, &customer).await, []);
        let manual = UserWrite { source: Source::Manual, external_id: None, ..new_user("M", "m@contoso.com", &[]) };
        let batch = [new_user("A", "a@contoso.com", &[]), manual.clone(), new_user("B", "b@contoso.com", &[])];
        let ids = write(&customer, &batch).await;
        assert_eq!(counts(db, &customer).await, [
            (Source::Azure, Status::Active, 2),
            (Source::Manual, Status::Active, 1)
        ]);

        // One is not delivered any more, and one is switched off.
        let mut again = batch.clone();
        for (user, id) in again.iter_mut().zip(&ids) {
            user.id = Some(*id);
        }
        again[0].conflict = Some(missing(1));
        again[2].service_on = false;
        write(&customer, &again).await;
        assert_eq!(counts(db, &customer).await, [
            (Source::Azure, Status::Conflict, 1),
            (Source::Azure, Status::Inactive, 1),
            (Source::Manual, Status::Active, 1)
        ]);

        // The one comes back, the other stays off, and the Manual user becomes the directory's.
        again[0].conflict = None;
        again[1].source = Source::Azure;
        again[1].external_id = Some("m".to_owned());
        write(&customer, &again).await;
        assert_eq!(counts(db, &customer).await, [
            (Source::Azure, Status::Active, 2),
            (Source::Azure, Status::Inactive, 1)
        ]);
    }

    async fn a_batch_opens_changes_and_closes_conflicts(db: &TestDb) {
        let customer = db.customer().await;
        let full = Conflict {
            reason: Reason::FilteredOut,
            missing_since: NOW.plus(1),
            clock_from: NOW.plus(2),
            not_before: Some(NOW.plus(3)),
            state: State::Ignored,
            ignored_until: Some(NOW.plus(4)),
            note: "on leave; \"back\" in März".to_owned(),
            stay_inactive: true,
            rival: Some("rival".to_owned()),
        };
        let mut a = UserWrite { conflict: Some(full.clone()), ..new_user("A", "a@contoso.com", &["x@contoso.com"]) };
        let mut b = new_user("B", "b@contoso.com", &[]);
        let ids = write(&customer, &[a.clone(), b.clone()]).await;
        let [stored, delivered] = read(&customer, ["a", "b"]).await;
        assert_eq!((stored.status, stored.conflict.as_ref()), (Status::Conflict, Some(&full)));
        assert_eq!((delivered.status, delivered.conflict), (Status::Active, None));
        assert_eq!(stored.aliases, addresses(&["x@contoso.com"]), "a conflict takes no address away");
        assert_eq!(customer.user(a.public_id).await.unwrap(), Some(stored.clone()), "pages see the same");
        assert_eq!(in_one_write!(customer, |write| { write.users_by_id(&ids).await.unwrap() })[0], stored);

        (a.id, b.id) = (Some(ids[0]), Some(ids[1]));
        a.conflict = Some(missing(9));
        b.conflict = Some(missing(9));
        b.service_on = false;
        write(&customer, &[a.clone(), b.clone()]).await;
        let [one, two] = read(&customer, ["a", "b"]).await;
        assert_eq!((one.status, one.conflict), (Status::Conflict, Some(missing(9))));
        assert_eq!((two.status, two.conflict, two.service_on), (Status::Inactive, Some(missing(9)), false));

        a.conflict = None;
        write(&customer, &[a]).await;
        let [one, two] = read(&customer, ["a", "b"]).await;
        assert_eq!((one.status, one.conflict), (Status::Active, None));
        assert_eq!(two.conflict, Some(missing(9)), "who is not in the batch is not touched");
        counts(db, &customer).await;
    }

    async fn a_user_whose_primary_address_was_lost_holds_none_and_keeps_it_as_the_last_known_one(db: &TestDb) {
        let customer = db.customer().await;
        let leaver = UserWrite { conflict: Some(missing(0)), ..new_user("Leaver", "sales@contoso.com", &["l@contoso.com"]) };
        let [id] = write(&customer, std::slice::from_ref(&leaver)).await.try_into().unwrap();
        let lost = UserWrite { id: Some(id), address_lost: true, ..leaver.clone() };
        let heir = UserWrite { external_id: Some("heir".to_owned()), ..new_user("Heir", "sales@contoso.com", &[]) };
        write(&customer, &[lost.clone(), heir.clone()]).await;
        let [user, heir] = read(&customer, ["sales", "heir"]).await;
        assert_eq!((user.primary_address, user.address_lost, user.aliases), (address("sales@contoso.com"), true, vec![]));
        assert_eq!((heir.primary_address, heir.address_lost), (address("sales@contoso.com"), false));
        let rows = customer.users(store::UserPage { limit: 9, ..Default::default() }).await.unwrap().rows;
        assert_eq!(rows.iter().map(|row| (row.display_name.as_str(), row.address_lost)).collect::<Vec<_>>(), [
            ("Heir", false),
            ("Leaver", true)
        ]);
        let exported = customer.export_users(None, 9).await.unwrap();
        assert_eq!(exported.iter().map(|user| user.address_lost).collect::<Vec<_>>(), [true, false]);

        // Both are found under that address; only one is in conflict.
        let found = in_one_write!(customer, |write| {
            assert_eq!(write.conflict_users_by_address(Source::Ldap, &[address("sales@contoso.com")]).await.unwrap(), []);
            write.conflict_users_by_address(Source::Azure, &addresses(&["sales@contoso.com", "l@contoso.com"])).await.unwrap()
        });
        assert_eq!(found.iter().map(|user| user.id).collect::<Vec<_>>(), [id]);

        // With an address of its own, it is like any other.
        write(&customer, &[UserWrite { address_lost: false, conflict: None, primary: address("l@contoso.com"), aliases: vec![], ..lost }]).await;
        let [user] = read(&customer, ["sales"]).await;
        assert_eq!((user.primary_address, user.address_lost), (address("l@contoso.com"), false));
        assert_eq!(in_one_write!(customer, |write| { write.holders(&[address("l@contoso.com")]).await.unwrap() }).len(), 1);
    }

    async fn switching_the_service_changes_status_and_counts_and_leaves_the_conflict(db: &TestDb) {
        let customer = db.customer().await;
        let undelivered = UserWrite { conflict: Some(missing(0)), ..new_user("B", "b@contoso.com", &[]) };
        let ids = write(&customer, &[new_user("A", "a@contoso.com", &[]), undelivered]).await;
        in_one_write!(customer, |write| {
            for id in &ids {
                write.set_service(*id, false).await.unwrap();
            }
        });
        let [a, b] = read(&customer, ["a", "b"]).await;
        assert_eq!((a.status, b.status), (Status::Inactive, Status::Inactive));
        assert_eq!((a.service_on, b.conflict), (false, Some(missing(0))));
        assert_eq!(counts(db, &customer).await, [(Source::Azure, Status::Inactive, 2)]);

        in_one_write!(customer, |write| {
            for id in &ids {
                write.set_service(*id, true).await.unwrap();
            }
        });
        let [a, b] = read(&customer, ["a", "b"]).await;
        assert_eq!((a.status, b.status), (Status::Active, Status::Conflict));
        assert_eq!(counts(db, &customer).await, [(Source::Azure, Status::Active, 1), (Source::Azure, Status::Conflict, 1)]);

        let other = db.other_customer().await;
        let mut write = other.begin().await.unwrap();
        assert!(matches!(write.set_service(ids[0], false).await, Err(StoreError::Missing(_))));
        assert_eq!(write.users_by_id(&ids).await.unwrap(), []);
        assert_eq!(write.conflict_users_by_address(Source::Azure, &[address("b@contoso.com")]).await.unwrap(), []);
        drop(write);
        assert!(read(&customer, ["a"]).await[0].service_on);
    }

    async fn counts_hold_when_many_write_at_once(db: &TestDb) {
        let customer = db.customer().await;
        let writers: Vec<_> = (0..6)
            .map(|writer| {
                let customer = customer.clone();
                tokio::spawn(async move {
                    for round in 0..5 {
                        let key = format!("w{writer}r{round}@contoso.com");
                        write(&customer, &[new_user("Someone", &key, &[])]).await;
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.await.unwrap();
        }
        assert_eq!(counts(db, &customer).await, [(Source::Azure, Status::Active, 30)]);
    }

    async fn a_batch_of_nobody_and_keys_of_nobody_are_no_error(db: &TestDb) {
        let customer = db.customer().await;
        let mut write = customer.begin().await.unwrap();
        assert!(write.write_users(&[]).await.unwrap().ids.is_empty());
        assert_eq!(write.users_by_external_id(Source::Azure, &[]).await.unwrap(), []);
        assert_eq!(write.users_by_external_id(Source::Azure, &["nobody".to_owned()]).await.unwrap(), []);
        write.mirror_users(domain::service::Service::Entra, 1, &[]).await.unwrap();
        write.clear_dirty(&[]).await.unwrap();
        write.commit().await.unwrap();
    }
}
