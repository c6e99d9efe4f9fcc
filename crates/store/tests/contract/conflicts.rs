//! Conflicts: whose time has come, and what moves it.

use domain::{
    Timestamp,
    conflict::{Conflict, Reason, State},
    service::{Source, Status},
};
use store::{ConflictRow, CustomerStore, StoreError, UserWrite};

use crate::support::{NOW, TestDb, counts, in_one_write, missing, new_user, on_both_engines, read, write};

const DAY: i64 = Timestamp::DAY;

/// Adds users of Entra ID in conflict, whose keys are these.
async fn in_conflict(customer: &CustomerStore, conflicts: &[(&str, Conflict)]) -> Vec<i64> {
    let users: Vec<_> = conflicts
        .iter()
        .map(|(key, conflict)| UserWrite {
            conflict: Some(conflict.clone()),
            ..new_user(&key.to_uppercase(), &format!("{key}@contoso.com"), &[])
        })
        .collect();
    write(customer, &users).await
}

/// The keys of those that are due, by number, after holding their number against the count.
async fn due(customer: &CustomerStore, by: Timestamp, delay: i64) -> Vec<String> {
    let due = customer.due_conflicts(Source::Azure, by, delay, 0, 100).await.unwrap();
    assert_eq!(
        customer.due_count(Source::Azure, by, delay).await.unwrap(),
        i64::try_from(due.len()).unwrap()
    );
    due.into_iter().map(|user| user.external_id.unwrap()).collect()
}

on_both_engines! {
    async fn the_list_goes_by_absence_chunk_by_chunk(db: &TestDb) {
        let customer = db.customer().await;
        assert_eq!(customer.conflicts(None, 9).await.unwrap(), []);
        let lost = UserWrite { address_lost: true, conflict: Some(missing(2)), ..new_user("L", "lost@contoso.com", &[]) };
        write(&customer, &[new_user("X", "x@contoso.com", &[]), lost]).await;
        let ids = in_conflict(&customer, &[("c", missing(2)), ("a", missing(1)), ("d", missing(3)), ("b", missing(1))]).await;
        let (mut after, mut seen) = (None, Vec::new());
        loop {
            let chunk = customer.conflicts(after, 2).await.unwrap();
            let Some(last) = chunk.last() else { break };
            after = Some(last.cursor());
            seen.extend(chunk);
        }
        let keys: Vec<_> = seen.iter().map(|row| row.external_id.as_deref().unwrap()).collect();
        assert_eq!(keys, ["a", "b", "lost", "c", "d"]);
        let [user] = read(&customer, ["a"]).await;
        assert_eq!(seen[0], ConflictRow {
            user_id: ids[1],
            public_id: user.public_id,
            display_name: "A".to_owned(),
            primary_address: "a@contoso.com".to_owned(),
            address_lost: false,
            source: Source::Azure,
            external_id: Some("a".to_owned()),
            conflict: missing(1),
        });
        assert!(seen[2].address_lost);
    }

    async fn a_pending_conflict_is_due_when_its_delay_has_passed_and_not_before_it_was_promised(db: &TestDb) {
        let customer = db.customer().await;
        in_conflict(&customer, &[
            ("early", missing(0)),
            ("late", missing(10)),
            ("promised", Conflict { not_before: Some(NOW.plus(DAY + 20)), ..missing(0) }),
            ("renewed", Conflict { clock_from: NOW.plus(30), ..missing(0) }),
            ("ignored", Conflict { state: State::Ignored, ..missing(0) }),
            ("until", Conflict { state: State::Ignored, ignored_until: Some(NOW), ..missing(0) }),
            ("deactivated", Conflict { state: State::Deactivated, ..missing(0) }),
        ])
        .await;
        let ldap = UserWrite { source: Source::Ldap, conflict: Some(missing(0)), ..new_user("L", "ldap@contoso.com", &[]) };
        write(&customer, &[ldap, new_user("D", "delivered@contoso.com", &[])]).await;

        let at = |after| NOW.plus(DAY + after);
        assert_eq!(due(&customer, at(-1), DAY).await, Vec::<String>::new());
        assert_eq!(due(&customer, at(0), DAY).await, ["early"]);
        assert_eq!(due(&customer, at(19), DAY).await, ["early", "late"]);
        assert_eq!(due(&customer, at(20), DAY).await, ["early", "late", "promised"]);
        assert_eq!(due(&customer, at(30), DAY).await, ["early", "late", "promised", "renewed"]);
        assert_eq!(due(&customer, at(30), 7 * DAY).await, Vec::<String>::new(), "the present setting counts");
        assert_eq!(due(&customer, at(30), i64::MAX).await, Vec::<String>::new(), "no overflow");
        assert_eq!(customer.due_count(Source::Ldap, at(0), DAY).await.unwrap(), 1);

        // Each as the rule of one conflict says.
        let rows = customer.conflicts(None, 100).await.unwrap();
        let by_rule = |by: Timestamp| {
            let of_entra = rows.iter().filter(|row| row.source == Source::Azure && row.conflict.state == State::Pending);
            of_entra.filter(|row| row.conflict.delete_on(domain::settings::DeleteAfter::OneDay).unwrap() <= by).count()
        };
        for after in [-1, 0, 19, 20, 30] {
            assert_eq!(due(&customer, at(after), DAY).await.len(), by_rule(at(after)));
        }
    }

    async fn those_that_are_due_come_by_number_page_by_page(db: &TestDb) {
        let customer = db.customer().await;
        // The clocks run against the numbers.
        let ids = in_conflict(&customer, &[("a", missing(3)), ("b", missing(2)), ("c", missing(1))]).await;
        let first = customer.due_conflicts(Source::Azure, NOW.plus(DAY + 3), DAY, 0, 2).await.unwrap();
        assert_eq!(first.iter().map(|user| user.id).collect::<Vec<_>>(), ids[..2]);
        assert_eq!(first[0].conflict, Some(missing(3)));
        let rest = customer.due_conflicts(Source::Azure, NOW.plus(DAY + 3), DAY, ids[1], 2).await.unwrap();
        assert_eq!(rest.iter().map(|user| user.id).collect::<Vec<_>>(), ids[2..]);
    }

    async fn an_ignore_whose_date_has_come_ends_and_its_clock_starts_on_that_date(db: &TestDb) {
        let customer = db.customer().await;
        let until = |after| Conflict { state: State::Ignored, ignored_until: Some(NOW.plus(after)), ..missing(0) };
        in_conflict(&customer, &[("over", until(50)), ("later", until(51)), ("ever", Conflict { state: State::Ignored, ..missing(0) })]).await;
        let ended = in_one_write!(customer, |write| {
            assert_eq!(write.end_ignores(Source::Ldap, NOW.plus(50)).await.unwrap(), 0);
            write.end_ignores(Source::Azure, NOW.plus(50)).await.unwrap()
        });
        assert_eq!(ended, 1);
        let [over, later, ever] = read(&customer, ["over", "later", "ever"]).await;
        assert_eq!(over.conflict, Some(Conflict { clock_from: NOW.plus(50), ..missing(0) }));
        assert_eq!(later.conflict, Some(until(51)));
        assert_eq!(ever.conflict.unwrap().state, State::Ignored);
    }

    async fn a_shorter_delay_moves_what_would_be_due_too_early_to_the_promised_moment(db: &TestDb) {
        let customer = db.customer().await;
        let earliest = NOW.plus(3 * DAY);
        in_conflict(&customer, &[
            ("soon", missing(0)),
            ("just", missing(2 * DAY)),
            ("promised", Conflict { not_before: Some(NOW.plus(4 * DAY)), ..missing(0) }),
            ("before", Conflict { not_before: Some(NOW.plus(DAY)), ..missing(0) }),
            ("deactivated", Conflict { state: State::Deactivated, ..missing(0) }),
            ("ever", Conflict { state: State::Ignored, ..missing(0) }),
            ("until", Conflict { state: State::Ignored, ignored_until: Some(NOW.plus(DAY)), ..missing(0) }),
        ])
        .await;
        assert_eq!(customer.would_promise(Source::Azure, DAY, earliest).await.unwrap(), 3);
        assert_eq!(customer.would_promise(Source::Ldap, DAY, earliest).await.unwrap(), 0);
        assert_eq!(customer.would_promise(Source::Azure, 3 * DAY, earliest).await.unwrap(), 0);
        assert_eq!(in_one_write!(customer, |write| { write.promise_notice(Source::Azure, DAY, earliest).await.unwrap() }), 3);
        assert_eq!(customer.would_promise(Source::Azure, DAY, earliest).await.unwrap(), 0);
        let keys = ["soon", "just", "promised", "before", "deactivated", "ever", "until"];
        let users = read(&customer, keys).await;
        let promised = users.map(|user| user.conflict.unwrap().not_before.map(|at| at.since(NOW) / DAY));
        assert_eq!(promised, [Some(3), None, Some(4), Some(3), None, None, Some(3)]);
        assert_eq!(due(&customer, earliest.plus(-1), DAY).await, Vec::<String>::new());
    }

    async fn clocks_stand_still_for_as_long_as_the_service_was_off(db: &TestDb) {
        let customer = db.customer().await;
        let promised = Conflict { not_before: Some(NOW.plus(8)), ..missing(0) };
        let ignored = Conflict { state: State::Ignored, ..missing(0) };
        in_conflict(&customer, &[("a", missing(5)), ("promised", promised), ("ignored", ignored.clone())]).await;
        let shifted = in_one_write!(customer, |write| {
            assert_eq!(write.shift_clocks(Source::Ldap, DAY).await.unwrap(), 0);
            write.shift_clocks(Source::Azure, DAY).await.unwrap()
        });
        assert_eq!(shifted, 2);
        let [a, promised, still] = read(&customer, ["a", "promised", "ignored"]).await.map(|user| user.conflict.unwrap());
        assert_eq!(a, Conflict { clock_from: NOW.plus(DAY + 5), ..missing(5) });
        assert_eq!((promised.clock_from, promised.not_before), (NOW.plus(DAY), Some(NOW.plus(DAY + 8))));
        assert_eq!(still, ignored);
    }

    async fn an_administrators_decision_about_one_conflict_keeps_status_and_counts(db: &TestDb) {
        let customer = db.customer().await;
        let off = UserWrite { service_on: false, ..new_user("B", "b@contoso.com", &[]) };
        let ids = write(&customer, &[new_user("A", "a@contoso.com", &[]), off]).await;
        let decided = Conflict { reason: Reason::Exception, state: State::Ignored, note: "hold".to_owned(), ..missing(1) };
        in_one_write!(customer, |write| {
            for id in &ids {
                write.set_conflict(*id, &decided).await.unwrap();
            }
        });
        let [a, b] = read(&customer, ["a", "b"]).await;
        assert_eq!((a.status, a.conflict), (Status::Conflict, Some(decided)));
        assert_eq!(b.status, Status::Inactive);
        assert_eq!(counts(db, &customer).await, [(Source::Azure, Status::Conflict, 1), (Source::Azure, Status::Inactive, 1)]);
        in_one_write!(customer, |write| { write.set_conflict(ids[0], &missing(2)).await.unwrap() });
        assert_eq!(read(&customer, ["a"]).await[0].conflict, Some(missing(2)));
        counts(db, &customer).await;
    }

    async fn another_customers_conflicts_are_neither_seen_nor_moved(db: &TestDb) {
        let (them, us) = (db.customer().await, db.other_customer().await);
        let over = Conflict { state: State::Ignored, ignored_until: Some(NOW), ..missing(0) };
        let ids = in_conflict(&them, &[("a", missing(0)), ("over", over.clone())]).await;
        let later = NOW.plus(9 * DAY);
        assert_eq!(us.conflicts(None, 9).await.unwrap(), []);
        assert_eq!(due(&us, later, DAY).await, Vec::<String>::new());
        assert_eq!(us.would_promise(Source::Azure, DAY, later).await.unwrap(), 0);
        in_one_write!(us, |write| {
            assert_eq!(write.end_ignores(Source::Azure, later).await.unwrap(), 0);
            assert_eq!(write.promise_notice(Source::Azure, DAY, later).await.unwrap(), 0);
            assert_eq!(write.shift_clocks(Source::Azure, DAY).await.unwrap(), 0);
        });
        let mut write = us.begin().await.unwrap();
        assert!(matches!(write.set_conflict(ids[0], &missing(7)).await, Err(StoreError::Missing(_))));
        drop(write);
        let [a, kept] = read(&them, ["a", "over"]).await.map(|user| user.conflict.unwrap());
        assert_eq!((a, kept), (missing(0), over));
    }
}
