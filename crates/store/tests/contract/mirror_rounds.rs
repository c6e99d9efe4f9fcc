//! The mirror over rounds of reading: who is gone, who comes back, and whom the portal may have to let go.

use domain::service::{Service, Source, Status};
use store::{Candidate, CustomerStore, MirrorWritten, UserWrite};

use crate::support::{TestDb, address, directory_user, new_user, on_both_engines, write};

/// Mirrors users with these keys, each with the address `KEY@contoso.com`, in a round.
async fn mirror(customer: &CustomerStore, round: i64, keys: &[&str]) -> MirrorWritten {
    let users: Vec<_> =
        keys.iter().map(|key| directory_user(key, &[&format!("SMTP:{key}@contoso.com")])).collect();
    let mut write = customer.begin().await.unwrap();
    let written = write.mirror_users(Service::Entra, round, &users).await.unwrap();
    write.commit().await.unwrap();
    written
}

/// The keys of the dirty objects, sorted, each with whether it is gone.
async fn dirty(customer: &CustomerStore) -> Vec<(String, bool)> {
    let rows = customer.dirty_users(Service::Entra, 0, 100).await.unwrap();
    let mut keys: Vec<_> = rows.into_iter().map(|row| (row.user.external_id, row.gone)).collect();
    keys.sort();
    keys
}

fn keys(pairs: &[(&str, bool)]) -> Vec<(String, bool)> {
    pairs.iter().map(|(key, gone)| ((*key).to_owned(), *gone)).collect()
}

/// Clears the marks of all dirty objects.
async fn clear(customer: &CustomerStore) {
    let ids: Vec<_> =
        customer.dirty_users(Service::Entra, 0, 100).await.unwrap().into_iter().map(|row| row.id).collect();
    let mut write = customer.begin().await.unwrap();
    write.clear_dirty(Service::Entra, &ids).await.unwrap();
    write.commit().await.unwrap();
}

async fn gone(customer: &CustomerStore, keys: &[&str]) -> i64 {
    let keys: Vec<_> = keys.iter().map(ToString::to_string).collect();
    let mut write = customer.begin().await.unwrap();
    let gone = write.mirror_users_gone(Service::Entra, &keys).await.unwrap();
    write.commit().await.unwrap();
    gone
}

async fn end_round(customer: &CustomerStore, round: i64) -> i64 {
    let mut write = customer.begin().await.unwrap();
    let gone = write.end_full_round_users(Service::Entra, round).await.unwrap();
    write.commit().await.unwrap();
    gone
}

async fn is_claimed(customer: &CustomerStore, text: &str) -> bool {
    let mut write = customer.begin().await.unwrap();
    !write.claims(&[address(text)]).await.unwrap().is_empty()
}

/// Opens a conflict of a user past the API.
async fn open_conflict(db: &TestDb, user_id: i64) {
    db.execute(&format!(
        "INSERT INTO conflicts (customer_id, user_id, reason, missing_since, clock_from, state, note, stay_inactive)
         SELECT customer_id, id, 'not_in_directory', 0, 0, 'pending', '', FALSE FROM users WHERE id = {user_id}"
    ))
    .await;
}

on_both_engines! {
    async fn an_object_that_is_gone_is_dirty_keeps_what_it_said_and_claims_nothing(db: &TestDb) {
        let customer = db.customer().await;
        mirror(&customer, 1, &["a", "b"]).await;
        clear(&customer).await;
        assert_eq!(gone(&customer, &["a", "stranger"]).await, 1);
        assert_eq!(gone(&customer, &["a"]).await, 0, "it is gone already");
        assert_eq!(gone(&customer, &[]).await, 0);
        assert_eq!(dirty(&customer).await, keys(&[("a", true)]));
        let row = &customer.dirty_users(Service::Entra, 0, 9).await.unwrap()[0];
        assert_eq!(row.user, directory_user("a", &["SMTP:a@contoso.com"]));
        assert!(!is_claimed(&customer, "a@contoso.com").await);
        assert!(is_claimed(&customer, "b@contoso.com").await);
        assert_eq!(db.number("SELECT COUNT(*) FROM mirror_addresses WHERE address LIKE 'a@%'").await, 0);
    }

    async fn a_gone_object_that_comes_back_is_written_though_it_says_what_it_said(db: &TestDb) {
        let customer = db.customer().await;
        mirror(&customer, 1, &["a", "b"]).await;
        clear(&customer).await;
        gone(&customer, &["a"]).await;
        assert_eq!(mirror(&customer, 2, &["a", "b"]).await, MirrorWritten { written: 1, unchanged: 1, first_told: 2 });
        assert_eq!(dirty(&customer).await, keys(&[("a", false)]));
        assert!(is_claimed(&customer, "a@contoso.com").await);
    }

    async fn clearing_the_mark_of_a_gone_object_forgets_it(db: &TestDb) {
        let customer = db.customer().await;
        mirror(&customer, 1, &["a", "b", "c"]).await;
        gone(&customer, &["a", "c"]).await;
        let ids: Vec<_> = customer
            .dirty_users(Service::Entra, 0, 9)
            .await
            .unwrap()
            .iter()
            .filter(|row| row.user.external_id != "c")
            .map(|row| row.id)
            .collect();
        let mut write = customer.begin().await.unwrap();
        write.clear_dirty(Service::Entra, &ids).await.unwrap();
        let asked = ["a", "b", "c"].map(ToOwned::to_owned);
        let mut left = write.mirror_by_external_id(Service::Entra, &asked).await.unwrap();
        assert_eq!(write.mirror_by_external_id(Service::Ldap, &asked).await.unwrap(), []);
        assert_eq!(write.mirror_by_external_id(Service::Entra, &[]).await.unwrap(), []);
        write.commit().await.unwrap();
        left.sort_by_key(|row| row.id);
        let left: Vec<_> = left.into_iter().map(|row| (row.user.external_id, row.gone)).collect();
        assert_eq!(left, keys(&[("b", false), ("c", true)]), "b was cleared, c was not among those");
        assert_eq!(dirty(&customer).await, keys(&[("c", true)]));
    }

    async fn a_full_round_ends_with_whom_it_did_not_see_gone(db: &TestDb) {
        let customer = db.customer().await;
        mirror(&customer, 1, &["a", "b", "c", "d"]).await;
        gone(&customer, &["d"]).await;
        clear(&customer).await;
        let mut elsewhere = customer.begin().await.unwrap();
        elsewhere.mirror_users(Service::Ldap, 1, &[directory_user("x", &[])]).await.unwrap();
        elsewhere.commit().await.unwrap();
        mirror(&customer, 2, &["a"]).await;
        assert_eq!(end_round(&customer, 2).await, 2);
        assert_eq!(dirty(&customer).await, keys(&[("b", true), ("c", true)]));
        assert!(is_claimed(&customer, "a@contoso.com").await);
        assert!(!is_claimed(&customer, "b@contoso.com").await);
        assert_eq!(end_round(&customer, 2).await, 0, "they are gone already");
        assert!(!customer.dirty_users(Service::Ldap, 0, 9).await.unwrap()[0].gone);
    }

    async fn a_user_whom_the_mirror_never_had_is_gone_at_the_end_of_a_full_round(db: &TestDb) {
        let customer = db.customer().await;
        let by_hand = UserWrite { source: Source::Manual, external_id: None, ..new_user("M", "m@contoso.com", &[]) };
        let of_ldap = UserWrite { source: Source::Ldap, ..new_user("L", "l@contoso.com", &[]) };
        let unlinked = UserWrite { external_id: None, ..new_user("U", "u@contoso.com", &[]) };
        let ids = write(&customer, &[
            new_user("A", "a@contoso.com", &[]),
            new_user("Lost", "lost@contoso.com", &[]),
            new_user("Conflict", "conflict@contoso.com", &[]),
            by_hand,
            of_ldap,
            unlinked,
        ])
        .await;
        open_conflict(db, ids[2]).await;
        mirror(&customer, 5, &["a"]).await;
        clear(&customer).await;
        assert_eq!(end_round(&customer, 5).await, 1);
        assert_eq!(dirty(&customer).await, keys(&[("lost", true)]));
        let row = &customer.dirty_users(Service::Entra, 0, 9).await.unwrap()[0];
        assert_eq!((row.user.proxy_addresses.len(), row.user.attributes.as_str()), (0, "{}"));
        assert_eq!((row.user.mail.as_deref(), row.user.account_enabled), (None, None));
        assert_eq!(end_round(&customer, 6).await, 1, "only a, whom this round did not see");
        assert_eq!(mirror(&customer, 7, &["lost"]).await, MirrorWritten { written: 1, unchanged: 0, first_told: 1 });
    }

    async fn those_with_these_keys_are_marked_dirty(db: &TestDb) {
        let customer = db.customer().await;
        mirror(&customer, 1, &["a", "b", "c"]).await;
        clear(&customer).await;
        let asked = ["a", "c", "stranger"].map(ToOwned::to_owned);
        let mut write = customer.begin().await.unwrap();
        assert_eq!(write.mark_dirty(Service::Ldap, &asked).await.unwrap(), 0);
        assert_eq!(write.mark_dirty(Service::Entra, &asked).await.unwrap(), 2);
        assert_eq!(write.mark_dirty(Service::Entra, &asked).await.unwrap(), 0);
        write.commit().await.unwrap();
        assert_eq!(dirty(&customer).await, keys(&[("a", false), ("c", false)]));
    }

    async fn the_directorys_objects_come_page_by_page_without_those_that_are_gone(db: &TestDb) {
        let customer = db.customer().await;
        mirror(&customer, 1, &["a", "b", "c", "d"]).await;
        clear(&customer).await;
        gone(&customer, &["b"]).await;
        let first = customer.mirror_page(Service::Entra, 0, 2).await.unwrap();
        let second = customer.mirror_page(Service::Entra, first[1].id, 9).await.unwrap();
        let names: Vec<_> = first.iter().chain(&second).map(|row| row.user.external_id.as_str()).collect();
        assert_eq!(names, ["a", "c", "d"]);
        assert_eq!((first.len(), customer.mirror_count(Service::Entra).await.unwrap()), (2, 3));
        assert_eq!(customer.mirror_page(Service::Ldap, 0, 9).await.unwrap(), []);
        assert_eq!(customer.mirror_count(Service::Ldap).await.unwrap(), 0);
    }

    async fn the_people_of_the_directory_come_page_by_page_with_their_users(db: &TestDb) {
        let customer = db.customer().await;
        mirror(&customer, 1, &["a", "b", "c", "d"]).await;
        let of_ldap = UserWrite { source: Source::Ldap, ..new_user("B", "other@contoso.com", &[]) };
        let ids = write(&customer, &[new_user("A", "a@contoso.com", &[]), of_ldap, new_user("D", "d@contoso.com", &[])]).await;
        open_conflict(db, ids[2]).await;
        gone(&customer, &["c"]).await;
        let first = customer.mirrored_people(Service::Entra, 0, 2).await.unwrap();
        let second = customer.mirrored_people(Service::Entra, first[1].mirror.id, 9).await.unwrap();
        let seen: Vec<_> = first
            .iter()
            .chain(&second)
            .map(|row| (row.mirror.user.external_id.as_str(), row.user.map(|user| (user.id, user.status, user.in_conflict))))
            .collect();
        assert_eq!(seen, [
            ("a", Some((ids[0], Status::Active, false))),
            ("b", None),
            ("d", Some((ids[2], Status::Active, true))),
        ]);
        assert_eq!(customer.mirrored_people(Service::Ldap, 0, 9).await.unwrap(), []);
        let at = async |service, local: &str| {
            let found = customer.mirrored_by_address(service, &address(&format!("{local}@contoso.com")), 9).await.unwrap();
            found.into_iter().map(|row| row.mirror.user.external_id).collect::<Vec<_>>()
        };
        assert_eq!(at(Service::Entra, "A").await, ["a"]);
        assert!(at(Service::Entra, "c").await.is_empty() && at(Service::Ldap, "a").await.is_empty());
    }

    async fn a_look_at_new_tables_tells_postgres_what_is_in_them(db: &TestDb) {
        let customer = db.customer().await;
        mirror(&customer, 1, &["a", "b", "c"]).await;
        db.store.analyse_new_tables().await.unwrap();
        if matches!(db.url, store::DatabaseUrl::Postgres(_)) {
            let known = "SELECT CAST(reltuples AS BIGINT) FROM pg_class WHERE relname = 'mirror_users'";
            assert_eq!(db.number(known).await, 3);
            assert_eq!(db.number(&known.replace("mirror_users", "users")).await, -1, "nothing is in it");
            mirror(&customer, 1, &["d"]).await;
            db.store.analyse_new_tables().await.unwrap();
            assert_eq!(db.number(known).await, 3, "the server itself keeps an eye on it from now on");
        }
    }

    async fn candidates_for_removal_are_the_dirty_objects_that_a_user_stands_for(db: &TestDb) {
        let customer = db.customer().await;
        let of_ldap = UserWrite { source: Source::Ldap, ..new_user("New", "new@contoso.com", &[]) };
        let ids = write(&customer, &[
            new_user("A", "a@contoso.com", &[]),
            new_user("B", "b@contoso.com", &[]),
            new_user("C", "c@contoso.com", &[]),
            new_user("D", "d@contoso.com", &[]),
            of_ldap,
        ])
        .await;
        mirror(&customer, 1, &["a", "b", "c", "d", "new"]).await;
        gone(&customer, &["b"]).await;
        open_conflict(db, ids[2]).await;
        let clean = customer.dirty_users(Service::Entra, 0, 9).await.unwrap().pop().unwrap();
        assert_eq!(clean.user.external_id, "new");
        let d = customer.dirty_users(Service::Entra, 0, 9).await.unwrap()[3].id;
        let mut change = customer.begin().await.unwrap();
        change.clear_dirty(Service::Entra, &[d]).await.unwrap();
        change.commit().await.unwrap();

        let (last, all) = customer.removal_candidates(Service::Entra, 0, 9).await.unwrap().unwrap();
        let new = clean.id;
        assert_eq!(last, new, "the page ends with somebody who is in no user's place");
        let told = |rows: &[Candidate]| {
            rows.iter()
                .map(|row| (row.user, row.mirror.user.external_id.clone(), row.mirror.gone, row.in_conflict))
                .collect::<Vec<_>>()
        };
        assert_eq!(told(&all), [
            (ids[0], "a".to_owned(), false, false),
            (ids[1], "b".to_owned(), true, false),
            (ids[2], "c".to_owned(), false, true),
        ]);
        let (first, page) = customer.removal_candidates(Service::Entra, 0, 1).await.unwrap().unwrap();
        assert_eq!((first, told(&page)), (all[0].mirror.id, told(&all[..1])));
        let (_, rest) = customer.removal_candidates(Service::Entra, first, 9).await.unwrap().unwrap();
        assert_eq!(told(&rest), told(&all[1..]));
        let behind = customer.removal_candidates(Service::Entra, all[2].mirror.id, 9).await.unwrap();
        assert_eq!(behind, Some((new, Vec::new())), "none on this page, and yet not the end");
        assert_eq!(customer.removal_candidates(Service::Entra, new, 9).await.unwrap(), None);
        assert_eq!(customer.removal_candidates(Service::Ldap, 0, 9).await.unwrap(), None);
    }
}
