//! Additions: waiting for their person, linked, removed.

use domain::service::Service;
use store::{Addition, StoreError};

use crate::support::{NOW, TestDb, address, in_one_write, on_both_engines};

on_both_engines! {
    async fn an_addition_waits_until_it_is_linked_and_counts_the_reads_without_it(db: &TestDb) {
        let customer = db.customer().await;
        in_one_write!(customer, |write| {
            write.add_addition(Service::Entra, &address("b@contoso.com"), None, "eve", NOW).await.unwrap();
            write.add_addition(Service::Entra, &address("a@contoso.com"), Some("a"), "eve", NOW).await.unwrap();
            write.add_addition(Service::Ldap, &address("b@contoso.com"), None, "eve", NOW).await.unwrap();
            assert_eq!(write.count_read_without(Service::Entra).await.unwrap(), 1);
            assert_eq!(write.count_read_without(Service::Entra).await.unwrap(), 1);
            assert_eq!(write.additions_in(Service::Entra).await.unwrap().len(), 2, "seen before it is made to last");
        });
        let [linked, waiting] = customer.additions(Service::Entra).await.unwrap().try_into().unwrap();
        assert_eq!(waiting, Addition {
            id: waiting.id,
            address: address("b@contoso.com"),
            external_id: None,
            reads_without: 2,
            created_by: "eve".to_owned(),
            created_at: NOW,
        });
        assert_eq!((linked.external_id.as_deref(), linked.reads_without), (Some("a"), 0));

        in_one_write!(customer, |write| {
            write.link_addition(waiting.id, "b").await.unwrap();
            assert_eq!(write.count_read_without(Service::Entra).await.unwrap(), 0);
        });
        let linked = customer.additions(Service::Entra).await.unwrap().remove(1);
        assert_eq!((linked.external_id.as_deref(), linked.reads_without), (Some("b"), 0));
        assert_eq!(customer.additions(Service::Ldap).await.unwrap()[0].reads_without, 0);
    }

    async fn an_address_is_added_once_to_a_service(db: &TestDb) {
        let customer = db.customer().await;
        let add = async || {
            let mut write = customer.begin().await.unwrap();
            write.add_addition(Service::Entra, &address("a@contoso.com"), None, "eve", NOW).await?;
            write.commit().await
        };
        add().await.unwrap();
        assert_eq!(add().await.unwrap_err().to_string(), "The addition a@contoso.com is already taken.");
        let id = customer.additions(Service::Entra).await.unwrap()[0].id;
        in_one_write!(customer, |write| {
            assert!(write.remove_addition(id).await.unwrap());
            assert!(!write.remove_addition(id).await.unwrap());
            assert!(matches!(write.link_addition(id, "a").await, Err(StoreError::Missing(_))));
        });
        add().await.unwrap();
    }

    async fn another_customers_additions_are_neither_seen_nor_changed(db: &TestDb) {
        let (them, us) = (db.customer().await, db.other_customer().await);
        in_one_write!(them, |write| {
            write.add_addition(Service::Entra, &address("a@contoso.com"), None, "eve", NOW).await.unwrap();
        });
        let theirs = them.additions(Service::Entra).await.unwrap();
        assert_eq!(us.additions(Service::Entra).await.unwrap(), []);
        in_one_write!(us, |write| {
            assert_eq!(write.additions_in(Service::Entra).await.unwrap(), []);
            assert_eq!(write.count_read_without(Service::Entra).await.unwrap(), 0);
            assert!(matches!(write.link_addition(theirs[0].id, "x").await, Err(StoreError::Missing(_))));
            assert!(!write.remove_addition(theirs[0].id).await.unwrap());
        });
        assert_eq!(them.additions(Service::Entra).await.unwrap(), theirs);
    }
}
