//! Users of a former tenant, first approvals, and runs that were taken back.

use domain::{
    guard::{Decision, Guarded},
    service::{Service, Source},
};

use crate::{
    runs::start,
    support::{NOW, TestDb, in_one_write, new_user, on_both_engines, some_id, write},
};

on_both_engines! {
    async fn users_of_a_former_tenant_are_found_and_handed_over(db: &TestDb) {
        let customer = db.customer().await;
        let ids = write(&customer, &[new_user("a", "a@contoso.com", &[]), new_user("b", "b@contoso.com", &["x@contoso.com"])]).await;
        let present = customer.present_users(Service::Entra, 0, 9).await.unwrap();
        assert_eq!(present.iter().map(|user| user.user_id).collect::<Vec<_>>(), ids);
        assert_eq!((present[1].primary_address.as_str(), present[1].in_conflict), ("b@contoso.com", false));
        assert_eq!(customer.present_users(Service::Entra, ids[0], 9).await.unwrap().len(), 1);
        let keys: Vec<String> = present.iter().map(|user| user.external_id.clone()).collect();
        let addresses: Vec<_> = ["b@contoso.com", "x@contoso.com"].iter().map(|it| domain::address::Address::parse(it).unwrap()).collect();
        in_one_write!(customer, |write| {
            write.note_former_users(&[(ids[0], keys[0].clone(), "person".to_owned()), (ids[1], keys[1].clone(), String::new())]).await.unwrap();
            // A second switch, after which nothing is known of the person any more.
            write.note_former_users(&[(ids[0], keys[0].clone(), String::new())]).await.unwrap();
            assert_eq!(write.former_among(&ids).await.unwrap(), ids);
            let by_person = write.former_by_on_premises_id(&["person".to_owned(), "nobody".to_owned()]).await.unwrap();
            assert_eq!(by_person, [(ids[0], keys[0].clone(), "person".to_owned())]);
            let by_address = write.former_by_address(&addresses).await.unwrap();
            assert_eq!(by_address, [(ids[1], keys[1].clone(), "b@contoso.com".to_owned())], "by the primary alone");
            write.hand_over(&[(ids[0], "new".to_owned())], NOW).await.unwrap();
            assert_eq!(write.former_among(&ids).await.unwrap(), ids[1..]);
            assert_eq!(write.users_by_external_id(Source::Azure, &["new".to_owned()]).await.unwrap()[0].id, ids[0]);
        });
        assert_eq!(customer.switch_pending(Service::Entra).await.unwrap(), (true, false));
        let us = db.other_customer().await;
        assert_eq!(us.switch_pending(Service::Entra).await.unwrap(), (false, false));
        assert!(us.present_users(Service::Entra, 0, 9).await.unwrap().is_empty());
        in_one_write!(us, |write| {
            write.hand_over(&[(ids[1], "stolen".to_owned())], NOW).await.unwrap();
            assert_eq!(write.former_among(&ids).await.unwrap(), Vec::<i64>::new());
        });
        in_one_write!(customer, |write| {
            assert_eq!(write.users_by_external_id(Source::Azure, &keys[1..]).await.unwrap().len(), 1, "nobody took it");
        });
    }

    async fn a_first_approval_waits_and_is_forgotten_when_told_so(db: &TestDb) {
        let customer = db.customer().await;
        assert!(!customer.two_administrators().await.unwrap());
        let ids = write(&customer, &[new_user("a", "a@contoso.com", &[]), new_user("b", "b@contoso.com", &[])]).await;
        let ada = (None, "ada".to_owned());
        in_one_write!(customer, |write| {
            write.set_two_administrators(true).await.unwrap();
            assert!(write.needs_two_administrators().await.unwrap());
            write.hold(1, Guarded::Removal, &[(ids[0], "gone".to_owned())], 9, NOW).await.unwrap();
            write.note_first_approver(Guarded::Removal, &ids[..1], Some(&ada), Decision::Waiting).await.unwrap();
            write.await_second_approval(Guarded::Removal, &[ids[1], ids[1]], &ada, NOW).await.unwrap();
            // Another one does not take its place.
            write.await_second_approval(Guarded::Removal, &ids, &(None, "eve".to_owned()), NOW).await.unwrap();
            write.hold(2, Guarded::Removal, &[(ids[0], "gone".to_owned())], 9, NOW).await.unwrap();
        });
        assert!(customer.two_administrators().await.unwrap());
        let first = customer.first_approvers(Guarded::Removal, &ids).await.unwrap();
        assert_eq!(first, [(ids[0], ada.clone()), (ids[1], ada.clone())]);
        assert_eq!(customer.waiting(Guarded::Removal).await.unwrap(), ids);
        in_one_write!(customer, |write| {
            write.note_first_approver(Guarded::Removal, &ids[..1], None, Decision::Dismissed).await.unwrap();
            assert_eq!(write.first_approvers_in(Guarded::Removal, &ids).await.unwrap(), [(ids[1], ada.clone())]);
        });
        let us = db.other_customer().await;
        assert!(!us.two_administrators().await.unwrap());
        assert!(us.first_approvers(Guarded::Removal, &ids).await.unwrap().is_empty());
    }

    async fn a_run_is_asked_for_and_taken_back_once(db: &TestDb) {
        let customer = db.customer().await;
        let (run, _) = start(&customer).await;
        assert_eq!(customer.undone_run(run).await.unwrap(), None);
        let (ada, eve) = ((None, "ada".to_owned()), (None, "eve".to_owned()));
        in_one_write!(customer, |write| {
            write.ask_to_undo(run, &ada).await.unwrap();
            assert_eq!(write.undone_run_in(run).await.unwrap().unwrap().undone, None);
            write.note_undone(run, &eve, NOW).await.unwrap();
            assert!(write.changed_since_run(run, &[some_id()]).await.unwrap().is_empty());
            assert!(write.users_with(&[some_id()]).await.unwrap().is_empty());
            assert!(write.binned_with(&[some_id()]).await.unwrap().is_empty());
        });
        let undone = customer.undone_run(run).await.unwrap().unwrap();
        assert_eq!((undone.asked_by, undone.undone), (ada, Some(("eve".to_owned(), NOW))));
        assert_eq!(db.other_customer().await.undone_run(run).await.unwrap(), None);
    }
}
