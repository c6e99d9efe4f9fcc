//! The mirror: hash, round, dirty, and who claims an address.

use domain::{object::DirectoryUser, service::Service};
use store::{ClaimKind, CustomerStore, MirrorWritten};

use crate::support::{TestDb, address, addresses, directory_user, new_user, on_both_engines, write};

async fn mirror(customer: &CustomerStore, round: i64, users: &[DirectoryUser]) -> MirrorWritten {
    let mut write = customer.begin().await.unwrap();
    let written = write.mirror_users(Service::Entra, round, users).await.unwrap();
    write.commit().await.unwrap();
    written
}

/// The keys of the dirty objects, sorted.
async fn dirty(customer: &CustomerStore) -> Vec<String> {
    let rows = customer.dirty_users(Service::Entra, 0, 100).await.unwrap();
    let mut keys: Vec<_> = rows.into_iter().map(|row| row.user.external_id).collect();
    keys.sort();
    keys
}

async fn clear(customer: &CustomerStore) {
    let ids: Vec<_> =
        customer.dirty_users(Service::Entra, 0, 100).await.unwrap().into_iter().map(|row| row.id).collect();
    let mut write = customer.begin().await.unwrap();
    write.clear_dirty(&ids).await.unwrap();
    write.commit().await.unwrap();
}

/// Who claims an address, and as what.
async fn claimants(customer: &CustomerStore, text: &str) -> Vec<(String, ClaimKind)> {
    let mut write = customer.begin().await.unwrap();
    let claims = write.claims(&[address(text)]).await.unwrap();
    assert!(claims.iter().all(|claim| claim.address == address(text) && claim.service == Service::Entra));
    claims.into_iter().map(|claim| (claim.claimant.user.external_id, claim.kind)).collect()
}

on_both_engines! {
    async fn what_was_read_comes_back_as_it_was(db: &TestDb) {
        let customer = db.customer().await;
        let full = directory_user("a", &["SMTP:a@contoso.com", "smtp:ä'\"\\@contoso.com", "SIP:a"]);
        let bare = DirectoryUser {
            external_id: "b".to_owned(),
            attributes: "{}".to_owned(),
            ..DirectoryUser::default()
        };
        let disabled = DirectoryUser { account_enabled: Some(false), ..directory_user("c", &[]) };
        let users = [full, bare, disabled];
        assert_eq!(mirror(&customer, 1, &users).await, MirrorWritten { written: 3, unchanged: 0, first_told: 3 });
        let mut read: Vec<_> = customer
            .dirty_users(Service::Entra, 0, 10)
            .await
            .unwrap()
            .into_iter()
            .map(|row| row.user)
            .collect();
        read.sort_by(|a, b| a.external_id.cmp(&b.external_id));
        assert_eq!(read, users);
        assert_eq!(customer.dirty_users(Service::Ldap, 0, 10).await.unwrap(), []);
    }

    async fn an_unchanged_object_only_gets_the_rounds_number_and_a_changed_one_is_dirty_again(db: &TestDb) {
        let customer = db.customer().await;
        let (a, b) = (directory_user("a", &["SMTP:a@contoso.com"]), directory_user("b", &["SMTP:b@contoso.com"]));
        mirror(&customer, 1, &[a.clone(), b.clone()]).await;
        clear(&customer).await;
        assert_eq!(dirty(&customer).await, Vec::<String>::new());

        let changed = DirectoryUser { attributes: r#"{"department":"Sales"}"#.to_owned(), ..b };
        let written = mirror(&customer, 2, &[a, changed]).await;
        assert_eq!(written, MirrorWritten { written: 1, unchanged: 1, first_told: 2 });
        assert_eq!(dirty(&customer).await, ["b"]);
        assert_eq!(db.number("SELECT COUNT(*) FROM mirror_users WHERE round = 2").await, 2);
        assert_eq!(db.number("SELECT COUNT(*) FROM mirror_users").await, 2);
    }

    async fn every_field_counts_for_a_change(db: &TestDb) {
        let customer = db.customer().await;
        let user = directory_user("a", &["SMTP:a@contoso.com", "smtp:b@contoso.com"]);
        let variants = [
            DirectoryUser { user_principal_name: None, ..user.clone() },
            DirectoryUser { mail: Some(String::new()), ..user.clone() },
            DirectoryUser { proxy_addresses: vec!["SMTP:a@contoso.comsmtp:b@contoso.com".to_owned()], ..user.clone() },
            DirectoryUser { display_name: None, ..user.clone() },
            DirectoryUser { account_enabled: None, ..user.clone() },
            DirectoryUser { account_enabled: Some(false), ..user.clone() },
            DirectoryUser { attributes: "{}".to_owned(), ..user.clone() },
        ];
        for variant in variants {
            mirror(&customer, 1, std::slice::from_ref(&user)).await;
            assert_eq!(mirror(&customer, 1, std::slice::from_ref(&variant)).await.written, 1, "{variant:?}");
        }
    }

    async fn an_object_that_comes_twice_in_a_batch_counts_as_it_came_last(db: &TestDb) {
        let customer = db.customer().await;
        let first = directory_user("a", &["SMTP:first@contoso.com"]);
        let last = directory_user("a", &["SMTP:last@contoso.com"]);
        assert_eq!(mirror(&customer, 1, &[first, last.clone()]).await, MirrorWritten { written: 1, unchanged: 0, first_told: 1 });
        assert_eq!(customer.dirty_users(Service::Entra, 0, 10).await.unwrap()[0].user, last);
        assert_eq!(claimants(&customer, "first@contoso.com").await, []);
    }

    async fn dirty_objects_come_by_number_page_by_page_and_can_all_be_marked(db: &TestDb) {
        let customer = db.customer().await;
        let users: Vec<_> = (0..7).map(|n| directory_user(&format!("user{n}"), &[])).collect();
        mirror(&customer, 1, &users).await;
        let (mut seen, mut after) = (0, 0);
        loop {
            let page = customer.dirty_users(Service::Entra, after, 3).await.unwrap();
            let Some(last) = page.last() else { break };
            assert!(page.windows(2).all(|pair| pair[0].id < pair[1].id));
            after = last.id;
            seen += page.len();
        }
        assert_eq!(seen, 7);

        clear(&customer).await;
        mirror(&customer, 2, &[directory_user("user0", &["smtp:x@contoso.com"])]).await;
        let mut write = customer.begin().await.unwrap();
        assert_eq!(write.mark_all_dirty(Service::Ldap).await.unwrap(), 0);
        assert_eq!(write.mark_all_dirty(Service::Entra).await.unwrap(), 6);
        write.commit().await.unwrap();
        assert_eq!(dirty(&customer).await.len(), 7);
    }

    async fn every_claimant_of_an_address_is_found_in_its_strongest_role(db: &TestDb) {
        let customer = db.customer().await;
        let named = |external_id: &str, proxies: &[&str], principal: &str| DirectoryUser {
            user_principal_name: Some(principal.to_owned()),
            ..directory_user(external_id, proxies)
        };
        mirror(
            &customer,
            1,
            &[
                named("a", &["SMTP:Shared@Contoso.com"], "shared@contoso.com"),
                named("b", &["SMTP:b@contoso.com", "smtp:shared@contoso.com"], "b@contoso.com"),
                named("c", &["SMTP:c@contoso.com"], "SHARED@contoso.com"),
                named("d", &["SMTP:d@contoso.com"], "d_fabrikam.com#EXT#@contoso.com"),
            ],
        )
        .await;
        assert_eq!(claimants(&customer, "shared@contoso.com").await.into_iter().collect::<std::collections::BTreeMap<_, _>>(), [
            ("a".to_owned(), ClaimKind::Primary),
            ("b".to_owned(), ClaimKind::Alias),
            ("c".to_owned(), ClaimKind::Principal),
        ]
        .into());
        assert_eq!(claimants(&customer, "nobody@contoso.com").await, []);

        // A changed object claims what it has now, and nothing else.
        mirror(&customer, 2, &[named("b", &["SMTP:b2@contoso.com"], "b@contoso.com")]).await;
        assert_eq!(claimants(&customer, "shared@contoso.com").await.len(), 2);
        assert_eq!(claimants(&customer, "b2@contoso.com").await, [("b".to_owned(), ClaimKind::Primary)]);
        assert_eq!(claimants(&customer, "b@contoso.com").await, [("b".to_owned(), ClaimKind::Principal)]);
    }

    async fn the_holders_of_addresses_are_the_portals_users(db: &TestDb) {
        let customer = db.customer().await;
        let ids = write(&customer, &[new_user("Ada", "ada@contoso.com", &["countess@contoso.com"])]).await;
        let mut write = customer.begin().await.unwrap();
        let asked = addresses(&["ada@contoso.com", "countess@contoso.com", "nobody@contoso.com"]);
        let holders = write.holders(&asked).await.unwrap();
        assert_eq!(holders.len(), 2);
        assert!(holders.iter().all(|row| row.user_id == ids[0] && row.external_id.as_deref() == Some("ada")));
        assert_eq!(holders.iter().map(|row| row.is_primary).collect::<Vec<_>>(), [true, false]);
        assert_eq!(write.holders(&[]).await.unwrap(), []);
        assert_eq!(write.claims(&[]).await.unwrap(), []);
    }
}
