//! Settings as a file.

use domain::{Secret, service::Service, settings::GuardLimits};
use sync::{
    connect::CLIENT_SECRET,
    settings_file::{Outcome, SecretSource, apply, parse, show},
};

use crate::support::{World, actor, on_both_engines, person};

/// A file as it is handed to an operator of this tenant.
fn text(world: &World) -> String {
    format!(
        "managed_domains = [\"contoso.com\"]\n[entra]\nenabled = true\ntenant = \"{}\"\nclient_id = \"{}\"\n\
         client_secret_env = \"CONTOSO_SECRET\"\nclient_secret_expires = 2030-06-30\nsync_frequency = \"12h\"\n\
         delete_users_after = \"30d\"\ninclude_disabled = true\ncustom_filter = \"department eq 'Sales'\"\n\
         [guard]\nmax_removals = 9\nmax_removals_percent = 10\nmin_removals = 3\n",
        world.tenant.tenant_id(),
        world.tenant.client_id()
    )
}

async fn applied(world: &World, text: &str) -> Outcome {
    confirmed(world, text, false).await
}

async fn confirmed(world: &World, text: &str, confirm: bool) -> Outcome {
    let secret = world.tenant.client_secret();
    let read = |source: &SecretSource| match source {
        SecretSource::Environment(name) if name == "CONTOSO_SECRET" => Ok(Secret::new(secret.clone())),
        other => Err(format!("{other:?} is not there")),
    };
    apply(&world.engine, &world.customer, &actor(), parse(text).unwrap(), confirm, read).await.unwrap()
}

on_both_engines! {
    async fn what_was_applied_is_shown_and_can_be_applied_again_without_a_change(world: &mut World) {
        world.people(&[person(1, "a", &[])]);
        let file = text(world);
        let Outcome::Applied(first) = applied(world, &file).await else { panic!("not applied") };
        assert!(first.changed && first.connection.unwrap().changed);
        assert_eq!(world.customer.secret(CLIENT_SECRET).await.unwrap(), Some(Secret::new(world.tenant.client_secret())));
        let shown = show(&world.engine, &world.customer).await.unwrap();
        assert!(!shown.contains("secret_env") && !shown.contains(&world.tenant.client_secret()), "{shown}");
        for line in file.lines().filter(|line| !line.contains("secret_env")) {
            assert!(shown.contains(line), "{line:?} is missing in\n{shown}");
        }
        let entries = world.audit().await.len();
        for again in [&shown, &file] {
            let Outcome::Applied(second) = applied(world, again).await else { panic!("not applied") };
            assert!(!second.changed, "{again}");
        }
        assert_eq!(world.audit().await.len(), entries);
        assert_eq!(show(&world.engine, &world.customer).await.unwrap(), shown);
    }

    async fn a_file_is_applied_as_a_whole_or_not_at_all(world: &mut World) {
        let file = text(world).replace("min_removals = 3", "min_removals = 0").replace("department eq", "departmnet eq");
        let Outcome::Refused(wrong) = applied(world, &file).await else { panic!("applied") };
        assert_eq!(wrong.len(), 2, "{wrong:?}");
        assert!(wrong[0].starts_with("Deletion guard: ") && wrong[1].starts_with("Custom Filters: "), "{wrong:?}");
        assert!(world.customer.managed_domains().await.unwrap().is_empty());
        assert!(world.customer.service(Service::Entra).await.unwrap().is_none());
        assert!(world.audit().await.is_empty());
    }
}

#[tokio::test]
async fn a_switch_to_another_tenant_is_refused_with_the_figures_until_it_is_confirmed() {
    let world = World::new().await;
    world.people(&[person(1, "a", &[]), person(2, "b", &[])]);
    world.connect(|_| {}).await;
    world.synced().await;
    let file = text(&world).replace("[\"contoso.com\"]", "[\"elsewhere.example\"]");
    let outcome = applied(&world, &file).await;
    assert_eq!(outcome.exit_code(), 4);
    let Outcome::SwitchRefused(refused) = outcome else { panic!("not refused") };
    assert_eq!(refused.users, 2);
    assert_eq!(refused.doubt.reasons, ["None of its domains is a managed domain of Default."]);
    assert!(world.customer.managed_domains().await.unwrap().is_empty(), "nothing was saved");
    assert!(matches!(confirmed(&world, &file, true).await, Outcome::Applied(_)));
    assert_eq!(world.customer.managed_domains().await.unwrap(), ["elsewhere.example"]);
}

#[tokio::test]
async fn a_missing_secret_source_and_a_missing_section_leave_things_as_they_are() {
    let world = World::new().await;
    let Outcome::Refused(wrong) = applied(&world, &text(&world).replace("CONTOSO_SECRET", "NOWHERE")).await
    else {
        panic!("applied");
    };
    assert_eq!(wrong, ["Environment(\"NOWHERE\") is not there"]);
    let Outcome::Applied(came) = applied(&world, "[guard]\nmax_removals = 7\n").await else {
        panic!("refused")
    };
    assert!(came.changed && came.connection.is_none());
    let fresh = world.engine.store.customer("default").await.unwrap().unwrap();
    assert_eq!(fresh.customer().guard, GuardLimits { max_removals: 7, ..GuardLimits::default() });
}
