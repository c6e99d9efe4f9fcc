//! The recorded answers of the real service, read through the simulator into the portal.

use domain::service::Source;
use entra_sim::{Import, Tenant};

use crate::support::World;

const RECORDED: [&str; 2] = [
    include_str!("../../../directory/tests/data/recorded/user.json"),
    include_str!("../../../directory/tests/data/recorded/groups.json"),
];
const MEMBERS: &str = include_str!("../../../directory/tests/data/recorded/group-members.json");

#[tokio::test]
async fn the_people_of_the_recorded_answers_become_users() {
    let world = World::new().await;
    let mut import = Import::default();
    for answer in RECORDED {
        import.add(answer).unwrap();
    }
    import.add_members("02bd9fd6-8f93-4758-87c3-1fb73740a315", MEMBERS).unwrap();
    world.tenant.sim().replace_tenant(Tenant::import(import, 1).unwrap());
    world.connect(|_| {}).await;
    let report = world.synced().await;
    let users = world.users().await;
    assert_eq!(i64::try_from(users.len()).unwrap(), report.read.users, "{}", report.summary);
    assert!(users.len() > 10, "{}", users.len());
    assert!(users.iter().all(|user| user.source == Source::Azure));
    let megan = users.iter().find(|user| user.display_name == "Megan Bowen").unwrap();
    assert_eq!(megan.external_id.as_deref(), Some("48d31887-5fad-4d73-a9f5-3c356e68a038"));
    assert_eq!(megan.primary_address, "meganb@m365x214355.onmicrosoft.com");
    assert_eq!(megan.aliases, ["megan@m365x214355.onmicrosoft.com"]);
    assert_eq!(world.synced().await.changes.updated, 0);
}
