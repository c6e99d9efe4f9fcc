//! Groups: written in batches, found by key and address, listed by name.

use domain::{group::GroupKind, service::Source};
use store::{GroupWrite, StoreError};

use crate::support::{NOW, TestDb, address, in_one_write, on_both_engines, some_id};

/// A group of Entra ID to be added, whose key is the local part of the address.
pub fn new_group(display_name: &str, at: &str) -> GroupWrite {
    GroupWrite {
        id: None,
        public_id: some_id(),
        source: Source::Azure,
        external_id: at.split('@').next().unwrap().to_owned(),
        display_name: display_name.to_owned(),
        address: Some(address(at)),
        kind: GroupKind::Distribution,
        now: NOW,
    }
}

on_both_engines! {
    async fn a_batch_adds_and_changes_and_answers_in_its_order(db: &TestDb) {
        let customer = db.customer().await;
        let all = new_group("All", "all@contoso.com");
        let [id] = in_one_write!(customer, |write| { write.write_groups(std::slice::from_ref(&all)).await.unwrap() }).try_into().unwrap();
        let changed = GroupWrite {
            id: Some(id),
            public_id: some_id(),
            display_name: "Everybody".to_owned(),
            address: None,
            kind: GroupKind::Microsoft365,
            now: NOW.plus(5),
            ..all.clone()
        };
        let new = new_group("New", "new@contoso.com");
        let ids = in_one_write!(customer, |write| {
            assert_eq!(write.write_groups(&[]).await.unwrap(), Vec::<i64>::new());
            write.write_groups(&[new.clone(), changed]).await.unwrap()
        });
        assert_eq!(ids[1], id);
        let group = customer.group(all.public_id).await.unwrap().unwrap();
        assert_eq!((group.id, group.display_name.as_str(), group.address, group.kind), (id, "Everybody", None, GroupKind::Microsoft365));
        assert_eq!((group.created_at, group.changed_at), (NOW, NOW.plus(5)));
        let group = customer.group(new.public_id).await.unwrap().unwrap();
        assert_eq!((group.id, group.address.clone()), (ids[0], Some(address("new@contoso.com"))));
        in_one_write!(customer, |write| {
            let keys = ["new".to_owned(), "nobody".to_owned()];
            assert_eq!(write.groups_by_external_id(Source::Azure, &keys).await.unwrap(), std::slice::from_ref(&group));
            assert_eq!(write.groups_by_external_id(Source::Ldap, &keys).await.unwrap(), []);
            assert_eq!(write.groups_by_address(&[address("new@contoso.com"), address("all@contoso.com")]).await.unwrap(), [group]);
        });
        assert_eq!(customer.group_count(Source::Azure).await.unwrap(), 2);
        assert_eq!(customer.group_count(Source::Ldap).await.unwrap(), 0);
    }

    async fn the_directorys_key_belongs_to_one_group_of_a_source_and_an_address_may_be_shared(db: &TestDb) {
        let customer = db.customer().await;
        let shared = GroupWrite { external_id: "b".to_owned(), ..new_group("B", "a@contoso.com") };
        in_one_write!(customer, |write| { write.write_groups(&[new_group("A", "a@contoso.com"), shared]).await.unwrap() });
        let found = in_one_write!(customer, |write| { write.groups_by_address(&[address("a@contoso.com")]).await.unwrap() });
        assert_eq!(found.len(), 2);
        let mut write = customer.begin().await.unwrap();
        assert!(matches!(write.write_groups(&[new_group("A", "a@contoso.com")]).await, Err(StoreError::Taken(_))));
    }

    async fn the_list_goes_by_name_without_regard_to_case(db: &TestDb) {
        let customer = db.customer().await;
        let groups = ["zoe", "Ada", "Émile", "ada", "Zoe"].map(|name| GroupWrite {
            external_id: some_id().to_string(),
            ..new_group(name, "g@contoso.com")
        });
        in_one_write!(customer, |write| {
            for group in &groups {
                write.write_groups(std::slice::from_ref(group)).await.unwrap();
            }
        });
        let (mut after, mut names) = (None, Vec::new());
        loop {
            let page = customer.groups_page(after, 2).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.cursor());
            names.extend(page.into_iter().map(|group| group.display_name));
        }
        assert_eq!(names, ["Ada", "ada", "zoe", "Zoe", "Émile"]);
    }

    async fn another_customers_groups_are_neither_seen_nor_changed(db: &TestDb) {
        let (them, us) = (db.customer().await, db.other_customer().await);
        let theirs = new_group("A", "a@contoso.com");
        let ids = in_one_write!(them, |write| { write.write_groups(std::slice::from_ref(&theirs)).await.unwrap() });
        assert_eq!(us.group(theirs.public_id).await.unwrap(), None);
        assert_eq!(us.groups_page(None, 9).await.unwrap(), []);
        assert_eq!(us.group_count(Source::Azure).await.unwrap(), 0);
        let mut write = us.begin().await.unwrap();
        assert_eq!(write.groups_by_external_id(Source::Azure, &["a".to_owned()]).await.unwrap(), []);
        assert_eq!(write.groups_by_address(&[address("a@contoso.com")]).await.unwrap(), []);
        let stolen = GroupWrite { id: Some(ids[0]), ..new_group("Eve", "eve@contoso.com") };
        assert!(matches!(write.write_groups(&[stolen]).await, Err(StoreError::Missing(_))));
        drop(write);
        assert_eq!(them.group(theirs.public_id).await.unwrap().unwrap().display_name, "A");
    }
}
