//! Groups, and who is in them.

use domain::{
    group::{GroupKind, MemberKind},
    run::{Action, NoticeKind, ObjectKind},
    service::{Service, Source},
};
use entra_sim::Change;
use serde_json::{Value, json};
use store::{ExceptionKind, Group};
use sync::rules::save_managed_domains;

use crate::{
    scenario::{DAY, group, people},
    support::{World, actor, id, of_kind, on_both_engines, person, with},
};

impl World {
    /// People 1 to 4 and these groups, synced.
    async fn has_groups(&self, groups: &[Value]) {
        self.tenant_with(&people(4), groups);
        self.connect(|_| {}).await;
        self.synced().await;
    }

    async fn find_group(&self, number: u32) -> Option<Group> {
        let mut write = self.customer.begin().await.unwrap();
        write.groups_by_external_id(Source::Azure, &[id(number)]).await.unwrap().pop()
    }

    async fn a_group(&self, number: u32) -> Group {
        self.find_group(number).await.unwrap_or_else(|| panic!("{number} is no group"))
    }

    async fn group_address(&self, number: u32) -> Option<String> {
        self.a_group(number).await.address.map(|address| address.to_string())
    }

    /// Who is in a group: the directory's id, the kind, and whether it is synced.
    async fn members(&self, number: u32) -> Vec<(String, MemberKind, bool)> {
        let members = self.customer.group_members(Service::Entra, &id(number), "", 1_000).await.unwrap();
        members.into_iter().map(|member| (member.member_id, member.kind, member.synced.is_some())).collect()
    }

    fn gains(&self, number: u32, members: &[u32]) {
        let members = members.iter().map(|member| id(*member)).collect();
        self.happens(Change::AddMembers { group: id(number), members });
    }

    fn loses(&self, number: u32, members: &[u32]) {
        let members = members.iter().map(|member| id(*member)).collect();
        self.happens(Change::RemoveMembers { group: id(number), members });
    }
}

/// A group that nobody writes to.
fn quiet(number: u32, name: &str) -> Value {
    json!({"id": id(number), "displayName": name, "mailEnabled": false, "securityEnabled": true, "groupTypes": []})
}

fn user(number: u32, synced: bool) -> (String, MemberKind, bool) {
    (id(number), MemberKind::User, synced)
}

on_both_engines! {
    async fn each_type_of_group_is_told_apart(world: &mut World) {
        let unified = with(with(group(22, "team"), "groupTypes", json!(["Unified"])), "securityEnabled", false);
        let list = with(group(24, "list"), "securityEnabled", false);
        world.has_groups(&[quiet(21, "rights"), unified, group(23, "mailed"), list]).await;
        let kinds = [
            (21, GroupKind::Security, None),
            (22, GroupKind::Microsoft365, Some("team@contoso.com")),
            (23, GroupKind::MailEnabledSecurity, Some("mailed@contoso.com")),
            (24, GroupKind::Distribution, Some("list@contoso.com")),
        ];
        for (number, kind, address) in kinds {
            let group = world.a_group(number).await;
            assert_eq!((group.kind, world.group_address(number).await.as_deref()), (kind, address));
            assert_eq!(group.source, Source::Azure);
        }
    }

    async fn a_renamed_group_is_the_same_group(world: &mut World) {
        world.has_groups(&[group(21, "sales"), group(22, "other")]).await;
        let before = world.a_group(21).await;
        world.gains(21, &[1]);
        world.is_renamed(21, "Sales and more", "sales.and.more");
        let report = world.synced().await;
        let after = world.a_group(21).await;
        assert_eq!((after.id, after.public_id, after.display_name.as_str()), (before.id, before.public_id, "Sales and more"));
        assert_eq!(world.group_address(21).await.as_deref(), Some("sales.and.more@contoso.com"));
        assert_eq!(world.members(21).await, [user(1, true)]);
        let history = world.history(&report).await;
        assert_eq!(history.len(), 1);
        let change = &history[0].change;
        assert_eq!((change.object, change.action, change.changes[0].old.as_str()), (ObjectKind::Group, Action::Updated, "sales"));
    }

    async fn members_come_and_go_by_changes_and_those_who_are_not_synced_are_shown(world: &mut World) {
        world.has_groups(&[group(21, "sales"), group(22, "other")]).await;
        // The anchor of the tenant is disabled.
        world.gains(21, &[1, 2, 999_999, 22]);
        world.synced().await;
        assert_eq!(world.members(21).await, [user(1, true), user(2, true), (id(22), MemberKind::Group, true), user(999_999, false)]);
        assert_eq!(world.customer.member_of(Service::Entra, &id(22)).await.unwrap(), [id(21)], "a group is a member like any other");
        world.loses(21, &[1, 22]);
        world.gains(21, &[3]);
        world.gains(22, &[3]);
        let report = world.synced().await;
        assert_eq!(world.members(21).await, [user(2, true), user(3, true), user(999_999, false)]);
        assert_eq!(world.customer.member_of(Service::Entra, &id(3)).await.unwrap(), [id(21), id(22)]);
        assert!(world.history(&report).await.is_empty(), "the group itself did not change");
    }

    async fn a_list_of_members_that_is_split_over_pages_is_put_together(world: &mut World) {
        // A page carries 500 memberships.
        let many: Vec<_> = (1..=1_203).map(|number| json!({
            "id": id(number), "displayName": format!("P {number}"), "userPrincipalName": format!("p{number}@contoso.com"),
            "accountEnabled": false,
        })).collect();
        world.tenant_with(&many, &[group(5_001, "all"), group(5_002, "few")]);
        world.gains(5_001, &(1..=1_202).collect::<Vec<_>>());
        world.gains(5_002, &[1]);
        world.connect(|_| {}).await;
        let report = world.synced().await;
        assert_eq!(report.read.groups, 2, "each once, however often it was told of");
        assert_eq!(world.customer.group_members(Service::Entra, &id(5_001), "", 5_000).await.unwrap().len(), 1_202);
        world.loses(5_001, &(1..=700).collect::<Vec<_>>());
        world.gains(5_001, &[1_203]);
        world.synced().await;
        assert_eq!(world.customer.group_members(Service::Entra, &id(5_001), "", 5_000).await.unwrap().len(), 503);
        assert_eq!(world.customer.member_of(Service::Entra, &id(1)).await.unwrap(), [id(5_002)]);
    }

    async fn a_group_that_is_gone_goes_to_the_recycle_bin_in_that_run_and_comes_back_as_it_was(world: &mut World) {
        let unified = with(group(21, "team"), "groupTypes", json!(["Unified"]));
        world.has_groups(&[unified, group(22, "other")]).await;
        let before = world.a_group(21).await;
        world.leaves(21);
        let report = world.synced().await;
        assert_eq!(report.summary, "0 people read. Groups: 1 gone.");
        assert_eq!(world.find_group(21).await, None);
        let bin = world.customer.recycle_bin(None, 10).await.unwrap();
        assert_eq!((bin.len(), bin[0].object, bin[0].public_id), (1, ObjectKind::Group, before.public_id));
        assert_eq!(bin[0].reason, "not in directory");
        world.clock.advance(DAY);
        world.returns(21);
        let report = world.synced().await;
        let after = world.a_group(21).await;
        assert_eq!((after.id, after.public_id, after.created_at), (before.id, before.public_id, before.created_at));
        assert!(world.customer.recycle_bin(None, 10).await.unwrap().is_empty());
        let change = &world.history(&report).await[0].change;
        assert_eq!((change.action, change.reason.as_str()), (Action::Restored, "delivered again; was in the recycle bin"));
    }

    async fn a_user_has_an_address_rather_than_a_group(world: &mut World) {
        world.tenant_with(&people(4), &[group(21, "p1"), group(22, "other")]);
        world.connect(|_| {}).await;
        let report = world.synced().await;
        assert_eq!((world.group_address(21).await, world.one(1).await.primary.as_str()), (None, "p1@contoso.com"));
        let clashes = of_kind(&report, NoticeKind::Clash);
        assert_eq!((clashes.len(), clashes[0].external_id.as_str()), (1, id(21).as_str()));
        assert!(clashes[0].detail.contains("belongs to a user"), "{}", clashes[0].detail);
    }

    async fn a_group_gets_its_address_when_the_user_who_had_it_is_deleted(world: &mut World) {
        world.has_groups(&[group(21, "p1"), group(22, "other")]).await;
        world.leaves(1);
        world.synced().await;
        assert_eq!(world.group_address(21).await, None, "the user in conflict still has it");
        world.clock.advance(7 * DAY);
        assert_eq!(world.synced().await.changes.deleted, 1);
        world.synced().await;
        assert_eq!(world.group_address(21).await.as_deref(), Some("p1@contoso.com"));
    }

    async fn an_address_belongs_to_one_group(world: &mut World) {
        world.has_groups(&[group(21, "desk"), group(22, "other")]).await;
        world.sets(22, "proxyAddresses", json!(["SMTP:desk@contoso.com"]));
        let report = world.synced().await;
        assert_eq!(of_kind(&report, NoticeKind::Clash).len(), 1);
        assert_eq!((world.group_address(21).await.as_deref(), world.group_address(22).await), (Some("desk@contoso.com"), None));
        // Two groups exchange theirs.
        world.sets(21, "proxyAddresses", json!(["SMTP:first@contoso.com"]));
        world.synced().await;
        assert_eq!(world.group_address(22).await.as_deref(), Some("desk@contoso.com"));
        world.sets(21, "proxyAddresses", json!(["SMTP:desk@contoso.com"]));
        world.sets(22, "proxyAddresses", json!(["SMTP:first@contoso.com"]));
        let report = world.synced().await;
        assert!(of_kind(&report, NoticeKind::Clash).is_empty());
        assert_eq!(world.group_address(21).await.as_deref(), Some("desk@contoso.com"));
        assert_eq!(world.group_address(22).await.as_deref(), Some("first@contoso.com"));
    }
}

#[tokio::test]
async fn a_user_who_comes_later_takes_the_address_and_the_group_gets_it_back() {
    let world = &World::new().await;
    world.has_groups(&[group(21, "desk"), group(22, "other")]).await;
    world.joins(&person(5, "desk", &[]));
    let report = world.synced().await;
    assert_eq!(
        (world.one(5).await.primary.as_str(), world.group_address(21).await),
        ("desk@contoso.com", None)
    );
    assert_eq!(of_kind(&report, NoticeKind::Clash).len(), 1);
    world.is_renamed(5, "Renamed", "renamed");
    world.sets(5, "proxyAddresses", json!(["SMTP:renamed@contoso.com"]));
    world.synced().await;
    assert_eq!(world.group_address(21).await.as_deref(), Some("desk@contoso.com"));
}

#[tokio::test]
async fn a_group_outside_the_managed_domains_leaves_and_one_without_address_stays() {
    let world = &World::new().await;
    world.has_groups(&[group(21, "sales"), quiet(22, "rights")]).await;
    let elsewhere = ["elsewhere.example".to_owned(), "contoso.onmicrosoft.com".to_owned()];
    world.limits(500, 100, 100).await;
    assert!(
        save_managed_domains(&world.engine, &world.customer, &actor(), &elsewhere).await.unwrap().unwrap()
    );
    world.read().await;
    assert_eq!(world.find_group(21).await, None);
    assert_eq!(world.a_group(22).await.address, None);
    assert_eq!(world.customer.recycle_bin(None, 10).await.unwrap()[0].reason, "outside managed domains");
}

#[tokio::test]
async fn an_excepted_group_leaves_at_the_next_run_and_its_members_are_not_touched() {
    let world = &World::new().await;
    world.has_groups(&[group(21, "sales"), group(22, "other")]).await;
    world.gains(21, &[1, 2]);
    world.synced().await;
    world.except(ExceptionKind::Group, &id(21), false).await;
    let report = world.synced().await;
    assert_eq!((report.changes.missing, report.changes.updated, report.held), (0, 0, 0));
    assert_eq!(world.find_group(21).await, None);
    assert_eq!(world.numbers().await, [1, 2, 3, 4]);
    world.is_renamed(21, "Renamed", "renamed");
    world.synced().await;
    assert_eq!(world.find_group(21).await, None, "it never comes in by a change");
    world.no_longer_except(ExceptionKind::Group, &id(21)).await;
    world.synced().await;
    assert_eq!(world.a_group(21).await.display_name, "Renamed");
}
