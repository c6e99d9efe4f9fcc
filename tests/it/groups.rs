//! The list of groups and a group's page, as a browser sees them.

use store::GroupPage;

use crate::users::synced;

#[tokio::test]
async fn groups_are_listed_found_and_opened_with_their_members() {
    let (portal, _) = synced().await;
    let mut browser = portal.administrator().await;
    let customer = portal.customer("default").await;
    let groups = customer.groups(GroupPage { limit: 1_000, ..GroupPage::default() }).await.unwrap().rows;
    let (group, members) = groups.iter().find(|(_, members)| *members > 0).expect("the tenant has groups");
    let list = browser.get("/customers/default/groups").await.body;
    assert!(list.contains(&format!("/groups/{}", group.public_id)));
    let none = browser.get("/customers/default/groups?q=no+such+group").await.body;
    assert!(none.contains("No group matches"));
    let path = format!("/customers/default/groups/{}", group.public_id);
    let page = browser.get(&path).await.body;
    let rows = page.matches("<th scope=\"row\"").count();
    assert_eq!(i64::try_from(rows).unwrap(), (*members).min(50));
    assert_eq!(browser.get(&format!("{path}?show=nested")).await.status, 200);
    let other = format!("/customers/other/groups/{}", group.public_id);
    assert_eq!(browser.get(&other).await.status, 404);
}
