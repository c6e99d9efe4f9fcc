//! What a filter would do, and that Save asks before it makes conflicts.

use domain::{conflict::Reason, guard::Guarded, plan::Out, run::Purpose, service::Status};
use store::ExceptionKind;
use sync::{
    connect::{self, ConnectForm, Refused, Saved},
    filter_preview::{self, Answer, Case, Found, Frequent, Leaving, Preview, Proposal},
    run::Verdict,
    settings_file::{self, Outcome, SecretSource},
};

use crate::{
    scenario::people,
    support::{World, actor, id, on_both_engines, person, with},
};

fn everyone(filter: &str) -> Proposal<'_> {
    Proposal { filter, include_disabled: false }
}

async fn preview(world: &World, proposal: Proposal<'_>) -> Preview {
    match filter_preview::preview(&world.customer, proposal).await.unwrap() {
        Answer::Known(preview) => preview,
        other => panic!("no preview: {other:?}"),
    }
}

/// Match, join, leave.
fn figures(preview: &Preview) -> (i64, i64, i64) {
    (preview.matching.count, preview.joining.count, preview.leaving.count)
}

async fn case(world: &World, filter: &str, who: &str) -> Case {
    match filter_preview::person(&world.customer, everyone(filter), who).await.unwrap() {
        Answer::Known(Found::One(case)) => *case,
        other => panic!("{who} is not one person: {other:?}"),
    }
}

/// Sales: 1 to 3, of whom 3 is disabled; Legal: 4; no department: 5.
async fn five_people(world: &World) {
    let of =
        |number, department: &str| with(person(number, &format!("p{number}"), &[]), "department", department);
    world.people(&[
        of(1, "Sales"),
        of(2, "sales"),
        with(of(3, "Sales"), "accountEnabled", false),
        of(4, "Legal"),
        person(5, "p5", &["five"]),
    ]);
    world.connect(|_| {}).await;
}

async fn save(world: &World, edit: impl FnOnce(&mut ConnectForm)) -> Result<Saved, Refused> {
    let mut form = world.form();
    edit(&mut form);
    connect::save(&world.engine, &world.customer, &actor(), form).await.unwrap()
}

async fn leaving(world: &World, edit: impl FnOnce(&mut ConnectForm)) -> Leaving {
    match save(world, edit).await {
        Err(Refused::ConfirmLeaving { leaving, .. }) => leaving,
        other => panic!("nobody leaves: {other:?}"),
    }
}

fn sales_only(form: &mut ConnectForm) {
    form.text.custom_filter = "department eq 'Sales'".to_owned();
}

on_both_engines! {
    async fn before_the_first_read_there_is_nothing_to_say(world: &mut World) {
        five_people(world).await;
        let answer = filter_preview::preview(&world.customer, everyone("")).await.unwrap();
        assert_eq!(answer, Answer::NothingRead);
        let answer = filter_preview::person(&world.customer, everyone(""), "p1@contoso.com").await.unwrap();
        assert_eq!(answer, Answer::NothingRead);
        assert_eq!(filter_preview::values(&world.customer, "department", "").await.unwrap(), []);
        assert!(save(world, sales_only).await.unwrap().changed, "nobody is there to leave");
    }

    async fn it_says_who_matches_who_would_join_and_who_would_leave(world: &mut World) {
        five_people(world).await;
        world.synced().await;
        let sales = preview(world, everyone("department eq 'Sales'")).await;
        // The anchor of the tenant is the sixth person, and disabled.
        assert_eq!((sales.people, sales.synced, figures(&sales)), (6, 2, (3, 0, 2)));
        let names: Vec<_> = sales.leaving.people.iter().map(|person| person.name.as_str()).collect();
        assert_eq!(names, ["Person 4", "Person 5"]);
        assert_eq!(sales.leaving.people[0].address, "p4@contoso.com");
        let all = preview(world, Proposal { filter: " ", include_disabled: true }).await;
        assert_eq!((all.synced, figures(&all)), (6, (6, 2, 0)));
        let mut names: Vec<_> = all.joining.people.iter().map(|person| person.name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["Anchor", "Person 3"]);
    }

    async fn what_it_says_is_what_the_next_sync_does(world: &mut World) {
        five_people(world).await;
        world.connect(sales_only).await;
        world.synced().await;
        let all = preview(world, everyone("")).await;
        let before = world.users().await.len();
        world.connect(|_| {}).await;
        let report = world.synced().await;
        assert_eq!((report.changes.added, world.users().await.len()), (all.joining.count, before + 2));
    }

    async fn a_filter_on_what_was_not_read_yet_is_not_counted_and_makes_nobody_leave(world: &mut World) {
        five_people(world).await;
        world.synced().await;
        let hired = "employeeHireDate ge 2020-01-01T00:00:00Z";
        let unread = vec!["employeeHireDate".to_owned()];
        let answer = filter_preview::preview(&world.customer, everyone(hired)).await.unwrap();
        assert_eq!(answer, Answer::NotRead(unread.clone()));
        let answer = filter_preview::person(&world.customer, everyone(hired), "p1@contoso.com").await.unwrap();
        assert_eq!(answer, Answer::NotRead(unread));
        let saved = save(world, |form| form.text.custom_filter = hired.to_owned()).await.unwrap();
        assert!(saved.changed);
        let words = &saved.warnings[0];
        assert!(words.contains("employeeHireDate") && words.contains("reads the whole directory anew"), "{words}");
        assert!(words.contains("the old filter decided"), "{words}");
        // The read that follows is a full one, and behind it the filter is known like any other.
        let report = world.run_for(Purpose::Read).await;
        assert_eq!((report.error, report.read.users), (None, 6));
        let hired = preview(world, everyone(hired)).await;
        assert_eq!(figures(&hired), (0, 0, 4));
    }

    async fn until_a_first_read_is_complete_nobody_leaves_by_a_filter_on_what_was_not_read(world: &mut World) {
        five_people(world).await;
        world.synced().await;
        let hired = "employeeHireDate ge 2020-01-01T00:00:00Z";
        world.connect(|form| form.text.custom_filter = hired.to_owned()).await;
        world.breaks("/users/delta");
        assert_eq!(world.sync().await.outcome, "failed");
        assert_eq!(world.in_conflict().await, []);
        assert_eq!(world.users().await.len(), 4);
    }

    async fn what_the_sync_cannot_follow_is_refused_at_save_with_its_code(world: &mut World) {
        five_people(world).await;
        for filter in [
            "signInActivity/lastSignInDateTime ge 2026-01-01T00:00:00Z",
            "ext1abcdef_profile/level eq 'x'",
        ] {
            let Err(Refused::Fields(errors)) = save(world, |form| form.text.custom_filter = filter.to_owned()).await
            else { panic!("{filter} was saved") };
            assert!(errors[0].message.ends_with("(not_followed)"), "{errors:?}");
        }
    }

    async fn people_who_left_the_directory_are_neither_counted_nor_found(world: &mut World) {
        five_people(world).await;
        world.synced().await;
        world.leaves(4);
        // The read takes the person for gone; until a sync has decided, the row is there and the user as well.
        assert_eq!(world.run_for(Purpose::Read).await.error, None);
        let all = preview(world, everyone("")).await;
        assert_eq!((all.people, figures(&all)), (5, (5, 0, 0)));
        let legal = preview(world, everyone("department eq 'Legal'")).await;
        assert_eq!(figures(&legal), (0, 0, 3));
        assert_eq!(filter_preview::values(&world.customer, "department", "leg").await.unwrap(), []);
        let answer = filter_preview::person(&world.customer, everyone(""), "person 4").await.unwrap();
        assert_eq!(answer, Answer::Known(Found::Nobody));
        // Nor does Save ask about somebody who leaves whatever the filter says.
        assert_eq!(leaving(world, sales_only).await.crowd.count, 1);
    }

    async fn exceptions_additions_and_managed_domains_decide_as_in_a_sync(world: &mut World) {
        five_people(world).await;
        let elsewhere = with(person(6, "p6", &[]), "mail", "p6@elsewhere.example");
        let elsewhere = with(elsewhere, "proxyAddresses", vec!["SMTP:p6@elsewhere.example"]);
        let outside = with(elsewhere, "department", "Sales");
        world.joins(&outside);
        world.synced().await;
        // 1 is to be let go, 2 is kept as it is, 4 is taken in by hand.
        world.except(ExceptionKind::User, &id(1), false).await;
        world.except(ExceptionKind::User, &id(2), true).await;
        world.add("p4", Some(4)).await;
        let nobody = preview(world, everyone("department eq 'Nowhere'")).await;
        assert_eq!(figures(&nobody), (0, 0, 2), "1 by the exception and 5 by the filter");
        let sales = preview(world, everyone("department eq 'Sales'")).await;
        assert_eq!((sales.matching.count, sales.synced), (4, 1), "only the addition is delivered");
        let verdict = async |who| case(world, "department eq 'Sales'", who).await.verdict;
        assert_eq!(verdict("p1@contoso.com").await, Verdict::Out(Reason::Exception, Some(Out::Exception)));
        assert_eq!(verdict("p2@contoso.com").await, Verdict::Untouched);
        assert!(matches!(verdict("p4@contoso.com").await, Verdict::In(_)));
        let outside = Verdict::Out(Reason::OutsideManagedDomains, Some(Out::OutsideManagedDomains));
        assert_eq!(verdict("p6@elsewhere.example").await, outside);
        // A disabled addition is in as well.
        world.add("p3", Some(3)).await;
        assert!(matches!(case(world, "", "person 3").await.verdict, Verdict::In(_)));
        // Save asks about 5 alone: 1 leaves whatever is saved, and the others stay.
        let asked = leaving(world, |form| form.text.custom_filter = "department eq 'Nowhere'".to_owned()).await;
        let names: Vec<_> = asked.crowd.people.iter().map(|person| person.name.as_str()).collect();
        assert_eq!((asked.crowd.count, names), (1, vec!["Person 5"]));
    }

    async fn a_deactivated_user_in_conflict_is_not_delivered_and_would_join(world: &mut World) {
        five_people(world).await;
        world.connect(sales_only).await;
        world.synced().await;
        world.connect(|_| {}).await;
        world.synced().await;
        world.connect(sales_only).await;
        world.synced().await;
        assert_eq!(world.in_conflict().await.len(), 2);
        world.decide(4, |conflict| conflict.state = domain::conflict::State::Deactivated).await;
        assert_eq!(case(world, "", "person 4").await.status, Some(Status::Conflict));
        assert_eq!(figures(&preview(world, everyone("")).await), (6, 2, 0));
    }

    async fn whom_a_confirmed_save_names_the_guard_lets_go(world: &mut World) {
        world.began(&people(12)).await;
        world.limits(2, 100, 100).await;
        let one_only = |form: &mut ConnectForm| form.text.custom_filter = "mail eq 'p1@contoso.com'".to_owned();
        let asked = leaving(world, one_only).await;
        assert_eq!(asked.crowd.count, 11);
        assert!(world.customer.held(Guarded::Removal, 0, 100).await.unwrap().is_empty(), "a question approves nobody");
        let confirmed = save(world, |form| {
            one_only(form);
            form.confirm_leaving = Some(asked.fingerprint());
        });
        assert!(confirmed.await.unwrap().changed);
        let report = world.read().await;
        assert_eq!((report.held, report.changes.missing), (0, 11));
    }

    async fn a_settings_file_names_whom_it_drops_and_leaves_them_to_the_guard(world: &mut World) {
        world.began(&people(12)).await;
        world.limits(2, 100, 100).await;
        let shown = settings_file::show(&world.engine, &world.customer).await.unwrap();
        let text = shown.replace("custom_filter = \"\"", "custom_filter = \"mail eq 'p1@contoso.com'\"");
        let file = settings_file::parse(&text).unwrap();
        let no_secret = |_: &SecretSource| Err("there is none".to_owned());
        let applied =
            settings_file::apply(&world.engine, &world.customer, &actor(), file, false, no_secret).await.unwrap();
        let Outcome::Applied(applied) = applied else { panic!("{applied:?}") };
        let words = applied.connection.unwrap().warnings.join(" ");
        assert!(words.starts_with("11 people leave the sync") && words.contains("Person 2 (p2@contoso.com)"), "{words}");
        let report = world.read().await;
        assert_eq!((report.held, report.changes.missing), (11, 0));
    }

    async fn a_refused_filter_is_answered_with_its_error(world: &mut World) {
        five_people(world).await;
        let answer = filter_preview::preview(&world.customer, everyone("department eq")).await.unwrap();
        assert!(matches!(answer, Answer::Refused(error) if error.message.starts_with("Position ")));
    }

    async fn the_most_frequent_values_come_first_in_whatever_case(world: &mut World) {
        five_people(world).await;
        world.synced().await;
        let one = |value: &str, people| Frequent { value: value.to_owned(), people };
        let values = async |property, typed| filter_preview::values(&world.customer, property, typed).await.unwrap();
        assert_eq!(values("department", "").await, [one("Sales", 3), one("Legal", 1)]);
        assert_eq!(values("Department", "SAL").await, [one("Sales", 3)]);
        assert_eq!(values("department", "nothing").await, []);
        for property in ["proxyAddresses", "accountEnabled", "nosuch", ""] {
            assert_eq!(values(property, "").await, [], "{property}");
        }
    }

    async fn a_person_is_found_by_address_alias_and_name_and_explained(world: &mut World) {
        five_people(world).await;
        world.synced().await;
        let filter = "department eq 'Sales' and accountEnabled eq true";
        let four = case(world, filter, "P4@Contoso.com").await;
        assert_eq!(four.verdict, Verdict::Out(Reason::FilteredOut, Some(Out::FilteredOut)));
        assert!(four.status.is_some());
        let answers: Vec<_> = four.answers.iter().map(|part| (part.depth, part.holds, part.text.as_str())).collect();
        assert_eq!(answers, [(0, false, filter), (1, false, "department eq 'Sales'"), (1, true, "accountEnabled eq true")]);
        assert_eq!(four.answers[1].found.as_deref(), Some("Legal"));
        assert_eq!(case(world, filter, "five@contoso.com").await.person.name, "Person 5");
        assert_eq!(case(world, "", "person 3").await.verdict, Verdict::Out(Reason::DisabledInDirectory, Some(Out::Disabled)));
        let answer = filter_preview::person(&world.customer, everyone(""), "person").await.unwrap();
        assert!(matches!(answer, Answer::Known(Found::Several(people)) if people.len() == 5));
        for nobody in ["nobody@contoso.com", "nobody", " "] {
            let answer = filter_preview::person(&world.customer, everyone(""), nobody).await.unwrap();
            assert_eq!(answer, Answer::Known(Found::Nobody), "{nobody:?}");
        }
    }

    async fn a_save_that_drops_people_names_them_first_and_goes_through_when_it_is_confirmed(world: &mut World) {
        five_people(world).await;
        world.synced().await;
        let asked = leaving(world, sales_only).await;
        assert_eq!(asked.crowd.count, 2);
        assert_eq!(asked.crowd.people[0].name, "Person 4");
        let unchanged = world.audit().await.len();
        // The confirmation is for these rules and no others.
        let others = leaving(world, |form| {
            form.text.custom_filter = "department eq 'Legal'".to_owned();
            form.confirm_leaving = Some(asked.fingerprint());
        })
        .await;
        assert_eq!(others.crowd.count, 3);
        assert_eq!(world.audit().await.len(), unchanged, "nothing was saved");
        let confirmed = save(world, |form| {
            sales_only(form);
            form.confirm_leaving = Some(asked.fingerprint());
        });
        assert!(confirmed.await.unwrap().changed);
        // What is saved already drops nobody once more.
        assert!(!save(world, sales_only).await.unwrap().changed);
    }

    async fn switching_the_sync_off_drops_nobody(world: &mut World) {
        five_people(world).await;
        world.synced().await;
        let off = save(world, |form| {
            sales_only(form);
            form.text.enabled = false;
        });
        assert!(off.await.unwrap().changed);
    }

    async fn leaving_disabled_accounts_out_again_asks_as_well(world: &mut World) {
        five_people(world).await;
        world.connect(|form| form.text.include_disabled = true).await;
        world.synced().await;
        assert_eq!(leaving(world, |_| {}).await.crowd.people[0].name, "Person 3");
    }
}
