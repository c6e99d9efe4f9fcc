//! Approvals that need two administrators.

use domain::{
    guard::{Decision, Guarded},
    role::Role,
};
use store::ExceptionKind;
use sync::{
    Actor,
    administrators::{self, Candidate},
    exceptions::{self, Changes, Present},
    held::{self, Chosen, Decided, Refused},
    rules::save_two_administrators,
};

use crate::{
    scenario::people,
    support::{World, actor, id, on_both_engines},
};

/// An administrator of the portal, created when first asked for.
pub async fn by(world: &World, number: u32) -> Actor {
    let name = format!("administrator {number}");
    let email = format!("a{number}@portal.example");
    let candidate = Candidate {
        email: email.clone(),
        display_name: name.clone(),
        password_hash: "$argon2id$hash".to_owned(),
    };
    let added =
        administrators::add(&world.engine, &actor(), candidate, Some(Role::Administrator)).await.unwrap();
    let id = match added {
        Ok(id) => id,
        Err(_) => world.engine.store.administrator_by_email(&email).await.unwrap().unwrap().id,
    };
    Actor { administrator_id: Some(id), name }
}

async fn approve(world: &World, by: &Actor) -> Result<Decided, Refused> {
    let objects = world.customer.waiting(Guarded::Removal).await.unwrap();
    let chosen = Chosen::Waiting { stamp: held::stamp(&objects) };
    held::decide(&world.engine, &world.customer, by, Guarded::Removal, &chosen, true).await.unwrap()
}

async fn dismiss(world: &World, by: &Actor, objects: &[i64]) -> Result<Decided, Refused> {
    let chosen = Chosen::Objects(objects.to_vec());
    held::decide(&world.engine, &world.customer, by, Guarded::Removal, &chosen, false).await.unwrap()
}

/// Twelve people, six of whom leave at once; an approval needs two.
async fn six_are_held(world: &mut World) {
    world.began(&people(12)).await;
    assert!(save_two_administrators(&world.engine, &world.customer, &actor(), true).await.unwrap());
    world.people(&people(12)[6..]);
    assert_eq!(world.read().await.held, 6);
}

on_both_engines! {
    async fn what_is_held_goes_after_two_different_administrators_have_approved_it(world: &mut World) {
        six_are_held(world).await;
        assert_eq!(approve(world, &by(world, 1).await).await, Ok(Decided { objects: 0, awaiting: 6 }));
        assert_eq!(approve(world, &by(world, 1).await).await, Err(Refused::SameAdministrator));
        assert_eq!(world.read().await.held, 6, "one approval changes nothing");
        assert_eq!(world.in_conflict().await, []);
        let waiting = world.customer.waiting(Guarded::Removal).await.unwrap();
        assert_eq!(world.customer.first_approvers(Guarded::Removal, &waiting).await.unwrap().len(), 6, "a run keeps it");
        assert_eq!(approve(world, &by(world, 2).await).await, Ok(Decided { objects: 6, awaiting: 0 }));
        assert_eq!(world.synced().await.changes.missing, 6);
        let audit = world.audit().await;
        let entry = audit.iter().find(|entry| entry.action == "held.approve").unwrap();
        assert_eq!((entry.actor.as_str(), entry.changes[1].new.as_str()), ("administrator 2", "administrator 1"));
        assert!(audit.iter().any(|entry| entry.action == "held.approve_first" && entry.actor == "administrator 1"));
    }

    async fn the_command_line_is_one_administrator_and_not_two(world: &mut World) {
        six_are_held(world).await;
        let line = Actor::command_line();
        assert_eq!(approve(world, &line).await, Ok(Decided { objects: 0, awaiting: 6 }));
        assert_eq!(approve(world, &line).await, Err(Refused::SameAdministrator));
        assert_eq!(approve(world, &by(world, 1).await).await, Ok(Decided { objects: 6, awaiting: 0 }));
    }

    async fn dismissing_needs_one_and_takes_back_the_first_approval(world: &mut World) {
        six_are_held(world).await;
        approve(world, &by(world, 1).await).await.unwrap();
        let waiting = world.customer.waiting(Guarded::Removal).await.unwrap();
        assert_eq!(dismiss(world, &by(world, 1).await, &waiting).await, Ok(Decided { objects: 6, awaiting: 0 }));
        let chosen = Chosen::Objects(waiting);
        let again = held::decide(&world.engine, &world.customer, &by(world, 2).await, Guarded::Removal, &chosen, true).await.unwrap();
        assert_eq!(again, Ok(Decided { objects: 0, awaiting: 6 }), "it begins anew");
    }

    async fn switched_off_again_one_approval_is_enough_and_both_changes_are_logged(world: &mut World) {
        six_are_held(world).await;
        assert!(!save_two_administrators(&world.engine, &world.customer, &actor(), true).await.unwrap());
        assert!(save_two_administrators(&world.engine, &world.customer, &actor(), false).await.unwrap());
        assert_eq!(approve(world, &by(world, 1).await).await, Ok(Decided { objects: 6, awaiting: 0 }));
        let audit = world.audit().await;
        let changed = |entry: &&store::AuditEntry| entry.changes[0].field == "Deletion guard: approval by two administrators";
        assert_eq!(audit.iter().filter(changed).count(), 2);
    }

    async fn who_was_named_on_a_confirmed_page_still_needs_the_second_one_above_the_limits(world: &mut World) {
        world.began(&people(12)).await;
        save_two_administrators(&world.engine, &world.customer, &actor(), true).await.unwrap();
        let add = (1..=6).map(|number| (ExceptionKind::User, id(number))).collect();
        let changes = Changes { add, present: Some(Present::LetGo), ..Changes::default() };
        exceptions::save(&world.engine, &world.customer, &by(world, 1).await, &changes).await.unwrap().unwrap();
        assert_eq!(world.read().await.held, 6);
        assert_eq!(approve(world, &by(world, 1).await).await, Err(Refused::SameAdministrator));
        assert_eq!(approve(world, &by(world, 2).await).await, Ok(Decided { objects: 6, awaiting: 0 }));
        assert_eq!(world.synced().await.changes.missing, 6);
        let rows = world.customer.held_counts().await.unwrap();
        assert!(rows.iter().all(|(_, decision, _)| *decision != Decision::Waiting), "{rows:?}");
    }
}
