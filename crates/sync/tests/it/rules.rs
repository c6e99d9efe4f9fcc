//! Rules of a sync that an administrator sets, and what happens when they change.

use domain::{
    guard::Decision,
    run::NoticeKind,
    service::{Service, Source},
    settings::GuardLimits,
};
use serde_json::{Value, json};
use store::UserWrite;
use sync::rules::{save_guard, save_managed_domains};

use crate::support::{World, actor, id, of_kind, on_both_engines, person, with};

fn numbers(people: &[u32]) -> Vec<String> {
    people.iter().map(|number| id(*number)).collect()
}

async fn ids(world: &World) -> Vec<String> {
    world.seen().await.into_keys().collect()
}

on_both_engines! {
    async fn the_disabled_switch_lets_disabled_accounts_in_and_marks_them(world: &mut World) {
        let disabled = with(person(2, "shared", &[]), "accountEnabled", false);
        world.people(&[person(1, "a", &[]), disabled]);
        world.connect(|_| {}).await;
        world.synced().await;
        assert_eq!(ids(world).await, numbers(&[1]));
        world.connect(|form| form.text.include_disabled = true).await;
        let report = world.synced().await;
        assert_eq!(report.changes.added, 2, "the anchor of the tenant is disabled as well");
        let user = world.users().await.into_iter().find(|user| user.external_id == Some(id(2))).unwrap();
        assert!(world.customer.user(user.public_id).await.unwrap().unwrap().sign_in_blocked);
    }

    async fn the_custom_filter_decides_and_a_new_one_is_applied_to_everyone(world: &mut World) {
        let in_sales = |n: u32| with(person(n, &format!("p{n}"), &[]), "department", "Sales");
        world.people(&[in_sales(1), person(2, "b", &[]), in_sales(3)]);
        world.connect(|form| form.text.custom_filter = "department eq 'Sales'".to_owned()).await;
        let report = world.synced().await;
        assert_eq!(ids(world).await, numbers(&[1, 3]));
        assert!(report.summary.contains("1 not matched by the custom filter"), "{}", report.summary);
        // Nothing changed in the directory; the new rule alone lets the third one in.
        world.connect(|_| {}).await;
        assert_eq!(world.synced().await.changes.added, 1);
        assert_eq!(ids(world).await, numbers(&[1, 2, 3]));
    }

    async fn managed_domains_decide_which_addresses_are_attached(world: &mut World) {
        let mut two = person(1, "a", &[]);
        two["proxyAddresses"] = json!(["SMTP:a@contoso.com", "smtp:a@fabrikam.com", "smtp:a@contoso.onmicrosoft.com"]);
        let guest = with(with(person(2, "g", &[]), "proxyAddresses", Value::Array(vec![])), "mail", "g@gmail.example");
        world.people(&[two, with(guest, "userPrincipalName", "g_gmail.example#EXT#@contoso.com")]);
        world.connect(|_| {}).await;
        let report = world.synced().await;
        assert!(report.summary.contains("1 outside the managed domains"), "{}", report.summary);
        assert_eq!(world.one(1).await.aliases, ["a@fabrikam.com"]);

        let set = ["fabrikam.com".to_owned()];
        assert!(save_managed_domains(&world.engine, &world.customer, &actor(), &set).await.unwrap().unwrap());
        world.synced().await;
        let user = world.one(1).await;
        assert_eq!((user.primary.as_str(), user.aliases.len()), ("a@fabrikam.com", 0));

        let all = ["*".to_owned()];
        assert!(save_managed_domains(&world.engine, &world.customer, &actor(), &all).await.unwrap().unwrap());
        world.synced().await;
        let user = world.one(1).await;
        assert_eq!(user.primary, "a@contoso.com");
        assert_eq!(user.aliases, ["a@contoso.onmicrosoft.com", "a@fabrikam.com"]);
        assert_eq!(world.one(2).await.primary, "g@gmail.example");
    }

    async fn a_domain_that_the_tenant_verifies_later_is_managed_from_then_on(world: &mut World) {
        let alias = |domain: &str| json!(["SMTP:a@contoso.com", format!("smtp:a@{domain}")]);
        world.people(&[with(person(1, "a", &[]), "proxyAddresses", alias("contoso.onmicrosoft.com"))]);
        world.connect(|_| {}).await;
        world.synced().await;
        // Somebody else brings the domain; the first person's own row does not change.
        world.people(&[
            with(person(1, "a", &[]), "proxyAddresses", alias("contoso.onmicrosoft.com")),
            with(person(2, "b", &[]), "proxyAddresses", json!(["SMTP:b@new.example"])),
        ]);
        world.synced().await;
        assert_eq!(world.one(2).await.primary, "b@new.example");
        let saved = world.customer.service(Service::Entra).await.unwrap().unwrap();
        assert!(saved.organisation.unwrap().domains.contains(&"new.example".to_owned()));
    }

    async fn what_a_manual_user_has_is_not_taken_as_a_primary(world: &mut World) {
        let now = world.engine.clock.now();
        let mut write = world.customer.begin().await.unwrap();
        let manual = UserWrite {
            id: None, public_id: world.engine.random.uuid(now), source: Source::Manual, external_id: None,
            display_name: "By hand".to_owned(), primary: domain::address::Address::parse("info@contoso.com").unwrap(),
            aliases: vec![domain::address::Address::parse("help@contoso.com").unwrap()], sign_in_blocked: false, service_on: true,
            address_lost: false, conflict: None, restore_as: None, created_at: None, now,
        };
        write.write_users(&[manual]).await.unwrap();
        write.commit().await.unwrap();
        world.people(&[person(1, "info", &["a"]), person(2, "help", &[])]);
        world.connect(|_| {}).await;
        let report = world.synced().await;
        assert_eq!(report.changes.added, 1, "taking over the Manual user waits for an administrator");
        let waiting = world.customer.take_overs().await.unwrap();
        assert_eq!((waiting[0].external_id.as_str(), waiting[0].decision), (id(1).as_str(), Decision::Waiting));
        assert_eq!(of_kind(&report, NoticeKind::TakeOver).len(), 1);

        // Never: the person is synced under what is left.
        let mut write = world.customer.begin().await.unwrap();
        assert!(write.decide_take_over(waiting[0].user_id, &id(1), Decision::Dismissed).await.unwrap());
        write.commit().await.unwrap();
        let report = world.synced().await;
        assert_eq!(report.changes.added, 1);
        let users = world.users().await;
        let of = |source| users.iter().filter(|user| user.source == source).map(|user| user.primary_address.as_str()).collect::<Vec<_>>();
        assert_eq!(of(Source::Manual), ["info@contoso.com"]);
        assert_eq!(of(Source::Azure), ["a@contoso.com", "help@contoso.com"]);
        assert!(users.iter().all(|user| user.aliases.is_empty()));
        assert!(report.notices.iter().any(|notice| notice.detail.contains("somebody whom the sync does not touch")), "{:?}", report.notices);
    }

    async fn a_domain_belongs_to_one_customer(world: &mut World) {
        let mut write = world.engine.store.begin().await.unwrap();
        write.add_customer("other", "Other Ltd", world.engine.clock.now()).await.unwrap();
        write.commit().await.unwrap();
        let other = world.engine.store.customer("other").await.unwrap().unwrap();
        let set = ["Contoso.com".to_owned(), "fabrikam.com".to_owned()];
        assert!(save_managed_domains(&world.engine, &world.customer, &actor(), &set).await.unwrap().unwrap());
        let refused = save_managed_domains(&world.engine, &other, &actor(), &set).await.unwrap().unwrap_err();
        assert!(refused.message.contains("contoso.com is a managed domain of Default"), "{}", refused.message);
        assert!(other.managed_domains().await.unwrap().is_empty());
        assert!(!save_managed_domains(&world.engine, &world.customer, &actor(), &set).await.unwrap().unwrap(), "nothing changed");
        let audit = world.audit().await;
        assert_eq!(audit.len(), 1);
        assert_eq!(audit[0].changes[0].new, "contoso.com, fabrikam.com");
    }
}

#[tokio::test]
async fn guard_limits_are_saved_with_old_and_new_and_nonsense_is_refused() {
    let world = World::new().await;
    let limits = GuardLimits { max_removals: 50, ..GuardLimits::default() };
    assert!(save_guard(&world.engine, &world.customer, &actor(), limits).await.unwrap().unwrap());
    assert!(!save_guard(&world.engine, &world.customer, &actor(), limits).await.unwrap().unwrap());
    let audit = world.audit().await;
    assert_eq!(audit.len(), 1);
    let change = &audit[0].changes[0];
    assert_eq!(
        (change.field.as_str(), change.old.as_str(), change.new.as_str()),
        ("Deletion guard: max_removals", "500", "50")
    );
    let nonsense = GuardLimits { min_removals: 0, ..GuardLimits::default() };
    assert!(save_guard(&world.engine, &world.customer, &actor(), nonsense).await.unwrap().is_err());
}
