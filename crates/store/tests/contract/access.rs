//! Administrators, sessions, flash, the throttle, set-up links, the audit log.

use domain::{Timestamp, role::Role};
use store::{AuditEntry, Change, NewAdministrator, NewSession, StoreError};

use crate::support::{NOW, TestDb, on_both_engines, some_id};

const TOKEN: [u8; 32] = [1; 32];

fn administrator(email: &str) -> NewAdministrator {
    NewAdministrator {
        public_id: some_id(),
        email: email.to_owned(),
        display_name: "Ada".to_owned(),
        password_hash: "$argon2id$hunter2".to_owned(),
        every_customer_role: None,
        created_at: NOW,
    }
}

/// An administrator who is signed in under [`TOKEN`] until an hour from [`NOW`]: the numbers of administrator and session.
async fn signed_in(db: &TestDb) -> (i64, i64) {
    let mut write = db.store.begin().await.unwrap();
    let administrator_id = write.add_administrator(administrator("ada@example.org")).await.unwrap();
    let session = NewSession {
        token_hash: TOKEN,
        administrator_id,
        created_at: NOW,
        expires_at: NOW.plus(Timestamp::HOUR),
    };
    let session_id = write.add_session(session).await.unwrap();
    write.commit().await.unwrap();
    (administrator_id, session_id)
}

on_both_engines! {
    async fn an_administrator_is_found_by_address_in_any_case_and_an_address_is_given_once(db: &TestDb) {
        assert_eq!(db.store.administrator_count().await.unwrap(), 0);
        let mut write = db.store.begin().await.unwrap();
        let id = write.add_administrator(administrator(" Ada@Example.ORG ")).await.unwrap();
        write.commit().await.unwrap();
        assert_eq!(db.store.administrator_count().await.unwrap(), 1);
        let found = db.store.administrator_by_email("aDA@example.org ").await.unwrap().unwrap();
        assert_eq!((found.id, found.email.as_str()), (id, "ada@example.org"));
        assert_eq!(db.store.administrator(id).await.unwrap().unwrap(), found);
        assert!(db.store.administrator_by_email("eve@example.org").await.unwrap().is_none());

        let mut write = db.store.begin().await.unwrap();
        let refused = write.add_administrator(administrator("ADA@example.org")).await.unwrap_err();
        assert!(matches!(&refused, StoreError::Taken(what) if what.contains("ada@example.org")), "{refused:?}");
    }

    async fn a_password_is_replaced_and_its_hash_is_printed_nowhere(db: &TestDb) {
        let (id, _) = signed_in(db).await;
        let mut write = db.store.begin().await.unwrap();
        write.set_password(id, "$argon2id$another").await.unwrap();
        assert!(matches!(write.set_password(id + 1, "x").await, Err(StoreError::Missing(_))));
        write.commit().await.unwrap();
        let found = db.store.administrator(id).await.unwrap().unwrap();
        assert_eq!(found.password_hash, "$argon2id$another");
        let printed = format!("{found:?} {:?}", administrator("x@example.org"));
        assert!(!printed.contains("argon2id"), "{printed}");
    }

    async fn the_greater_of_the_role_for_every_customer_and_the_one_for_this_counts(db: &TestDb) {
        let (here, there) = (db.customer().await.customer().id, db.other_customer().await.customer().id);
        let mut write = db.store.begin().await.unwrap();
        let new = NewAdministrator {
            every_customer_role: Some(Role::Operator),
            ..administrator("ada@example.org")
        };
        let everywhere = write.add_administrator(new).await.unwrap();
        write.grant(everywhere, here, Role::Viewer).await.unwrap();
        write.grant(everywhere, there, Role::Viewer).await.unwrap();
        write.grant(everywhere, there, Role::Administrator).await.unwrap();
        let single = write.add_administrator(administrator("eve@example.org")).await.unwrap();
        write.grant(single, here, Role::Viewer).await.unwrap();
        write.commit().await.unwrap();

        let everywhere = db.store.administrator(everywhere).await.unwrap().unwrap();
        assert_eq!(everywhere.role_for(here), Some(Role::Operator));
        assert_eq!(everywhere.role_for(there), Some(Role::Administrator));
        let single = db.store.administrator(single).await.unwrap().unwrap();
        assert_eq!(single.role_for(here), Some(Role::Viewer));
        assert_eq!(single.role_for(there), None);
    }

    async fn a_session_counts_until_it_expires_and_is_prolonged_by_use(db: &TestDb) {
        let (administrator_id, session_id) = signed_in(db).await;
        let end = NOW.plus(Timestamp::HOUR);
        let session = db.store.session(&TOKEN, end.plus(-1)).await.unwrap().unwrap();
        assert_eq!((session.id, session.administrator.id), (session_id, administrator_id));
        assert_eq!(session.administrator.last_sign_in_at, Some(NOW));
        assert!(db.store.session(&TOKEN, end).await.unwrap().is_none());
        assert!(db.store.session(&[2; 32], NOW).await.unwrap().is_none());

        let mut write = db.store.begin().await.unwrap();
        write.touch_session(session_id, NOW.plus(5), end.plus(5)).await.unwrap();
        write.commit().await.unwrap();
        let session = db.store.session(&TOKEN, end).await.unwrap().unwrap();
        assert_eq!((session.created_at, session.seen_at, session.expires_at), (NOW, NOW.plus(5), end.plus(5)));
    }

    async fn an_ended_session_is_over_and_cannot_be_prolonged(db: &TestDb) {
        let (_, session_id) = signed_in(db).await;
        let mut write = db.store.begin().await.unwrap();
        write.end_session(session_id).await.unwrap();
        assert!(matches!(write.touch_session(session_id, NOW, NOW).await, Err(StoreError::Missing(_))));
        write.commit().await.unwrap();
        assert!(db.store.session(&TOKEN, NOW).await.unwrap().is_none());
    }

    async fn signing_out_everywhere_ends_ones_own_sessions_only(db: &TestDb) {
        let (administrator_id, _) = signed_in(db).await;
        let mut write = db.store.begin().await.unwrap();
        let eve = write.add_administrator(administrator("eve@example.org")).await.unwrap();
        for (token, administrator_id) in [(2, administrator_id), (3, eve)] {
            let session = NewSession {
                token_hash: [token; 32],
                administrator_id,
                created_at: NOW,
                expires_at: NOW.plus(1),
            };
            write.add_session(session).await.unwrap();
        }
        assert_eq!(write.end_sessions_of(administrator_id).await.unwrap(), 2);
        write.commit().await.unwrap();
        assert!(db.store.session(&TOKEN, NOW).await.unwrap().is_none());
        assert!(db.store.session(&[2; 32], NOW).await.unwrap().is_none());
        assert!(db.store.session(&[3; 32], NOW).await.unwrap().is_some());
    }

    async fn the_sessions_of_a_deactivated_administrator_do_not_count(db: &TestDb) {
        signed_in(db).await;
        assert!(db.store.session(&TOKEN, NOW).await.unwrap().is_some());
        db.execute("UPDATE administrators SET deactivated_at = 1").await;
        assert!(db.store.session(&TOKEN, NOW).await.unwrap().is_none());
    }

    async fn pruning_removes_what_is_over_and_leaves_the_rest(db: &TestDb) {
        let (_, session_id) = signed_in(db).await;
        let later = NOW.plus(Timestamp::HOUR - 1);
        let mut write = db.store.begin().await.unwrap();
        write.put_flash(session_id, "old", "x", NOW.plus(-2)).await.unwrap();
        write.put_flash(session_id, "new", "x", later).await.unwrap();
        write.record_attempt("key", later.plus(-Timestamp::DAY)).await.unwrap();
        write.record_attempt("key", later).await.unwrap();
        write.add_setup_link(&[1; 32], NOW, later).await.unwrap();
        write.add_setup_link(&[2; 32], NOW, later.plus(1)).await.unwrap();
        write.prune(later).await.unwrap();
        write.commit().await.unwrap();
        assert_eq!(db.store.flash_take(session_id, "old").await.unwrap(), None);
        assert_eq!(db.store.flash_take(session_id, "new").await.unwrap().as_deref(), Some("x"));
        assert_eq!(db.store.attempts_since("key", Timestamp(0)).await.unwrap(), 1);
        assert_eq!(db.number("SELECT COUNT(*) FROM setup_links").await, 1);
        assert!(db.store.session(&TOKEN, NOW).await.unwrap().is_some());

        let mut write = db.store.begin().await.unwrap();
        write.prune(NOW.plus(Timestamp::HOUR)).await.unwrap();
        write.commit().await.unwrap();
        assert!(db.store.session(&TOKEN, NOW).await.unwrap().is_none());
    }

    async fn a_flash_message_is_taken_by_exactly_one_of_many_at_once(db: &TestDb) {
        let (_, session_id) = signed_in(db).await;
        let mut write = db.store.begin().await.unwrap();
        write.put_flash(session_id, "connect", "first", NOW).await.unwrap();
        write.put_flash(session_id, "connect", "second", NOW).await.unwrap();
        write.put_flash(session_id, "users", "other", NOW).await.unwrap();
        write.commit().await.unwrap();
        let takers: Vec<_> = (0..8)
            .map(|_| {
                let store = db.store.clone();
                tokio::spawn(async move { store.flash_take(session_id, "connect").await.unwrap() })
            })
            .collect();
        let mut taken = Vec::new();
        for taker in takers {
            taken.extend(taker.await.unwrap());
        }
        assert_eq!(taken, ["second"]);
        assert_eq!(db.store.flash_take(session_id + 1, "users").await.unwrap(), None);
        assert_eq!(db.store.flash_take(session_id, "users").await.unwrap().as_deref(), Some("other"));
    }

    async fn a_setup_link_is_used_by_exactly_one_of_many_at_once_and_not_after_its_time(db: &TestDb) {
        let mut write = db.store.begin().await.unwrap();
        write.add_setup_link(&[1; 32], NOW, NOW.plus(10)).await.unwrap();
        write.add_setup_link(&[2; 32], NOW, NOW.plus(10)).await.unwrap();
        assert!(!write.use_setup_link(&[2; 32], NOW.plus(10)).await.unwrap());
        assert!(!write.use_setup_link(&[3; 32], NOW).await.unwrap());
        write.commit().await.unwrap();
        let users: Vec<_> = (0..8)
            .map(|_| {
                let store = db.store.clone();
                tokio::spawn(async move {
                    let mut write = store.begin().await.unwrap();
                    let used = write.use_setup_link(&[1; 32], NOW.plus(9)).await.unwrap();
                    write.commit().await.unwrap();
                    used
                })
            })
            .collect();
        let mut used = 0;
        for user in users {
            used += usize::from(user.await.unwrap());
        }
        assert_eq!(used, 1);
    }

    async fn attempts_are_counted_by_key_from_a_moment_on_and_can_be_cleared(db: &TestDb) {
        let mut write = db.store.begin().await.unwrap();
        for (key, at) in [("ada", 1), ("ada", 2), ("ada", 3), ("eve", 3)] {
            write.record_attempt(key, Timestamp(at)).await.unwrap();
        }
        write.commit().await.unwrap();
        assert_eq!(db.store.attempts_since("ada", Timestamp(2)).await.unwrap(), 2);
        let mut write = db.store.begin().await.unwrap();
        write.clear_attempts("ada").await.unwrap();
        write.commit().await.unwrap();
        assert_eq!(db.store.attempts_since("ada", Timestamp(0)).await.unwrap(), 0);
        assert_eq!(db.store.attempts_since("eve", Timestamp(0)).await.unwrap(), 1);
    }

    async fn the_audit_log_comes_latest_first_page_by_page_and_keeps_every_change(db: &TestDb) {
        let (administrator_id, _) = signed_in(db).await;
        let customer = db.customer().await;
        let entry = |at: i64| AuditEntry {
            at: Timestamp(at),
            administrator_id: Some(administrator_id),
            actor: "ada@example.org".to_owned(),
            action: "settings.save".to_owned(),
            object: "Azure AD".to_owned(),
            changes: vec![
                Change::new("Tenant Domain", "", "bücher.example"),
                Change::new("Client Secret", "***", "***"),
            ],
        };
        let mut write = customer.begin().await.unwrap();
        // Out of order in time: the order is that of the entries.
        for at in [3, 1, 2] {
            write.audit(entry(at)).await.unwrap();
        }
        write.commit().await.unwrap();
        let mut write = db.store.begin().await.unwrap();
        write.audit(Some(customer.customer().id), AuditEntry { administrator_id: None, ..entry(4) }).await.unwrap();
        write.audit(None, entry(5)).await.unwrap();
        write.commit().await.unwrap();

        let first = customer.audit(None, 3).await.unwrap();
        assert_eq!(first.iter().map(|row| row.entry.at.0).collect::<Vec<_>>(), [4, 2, 1]);
        assert_eq!(first[1].entry, entry(2));
        assert_eq!(first[0].entry.administrator_id, None);
        let second = customer.audit(Some(first[2].id), 3).await.unwrap();
        assert_eq!(second.iter().map(|row| row.entry.at.0).collect::<Vec<_>>(), [3]);
    }
}
