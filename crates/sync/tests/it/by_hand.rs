//! What an administrator decides by hand: conflicts, held removals, exceptions, additions, the recycle bin.

use domain::{
    Timestamp,
    address::Address,
    conflict::{Reason, State},
    guard::Guarded,
    service::{Service, Status},
};
use entra_sim::GraphFault;
use store::{ConflictFilter, ConflictRow, ExceptionKind};
use sync::{
    additions,
    conflicts::{self, Decision, Refused, Selection, export, rival},
    exceptions::{self, Changes, Present},
    held::{self, Chosen},
    recycle_bin,
};

use crate::support::{World, actor, id, on_both_engines, person, with};

async fn in_conflict(world: &World) -> Vec<ConflictRow> {
    world.customer.conflicts(None, 1_000).await.unwrap()
}

async fn decide(world: &World, selection: Selection, decision: Decision) -> Result<conflicts::Done, Refused> {
    conflicts::decide(&world.engine, &world.customer, &actor(), &selection, &decision).await.unwrap()
}

fn these(rows: &[ConflictRow]) -> Selection {
    Selection::Users(rows.iter().map(|row| row.public_id).collect())
}

/// Ten people and one of whom the directory loses those with the given numbers.
async fn losing(world: &World, lost: &[u32]) {
    let all: Vec<_> = (1..=11).map(|number| person(number, &format!("p{number}"), &[])).collect();
    world.people(&all);
    world.connect(|_| {}).await;
    world.synced().await;
    let rest: Vec<_> =
        all.iter().zip(1..).filter(|(_, number)| !lost.contains(number)).map(|(it, _)| it.clone()).collect();
    world.people(&rest);
    world.synced().await;
}

on_both_engines! {
    async fn the_maternity_case(world: &mut World) {
        losing(world, &[1, 2]).await;
        let rows = in_conflict(world).await;
        assert_eq!(rows.len(), 2);
        let (leaver, mother) = (&rows[0], &rows[1]);
        let note = "on parental leave".to_owned();
        decide(world, these(std::slice::from_ref(mother)), Decision::Ignore { until: None, note }).await.unwrap();
        world.clock.advance(7 * Timestamp::DAY);
        world.synced().await;
        let left = in_conflict(world).await;
        assert_eq!(left.iter().map(|row| row.public_id).collect::<Vec<_>>(), [mother.public_id]);
        assert_eq!(left[0].conflict.state, State::Ignored);
        let binned = world.customer.recycle_bin(None, 10).await.unwrap();
        assert_eq!(binned[0].public_id, leaver.public_id);
        world.clock.advance(77 * Timestamp::DAY);
        let all: Vec<_> = (2..=11).map(|number| person(number, &format!("p{number}"), &[])).collect();
        world.people(&all);
        world.synced().await;
        assert!(in_conflict(world).await.is_empty());
        let back = world.customer.user(mother.public_id).await.unwrap().unwrap();
        assert_eq!((back.status, back.id), (Status::Active, mother.user_id));
        let history = world.customer.object_changes(mother.public_id, None, 10).await.unwrap();
        assert_eq!(history.len(), 3, "added, missing, restored");
    }

    async fn a_decision_about_all_that_match_is_refused_when_the_count_shown_is_another_by_now(world: &mut World) {
        losing(world, &[1, 2, 3]).await;
        let filter = ConflictFilter { text: "P1@".to_owned(), ..ConflictFilter::default() };
        assert_eq!(world.customer.conflict_count(&filter).await.unwrap(), 1);
        let all = |shown| Selection::All { filter: ConflictFilter::default(), shown };
        assert_eq!(decide(world, all(2), Decision::Delete).await, Err(Refused::Changed { shown: 2, now: 3 }));
        assert_eq!(in_conflict(world).await.len(), 3);
        assert_eq!(decide(world, all(3), Decision::Delete).await.unwrap().users, 3);
        assert!(in_conflict(world).await.is_empty());
        let last = world.audit().await.remove(0);
        assert_eq!((last.action.as_str(), last.object.as_str()), ("conflict.delete", "3 users"));
        assert_eq!(last.changes.len(), 3, "each is named");
    }

    async fn deactivating_stops_service_and_clock_and_activating_starts_both_anew(world: &mut World) {
        losing(world, &[1]).await;
        let rows = in_conflict(world).await;
        let user = || async { world.customer.user(rows[0].public_id).await.unwrap().unwrap() };
        let off = Decision::Deactivate { stay_inactive: false, note: String::new() };
        decide(world, these(&rows), off).await.unwrap();
        assert_eq!(user().await.status, Status::Inactive);
        world.clock.advance(30 * Timestamp::DAY);
        world.synced().await;
        assert_eq!(in_conflict(world).await.len(), 1, "not deleted");
        assert_eq!(decide(world, these(&rows), Decision::StopIgnoring).await, Err(Refused::DoesNotApply));
        decide(world, these(&rows), Decision::Activate).await.unwrap();
        assert_eq!(user().await.status, Status::Conflict);
        assert_eq!(in_conflict(world).await[0].conflict.clock_from, world.engine.clock.now());
        let counts = world.customer.user_counts().await.unwrap();
        assert_eq!(counts.iter().map(|(.., users)| users).sum::<i64>(), 11);
    }

    async fn an_ignore_cannot_end_before_it_begins(world: &mut World) {
        losing(world, &[1]).await;
        let rows = in_conflict(world).await;
        let until = Some(world.engine.clock.now());
        let ignore = Decision::Ignore { until, note: String::new() };
        assert_eq!(decide(world, these(&rows), ignore).await, Err(Refused::Past));
    }

    async fn the_export_has_a_line_per_user_and_no_formula(world: &mut World) {
        let formula = with(person(12, "p12", &[]), "displayName", "=HYPERLINK(\"http://evil\")");
        world.people(&[formula, person(1, "p1", &[]), person(2, "p2", &[])]);
        world.connect(|_| {}).await;
        world.synced().await;
        world.people(&[person(1, "p1", &[]), person(2, "p2", &[])]);
        world.synced().await;
        let all = Selection::All { filter: ConflictFilter::default(), shown: 0 };
        let csv = export::csv(&world.customer, &all).await.unwrap();
        let lines: Vec<_> = csv.split("\r\n").collect();
        assert_eq!(lines.len(), 3, "{csv}");
        assert!(lines[1].starts_with("\"'=HYPERLINK(\"\"http://evil\"\")\",\"p12@contoso.com\",\"Azure\",\"not in directory\""), "{csv}");
        assert_eq!(export::csv(&world.customer, &Selection::Users(Vec::new())).await.unwrap().matches("\r\n").count(), 1);
    }

    async fn the_same_person_under_a_new_id_keeps_the_record_and_both_histories(world: &mut World) {
        losing(world, &[1]).await;
        let leaver = in_conflict(world).await.remove(0);
        let mut all: Vec<_> = (2..=11).map(|number| person(number, &format!("p{number}"), &[])).collect();
        all.push(with(person(50, "p1", &["second"]), "displayName", "Married Name"));
        world.people(&all);
        world.synced().await;
        let rows = in_conflict(world).await;
        assert_eq!(rows[0].conflict.rival, Some(id(50)));
        assert_eq!(world.users().await.len(), 12);
        let (by, same) = (actor(), rival::Answer::SamePerson);
        let answer = rival::answer(&world.engine, &world.customer, &by, leaver.public_id, same);
        answer.await.unwrap().unwrap();
        world.synced().await;
        assert!(in_conflict(world).await.is_empty());
        assert_eq!(world.users().await.len(), 11);
        let user = world.customer.user(leaver.public_id).await.unwrap().unwrap();
        assert_eq!((user.id, user.external_id.as_deref()), (leaver.user_id, Some(id(50).as_str())));
        assert_eq!((user.display_name.as_str(), user.primary_address.as_str()), ("Married Name", "p1@contoso.com"));
        assert_eq!(user.aliases.len(), 1);
        assert!(world.customer.recycle_bin(None, 10).await.unwrap().is_empty(), "merged, not deleted");
        assert!(world.customer.object_changes(leaver.public_id, None, 20).await.unwrap().len() >= 4);
        assert_eq!(world.read().await.changes.added, 0);
    }

    async fn a_new_person_is_not_asked_about_again(world: &mut World) {
        losing(world, &[1]).await;
        let leaver = in_conflict(world).await.remove(0);
        let mut all: Vec<_> = (2..=11).map(|number| person(number, &format!("p{number}"), &[])).collect();
        all.push(with(person(50, "p1", &[]), "displayName", "New Hire"));
        world.people(&all);
        world.synced().await;
        let (by, new) = (actor(), rival::Answer::NewPerson);
        let answer = || rival::answer(&world.engine, &world.customer, &by, leaver.public_id, new);
        answer().await.unwrap().unwrap();
        assert_eq!(answer().await.unwrap(), Err(rival::Refused::Closed));
        all.pop();
        all.push(with(person(50, "p1", &["more"]), "displayName", "New Hire"));
        world.people(&all);
        world.synced().await;
        let rows = in_conflict(world).await;
        assert_eq!((rows.len(), rows[0].conflict.rival.as_deref()), (1, None));
    }

    async fn approving_covers_exactly_those_that_were_shown(world: &mut World) {
        let all: Vec<_> = (1..=12).map(|number| person(number, &format!("p{number}"), &[])).collect();
        world.people(&all);
        world.connect(|_| {}).await;
        world.synced().await;
        world.people(&all[6..]);
        assert_eq!(world.read().await.outcome, "held");
        let shown = world.customer.waiting(Guarded::Removal).await.unwrap();
        assert_eq!(shown.len(), 6);
        world.people(&all[7..]);
        world.read().await;
        let decide = |chosen: Chosen, approve| {
            let (engine, customer) = (&world.engine, &world.customer);
            async move { held::decide(engine, customer, &actor(), Guarded::Removal, &chosen, approve).await.unwrap() }
        };
        let stale = Chosen::Waiting { stamp: held::stamp(&shown) };
        assert_eq!(decide(stale, true).await, Err(held::Refused::Changed));
        let waiting = world.customer.waiting(Guarded::Removal).await.unwrap();
        assert_eq!(waiting.len(), 7);
        assert_eq!(decide(Chosen::Objects(waiting[..1].to_vec()), false).await.unwrap().objects, 1);
        let rest = world.customer.waiting(Guarded::Removal).await.unwrap();
        assert_eq!(decide(Chosen::Waiting { stamp: held::stamp(&rest) }, true).await.unwrap(), held::Decided { objects: 6, awaiting: 0 });
        let report = world.synced().await;
        assert_eq!(report.changes.missing, 6);
        assert_eq!(in_conflict(world).await.len(), 6);
        let rows = in_conflict(world).await;
        assert!(rows.iter().all(|row| row.user_id != waiting[0]), "the dismissed one stays as delivered");
    }

    async fn an_exception_asks_about_users_in_the_portal_and_keeps_or_lets_them_go(world: &mut World) {
        let all: Vec<_> = (1..=11).map(|number| person(number, &format!("p{number}"), &[])).collect();
        world.people(&all);
        world.connect(|_| {}).await;
        world.synced().await;
        let save = |changes: Changes| {
            let (engine, customer) = (&world.engine, &world.customer);
            async move { exceptions::save(engine, customer, &actor(), &changes).await.unwrap() }
        };
        let add = vec![(ExceptionKind::User, id(1))];
        let asked = save(Changes { add: add.clone(), ..Changes::default() }).await;
        let named = vec![("Person 1".to_owned(), "p1@contoso.com".to_owned())];
        assert_eq!(asked, Err(exceptions::Refused::AskAboutPresent(named)));
        assert_eq!(world.customer.exception_count(Service::Entra).await.unwrap(), 0);
        let kept = save(Changes { add, present: Some(Present::Keep), reason: "director".to_owned(), ..Changes::default() });
        assert_eq!(kept.await.unwrap().kept, 1);
        // Six of eleven would be held; they were named on the page, and are approved with it.
        let add: Vec<_> = (2..=7).map(|number| (ExceptionKind::User, id(number))).collect();
        let gone = save(Changes { add, present: Some(Present::LetGo), ..Changes::default() }).await;
        assert_eq!(gone.unwrap().let_go, 6);
        world.people(&[all[1..].to_vec(), vec![with(person(1, "other", &[]), "displayName", "Renamed")]].concat());
        let report = world.synced().await;
        assert_eq!(report.changes.missing, 6);
        assert!(in_conflict(world).await.iter().all(|row| row.conflict.reason == Reason::Exception));
        assert_eq!(world.one(1).await.primary, "p1@contoso.com", "the sync no longer touches the kept one");
        let remove: Vec<_> = (1..=7).map(|number| (ExceptionKind::User, id(number))).collect();
        assert_eq!(save(Changes { remove, ..Changes::default() }).await.unwrap().removed, 7);
        world.synced().await;
        assert!(in_conflict(world).await.is_empty());
        assert_eq!(world.one(1).await.primary, "other@contoso.com");
    }

    async fn an_excepted_alias_leaves_its_user_and_an_unknown_object_is_refused(world: &mut World) {
        world.people(&[person(1, "a", &["info", "sales"]), person(2, "b", &[])]);
        world.connect(|_| {}).await;
        world.synced().await;
        let found = exceptions::find(&world.customer, ExceptionKind::Alias, "INFO@contoso.com").await.unwrap().unwrap();
        let changes = Changes { add: vec![found], ..Changes::default() };
        exceptions::save(&world.engine, &world.customer, &actor(), &changes).await.unwrap().unwrap();
        world.synced().await;
        assert_eq!(world.one(1).await.aliases, ["sales@contoso.com"]);
        let changes = Changes { add: vec![(ExceptionKind::User, "nobody".to_owned())], ..Changes::default() };
        let refused = exceptions::save(&world.engine, &world.customer, &actor(), &changes).await.unwrap();
        assert_eq!(refused, Err(exceptions::Refused::Unknown("nobody".to_owned())));
    }

    async fn the_directory_is_listed_by_folded_name_page_by_page(world: &mut World) {
        let named = |number: u32, name: &str| with(person(number, &format!("p{number}"), &["x%y"]), "displayName", name);
        world.people(&[named(1, "Zöe"), named(2, "ada"), named(3, "Bob_1"), named(4, "ÄDA")]);
        world.connect(|_| {}).await;
        world.synced().await;
        let list = |text: &'static str, after, limit| {
            let customer = &world.customer;
            async move { customer.directory_list(Service::Entra, ExceptionKind::User, text, after, limit).await.unwrap() }
        };
        let first = list("", None, 3).await;
        assert_eq!(first.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["ada", "Anchor", "Bob_1"]);
        let rest = list("", Some(first[2].place.clone()), 10).await;
        assert_eq!(rest.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["Zöe", "ÄDA"]);
        assert_eq!(list("zÖE", None, 10).await.len(), 1);
        assert_eq!(list("b_1", None, 10).await.len(), 1);
        assert_eq!(list("P3@Contoso", None, 10).await[0].object, id(3));
        assert_eq!(list("_", None, 10).await.len(), 1, "an underscore is no pattern");
    }

    async fn an_addition_shows_at_once_with_the_data_of_the_directory(world: &mut World) {
        let disabled = with(person(1, "ada", &["info"]), "accountEnabled", false);
        world.people(&[disabled, person(2, "bob", &[])]);
        world.connect(|_| {}).await;
        world.synced().await;
        assert_eq!(world.users().await.len(), 1);
        let text = "ada@contoso.com\nnot an address, info@contoso.com; x@elsewhere.example new@contoso.com ADA@contoso.com";
        let lines = additions::add(&world.engine, &world.customer, &actor(), text).await.unwrap();
        let said: Vec<_> = lines.iter().map(|(typed, result)| (typed.as_str(), result.clone())).collect();
        assert_eq!(said[0], ("ada@contoso.com", Ok(additions::Added::Found("Person 1".to_owned()))));
        assert_eq!(said[1], ("not an address", Err(additions::Refused::Invalid)));
        let alias = additions::Refused::Alias("Person 1".to_owned(), "ada@contoso.com".to_owned());
        assert_eq!(said[2], ("info@contoso.com", Err(alias)));
        assert_eq!(said[3].1, Err(additions::Refused::Unmanaged("elsewhere.example".to_owned())));
        assert_eq!(said[4], ("new@contoso.com", Ok(additions::Added::Unknown)));
        assert_eq!(said.len(), 5, "the same address twice is one line");
        let users = world.users().await;
        let ada = users.iter().find(|user| user.external_id == Some(id(1))).unwrap();
        assert_eq!((ada.primary_address.as_str(), ada.aliases.as_slice()), ("ada@contoso.com", &["info@contoso.com".to_owned()][..]));
        let new = users.iter().find(|user| user.primary_address == "new@contoso.com").unwrap();
        assert_eq!((new.external_id.as_deref(), new.source.label()), (None, "Azure"));
        // Two complete reads without it, then somebody with the address.
        world.synced().await;
        world.synced().await;
        let waiting = world.customer.additions(Service::Entra).await.unwrap();
        let waiting = waiting.iter().find(|addition| addition.external_id.is_none()).unwrap();
        assert_eq!(waiting.reads_without, additions::READS_UNTIL_WARNING);
        world.people(&[with(person(1, "ada", &["info"]), "accountEnabled", false), person(2, "bob", &[]), person(3, "new", &[])]);
        world.synced().await;
        assert_eq!(world.customer.user(new.public_id).await.unwrap().unwrap().external_id, Some(id(3)));
    }

    async fn a_directory_that_cannot_be_asked_has_not_said_not_found(world: &mut World) {
        world.people(&[person(1, "ada", &[])]);
        world.connect(|_| {}).await;
        world.synced().await;
        world.tenant.sim().fail_graph(GraphFault {
            route: "/users".to_owned(), status: 403, code: "Authorization_RequestDenied".to_owned(), message: String::new(),
            retry_after: None, times: None,
        });
        let lines = additions::add(&world.engine, &world.customer, &actor(), "new@contoso.com").await.unwrap();
        assert!(matches!(lines[0].1, Err(additions::Refused::Unreachable(_))), "{lines:?}");
        assert!(world.customer.additions(Service::Entra).await.unwrap().is_empty());
        assert_eq!(world.users().await.len(), 1);
    }

    async fn an_exception_goes_before_an_addition(world: &mut World) {
        world.people(&[person(1, "ada", &[]), person(2, "bob", &[])]);
        world.connect(|_| {}).await;
        let changes = Changes { add: vec![(ExceptionKind::User, id(1))], ..Changes::default() };
        let unread = exceptions::save(&world.engine, &world.customer, &actor(), &changes).await.unwrap();
        assert_eq!(unread, Err(exceptions::Refused::Unknown(id(1))), "the directory was not read yet");
        world.synced().await;
        let changes = Changes { present: Some(Present::LetGo), ..changes };
        exceptions::save(&world.engine, &world.customer, &actor(), &changes).await.unwrap().unwrap();
        let lines = additions::add(&world.engine, &world.customer, &actor(), "ada@contoso.com").await.unwrap();
        assert_eq!(lines[0].1, Err(additions::Refused::Exception("Person 1".to_owned())));
    }

    async fn a_removed_addition_leaves_the_decision_to_the_other_rules(world: &mut World) {
        let all: Vec<_> = (2..=11).map(|number| person(number, &format!("p{number}"), &[])).collect();
        let disabled = with(person(1, "ada", &[]), "accountEnabled", false);
        world.people(&[all.clone(), vec![disabled]].concat());
        world.connect(|_| {}).await;
        world.synced().await;
        let text = "ada@contoso.com new@contoso.com";
        additions::add(&world.engine, &world.customer, &actor(), text).await.unwrap();
        assert_eq!(world.users().await.len(), 12);
        let remove = |text: &str| {
            let (engine, customer, address) = (&world.engine, &world.customer, Address::parse(text).unwrap());
            async move { additions::remove(engine, customer, &actor(), &address).await.unwrap() }
        };
        assert!(remove("ada@contoso.com").await && remove("new@contoso.com").await);
        assert!(!remove("new@contoso.com").await);
        let rows = in_conflict(world).await;
        assert_eq!((rows.len(), rows[0].conflict.reason), (1, Reason::NotInDirectory), "the one that was never found");
        world.synced().await;
        let rows = in_conflict(world).await;
        assert_eq!(rows.len(), 2);
        assert!(rows.iter().any(|row| row.conflict.reason == Reason::DisabledInDirectory));
    }

    async fn a_restored_user_keeps_id_and_is_a_conflict_and_a_taken_address_is_left_out(world: &mut World) {
        let mut all: Vec<_> = (1..=10).map(|number| person(number, &format!("p{number}"), &[])).collect();
        all.push(person(11, "gone", &["info", "mine"]));
        world.people(&all);
        world.connect(|_| {}).await;
        world.synced().await;
        all.pop();
        world.people(&all);
        world.synced().await;
        let rows = in_conflict(world).await;
        decide(world, these(&rows), Decision::Delete).await.unwrap();
        all.push(person(12, "info", &[]));
        world.people(&all);
        world.synced().await;
        world.clock.advance(Timestamp::DAY);
        let bin = world.customer.recycle_bin(None, 10).await.unwrap();
        let by = actor();
        let restore = || recycle_bin::restore(&world.engine, &world.customer, &by, bin[0].id);
        let restored = restore().await.unwrap().unwrap();
        assert!(restored.in_conflict);
        assert_eq!(restored.left_out, [Address::parse("info@contoso.com").unwrap()]);
        let user = world.customer.user(rows[0].public_id).await.unwrap().unwrap();
        assert_eq!((user.id, user.primary_address.as_str()), (rows[0].user_id, "gone@contoso.com"));
        assert_eq!(user.aliases.len(), 1);
        assert_eq!(user.conflict.unwrap().clock_from, world.engine.clock.now());
        assert_eq!(restore().await.unwrap(), Err(recycle_bin::Refused::Gone));
        all.push(person(11, "gone", &["mine"]));
        world.people(&all);
        world.synced().await;
        assert!(in_conflict(world).await.is_empty());
    }
}
