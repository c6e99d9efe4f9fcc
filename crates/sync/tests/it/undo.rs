//! Taking back what a run did.

use domain::{
    conflict::{Reason, State},
    run::{Action, Purpose},
    service::Service,
    settings::DeleteAfter,
};
use sync::{
    rules::save_two_administrators,
    run::{
        RunReport,
        undo::{Proposal, Refused, Undone, propose, undo},
    },
};

use crate::{
    scenario::{DAY, HOUR, address, people},
    support::{World, actor, id, on_both_engines, person, with},
    two_administrators::by,
};

async fn proposed(world: &World, run: &RunReport) -> Result<Proposal, Refused> {
    propose(&world.engine, &world.customer, run.run).await.unwrap()
}

/// Looks, and confirms what was shown.
async fn taken_back(world: &World, run: &RunReport) -> Undone {
    let stamp = proposed(world, run).await.unwrap().stamp;
    undo(&world.engine, &world.customer, &actor(), run.run, Some(&stamp)).await.unwrap().unwrap()
}

fn why_not(proposal: &Proposal) -> Vec<&str> {
    proposal.left.iter().map(|line| line.words.as_str()).collect()
}

on_both_engines! {
    async fn conflicts_of_a_bad_filter_are_closed_and_stay_closed(world: &mut World) {
        world.began(&(1..=6).map(|n| with(person(n, &format!("p{n}"), &[]), "department", "Sales")).collect::<Vec<_>>()).await;
        world.sets(1, "department", "Legal");
        world.sets(2, "department", "Legal");
        world.connect(|form| form.text.custom_filter = "department eq 'Sales'".to_owned()).await;
        let run = world.synced().await;
        assert_eq!(run.changes.missing, 2);
        let proposal = proposed(world, &run).await.unwrap();
        assert_eq!((proposal.taken_back.len(), proposal.left.len(), proposal.redone), (2, 0, 0));
        assert_eq!(world.in_conflict().await.len(), 2, "a proposal changes nothing");
        let undone = taken_back(world, &run).await;
        assert_eq!((undone.users, undone.left, undone.redone, undone.paused_until), (2, 0, 0, None));
        assert_eq!(world.in_conflict().await, []);
        assert_eq!(world.timeline(&world.user(1).await).await.last().unwrap().0, Action::Restored);
        assert!(world.timeline(&world.user(1).await).await.last().unwrap().1.starts_with("undo of the sync of "));
        let again = world.synced().await;
        assert_eq!((again.changes.missing, again.held), (0, 0), "the same filter does not take them again");
        world.clock.advance(30 * DAY);
        world.synced().await;
        assert_eq!(world.in_conflict().await, []);
        // The directory delivers one again: the note that keeps it ends, and a later departure is one.
        world.sets(1, "department", "Sales");
        world.synced().await;
        world.leaves(1);
        world.synced().await;
        assert_eq!(world.in_conflict().await, [(id(1), Reason::NotInDirectory)]);
        assert_eq!(world.audit().await.iter().filter(|entry| entry.action == "run.undo").count(), 1);
        assert!(matches!(proposed(world, &run).await, Err(Refused::Already(..))));
    }

    async fn who_was_deleted_is_restored_with_a_fresh_clock(world: &mut World) {
        world.began(&people(3)).await;
        let before = world.user(2).await;
        world.leaves(2);
        world.synced().await;
        world.clock.advance(7 * DAY);
        let run = world.synced().await;
        assert_eq!(run.changes.deleted, 1);
        world.clock.advance(HOUR);
        assert_eq!(taken_back(world, &run).await.users, 1);
        let user = world.user(2).await;
        assert_eq!((user.id, user.public_id), (before.id, before.public_id));
        assert_eq!(world.conflict(2).await.delete_on(DeleteAfter::SevenDays), Some(world.now().plus(7 * DAY)));
        assert_eq!(world.synced().await.changes.deleted, 0);
        world.clock.advance(7 * DAY);
        assert_eq!(world.synced().await.changes.deleted, 1);
    }

    async fn what_the_next_sync_does_again_is_counted_and_scheduled_syncs_wait(world: &mut World) {
        world.began(&people(3)).await;
        world.is_renamed(1, "Anna New", "anna");
        world.joins(&person(9, "p9", &[]));
        let run = world.synced().await;
        assert_eq!((run.changes.updated, run.changes.added), (1, 1));
        let proposal = proposed(world, &run).await.unwrap();
        assert_eq!((proposal.taken_back.len(), proposal.redone), (2, 2));
        let undone = taken_back(world, &run).await;
        let (name, primary) = (world.one(1).await.name, world.one(1).await.primary);
        assert_eq!((name.as_str(), primary.as_str()), ("Person 1", "p1@contoso.com"));
        assert!(world.find(9).await.is_none());
        let next = world.customer.schedule(Service::Entra).await.unwrap().unwrap().next_at;
        assert_eq!((undone.paused_until, next), (Some(next), world.now().plus(24 * HOUR)));
        let again = world.synced().await;
        assert_eq!((again.changes.updated, again.changes.restored), (1, 1), "as it was said");
        assert_eq!(world.one(1).await.name, "Anna New");
    }

    async fn what_cannot_be_taken_back_is_named_with_the_reason(world: &mut World) {
        world.began(&people(8)).await;
        world.limits(500, 100, 100).await;
        for number in [1, 2, 3] {
            world.leaves(number);
        }
        world.sets(4, "displayName", "Four");
        world.sets(5, "proxyAddresses", serde_json::json!(["SMTP:five@contoso.com"]));
        world.sets(5, "mail", "five@contoso.com");
        let run = world.synced().await;
        assert_eq!((run.changes.missing, run.changes.updated), (3, 2));
        world.decide(1, |conflict| conflict.state = State::Ignored).await;
        world.returns(2);
        world.enter("Somebody", "p5", &[]).await;
        world.synced().await;
        let proposal = proposed(world, &run).await.unwrap();
        assert_eq!(why_not(&proposal), [
            "somebody has decided about it since: ignored",
            "a later sync changed it again",
            "somebody else has p5@contoso.com by now",
        ]);
        assert_eq!(proposal.taken_back.len(), 2);
        let undone = taken_back(world, &run).await;
        assert_eq!((undone.users, undone.left), (2, 3));
        assert_eq!(world.one(4).await.name, "Person 4");
        assert_eq!(world.in_conflict().await, [(id(1), Reason::NotInDirectory)]);
    }

    async fn addresses_that_changed_hands_go_back_together(world: &mut World) {
        world.began(&[person(1, "a", &["info"]), person(2, "b", &[]), person(3, "c", &[])]).await;
        let all = |local: &str, alias: &[&str]| {
            let mut all = vec![format!("SMTP:{local}@contoso.com")];
            all.extend(alias.iter().map(|alias| format!("smtp:{alias}@contoso.com")));
            all
        };
        world.sets(1, "proxyAddresses", all("b", &[]));
        world.sets(2, "proxyAddresses", all("a", &["info"]));
        let run = world.synced().await;
        assert_eq!(run.changes.updated, 2);
        assert_eq!(taken_back(world, &run).await.users, 2);
        assert_eq!((world.one(1).await.primary.as_str(), world.one(1).await.aliases.len()), ("a@contoso.com", 1));
        assert_eq!(world.user(2).await.primary_address, address("b"));
    }

    async fn an_earlier_run_can_be_taken_back_behind_a_later_one(world: &mut World) {
        world.began(&people(2)).await;
        world.sets(1, "displayName", "Second");
        let second = world.synced().await;
        world.sets(1, "displayName", "Third");
        let third = world.synced().await;
        assert_eq!(why_not(&proposed(world, &second).await.unwrap()), ["a later sync changed it again"]);
        taken_back(world, &third).await;
        taken_back(world, &second).await;
        assert_eq!(world.one(1).await.name, "Person 1");
    }

    async fn another_list_than_was_shown_is_not_carried_out(world: &mut World) {
        world.began(&people(3)).await;
        world.leaves(1);
        let run = world.synced().await;
        let shown = proposed(world, &run).await.unwrap();
        world.decide(1, |conflict| conflict.state = State::Ignored).await;
        let came = undo(&world.engine, &world.customer, &actor(), run.run, Some(&shown.stamp)).await.unwrap();
        assert_eq!(came, Err(Refused::Nothing));
        world.decide(1, |conflict| conflict.state = State::Pending).await;
        let came = undo(&world.engine, &world.customer, &actor(), run.run, Some("something else")).await.unwrap();
        assert_eq!(came, Err(Refused::Changed));
        let preview = world.run_for(Purpose::Preview).await;
        assert_eq!(proposed(world, &preview).await, Err(Refused::ChangedNothing));
        assert_eq!(world.in_conflict().await.len(), 1);
    }

    async fn with_two_administrators_the_second_one_carries_it_out(world: &mut World) {
        world.began(&people(3)).await;
        save_two_administrators(&world.engine, &world.customer, &actor(), true).await.unwrap();
        world.leaves(1);
        let run = world.synced().await;
        let (first, second) = (by(world, 1).await, by(world, 2).await);
        let came = undo(&world.engine, &world.customer, &first, run.run, None).await.unwrap().unwrap();
        assert_eq!((came.awaiting, came.users), (true, 0));
        assert_eq!(world.in_conflict().await.len(), 1);
        assert_eq!(proposed(world, &run).await.unwrap().asked_by.as_deref(), Some("administrator 1"));
        let again = undo(&world.engine, &world.customer, &first, run.run, None).await.unwrap();
        assert_eq!(again, Err(Refused::SameAdministrator));
        let done = undo(&world.engine, &world.customer, &second, run.run, None).await.unwrap().unwrap();
        assert_eq!((done.awaiting, done.users), (false, 1));
        assert_eq!(world.in_conflict().await, []);
    }
}
