//! Another tenant is connected: who is the same person there, who is not, and the way back.

use domain::{
    Secret,
    conflict::Reason,
    guard::Guarded,
    run::Action,
    service::{Service, Status},
    settings::DeleteAfter,
};
use entra_sim::{Import, Options, Running, Sim, Tenant};
use serde_json::{Value, json};
use store::ExceptionKind;
use sync::connect::{self, ConnectForm, Refused, Saved, Switch, TenantDoubt};

use crate::{
    scenario::{DAY, group, people},
    support::{World, actor, id, on_both_engines, person, with},
};

/// A second tenant, with its own id, that serves the same domain.
async fn another_tenant(people: &[Value], groups: &[Value]) -> Running {
    let other = Sim::start(Options {
        size: entra_sim::Size { users: 1, seed: 77, ..entra_sim::Size::default() },
        ..Options::default()
    });
    let other = other.await.unwrap();
    let anchor = json!({"id": id(888_888), "displayName": "Anchor", "userPrincipalName": "anchor@contoso.com", "accountEnabled": false});
    let people: Vec<&Value> = people.iter().chain([&anchor]).collect();
    let mut import = Import::default();
    import.add(&json!({ "users": people, "groups": groups }).to_string()).unwrap();
    other.sim().replace_tenant(Tenant::import(import, 77).unwrap());
    other
}

fn form_of(world: &World, tenant: &Running) -> ConnectForm {
    let mut form = world.form();
    form.text.tenant = tenant.tenant_id();
    form.text.client_id = tenant.client_id();
    form.secret = Some(Secret::new(tenant.client_secret()));
    form
}

fn look_at(world: &mut World, tenant: &Running) {
    world.engine.endpoints = directory::entra::Endpoints::parse(tenant.url(), tenant.url()).unwrap();
}

async fn save(world: &World, form: ConnectForm) -> Result<Saved, TenantDoubt> {
    match connect::save(&world.engine, &world.customer, &actor(), form).await.unwrap() {
        Ok(saved) => Ok(saved),
        Err(Refused::ConfirmTenant(doubt)) => Err(doubt),
        Err(other) => panic!("{other:?}"),
    }
}

/// Asks, and confirms what was shown, as the page does.
async fn switch(world: &World, form: ConnectForm) -> Switch {
    let doubt = save(world, form.clone()).await.unwrap_err();
    let confirmed = ConnectForm { confirm_tenant: true, confirm_switch: Some(doubt.stamp()), ..form };
    save(world, confirmed).await.unwrap();
    doubt.switch.unwrap()
}

/// Somebody of the new tenant with an address of the old one.
fn moved(number: u32, local: &str, name: &str) -> Value {
    with(person(number, local, &[]), "displayName", name)
}

on_both_engines! {
    async fn a_switch_is_asked_about_with_its_figures_and_saves_nothing_until_then(world: &mut World) {
        let mut all = people(4);
        all[1] = with(all[1].clone(), "onPremisesImmutableId", "q83vEjRWeJ==");
        world.began(&all).await;
        let entries = world.audit().await.len();
        let renamed = with(person(102, "second", &[]), "onPremisesImmutableId", "q83vEjRWeJ==");
        let disabled = with(moved(103, "p3", "Person 3"), "accountEnabled", false);
        let other = another_tenant(&[moved(101, "p1", "One, Person"), renamed, disabled], &[]).await;
        look_at(world, &other);
        let doubt = save(world, form_of(world, &other)).await.unwrap_err();
        assert!(doubt.reasons[0].starts_with("This is another tenant than before ("), "{doubt:?}");
        let found = doubt.switch.clone().unwrap();
        let figures = found.figures.clone().unwrap();
        assert_eq!((found.users, figures.stay), (4, 2), "by address, by the id on premises; a disabled one does not stay");
        assert_eq!(figures.named, ["Person 3 <p3@contoso.com>", "Person 4 <p4@contoso.com>"]);
        assert_eq!(found.delete_from, Some(world.now().plus(7 * DAY)));
        let words = doubt.sentences().join(" ");
        assert!(words.contains("2 of 4 synced users are found in the new tenant and stay"), "{words}");
        assert!(words.contains("2 users become conflicts with the first sync (each would be deleted 7 days after"), "{words}");
        assert_eq!(world.audit().await.len(), entries, "nothing was saved");

        // Somebody more would leave by now: what was confirmed was another question.
        let stale = ConnectForm { confirm_tenant: true, confirm_switch: Some(doubt.stamp()), ..form_of(world, &other) };
        other.sim().change(&entra_sim::Change::Delete { object: id(101), for_good: false }).unwrap();
        assert!(save(world, stale).await.is_err());
        let unseen = ConnectForm { confirm_tenant: true, confirm_switch: Some(String::new()), ..form_of(world, &other) };
        assert!(save(world, unseen).await.is_err());
        assert_eq!(world.audit().await.len(), entries);
    }

    async fn the_same_people_keep_their_id_and_history_and_the_others_become_conflicts(world: &mut World) {
        let mut all = people(5);
        all[1] = with(all[1].clone(), "onPremisesImmutableId", "q83vEjRWeJ==");
        world.began(&all).await;
        let before: Vec<_> = [world.user(1).await, world.user(2).await].into_iter().collect();
        let renamed = with(person(102, "second", &[]), "onPremisesImmutableId", "q83vEjRWeJ==");
        let other = another_tenant(&[moved(101, "p1", "One, Person"), renamed, person(109, "new", &[])], &[]).await;
        look_at(world, &other);
        switch(world, form_of(world, &other)).await;
        assert_eq!(world.in_conflict().await, [], "nothing happens before the new tenant was read");
        let report = world.synced().await;
        assert_eq!((report.changes.missing, report.changes.added, report.changes.deleted, report.held), (3, 1, 0, 0));
        assert!(report.summary.contains("2 users were found in the tenant that is connected now"), "{}", report.summary);
        let other_service = Reason::OtherDirectoryService;
        assert_eq!(world.in_conflict().await, [(id(3), other_service), (id(4), other_service), (id(5), other_service)]);
        for (number, user) in [101, 102].into_iter().zip(before) {
            let after = world.user(number).await;
            assert_eq!((after.id, after.public_id, after.status), (user.id, user.public_id, Status::Active));
            let timeline = world.timeline(&after).await;
            assert_eq!(timeline[0], (Action::Added, "in directory".to_owned()));
            assert_eq!(timeline[1].1, "the same person in the tenant that is connected now");
        }
        assert_eq!(world.user(102).await.primary_address.as_str(), "second@contoso.com");
        assert_eq!(world.conflict(3).await.delete_on(DeleteAfter::SevenDays), Some(world.now().plus(7 * DAY)));
        let again = world.synced().await;
        assert_eq!((again.changes.missing, again.changes.updated, again.held), (0, 0, 0));
        // A late one is found as well, and an unknown person with a conflict's address is asked about.
        other.sim().change(&entra_sim::Change::AddUser(moved(104, "p4", "Person 4").as_object().unwrap().clone())).unwrap();
        other.sim().change(&entra_sim::Change::AddUser(moved(105, "p5", "Somebody Else").as_object().unwrap().clone())).unwrap();
        let late = world.synced().await;
        assert_eq!((late.changes.restored, late.changes.added), (1, 1));
        assert_eq!(world.conflict(5).await.rival, Some(id(105)));
        world.clock.advance(7 * DAY);
        assert_eq!(world.synced().await.changes.deleted, 2);
    }

    async fn switching_back_within_the_delay_loses_nobody(world: &mut World) {
        world.tenant_with(&people(5), &[group(50, "team")]);
        world.connect(|_| {}).await;
        world.synced().await;
        let mut before = Vec::new();
        for number in 1..=5 {
            before.push(world.user(number).await.public_id);
        }
        let other = another_tenant(&[moved(101, "p1", "Person 1"), moved(102, "p2", "Other Name")], &[]).await;
        look_at(world, &other);
        switch(world, form_of(world, &other)).await;
        let report = world.synced().await;
        assert_eq!((report.changes.missing, report.held), (3, 0));
        assert_eq!(world.customer.group_count(domain::service::Source::Azure).await.unwrap(), 0);
        world.clock.advance(6 * DAY);
        let endpoints = directory::entra::Endpoints::parse(world.tenant.url(), world.tenant.url()).unwrap();
        world.engine.endpoints = endpoints;
        let figures = switch(world, world.form()).await.figures.unwrap();
        assert_eq!((figures.stay, figures.leaving.len()), (2, 0));
        let report = world.synced().await;
        assert_eq!((report.changes.added, report.changes.missing, report.changes.restored), (0, 0, 3));
        assert_eq!(world.in_conflict().await, []);
        for (number, public_id) in (1..=5).zip(before) {
            assert_eq!(world.user(number).await.public_id, public_id);
        }
        assert_eq!(world.customer.group_count(domain::service::Source::Azure).await.unwrap(), 1);
        world.clock.advance(30 * DAY);
        assert_eq!(world.synced().await.changes.deleted, 0);
        world.leaves(3);
        world.synced().await;
        assert_eq!(world.in_conflict().await, [(id(3), Reason::NotInDirectory)], "who leaves now leaves this tenant");
    }

    async fn a_tenant_that_cannot_be_read_leaves_its_leavers_to_the_guard(world: &mut World) {
        world.began(&people(7)).await;
        let other = another_tenant(&[moved(101, "p1", "Person 1")], &[]).await;
        look_at(world, &other);
        other.sim().fail_graph(entra_sim::GraphFault {
            route: "/users/delta".to_owned(),
            status: 403,
            code: "Authorization_RequestDenied".to_owned(),
            message: "No.".to_owned(),
            retry_after: None,
            times: None,
        });
        let found = switch(world, form_of(world, &other)).await;
        assert!(found.figures.is_err());
        assert!(found.sentences()[0].contains("could not be read"), "{:?}", found.sentences());
        other.sim().clear_graph_faults();
        let report = world.read().await;
        assert_eq!((report.outcome, report.held), ("held", 6));
        assert_eq!(world.held(Guarded::Removal).await.len(), 6);
        assert_eq!(world.in_conflict().await, []);
    }

    async fn exceptions_and_additions_go_along_by_address(world: &mut World) {
        let mut all = people(4);
        all[2] = with(all[2].clone(), "accountEnabled", false);
        world.people(&all);
        world.connect(|_| {}).await;
        world.synced().await;
        world.add("p3", Some(3)).await;
        world.synced().await;
        let add = vec![(ExceptionKind::User, id(4))];
        let changes = sync::exceptions::Changes { add, present: Some(sync::exceptions::Present::Keep), ..Default::default() };
        sync::exceptions::save(&world.engine, &world.customer, &actor(), &changes).await.unwrap().unwrap();
        let disabled = with(moved(103, "p3", "Person 3"), "accountEnabled", false);
        let theirs = [moved(101, "p1", "Person 1"), moved(102, "p2", "Person 2"), disabled, moved(104, "p4", "New Name")];
        let other = another_tenant(&theirs, &[]).await;
        look_at(world, &other);
        let found = switch(world, form_of(world, &other)).await;
        assert_eq!(found.by_hand, (1, 1));
        assert_eq!(found.figures.unwrap().leaving, Vec::<i64>::new());
        let report = world.synced().await;
        assert_eq!((report.changes.missing, report.changes.added), (0, 0));
        assert_eq!(world.one(104).await.name, "Person 4", "kept, and not touched by the sync");
        assert_eq!(world.customer.exception_rules(Service::Entra).await.unwrap().len(), 2);
        let additions = world.customer.additions(Service::Entra).await.unwrap();
        assert_eq!(additions[0].external_id, Some(id(103)));
        assert_eq!(world.user(103).await.status, Status::Active);
    }
}

#[tokio::test]
async fn a_domain_that_has_moved_to_another_tenant_is_not_read_before_that_was_confirmed() {
    let world = World::new().await;
    world.people(&people(2));
    world.connect(|form| form.text.tenant = "contoso.com".to_owned()).await;
    world.synced().await;
    let service = world.customer.service(Service::Entra).await.unwrap().unwrap();
    let mut organisation = service.organisation.clone().unwrap();
    organisation.id = id(7);
    let mut write = world.customer.begin().await.unwrap();
    let now = world.now();
    write.save_service(Service::Entra, true, &service.settings_json, Some(&organisation), now).await.unwrap();
    write.commit().await.unwrap();
    let report = world.sync().await;
    assert!(report.error.unwrap().contains("contoso.com belongs to another tenant than before"));
    assert_eq!(world.users().await.len(), 2);
}
