//! The mirror's groups, and who is in them.

use domain::{
    group::{DirectoryGroup, GroupKind, MemberKind, Membership},
    service::Service,
};
use store::{CustomerStore, Member, MirrorWritten};
use uuid::Uuid;

use crate::support::{TestDb, address, directory_user, new_user, on_both_engines, some_id, write};

/// What the directory says about a group with that key and address.
pub fn directory_group(external_id: &str, mail: Option<&str>) -> DirectoryGroup {
    DirectoryGroup {
        external_id: external_id.to_owned(),
        display_name: Some(format!("Group {external_id}")),
        mail: mail.map(ToOwned::to_owned),
        proxy_addresses: Vec::new(),
        kind: GroupKind::Microsoft365,
    }
}

pub fn membership(group: &str, member: &str, kind: MemberKind) -> Membership {
    Membership { group: group.to_owned(), member: member.to_owned(), kind }
}

async fn mirror(customer: &CustomerStore, round: i64, groups: &[DirectoryGroup]) -> MirrorWritten {
    let mut write = customer.begin().await.unwrap();
    let written = write.mirror_groups(Service::Entra, round, groups).await.unwrap();
    write.commit().await.unwrap();
    written
}

async fn join(customer: &CustomerStore, round: i64, memberships: &[Membership]) {
    let mut write = customer.begin().await.unwrap();
    write.join_members(Service::Entra, round, memberships).await.unwrap();
    write.commit().await.unwrap();
}

/// The keys of the dirty groups, sorted, each with whether it is gone.
async fn dirty(customer: &CustomerStore) -> Vec<(String, bool)> {
    let rows = customer.dirty_groups(Service::Entra, 0, 100).await.unwrap();
    let mut keys: Vec<_> = rows.into_iter().map(|row| (row.group.external_id, row.gone)).collect();
    keys.sort();
    keys
}

fn keys(pairs: &[(&str, bool)]) -> Vec<(String, bool)> {
    pairs.iter().map(|(key, gone)| ((*key).to_owned(), *gone)).collect()
}

async fn clear(customer: &CustomerStore) {
    let rows = customer.dirty_groups(Service::Entra, 0, 100).await.unwrap();
    let ids: Vec<_> = rows.into_iter().map(|row| row.id).collect();
    let mut write = customer.begin().await.unwrap();
    write.clear_dirty_groups(&ids).await.unwrap();
    write.commit().await.unwrap();
}

/// The keys of a group's direct members.
async fn members(customer: &CustomerStore, group: &str) -> Vec<String> {
    let rows = customer.group_members(Service::Entra, group, "", 100).await.unwrap();
    rows.into_iter().map(|row| row.member_id).collect()
}

/// Adds a portal group of Entra ID past the API.
async fn portal_group(db: &TestDb, external_id: &str) -> Uuid {
    let public_id = some_id();
    db.execute(&format!(
        "INSERT INTO groups (public_id, customer_id, source, external_id, display_name, sort_name, kind, created_at, changed_at)
         SELECT '{public_id}', MIN(id), 'azure', '{external_id}', '', '', 'security', 0, 0 FROM customers"
    ))
    .await;
    public_id
}

on_both_engines! {
    async fn a_group_comes_back_as_it_was_read(db: &TestDb) {
        let customer = db.customer().await;
        let full = DirectoryGroup {
            proxy_addresses: vec!["SMTP:Büro@contoso.com".to_owned(), "smtp:b@contoso.com".to_owned()],
            kind: GroupKind::Distribution,
            ..directory_group("b", Some("b@contoso.com"))
        };
        let bare = DirectoryGroup { external_id: "a".to_owned(), ..DirectoryGroup::default() };
        let groups = [bare, full];
        assert_eq!(mirror(&customer, 1, &groups).await, MirrorWritten { written: 2, unchanged: 0, first_told: 2 });
        let read: Vec<_> =
            customer.dirty_groups(Service::Entra, 0, 9).await.unwrap().into_iter().map(|row| row.group).collect();
        assert_eq!(read, groups);
        let page = customer.dirty_groups(Service::Entra, 0, 1).await.unwrap();
        let rest = customer.dirty_groups(Service::Entra, page[0].id, 9).await.unwrap();
        assert_eq!((page.len(), rest.len()), (1, 1));
        assert_eq!(customer.dirty_groups(Service::Ldap, 0, 9).await.unwrap(), []);
    }

    async fn only_a_changed_group_is_dirty_again_and_every_field_counts(db: &TestDb) {
        let customer = db.customer().await;
        let group = directory_group("a", Some("a@contoso.com"));
        for variant in [
            DirectoryGroup { display_name: None, ..group.clone() },
            DirectoryGroup { mail: None, ..group.clone() },
            DirectoryGroup { kind: GroupKind::Security, ..group.clone() },
            DirectoryGroup { proxy_addresses: vec!["smtp:x@contoso.com".to_owned()], ..group.clone() },
        ] {
            mirror(&customer, 1, std::slice::from_ref(&group)).await;
            clear(&customer).await;
            let written = mirror(&customer, 2, std::slice::from_ref(&group)).await;
            assert_eq!(written, MirrorWritten { written: 0, unchanged: 1, first_told: 1 });
            assert_eq!(dirty(&customer).await, []);
            // Twice in a batch: the last one counts.
            let written = mirror(&customer, 2, &[group.clone(), variant.clone()]).await;
            assert_eq!(written, MirrorWritten { written: 1, unchanged: 0, first_told: 0 }, "{variant:?}");
            assert_eq!(customer.dirty_groups(Service::Entra, 0, 9).await.unwrap()[0].group, variant);
        }
    }

    async fn a_gone_group_is_dirty_and_empty_until_it_comes_back_or_is_forgotten(db: &TestDb) {
        let customer = db.customer().await;
        let (a, b) = (directory_group("a", Some("a@contoso.com")), directory_group("b", None));
        mirror(&customer, 1, &[a.clone(), b]).await;
        join(&customer, 1, &[membership("a", "u", MemberKind::User), membership("b", "u", MemberKind::User)]).await;
        clear(&customer).await;
        let mut write = customer.begin().await.unwrap();
        let asked = ["a", "stranger"].map(ToOwned::to_owned);
        assert_eq!(write.mirror_groups_gone(Service::Entra, &asked).await.unwrap(), 1);
        assert_eq!(write.mirror_groups_gone(Service::Entra, &asked).await.unwrap(), 0);
        assert_eq!(write.mark_groups_dirty_by_address(Service::Entra, &[address("a@contoso.com")]).await.unwrap(), 0);
        write.commit().await.unwrap();
        assert_eq!(dirty(&customer).await, keys(&[("a", true)]));
        assert_eq!(customer.member_of(Service::Entra, "u").await.unwrap(), ["b"]);

        assert_eq!(mirror(&customer, 2, &[a]).await, MirrorWritten { written: 1, unchanged: 0, first_told: 1 });
        assert_eq!(dirty(&customer).await, keys(&[("a", false)]));

        let mut write = customer.begin().await.unwrap();
        write.mirror_groups_gone(Service::Entra, &asked).await.unwrap();
        write.commit().await.unwrap();
        clear(&customer).await;
        assert_eq!(db.number("SELECT COUNT(*) FROM mirror_groups").await, 1);
    }

    async fn a_full_round_ends_with_the_unseen_groups_and_memberships_gone(db: &TestDb) {
        let customer = db.customer().await;
        mirror(&customer, 1, &[directory_group("a", None), directory_group("b", None)]).await;
        let both = [membership("a", "u", MemberKind::User), membership("a", "v", MemberKind::User)];
        join(&customer, 1, &both).await;
        join(&customer, 1, &[membership("b", "u", MemberKind::User)]).await;
        portal_group(db, "a").await;
        portal_group(db, "lost").await;
        clear(&customer).await;
        let mut elsewhere = customer.begin().await.unwrap();
        elsewhere.mirror_groups(Service::Ldap, 1, &[directory_group("x", None)]).await.unwrap();
        elsewhere.join_members(Service::Ldap, 1, &[membership("x", "u", MemberKind::User)]).await.unwrap();
        elsewhere.commit().await.unwrap();

        mirror(&customer, 2, &[directory_group("a", None)]).await;
        join(&customer, 2, &both[..1]).await;
        let mut write = customer.begin().await.unwrap();
        assert_eq!(write.end_full_round_groups(Service::Entra, 2).await.unwrap(), 2);
        assert_eq!(write.end_full_round_groups(Service::Entra, 2).await.unwrap(), 0);
        write.commit().await.unwrap();
        assert_eq!(dirty(&customer).await, keys(&[("b", true), ("lost", true)]));
        assert_eq!(members(&customer, "a").await, ["u"]);
        assert_eq!(customer.member_of(Service::Entra, "u").await.unwrap(), ["a"]);
        assert_eq!(customer.member_of(Service::Ldap, "u").await.unwrap(), ["x"]);
        assert!(!customer.dirty_groups(Service::Ldap, 0, 9).await.unwrap()[0].gone);
    }

    async fn who_joins_and_leaves_is_in_the_group_or_not(db: &TestDb) {
        let customer = db.customer().await;
        let all = ["a", "b"].map(|group| ["u", "v", "w"].map(|member| membership(group, member, MemberKind::User)));
        join(&customer, 1, all.as_flattened()).await;
        // The last one counts, within a batch and after it.
        join(&customer, 2, &[membership("a", "u", MemberKind::Other), membership("a", "u", MemberKind::Group)]).await;
        assert_eq!(customer.group_members(Service::Entra, "a", "", 1).await.unwrap()[0].kind, MemberKind::Group);
        let pair = |group: &str, member: &str| (group.to_owned(), member.to_owned());
        let mut write = customer.begin().await.unwrap();
        write.leave_members(Service::Ldap, &[pair("a", "u")]).await.unwrap();
        write.leave_members(Service::Entra, &[pair("a", "v"), pair("b", "w"), pair("b", "stranger")]).await.unwrap();
        write.leave_members(Service::Entra, &[]).await.unwrap();
        write.join_members(Service::Entra, 2, &[]).await.unwrap();
        write.commit().await.unwrap();
        assert_eq!(members(&customer, "a").await, ["u", "w"]);
        assert_eq!(members(&customer, "b").await, ["u", "v"]);
        assert_eq!(customer.member_of(Service::Entra, "u").await.unwrap(), ["a", "b"]);
        assert_eq!(customer.member_of(Service::Entra, "stranger").await.unwrap(), Vec::<String>::new());
    }

    async fn a_member_is_shown_with_its_name_and_what_it_is_in_the_portal(db: &TestDb) {
        let customer = db.customer().await;
        let ada = new_user("Ada", "ada@contoso.com", &[]);
        write(&customer, std::slice::from_ref(&ada)).await;
        let staff = portal_group(db, "staff").await;
        let mut write = customer.begin().await.unwrap();
        write.mirror_users(Service::Entra, 1, &[directory_user("ada", &[]), directory_user("bob", &[])]).await.unwrap();
        write.commit().await.unwrap();
        mirror(&customer, 1, &[directory_group("staff", None), directory_group("all", None)]).await;
        join(&customer, 1, &[
            membership("all", "ada", MemberKind::User),
            membership("all", "bob", MemberKind::User),
            membership("all", "printer", MemberKind::Other),
            membership("all", "staff", MemberKind::Group),
            membership("all", "unread", MemberKind::User),
        ])
        .await;
        let member = |id: &str, kind, name: Option<&str>, synced| Member {
            member_id: id.to_owned(),
            kind,
            display_name: name.map(ToOwned::to_owned),
            synced,
        };
        let expected = [
            member("ada", MemberKind::User, Some("User ada"), Some(ada.public_id)),
            member("bob", MemberKind::User, Some("User bob"), None),
            member("printer", MemberKind::Other, None, None),
            member("staff", MemberKind::Group, Some("Group staff"), Some(staff)),
            member("unread", MemberKind::User, None, None),
        ];
        assert_eq!(customer.group_members(Service::Entra, "all", "", 9).await.unwrap(), expected);
        assert_eq!(customer.group_members(Service::Entra, "all", "", 2).await.unwrap(), expected[..2]);
        assert_eq!(customer.group_members(Service::Entra, "all", "bob", 9).await.unwrap(), expected[2..]);
    }

    async fn groups_are_marked_dirty_by_their_address_and_all_at_once(db: &TestDb) {
        let customer = db.customer().await;
        let by_proxy = DirectoryGroup {
            proxy_addresses: vec!["SMTP:B@contoso.com".to_owned()],
            ..directory_group("b", Some("other@contoso.com"))
        };
        mirror(&customer, 1, &[directory_group("a", Some("a@contoso.com")), by_proxy, directory_group("c", None)]).await;
        clear(&customer).await;
        let asked = [address("b@contoso.com"), address("other@contoso.com"), address("nobody@contoso.com")];
        let mut write = customer.begin().await.unwrap();
        assert_eq!(write.mark_groups_dirty_by_address(Service::Ldap, &asked).await.unwrap(), 0);
        assert_eq!(write.mark_groups_dirty_by_address(Service::Entra, &asked).await.unwrap(), 1);
        write.commit().await.unwrap();
        assert_eq!(dirty(&customer).await, keys(&[("b", false)]));
        let mut write = customer.begin().await.unwrap();
        assert_eq!(write.mark_all_dirty(Service::Entra).await.unwrap(), 0, "there is no user");
        write.commit().await.unwrap();
        assert_eq!(dirty(&customer).await, keys(&[("a", false), ("b", false), ("c", false)]));
    }
}
