//! Manual users, a user's service, and cancelling a run.

use domain::{
    conflict::State,
    run::{Outcome, Purpose, Trigger},
    service::Source,
};
use store::ExportedUser;
use sync::{
    manual_users::{self, ManualField, ManualUser, Refused, Verdict},
    run::{cancel, explain},
};

use crate::support::{World, actor, id, on_both_engines, person, with};

fn typed(name: &str, primary: &str, aliases: &str) -> ManualUser {
    ManualUser { name: name.to_owned(), primary: primary.to_owned(), aliases: aliases.to_owned() }
}

async fn user(world: &World, primary: &str) -> Option<ExportedUser> {
    world.users().await.into_iter().find(|user| user.primary_address == primary)
}

async fn field(world: &World, user: ManualUser) -> ManualField {
    match manual_users::add(&world.engine, &world.customer, &actor(), &user).await.unwrap() {
        Err(Refused::Field(field, words)) => {
            assert!(!words.is_empty());
            field
        }
        other => panic!("{other:?}"),
    }
}

on_both_engines! {
    async fn a_manual_user_holds_its_addresses_against_every_sync_until_it_lets_them_go(world: &mut World) {
        world.connect(|_| {}).await;
        let fax = typed(" Fax ", "FAX@contoso.com", "fax2@contoso.com, fax@contoso.com");
        let fax = manual_users::add(&world.engine, &world.customer, &actor(), &fax).await.unwrap().unwrap();
        let seen = user(world, "fax@contoso.com").await.unwrap();
        assert_eq!((seen.display_name.as_str(), seen.source), ("Fax", Source::Manual));
        assert_eq!(seen.aliases, ["fax2@contoso.com"]);

        // A directory's alias never takes its primary; once that is free, the next run gives it to whoever claims it.
        world.people(&[person(1, "one", &["fax"])]);
        world.synced().await;
        assert_eq!(user(world, "one@contoso.com").await.unwrap().aliases, Vec::<String>::new());
        let edited = typed("Fax", "telefax@contoso.com", "");
        manual_users::edit(&world.engine, &world.customer, &actor(), fax, &edited).await.unwrap().unwrap();
        world.synced().await;
        assert_eq!(user(world, "one@contoso.com").await.unwrap().aliases, ["fax@contoso.com"]);

        assert!(manual_users::delete(&world.engine, &world.customer, &actor(), fax).await.unwrap());
        assert!(!manual_users::delete(&world.engine, &world.customer, &actor(), fax).await.unwrap());
        assert!(user(world, "telefax@contoso.com").await.is_none());
        assert_eq!(world.customer.recycle_bin(None, 9).await.unwrap().len(), 1);
        let actions: Vec<_> = world.audit().await.into_iter().map(|entry| entry.action).collect();
        for action in ["user.add", "user.edit", "user.delete"] {
            assert!(actions.iter().any(|done| done == action), "{action}");
        }
    }

    async fn a_wrong_field_is_named_and_nothing_is_written(world: &mut World) {
        world.people(&[person(1, "one", &[])]);
        world.connect(|_| {}).await;
        world.synced().await;
        assert_eq!(field(world, typed(" \n", "x@contoso.com", "")).await, ManualField::Name);
        assert_eq!(field(world, typed("X", "nonsense", "")).await, ManualField::Primary);
        assert_eq!(field(world, typed("X", "x@elsewhere.example", "")).await, ManualField::Primary);
        assert_eq!(field(world, typed("X", "one@contoso.com", "")).await, ManualField::Primary);
        assert_eq!(field(world, typed("X", "x@contoso.com", "one@contoso.com")).await, ManualField::Aliases);
        assert_eq!(field(world, typed("X", "x@contoso.com", "y@contoso.com zz")).await, ManualField::Aliases);
        assert_eq!(world.users().await.len(), 1);
    }

    async fn a_deactivation_is_not_undone_by_a_sync_nor_by_coming_back(world: &mut World) {
        world.people(&[person(1, "one", &[]), person(2, "two", &[])]);
        world.connect(|_| {}).await;
        world.synced().await;
        let one = user(world, "one@contoso.com").await.unwrap().public_id;
        let set = async |on| manual_users::set_service(&world.engine, &world.customer, &actor(), one, on).await.unwrap();
        let now = async || world.customer.user(one).await.unwrap().unwrap();
        assert!(set(false).await);
        world.people(&[with(person(1, "one", &["uno"]), "displayName", "Renamed"), person(2, "two", &[])]);
        world.synced().await;
        assert_eq!((now().await.display_name.as_str(), now().await.service_on), ("Renamed", false));
        assert!(set(true).await && now().await.service_on);

        // The same in a conflict, whose clock stands still meanwhile.
        world.people(&[person(2, "two", &[])]);
        world.read().await;
        assert!(set(false).await);
        assert_eq!(now().await.conflict.unwrap().state, State::Deactivated);
        world.people(&[person(1, "one", &[]), person(2, "two", &[])]);
        world.read().await;
        assert_eq!((now().await.conflict, now().await.service_on), (None, false));
    }

    async fn an_import_adds_what_its_review_found_right(world: &mut World) {
        world.people(&[person(1, "one", &[])]);
        world.connect(|_| {}).await;
        world.synced().await;
        let csv = "Address,Name,Aliases\r\na@contoso.com,\"A, B\",a2@contoso.com\r\none@contoso.com,Taken,\r\nb@contoso.com,B,a2@contoso.com\r\n,Nobody,\r\n";
        let review = manual_users::review(&world.customer, csv).await.unwrap().unwrap();
        let added: Vec<_> = review.rows.iter().map(|row| (row.line, row.verdict == Verdict::Add)).collect();
        assert_eq!(added, [(2, true), (3, false), (4, false), (5, false)]);
        assert_eq!(world.users().await.len(), 1);
        assert_eq!(manual_users::import(&world.engine, &world.customer, &actor(), csv).await.unwrap(), Ok(1));
        let added = user(world, "a@contoso.com").await.unwrap();
        assert_eq!((added.display_name.as_str(), added.aliases), ("A, B", vec!["a2@contoso.com".to_owned()]));
        assert_eq!(manual_users::import(&world.engine, &world.customer, &actor(), csv).await.unwrap(), Ok(0));
    }

    async fn a_cancelled_run_writes_nothing_more_and_the_next_one_may_start_at_once(world: &mut World) {
        let people: Vec<_> = (1..40).map(|number| person(number, &format!("p{number}"), &[])).collect();
        world.people(&people);
        world.connect(|_| {}).await;
        let engine = world.engine.clone().with_chunk(1);
        let running = engine.start(&world.customer, Purpose::Sync, Trigger::SyncNow, &actor()).await.unwrap().unwrap();
        let run = running.run;
        // As another process would.
        assert!(cancel(&world.another_engine(), &world.customer, &actor(), run).await.unwrap());
        assert!(!cancel(&world.engine, &world.customer, &actor(), run).await.unwrap(), "it has ended");
        let before = world.users().await.len();
        assert_eq!(running.finished().await.unwrap().outcome, "failed");
        assert_eq!(world.users().await.len(), before);
        assert!(before < people.len());
        let row = world.customer.run(run).await.unwrap().unwrap();
        assert_eq!(row.outcome, Outcome::Failed);
        assert!(row.error.unwrap().starts_with("cancelled by ada@"));
        world.synced().await;
        assert_eq!(world.users().await.len(), people.len());
    }

    async fn the_rules_explain_who_is_in_and_who_is_out(world: &mut World) {
        world.people(&[person(1, "one", &[]), with(person(2, "two", &[]), "accountEnabled", false)]);
        world.connect(|form| form.text.custom_filter = "startswith(displayName,'Person')".to_owned()).await;
        world.synced().await;
        let told = async |number| {
            let steps = explain(&world.customer, &id(number)).await.unwrap().unwrap();
            steps.into_iter().map(|step| (step.title, step.result.label(), step.detail)).collect::<Vec<_>>()
        };
        let one = told(1).await;
        assert_eq!(one.last().unwrap(), &("Verdict".to_owned(), "Passed", "Synced as one@contoso.com.".to_owned()));
        assert!(one.contains(&("Custom filter".to_owned(), "Passed", "The person matches it.".to_owned())));
        let two = told(2).await;
        assert!(two.iter().any(|(title, result, _)| title == "Account enabled" && *result == "Failed"));
        assert!(two.iter().any(|(title, result, _)| title == "Custom filter" && *result == "Skipped"));
        assert_eq!(two.last().unwrap().2, "Not synced: disabled in directory.");
        assert_eq!(explain(&world.customer, "nobody").await.unwrap(), None);
    }
}
