//! Pages of groups as they were written: what is read of them, and what a hostile one costs.

use directory::entra::{GROUP_SELECTION, GroupPage, MemberChange, NextOrDelta, PageLink, Problem};
use domain::{
    group::{GroupKind, MemberKind, Membership},
    run::NoticeKind,
};

use crate::support::{Answer, Server};

const GROUPS: &[u8] = include_bytes!("../data/recorded/groups.json");

fn first() -> PageLink {
    PageLink::First { select: GROUP_SELECTION.to_owned() }
}

/// The page that Graph answers with these objects.
async fn page(objects: &str) -> GroupPage {
    let server = Server::start().await;
    server.play([Answer::new(
        200,
        format!(
            r#"{{"value":[{objects}],"@odata.deltaLink":"{}/v1.0/groups/delta?$deltatoken=d"}}"#,
            server.url
        ),
    )]);
    server.client().groups_page(&first()).await.unwrap()
}

fn joined(group: &str, member: &str, kind: MemberKind) -> MemberChange {
    MemberChange::Joined(Membership { group: group.to_owned(), member: member.to_owned(), kind })
}

fn left(group: &str, member: &str) -> MemberChange {
    MemberChange::Left { group: group.to_owned(), member: member.to_owned() }
}

fn ids(page: &GroupPage) -> Vec<&str> {
    page.groups.iter().map(|group| group.external_id.as_str()).collect()
}

#[tokio::test]
async fn the_first_page_is_asked_for_with_members_and_the_next_one_by_its_link_unchanged() {
    let server = Server::start().await;
    let link = format!("{}/v1.0/groups/delta?$skiptoken=aB-_%2B%2f&x=%C3%A9", server.url);
    server.play([
        Answer::new(200, format!(r#"{{"value":[],"@odata.nextLink":"{link}"}}"#)),
        Answer::new(200, format!(r#"{{"value":[],"@odata.deltaLink":"{}/d"}}"#, server.url)),
    ]);
    let graph = server.client();
    let page = graph.groups_page(&first()).await.unwrap();
    assert_eq!(page.next, NextOrDelta::Next(link.clone()));
    graph.groups_page(&PageLink::Next(link)).await.unwrap();
    let targets: Vec<_> = server.asked().into_iter().map(|asked| asked.target).collect();
    assert_eq!(
        targets,
        [
            format!("/v1.0/groups/delta?$select={GROUP_SELECTION}"),
            "/v1.0/groups/delta?$skiptoken=aB-_%2B%2f&x=%C3%A9".to_owned()
        ]
    );
    assert!(GROUP_SELECTION.split(',').any(|name| name == "members"));
}

#[tokio::test]
async fn a_link_to_another_host_is_neither_followed_nor_handed_on() {
    let elsewhere = Server::start().await;
    let foreign = format!("{}/v1.0/groups/delta?$deltatoken=x", elsewhere.url);
    let server =
        Server::playing([Answer::new(200, format!(r#"{{"value":[],"@odata.deltaLink":"{foreign}"}}"#))])
            .await;
    let graph = server.client();
    for at in [first(), PageLink::Next(foreign.clone())] {
        let error = graph.groups_page(&at).await.unwrap_err();
        assert_eq!(error.problem, Problem::ForeignLink { origin: elsewhere.url.clone() });
        assert_eq!(error.trace.request, "GET /groups/delta");
    }
    assert!(elsewhere.asked().is_empty());
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn a_page_without_exactly_one_link_or_that_names_itself_is_refused() {
    let server = Server::start().await;
    let same = format!("{}/v1.0/groups/delta?$skiptoken=same", server.url);
    server.play([
        Answer::new(200, r#"{"value":[]}"#),
        Answer::new(200, format!(r#"{{"value":[],"@odata.nextLink":"{same}","@odata.deltaLink":"{same}"}}"#)),
        Answer::new(200, format!(r#"{{"value":[],"@odata.nextLink":"{same}"}}"#)),
        Answer::new(200, format!(r#"{{"value":[],"@odata.deltaLink":"{same}"}}"#)),
    ]);
    let graph = server.client();
    for _ in 0..3 {
        let error = graph.groups_page(&PageLink::Next(same.clone())).await.unwrap_err();
        assert!(matches!(error.problem, Problem::Unexpected { .. }), "{error:?}");
    }
    let page = graph.groups_page(&PageLink::Next(same.clone())).await.unwrap();
    assert_eq!(page.next, NextOrDelta::Delta(same), "nothing has happened since");
}

#[tokio::test]
async fn the_type_of_a_group_is_read_from_its_three_marks() {
    let mut objects = Vec::new();
    for (types, mail, security) in [
        (r#"["Unified"]"#, true, false),
        (r#"["DynamicMembership","Unified"]"#, true, true),
        ("[]", true, true),
        ("[]", true, false),
        (r#"["DynamicMembership"]"#, false, true),
        ("[]", false, false),
        ("null", false, true),
    ] {
        objects.push(format!(
            r#"{{"id":"{}","groupTypes":{types},"mailEnabled":{mail},"securityEnabled":{security}}}"#,
            objects.len()
        ));
    }
    let kinds: Vec<_> = page(&objects.join(",")).await.groups.into_iter().map(|group| group.kind).collect();
    assert_eq!(
        kinds,
        [
            GroupKind::Microsoft365,
            GroupKind::Microsoft365,
            GroupKind::MailEnabledSecurity,
            GroupKind::Distribution,
            GroupKind::Security,
            GroupKind::Security,
            GroupKind::Security,
        ]
    );
}

#[tokio::test]
async fn members_come_in_the_order_in_which_the_page_tells_them() {
    let page = page(
        r##"{"id":"g","displayName":"G","members@delta":[
                {"@odata.type":"#microsoft.graph.user","id":"u"},
                {"@odata.type":"#Microsoft.Graph.User","id":"v","@removed":{"reason":"deleted"}},
                {"@odata.type":"#microsoft.graph.group","id":"n"},
                {"@odata.type":"#microsoft.graph.device","id":"d"},
                {"id":"untold"}]},
            {"id":"h","@removed":{"reason":"changed"},"displayName":5},
            {"id":"g","displayName":"G","members@delta":[{"@odata.type":"#Microsoft.Graph.User","id":"v"}]},
            {"id":"i","displayName":"Without","members@delta":null}"##,
    )
    .await;
    assert_eq!(
        page.members,
        [
            joined("g", "u", MemberKind::User),
            left("g", "v"),
            joined("g", "n", MemberKind::Group),
            joined("g", "d", MemberKind::Other),
            joined("g", "untold", MemberKind::Other),
            joined("g", "v", MemberKind::User),
        ]
    );
    assert_eq!(ids(&page), ["g", "g", "i"]);
    assert_eq!(page.removed, ["h"]);
    assert!(page.unreadable.is_empty() && page.changed_values.is_empty());
}

#[tokio::test]
async fn an_entry_of_members_alone_leaves_the_group_as_it_is() {
    let page = page(
        r##"{"id":"g","members@delta":[{"@odata.type":"#microsoft.graph.user","id":"u"}]},{"id":"h"},
            {"@odata.type":"#microsoft.graph.group","id":"i","members@delta":[]}"##,
    )
    .await;
    assert_eq!(page.members, [joined("g", "u", MemberKind::User)]);
    assert!(page.groups.is_empty());
    let told: Vec<_> = page.unreadable.iter().map(|notice| notice.external_id.as_str()).collect();
    assert_eq!(told, ["h"], "an entry that says nothing at all is no group");
}

#[tokio::test]
async fn one_bad_group_or_member_never_costs_the_others() {
    let long = "a".repeat(129);
    let page = page(&format!(
        r##"5,null,[],"x",{{"displayName":"nobody"}},{{"id":"a b","displayName":"N"}},{{"id":"a\u0000b","displayName":"N"}},
            {{"id":"1","displayName":7,"members@delta":[{{"@odata.type":"#microsoft.graph.user","id":"u"}}]}},
            {{"id":"2","displayName":"M","members@delta":[7,{{}},{{"id":"{long}"}},{{"id":"a\u0000b"}},{{"id":"\ud800"}},
                {{"@odata.type":[],"id":"x"}},{{"@odata.type":"#microsoft.graph.user","id":"w"}}]}},
            {{"id":"3","displayName":"L","members@delta":{{}}}},
            {{"id":"4","groupTypes":"Unified"}},{{"id":"5","groupTypes":[1]}},{{"id":"6","mailEnabled":"true"}},
            {{"id":"7","proxyAddresses":{{}}}},{{"id":"8","mail":[]}},
            {{"@odata.type":"#microsoft.graph.device","id":"9","displayName":"D"}},
            {{"id":"10","displayName":"Last"}}"##
    ))
    .await;
    assert_eq!(ids(&page), ["2", "3", "10"]);
    assert_eq!(page.members, [joined("1", "u", MemberKind::User), joined("2", "w", MemberKind::User)]);
    assert!(page.unreadable.iter().all(|notice| notice.kind == NoticeKind::Unreadable));
    let told: Vec<_> = page.unreadable.iter().map(|notice| notice.external_id.as_str()).collect();
    assert_eq!(told, ["", "", "", "", "", "", "", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    let of = |id: &str| &page.unreadable.iter().find(|notice| notice.external_id == id).unwrap().detail;
    assert!(of("2").starts_with("6 members"), "{}", of("2"));
    assert!(of("9").contains("#microsoft.graph.device"), "{}", of("9"));
    assert!(page.changed_values.is_empty());
}

#[tokio::test]
async fn a_value_that_cannot_be_kept_is_changed_and_told() {
    let (name, long) = ("é".repeat(300), format!("smtp:{}@x.example", "a".repeat(1_024)));
    let page = page(&format!(
        r#"{{"id":"1","displayName":"A\u0000ll <script>"}},
           {{"id":"2","displayName":"{name}","mail":"{long}","proxyAddresses":["{long}","SMTP:g@x.example"]}}"#
    ))
    .await;
    assert_eq!(page.groups[0].display_name.as_deref(), Some("All <script>"));
    assert_eq!(page.groups[1].display_name, Some("é".repeat(256)));
    assert_eq!(
        (&page.groups[1].mail, page.groups[1].proxy_addresses.as_slice()),
        (&None, ["SMTP:g@x.example".to_owned()].as_slice())
    );
    let told: Vec<_> =
        page.changed_values.iter().map(|notice| (notice.kind, notice.external_id.as_str())).collect();
    assert_eq!(told, [(NoticeKind::ValueChanged, "1"), (NoticeKind::ValueChanged, "2")]);
    for property in ["displayName", "mail", "proxyAddresses"] {
        assert!(page.changed_values[1].detail.contains(property), "{}", page.changed_values[1].detail);
    }
}

#[tokio::test]
async fn the_recorded_groups_are_read_unchanged() {
    let server = Server::start().await;
    let mut body: serde_json::Value = serde_json::from_slice(GROUPS).unwrap();
    body["@odata.deltaLink"] = format!("{}/d", server.url).into();
    server.play([Answer::new(200, body.to_string())]);
    let page = server.client().groups_page(&first()).await.unwrap();
    assert_eq!((page.groups.len(), page.unreadable.len(), page.changed_values.len()), (49, 0, 0));
    let taskforce = &page.groups[0];
    assert_eq!(taskforce.display_name.as_deref(), Some("HR Taskforce"));
    assert_eq!(taskforce.kind, GroupKind::Microsoft365);
    assert_eq!(taskforce.address().unwrap().as_str(), "hrtaskforce@m365x214355.onmicrosoft.com");
}
