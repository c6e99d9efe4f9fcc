//! Test and Save of a connection.

use domain::{
    Secret, Timestamp,
    check::StepResult,
    service::Service,
    settings::{EntraSettings, Field},
};
use entra_sim::{Options, Sim};
use store::{AuditEntry, Change};
use sync::connect::{self, CLIENT_SECRET, ConnectForm, Refused, Saved, TenantDoubt};

use crate::support::{World, actor, on_both_engines, person};

async fn save(world: &World, form: ConnectForm) -> Result<Saved, Refused> {
    connect::save(&world.engine, &world.customer, &actor(), form).await.unwrap()
}

async fn saved(world: &World) -> EntraSettings {
    world.customer.service(Service::Entra).await.unwrap().unwrap().entra().unwrap()
}

async fn wrong_fields(world: &World, form: ConnectForm) -> Vec<Field> {
    match save(world, form).await {
        Err(Refused::Fields(errors)) => errors.into_iter().map(|error| error.field).collect(),
        other => panic!("not refused at a field: {other:?}"),
    }
}

async fn doubt(world: &World, form: ConnectForm) -> TenantDoubt {
    match save(world, form).await {
        Err(Refused::ConfirmTenant(doubt)) => doubt,
        other => panic!("no doubt: {other:?}"),
    }
}

fn kept_secret(mut form: ConnectForm) -> ConnectForm {
    form.secret = Some(Secret::new(""));
    form
}

on_both_engines! {
    async fn a_first_save_keeps_everything_seals_the_secret_and_is_in_the_log(world: &mut World) {
        world.people(&[person(1, "a", &[])]);
        let came = save(world, world.form()).await.unwrap();
        assert!(came.changed && came.unchecked.is_none() && came.warnings.is_empty(), "{came:?}");
        assert!(came.organisation.unwrap().domains.contains(&"contoso.com".to_owned()));
        assert_eq!(world.customer.secret(CLIENT_SECRET).await.unwrap(), Some(Secret::new(world.tenant.client_secret())));
        let audit = world.audit().await;
        assert_eq!(audit.len(), 1);
        assert_eq!((audit[0].actor.as_str(), audit[0].object.as_str()), ("ada@portal.example", "Entra ID"));
        assert!(audit[0].changes.contains(&Change::new("Client Secret", "", "***")));
        assert!(audit[0].changes.contains(&Change::new("Tenant Domain", "", world.tenant.tenant_id())));
        assert!(!format!("{audit:?}").contains(&world.tenant.client_secret()));
    }

    async fn saving_the_same_again_writes_no_entry_and_wakes_nobody(world: &mut World) {
        save(world, world.form()).await.unwrap();
        let topics = world.customer.topic_versions().await.unwrap();
        let settings = |topics: Vec<(String, i64)>| topics.into_iter().filter(|(topic, _)| topic != "plan").collect::<Vec<_>>();
        assert!(!save(world, kept_secret(world.form())).await.unwrap().changed);
        assert!(!save(world, world.form()).await.unwrap().changed, "the same secret typed again is no new one");
        assert_eq!(world.audit().await.len(), 1);
        assert_eq!(settings(world.customer.topic_versions().await.unwrap()), settings(topics));
    }

    async fn a_change_is_logged_field_by_field_from_old_to_new(world: &mut World) {
        save(world, world.form()).await.unwrap();
        let mut form = kept_secret(world.form());
        form.text.sync_frequency = "24h".to_owned();
        form.text.delete_users_after = "never".to_owned();
        form.text.custom_filter = "department eq 'Sales'".to_owned();
        form.text.enabled = false;
        assert!(save(world, form).await.unwrap().changed);
        let AuditEntry { changes, action, .. } = world.audit().await.remove(0);
        assert_eq!(action, "settings.save");
        assert_eq!(changes, [
            Change::new("Enable Azure Sync", "on", "off"),
            Change::new("Sync Frequency", "6 hours", "24 hours"),
            Change::new("Delete Users After", "7 days", "Never"),
            Change::new("Custom Filters", "", "department eq 'Sales'"),
        ]);
    }

    async fn another_tenant_than_before_or_of_another_customer_needs_a_confirmation(world: &mut World) {
        world.people(&[person(1, "a", &[])]);
        save(world, world.form()).await.unwrap();
        let mut write = world.engine.store.begin().await.unwrap();
        write.add_customer("other", "Other Ltd", world.engine.clock.now()).await.unwrap();
        write.commit().await.unwrap();
        let other = world.engine.store.customer("other").await.unwrap().unwrap();
        let form = world.form();
        let Err(Refused::ConfirmTenant(doubt)) = connect::save(&world.engine, &other, &actor(), form).await.unwrap() else {
            panic!("no doubt");
        };
        assert_eq!(doubt.reasons, ["The customer Default is connected to the same tenant."]);
        assert!(doubt.organisation.is_some());
        assert!(other.service(Service::Entra).await.unwrap().is_none(), "nothing was saved");
        assert!(other.secret_saved_at(CLIENT_SECRET).await.unwrap().is_none());
        let form = ConnectForm { confirm_tenant: true, ..world.form() };
        let came = connect::save(&world.engine, &other, &actor(), form).await.unwrap().unwrap();
        assert_eq!(came.warnings, doubt.reasons);
    }
}

#[tokio::test]
async fn every_wrong_field_is_named_at_once_and_nothing_is_saved() {
    let world = World::new().await;
    let mut form = world.form();
    form.secret = None;
    form.text.tenant = "not a tenant".to_owned();
    form.text.client_id = "123".to_owned();
    form.text.client_secret_expires = "tomorrow".to_owned();
    form.text.sync_frequency = "2h".to_owned();
    form.text.delete_users_after = "2d".to_owned();
    form.text.custom_filter = "department eq".to_owned();
    let wrong = wrong_fields(&world, form).await;
    assert_eq!(
        wrong,
        [
            Field::Tenant,
            Field::ClientId,
            Field::ClientSecret,
            Field::ClientSecretExpires,
            Field::SyncFrequency,
            Field::DeleteUsersAfter,
            Field::CustomFilter,
        ]
    );
    assert!(world.customer.service(Service::Entra).await.unwrap().is_none());
    assert!(world.audit().await.is_empty());
}

#[tokio::test]
async fn a_saved_secret_is_kept_by_an_empty_field_but_never_sent_elsewhere() {
    let world = World::new().await;
    save(&world, world.form()).await.unwrap();
    save(&world, kept_secret(world.form())).await.unwrap();
    assert!(world.customer.secret(CLIENT_SECRET).await.unwrap().is_some());
    let mut moved = kept_secret(world.form());
    moved.text.tenant = "fabrikam.onmicrosoft.com".to_owned();
    assert_eq!(wrong_fields(&world, moved.clone()).await, [Field::ClientSecret]);
    world.tenant.sim().clear_requests();
    assert!(connect::test(&world.engine, &world.customer, &moved).await.unwrap().is_err());
    assert_eq!(world.tenant.sim().requests().total, 0, "nothing was sent anywhere");
    let mut moved = kept_secret(world.form());
    moved.text.client_id = "11111111-2222-3333-4444-555555555555".to_owned();
    assert_eq!(wrong_fields(&world, moved).await, [Field::ClientSecret]);
}

#[tokio::test]
async fn a_new_secret_clears_the_expiry_day_unless_another_day_is_given() {
    let world = World::new().await;
    let with_day = |secret: &str, day: &str| {
        let mut form = world.form();
        form.secret = Some(Secret::new(secret));
        form.text.client_secret_expires = day.to_owned();
        form
    };
    let second = world.tenant.sim().add_secret(Some("second".to_owned()), time::Duration::days(1)).value;
    let third = world.tenant.sim().add_secret(Some("third".to_owned()), time::Duration::days(1)).value;
    save(&world, with_day(&world.tenant.client_secret(), "2030-01-01")).await.unwrap();
    assert_eq!(saved(&world).await.client_secret_expires.as_deref(), Some("2030-01-01"));
    save(&world, with_day(&second, "2030-01-01")).await.unwrap();
    assert_eq!(saved(&world).await.client_secret_expires, None);
    save(&world, with_day(&third, "2031-02-03")).await.unwrap();
    assert_eq!(saved(&world).await.client_secret_expires.as_deref(), Some("2031-02-03"));
    let change = Change::new("Client Secret", "***", "***");
    assert!(world.audit().await[0].changes.contains(&change));
}

#[tokio::test]
async fn a_secret_that_soon_expires_is_warned_about() {
    let world = World::new().await;
    let soon = world.engine.clock.now().plus(10 * Timestamp::DAY).date();
    let mut form = world.form();
    form.text.client_secret_expires = domain::moment::day_text(soon);
    assert_eq!(save(&world, form).await.unwrap().warnings, ["The client secret expires in 10 days."]);
}

#[tokio::test]
async fn a_tenant_that_cannot_be_asked_is_saved_all_the_same_unless_it_is_another_one() {
    let world = World::new().await;
    assert!(world.tenant.sim().fail_tokens(Some(7_000_215), None));
    let came = save(&world, world.form()).await.unwrap();
    let why = came.unchecked.unwrap();
    assert!(!why.is_empty() && !why.contains(&world.tenant.client_secret()), "{why}");
    assert!(came.changed && came.organisation.is_none());

    let mut another = world.form();
    another.text.tenant = "fabrikam.onmicrosoft.com".to_owned();
    let doubt = doubt(&world, another.clone()).await;
    assert_eq!(
        doubt.reasons,
        [format!("This is another tenant than before ({}).", world.tenant.tenant_id())]
    );
    another.confirm_tenant = true;
    assert!(save(&world, another).await.unwrap().unchecked.is_some());
    assert_eq!(saved(&world).await.tenant, "fabrikam.onmicrosoft.com");
}

#[tokio::test]
async fn a_foreign_tenant_is_recognised_by_its_id_and_by_its_domains() {
    let mut world = World::new().await;
    world.people(&[person(1, "a", &[])]);
    save(&world, world.form()).await.unwrap();
    let set = ["contoso.com".to_owned()];
    sync::rules::save_managed_domains(&world.engine, &world.customer, &actor(), &set).await.unwrap().unwrap();
    assert!(!save(&world, world.form()).await.unwrap().changed, "the own tenant raises no doubt");

    let foreign = Sim::start(Options {
        size: entra_sim::Size { users: 3, seed: 77, ..entra_sim::Size::default() },
        ..Options::default()
    });
    let foreign = foreign.await.unwrap();
    let mut import = entra_sim::Import::default();
    import.add(r#"{"users":[{"id":"1","userPrincipalName":"x@fabrikam.example"}]}"#).unwrap();
    foreign.sim().replace_tenant(entra_sim::Tenant::import(import, 77).unwrap());
    world.engine.endpoints = directory::entra::Endpoints::parse(foreign.url(), foreign.url()).unwrap();
    let mut form = world.form();
    form.text.tenant = foreign.tenant_id();
    form.text.client_id = foreign.client_id();
    form.secret = Some(Secret::new(foreign.client_secret()));
    let doubt = doubt(&world, form.clone()).await;
    assert_eq!(doubt.reasons.len(), 2, "{doubt:?}");
    assert!(doubt.reasons[0].starts_with("This is another tenant than before ("), "{doubt:?}");
    assert_eq!(doubt.reasons[1], "None of its domains is a managed domain of Default.");
    let report = connect::test(&world.engine, &world.customer, &form).await.unwrap().unwrap();
    let step = report.steps.last().unwrap();
    assert_eq!(step.result, StepResult::Warning);
    assert!(report.passed && step.detail.contains("None of its domains"), "{report:?}");
}

#[tokio::test]
async fn a_test_uses_what_stands_in_the_form_saved_or_not_and_saves_nothing() {
    let world = World::new().await;
    world.people(&[person(1, "a", &[])]);
    let report = connect::test(&world.engine, &world.customer, &world.form()).await.unwrap().unwrap();
    assert!(report.passed, "{report:?}");
    assert!(world.customer.service(Service::Entra).await.unwrap().is_none());
    save(&world, world.form()).await.unwrap();
    let report =
        connect::test(&world.engine, &world.customer, &kept_secret(world.form())).await.unwrap().unwrap();
    assert!(report.passed, "{report:?}");
    let mut wrong = world.form();
    wrong.secret = Some(Secret::new("wrong-secret"));
    let report = connect::test(&world.engine, &world.customer, &wrong).await.unwrap().unwrap();
    assert!(!report.passed && report.steps[0].result == StepResult::Failed);
    assert!(!serde_json::to_string(&report).unwrap().contains("wrong-secret"));
    assert_eq!(world.audit().await.len(), 1);
}

#[tokio::test]
async fn a_secret_is_nowhere_in_the_database_file() {
    let world = World::new().await;
    world.people(&[person(1, "a", &[])]);
    save(&world, world.form()).await.unwrap();
    world.synced().await;
    let secret = world.tenant.client_secret();
    let mut looked = 0;
    for file in std::fs::read_dir(world.folder()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        looked += bytes.len();
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()));
    }
    assert!(looked > 10_000, "{looked}");
}
