//! What administrators do to each other.

use domain::{Timestamp, role::Role};
use store::{Administrator, CustomerStore};
use sync::{
    Engine,
    administrators::{
        By, Candidate, INVITATION_LIFE, Invited, Reach, Refused, add, grant, invite, link_of, new_link,
        set_active, set_role, use_link,
    },
};

use crate::support::{World, actor, on_both_engines};

const HASH: &str = "$argon2id$chosen";

/// An administrator who can sign in.
async fn administrator(engine: &Engine, email: &str, everywhere: Option<Role>) -> Administrator {
    let candidate = Candidate {
        email: email.to_owned(),
        display_name: String::new(),
        password_hash: "$argon2id$hash".to_owned(),
    };
    let id = add(engine, &actor(), candidate, everywhere).await.unwrap().unwrap();
    engine.store.administrator(id).await.unwrap().unwrap()
}

async fn again(engine: &Engine, whose: &Administrator) -> Administrator {
    engine.store.administrator(whose.id).await.unwrap().unwrap()
}

async fn named(engine: &Engine, email: &str) -> Administrator {
    engine.store.administrator_by_email(email).await.unwrap().unwrap()
}

async fn other_customer(world: &World) -> CustomerStore {
    sync::customers::create(&world.engine, &actor(), "other", "Other Ltd").await.unwrap().unwrap();
    world.engine.store.customer("other").await.unwrap().unwrap()
}

on_both_engines! {
    async fn an_invitation_becomes_an_account_by_its_link_once_and_in_time(world: &mut World) {
        let (engine, customer) = (&world.engine, &world.customer);
        let ada = administrator(engine, "ada@portal.example", Some(Role::Administrator)).await;
        let by = By { customer, administrator: &ada };
        let invited = invite(engine, by, " Eve@Portal.example", "Eve", Role::Operator, Reach::Customer).await.unwrap().unwrap();
        let Invited::Link(first) = invited else { panic!("{invited:?}") };
        let eve = named(engine, "eve@portal.example").await;
        assert_eq!((eve.role_for(customer.customer().id), eve.password_hash.as_str()), (Some(Role::Operator), ""));
        assert_eq!(link_of(engine, &first).await.unwrap().as_deref(), Some("eve@portal.example"));

        world.clock.advance(INVITATION_LIFE);
        assert_eq!(use_link(engine, &first, HASH).await.unwrap(), Err(Refused::OldLink));
        let second = new_link(engine, by, eve.public_id).await.unwrap().unwrap();
        assert_eq!(use_link(engine, &first, HASH).await.unwrap(), Err(Refused::OldLink), "replaced");
        assert_eq!(use_link(engine, &second, HASH).await.unwrap().as_deref(), Ok("eve@portal.example"));
        assert_eq!(use_link(engine, &second, "$argon2id$thief").await.unwrap(), Err(Refused::OldLink), "used");
        assert_eq!(link_of(engine, &second).await.unwrap(), None);
        assert_eq!(again(engine, &eve).await.password_hash, HASH);
        let log = world.audit().await;
        assert!(log.iter().any(|entry| entry.action == "administrator.invite" && entry.actor == "ada@portal.example"));
        assert!(!format!("{log:?}").contains(&second), "the token stands in the log");
    }

    async fn who_has_an_account_gets_the_role_at_once_and_is_not_invited_twice(world: &mut World) {
        let (engine, customer) = (&world.engine, &world.customer);
        let ada = administrator(engine, "ada@portal.example", Some(Role::Administrator)).await;
        let by = By { customer, administrator: &ada };
        let eve = administrator(engine, "eve@portal.example", None).await;
        let invited = invite(engine, by, "eve@portal.example", "", Role::Viewer, Reach::Customer).await.unwrap();
        assert_eq!(invited, Ok(Invited::Known));
        assert_eq!(again(engine, &eve).await.role_for(customer.customer().id), Some(Role::Viewer));
        let twice = invite(engine, by, "eve@portal.example", "", Role::Operator, Reach::Customer).await.unwrap();
        assert_eq!(twice, Err(Refused::Listed));
        let own = invite(engine, by, "ada@portal.example", "", Role::Viewer, Reach::Customer).await.unwrap();
        assert_eq!(own, Err(Refused::Yourself));
    }

    async fn the_last_administrator_for_all_customers_stays_and_nobody_locks_himself_out(world: &mut World) {
        let (engine, customer) = (&world.engine, &world.customer);
        let ada = administrator(engine, "ada@portal.example", Some(Role::Administrator)).await;
        let eve = administrator(engine, "eve@portal.example", Some(Role::Administrator)).await;
        let by_ada = By { customer, administrator: &ada };
        assert_eq!(set_active(engine, by_ada, ada.public_id, false).await.unwrap(), Err(Refused::Yourself));
        assert_eq!(set_role(engine, by_ada, ada.public_id, None, Reach::Everywhere).await.unwrap(), Err(Refused::Yourself));
        assert_eq!(set_active(engine, by_ada, eve.public_id, false).await.unwrap(), Ok(true));
        assert_eq!(set_active(engine, by_ada, eve.public_id, false).await.unwrap(), Ok(false), "as it was");
        // A session that Eve had when she was still active.
        let by_eve = By { customer, administrator: &eve };
        assert_eq!(set_active(engine, by_eve, ada.public_id, false).await.unwrap(), Err(Refused::LastAdministrator));
        let lowered = set_role(engine, by_eve, ada.public_id, Some(Role::Viewer), Reach::Everywhere).await.unwrap();
        assert_eq!(lowered, Err(Refused::LastAdministrator));
        assert_eq!(new_link(engine, by_ada, eve.public_id).await.unwrap(), Err(Refused::Deactivated));
        assert_eq!(set_active(engine, by_ada, eve.public_id, true).await.unwrap(), Ok(true));
        let lowered = set_role(engine, by_eve, ada.public_id, Some(Role::Viewer), Reach::Everywhere).await.unwrap();
        assert_eq!(lowered, Ok(true));
        assert_eq!(again(engine, &ada).await.every_customer_role, Some(Role::Viewer));
    }

    async fn an_administrator_of_one_customer_opens_no_door_to_another(world: &mut World) {
        let (engine, customer) = (&world.engine, &world.customer);
        let other = other_customer(world).await;
        let bob = administrator(engine, "bob@portal.example", None).await;
        let eve = administrator(engine, "eve@portal.example", None).await;
        let stranger = administrator(engine, "stranger@portal.example", None).await;
        grant(engine, customer, &actor(), "bob@portal.example", Role::Administrator).await.unwrap().unwrap();
        for here in [customer, &other] {
            grant(engine, here, &actor(), "eve@portal.example", Role::Viewer).await.unwrap().unwrap();
        }
        let bob = again(engine, &bob).await;
        let by = By { customer, administrator: &bob };
        assert_eq!(new_link(engine, by, eve.public_id).await.unwrap(), Err(Refused::Beyond));
        assert_eq!(set_active(engine, by, eve.public_id, false).await.unwrap(), Err(Refused::Beyond));
        assert_eq!(set_role(engine, by, eve.public_id, Some(Role::Viewer), Reach::Everywhere).await.unwrap(), Err(Refused::Beyond));
        assert_eq!(new_link(engine, by, stranger.public_id).await.unwrap(), Err(Refused::Missing));
        let everywhere = invite(engine, by, "new@portal.example", "", Role::Viewer, Reach::Everywhere).await.unwrap();
        assert_eq!(everywhere, Err(Refused::Beyond));
        assert!(engine.store.administrator_by_email("new@portal.example").await.unwrap().is_none());
        assert_eq!(set_role(engine, by, eve.public_id, None, Reach::Customer).await.unwrap(), Ok(true));
        let eve = again(engine, &eve).await;
        assert_eq!(eve.role_for(customer.customer().id), None);
        assert_eq!(eve.role_for(other.customer().id), Some(Role::Viewer));
    }

    async fn a_link_of_one_customer_does_not_grow_into_one_for_another(world: &mut World) {
        let (engine, customer) = (&world.engine, &world.customer);
        let other = other_customer(world).await;
        for (email, here) in [("bob@portal.example", customer), ("carl@portal.example", &other)] {
            administrator(engine, email, None).await;
            grant(engine, here, &actor(), email, Role::Administrator).await.unwrap().unwrap();
        }
        let (bob, carl) = (named(engine, "bob@portal.example").await, named(engine, "carl@portal.example").await);
        let by_bob = By { customer, administrator: &bob };
        let by_carl = By { customer: &other, administrator: &carl };
        invite(engine, by_bob, "eve@portal.example", "", Role::Viewer, Reach::Customer).await.unwrap().unwrap();
        let second = invite(engine, by_carl, "eve@portal.example", "", Role::Viewer, Reach::Customer).await.unwrap();
        assert_eq!(second, Err(Refused::Beyond), "or Bob's link would let Bob into Carl's customer");
        assert_eq!(named(engine, "eve@portal.example").await.role_for(other.customer().id), None);
    }

    async fn a_new_password_by_link_ends_the_sessions_that_there_are(world: &mut World) {
        let (engine, customer) = (&world.engine, &world.customer);
        let ada = administrator(engine, "ada@portal.example", Some(Role::Administrator)).await;
        let eve = administrator(engine, "eve@portal.example", None).await;
        grant(engine, customer, &actor(), "eve@portal.example", Role::Viewer).await.unwrap().unwrap();
        let now = Timestamp(world.engine.clock.now().0);
        let mut write = engine.store.begin().await.unwrap();
        let session = store::NewSession {
            token_hash: [1; 32],
            administrator_id: eve.id,
            created_at: now,
            expires_at: now.plus(Timestamp::HOUR),
        };
        write.add_session(session).await.unwrap();
        write.commit().await.unwrap();
        let token = new_link(engine, By { customer, administrator: &ada }, eve.public_id).await.unwrap().unwrap();
        assert!(engine.store.session(&[1; 32], now).await.unwrap().is_some(), "the link alone changes nothing");
        use_link(engine, &token, HASH).await.unwrap().unwrap();
        assert!(engine.store.session(&[1; 32], now).await.unwrap().is_none());
    }
}
