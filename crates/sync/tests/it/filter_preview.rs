//! What a filter would do, and that Save asks before it makes conflicts.

use sync::{
    connect::{self, ConnectForm, Refused, Saved},
    filter_preview::{self, Answer, Case, Found, Frequent, Leaving, Preview, Proposal},
};

use crate::support::{World, actor, on_both_engines, person, with};

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
        let answer = filter_preview::preview(&world.customer, everyone(hired)).await.unwrap();
        assert_eq!(answer, Answer::NotRead(vec!["employeeHireDate".to_owned()]));
        assert!(save(world, |form| form.text.custom_filter = hired.to_owned()).await.unwrap().changed);
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
        assert_eq!(four.out, Some(domain::plan::Out::FilteredOut));
        assert!(four.status.is_some());
        let answers: Vec<_> = four.answers.iter().map(|part| (part.depth, part.holds, part.text.as_str())).collect();
        assert_eq!(answers, [(0, false, filter), (1, false, "department eq 'Sales'"), (1, true, "accountEnabled eq true")]);
        assert_eq!(four.answers[1].found.as_deref(), Some("Legal"));
        assert_eq!(case(world, filter, "five@contoso.com").await.person.name, "Person 5");
        assert_eq!(case(world, "", "person 3").await.out, Some(domain::plan::Out::Disabled));
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
            form.confirm_leaving = Some(asked.fingerprint.clone());
        })
        .await;
        assert_eq!(others.crowd.count, 3);
        assert_eq!(world.audit().await.len(), unchanged, "nothing was saved");
        let confirmed = save(world, |form| {
            sales_only(form);
            form.confirm_leaving = Some(asked.fingerprint);
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
