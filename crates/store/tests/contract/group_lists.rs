//! Lists of groups, and who is in them directly and through other groups.

use domain::{
    group::{GroupKind, MemberKind},
    service::Service,
};
use store::{GroupPage, GroupWrite, Search};

use crate::{
    groups::new_group,
    mirror_groups::membership,
    support::{TestDb, directory_user, in_one_write, new_user, on_both_engines, write},
};

on_both_engines! {
    async fn groups_are_found_by_name_address_and_type_page_by_page(db: &TestDb) {
        let customer = db.customer().await;
        let security = GroupWrite { address: None, kind: GroupKind::Security, ..new_group("Beta testers", "beta@contoso.com") };
        let groups =
            [new_group("Alpha", "first@contoso.com"), security, new_group("100%", "hundred@contoso.com"), new_group("zeta", "z@contoso.com")];
        in_one_write!(customer, |write| {
            write.write_groups(&groups).await.unwrap();
            write.join_members(Service::Entra, 1, &[membership("first", "x", MemberKind::Other)]).await.unwrap()
        });
        let page = |typed: &str, kind| GroupPage { search: Search::new(typed), kind, limit: 2, ..GroupPage::default() };
        for (typed, kind, names) in [
            ("", None, vec!["100%", "Alpha"]),
            ("eta", None, vec!["Beta testers", "zeta"]),
            ("first@", None, vec!["Alpha"]),
            ("f", None, vec!["Alpha"]),
            ("lp", None, vec![]),
            ("%", None, vec![]),
            ("00%", None, vec!["100%"]),
            ("", Some(GroupKind::Security), vec!["Beta testers"]),
        ] {
            let list = customer.groups(page(typed, kind)).await.unwrap();
            let shown: Vec<_> = list.rows.iter().map(|(group, _)| group.display_name.as_str()).collect();
            assert_eq!(shown, names, "{typed}");
        }
        let first = customer.groups(page("", None)).await.unwrap();
        assert_eq!(first.rows.iter().map(|(_, members)| *members).collect::<Vec<_>>(), [0, 1]);
        assert!(first.has_next && !first.has_previous);
        let after = first.rows.last().map(|(group, _)| group.cursor());
        let second = customer.groups(GroupPage { after, ..page("", None) }).await.unwrap();
        assert_eq!(second.rows.len(), 2);
        assert!(!second.has_next && second.has_previous);
        let before = second.rows.first().map(|(group, _)| group.cursor());
        assert_eq!(customer.groups(GroupPage { before, ..page("", None) }).await.unwrap(), first);
        assert!(db.other_customer().await.groups(page("", None)).await.unwrap().rows.is_empty());
    }

    async fn members_are_direct_or_nested_and_those_that_are_not_synced_come_last(db: &TestDb) {
        let customer = db.customer().await;
        write(&customer, &[new_user("Zoe", "zoe@contoso.com", &[]), new_user("Ada", "ada@contoso.com", &[])]).await;
        let (outer, inner) = (new_group("Outer", "outer@contoso.com"), new_group("Inner", "inner@contoso.com"));
        in_one_write!(customer, |write| {
            write.write_groups(&[outer, inner]).await.unwrap();
            write.mirror_users(Service::Entra, 1, &[directory_user("guest", &[])]).await.unwrap();
            let (user, group) = (MemberKind::User, MemberKind::Group);
            write.join_members(Service::Entra, 1, &[
                membership("outer", "zoe", user),
                membership("outer", "guest", user),
                membership("outer", "inner", group),
                membership("outer", "device", MemberKind::Other),
                membership("inner", "ada", user),
                membership("inner", "zoe", user),
                // Round and round.
                membership("inner", "outer", group),
            ]).await.unwrap();
        });
        let listed = async |nested, after, limit| {
            customer.listed_members(Service::Entra, "outer", nested, after, limit).await.unwrap()
        };
        let keys = |members: &[store::ListedMember]| members.iter().map(|m| m.member_id.clone()).collect::<Vec<_>>();
        let direct = listed(false, None, 10).await;
        assert_eq!(keys(&direct), ["inner", "zoe", "device", "guest"]);
        assert_eq!(direct.iter().map(|member| member.synced.is_some()).collect::<Vec<_>>(), [true, true, false, false]);
        assert_eq!(direct[3].display_name.as_deref(), Some("User guest"));
        assert_eq!(direct[1].address.as_deref(), Some("zoe@contoso.com"));
        let nested = listed(true, None, 10).await;
        assert_eq!(keys(&nested), ["ada", "zoe", "device", "guest"]);
        let after = Some((nested[1].place.clone(), nested[1].member_id.clone()));
        assert_eq!(keys(&listed(true, after, 1).await), ["device"]);

        let of = |groups: Vec<(store::Group, bool)>| {
            groups.into_iter().map(|(group, direct)| (group.display_name, direct)).collect::<Vec<_>>()
        };
        let groups = of(customer.groups_of(Service::Entra, "ada", 10).await.unwrap());
        assert_eq!(groups, [("Inner".to_owned(), true), ("Outer".to_owned(), false)]);
        let other = db.other_customer().await;
        assert!(other.groups_of(Service::Entra, "ada", 10).await.unwrap().is_empty());
        assert!(other.listed_members(Service::Entra, "outer", true, None, 10).await.unwrap().is_empty());
    }
}
