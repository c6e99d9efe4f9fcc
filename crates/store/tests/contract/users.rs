//! Writing users: addresses that change hands, refusals, counts.

use domain::service::{Source, Status};
use store::{CustomerStore, StoreError, UserWrite};

use crate::support::{NOW, TestDb, address, addresses, new_user, on_both_engines, some_id, write};

/// The user with that key, as it stands.
async fn read(customer: &CustomerStore, external_id: &str) -> store::User {
    let mut write = customer.begin().await.unwrap();
    let users = write.users_by_external_id(Source::Azure, &[external_id.to_owned()]).await.unwrap();
    users.into_iter().next().unwrap()
}

/// The kept counts, after holding them against the users themselves.
async fn counts(db: &TestDb, customer: &CustomerStore) -> Vec<(Source, Status, i64)> {
    let kept = customer.user_counts().await.unwrap();
    for source in Source::ALL {
        for status in Status::ALL {
            let counted = db
                .number(&format!(
                    "SELECT COUNT(*) FROM users WHERE customer_id = {} AND source = '{}' AND status = '{}'",
                    customer.customer().id,
                    source.name(),
                    status.name()
                ))
                .await;
            let kept = kept.iter().find(|(s, t, _)| (*s, *t) == (source, status)).map_or(0, |(.., n)| *n);
            assert_eq!(kept, counted, "{source:?} {status:?}");
        }
    }
    kept
}

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
        assert_eq!(read(&customer, "zoe").await, user);
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
        assert_eq!(read(&customer, "a").await.aliases, []);
        assert_eq!(read(&customer, "b").await.aliases, addresses(&["shared@contoso.com"]));
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

        // One that the directory had lost comes back, one that an administrator switched off stays off, and a Manual user becomes the directory's.
        db.execute(&format!("UPDATE users SET status = 'conflict' WHERE id = {}", ids[0])).await;
        db.execute(&format!("UPDATE users SET status = 'inactive', service_on = FALSE WHERE id = {}", ids[2])).await;
        db.execute("UPDATE user_counts SET users = 0 WHERE source = 'azure'").await;
        db.execute(&format!(
            "INSERT INTO user_counts (customer_id, source, status, users)
             SELECT customer_id, source, status, 1 FROM users WHERE id IN ({}, {})",
            ids[0], ids[2]
        ))
        .await;
        let mut again = batch.clone();
        for (user, id) in again.iter_mut().zip(&ids) {
            user.id = Some(*id);
        }
        again[1].source = Source::Azure;
        again[1].external_id = Some("m".to_owned());
        write(&customer, &again).await;
        assert_eq!(counts(db, &customer).await, [
            (Source::Azure, Status::Active, 2),
            (Source::Azure, Status::Inactive, 1)
        ]);
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
