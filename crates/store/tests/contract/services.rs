//! Directory services, secrets, managed domains, the guard, topics.

use domain::{
    Secret,
    service::Service,
    settings::{EntraSettings, GuardLimits, Organisation},
};
use store::{CustomerStore, Store, StoreError, Vault};

use crate::support::{NOW, Seeded, TestDb, on_both_engines};

fn organisation() -> Organisation {
    Organisation {
        id: "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee".to_owned(),
        display_name: "Bücher & Söhne".to_owned(),
        domains: vec!["xn--bcher-kva.example".to_owned()],
    }
}

fn settings() -> EntraSettings {
    EntraSettings { enabled: true, tenant: "contoso.com".to_owned(), ..EntraSettings::default() }
}

async fn save(customer: &CustomerStore, service: Service, enabled: bool, json: &str) {
    let mut write = customer.begin().await.unwrap();
    write.save_service(service, enabled, json, Some(&organisation()), NOW).await.unwrap();
    write.commit().await.unwrap();
}

async fn domains(customer: &CustomerStore, domains: &[&str]) -> Result<(), StoreError> {
    let domains: Vec<_> = domains.iter().map(ToString::to_string).collect();
    let mut write = customer.begin().await?;
    write.set_managed_domains(&domains).await?;
    write.commit().await
}

on_both_engines! {
    async fn settings_come_back_as_saved_and_their_version_rises(db: &TestDb) {
        let customer = db.customer().await;
        assert_eq!(customer.service(Service::Entra).await.unwrap(), None);
        let json = serde_json::to_string(&settings()).unwrap();
        save(&customer, Service::Entra, true, &json).await;
        save(&customer, Service::Entra, true, &json).await;
        let saved = customer.service(Service::Entra).await.unwrap().unwrap();
        assert_eq!((saved.version, saved.enabled, saved.updated_at), (2, true, NOW));
        assert_eq!(saved.organisation, Some(organisation()));
        assert_eq!(saved.entra().unwrap(), settings());
    }

    async fn enabling_one_service_disables_the_other_and_two_are_never_enabled(db: &TestDb) {
        let (customer, other) = (db.customer().await, db.other_customer().await);
        let json = serde_json::to_string(&settings()).unwrap();
        save(&other, Service::Entra, true, &json).await;
        save(&customer, Service::Entra, true, &json).await;
        save(&customer, Service::Ldap, true, "{}").await;
        let entra = customer.service(Service::Entra).await.unwrap().unwrap();
        assert_eq!((entra.enabled, entra.version), (false, 2));
        assert!(!entra.entra().unwrap().enabled, "the settings say so as well");
        assert!(customer.service(Service::Ldap).await.unwrap().unwrap().enabled);
        assert!(other.service(Service::Entra).await.unwrap().unwrap().enabled, "another customer's is untouched");

        assert_eq!((entra.disabled_at, other.service(Service::Entra).await.unwrap().unwrap().disabled_at), (Some(NOW), None));

        // Saving a disabled one leaves the enabled one alone.
        save(&customer, Service::Entra, false, &json).await;
        assert!(customer.service(Service::Ldap).await.unwrap().unwrap().enabled);
        assert_eq!(db.number("SELECT COUNT(*) FROM directory_services WHERE enabled = TRUE").await, 2);
    }

    async fn a_service_is_switched_off_from_the_save_that_does_it_until_it_is_enabled_again(db: &TestDb) {
        let customer = db.customer().await;
        // Never enabled, disabled, saved again, enabled: the moment is that of the change.
        for (after, enabled, expected) in [(0, false, None), (1, true, None), (2, false, Some(2)), (3, false, Some(2)), (4, true, None)] {
            let mut write = customer.begin().await.unwrap();
            write.save_service(Service::Entra, enabled, "{}", None, NOW.plus(after)).await.unwrap();
            write.commit().await.unwrap();
            let saved = customer.service(Service::Entra).await.unwrap().unwrap();
            assert_eq!(saved.disabled_at, expected.map(|after| NOW.plus(after)), "after {after}");
        }
    }

    async fn settings_that_cannot_be_read_name_their_table_and_column(db: &TestDb) {
        let customer = db.customer().await;
        save(&customer, Service::Entra, true, "no json").await;
        let refused = customer.service(Service::Entra).await.unwrap().unwrap().entra().unwrap_err();
        assert!(refused.to_string().contains("directory_services.settings"), "{refused}");
    }

    async fn a_secret_is_sealed_replaced_and_removed(db: &TestDb) {
        let (customer, random) = (db.customer().await, Seeded::new(1));
        assert_eq!(customer.secret("entra").await.unwrap(), None);
        for secret in ["hunter2", "hunter3"] {
            let mut write = customer.begin().await.unwrap();
            write.seal_secret("entra", &Secret::new(secret), &random, NOW).await.unwrap();
            write.commit().await.unwrap();
        }
        assert_eq!(customer.secret("entra").await.unwrap().unwrap().expose(), "hunter3");
        assert_eq!(customer.secret_saved_at("entra").await.unwrap(), Some(NOW));
        assert_eq!(customer.secret("ldap").await.unwrap(), None);
        let mut write = customer.begin().await.unwrap();
        write.remove_secret("entra").await.unwrap();
        write.commit().await.unwrap();
        assert_eq!(customer.secret("entra").await.unwrap(), None);
        assert_eq!(customer.secret_saved_at("entra").await.unwrap(), None);
    }

    async fn a_secret_copied_to_another_customer_or_opened_with_another_key_does_not_open(db: &TestDb) {
        let (customer, other) = (db.customer().await, db.other_customer().await);
        let mut write = customer.begin().await.unwrap();
        write.seal_secret("entra", &Secret::new("hunter2"), &Seeded::new(1), NOW).await.unwrap();
        write.commit().await.unwrap();
        db.execute(&format!(
            "INSERT INTO secrets (customer_id, name, sealed, saved_at) SELECT {}, name, sealed, saved_at FROM secrets",
            other.customer().id
        ))
        .await;
        let refused = other.secret("entra").await.unwrap_err();
        assert!(matches!(refused, StoreError::KeyDoesNotFit(_)), "{refused:?}");

        let elsewhere = Store::open(&db.url, Vault::new([8; 32])).await.unwrap();
        let refused = elsewhere.customer("default").await.unwrap().unwrap().secret("entra").await.unwrap_err();
        assert!(refused.to_string().contains("ROLLCALL_KEY"), "{refused}");
        elsewhere.close().await;
    }

    async fn a_managed_domain_belongs_to_one_customer_and_the_star_to_nobody(db: &TestDb) {
        let (customer, other) = (db.customer().await, db.other_customer().await);
        domains(&customer, &["fabrikam.com", "contoso.com"]).await.unwrap();
        assert_eq!(customer.managed_domains().await.unwrap(), ["contoso.com", "fabrikam.com"]);
        let refused = domains(&other, &["tailspin.com", "contoso.com"]).await.unwrap_err();
        assert_eq!(refused.to_string(), "The domain contoso.com is already taken.");
        assert_eq!(other.managed_domains().await.unwrap(), Vec::<String>::new());

        // Given back, it may be taken.
        domains(&customer, &["*"]).await.unwrap();
        domains(&other, &["contoso.com"]).await.unwrap();
        domains(&other, &["*"]).await.unwrap();
    }

    async fn the_owners_of_domains_are_the_other_customers(db: &TestDb) {
        let (customer, other) = (db.customer().await, db.other_customer().await);
        domains(&customer, &["contoso.com"]).await.unwrap();
        domains(&other, &["fabrikam.com", "tailspin.com"]).await.unwrap();
        let asked: Vec<_> =
            ["contoso.com", "fabrikam.com", "nobody.com", "*"].iter().map(ToString::to_string).collect();
        let owners = customer.domain_owners(&asked).await.unwrap();
        assert_eq!(owners, [("fabrikam.com".to_owned(), "Other".to_owned())]);
        assert_eq!(customer.domain_owners(&[]).await.unwrap(), []);
    }

    async fn a_tenant_is_found_at_the_other_customers(db: &TestDb) {
        let (customer, other) = (db.customer().await, db.other_customer().await);
        save(&customer, Service::Entra, true, "{}").await;
        assert_eq!(other.tenant_elsewhere(&organisation().id).await.unwrap(), ["Default"]);
        assert_eq!(customer.tenant_elsewhere(&organisation().id).await.unwrap(), Vec::<String>::new());
        assert_eq!(other.tenant_elsewhere("another").await.unwrap(), Vec::<String>::new());
    }

    async fn the_guards_limits_are_kept_per_customer(db: &TestDb) {
        let (customer, other) = (db.customer().await, db.other_customer().await);
        let limits = GuardLimits { max_removals: 7, max_removals_percent: 8, min_removals: 9 };
        let mut write = customer.begin().await.unwrap();
        write.set_guard(limits).await.unwrap();
        write.commit().await.unwrap();
        assert_eq!(db.customer().await.customer().guard, limits);
        assert_eq!(db.store.customer(&other.customer().slug).await.unwrap().unwrap().customer().guard, GuardLimits::default());
    }
}
