//! Who may sign in.

use domain::{Timestamp, role::Role};
use sync::administrators::{
    Candidate, Refused, SETUP_LINK_LIFE, add, create_first, grant, make_setup_link, set_password,
    use_setup_link,
};

use crate::support::{actor, on_both_engines};

fn candidate(email: &str) -> Candidate {
    Candidate {
        email: email.to_owned(),
        display_name: String::new(),
        password_hash: "$argon2id$hash".to_owned(),
    }
}

on_both_engines! {
    async fn the_first_administrator_is_made_once(world: &mut World) {
        let id = create_first(&world.engine, &actor(), candidate(" Ada@Portal.example ")).await.unwrap().unwrap();
        let ada = world.engine.store.administrator(id).await.unwrap().unwrap();
        assert_eq!((ada.email.as_str(), ada.display_name.as_str()), ("ada@portal.example", "ada@portal.example"));
        assert_eq!(ada.every_customer_role, Some(Role::Administrator));
        let second = create_first(&world.engine, &actor(), candidate("eve@portal.example")).await.unwrap();
        assert_eq!(second, Err(Refused::AlreadySetUp));
        assert_eq!(make_setup_link(&world.engine).await.unwrap(), None);
    }

    async fn a_set_up_link_works_once_and_only_for_a_day(world: &mut World) {
        let old = make_setup_link(&world.engine).await.unwrap().unwrap();
        world.clock.advance(SETUP_LINK_LIFE + Timestamp::SECOND);
        let refused = use_setup_link(&world.engine, &old, candidate("ada@portal.example")).await.unwrap();
        assert_eq!(refused, Err(Refused::Link));
        let link = make_setup_link(&world.engine).await.unwrap().unwrap();
        let typo = use_setup_link(&world.engine, &link, candidate("no address")).await.unwrap();
        assert_eq!(typo, Err(Refused::Email), "and the link is still good");
        use_setup_link(&world.engine, &link, candidate("ada@portal.example")).await.unwrap().unwrap();
        let again = use_setup_link(&world.engine, &link, candidate("eve@portal.example")).await.unwrap();
        assert_eq!(again, Err(Refused::AlreadySetUp));
        assert_eq!(world.engine.store.administrator_count().await.unwrap(), 1);
    }

    async fn roles_and_passwords_are_changed_and_logged_without_the_hash(world: &mut World) {
        let (engine, customer) = (&world.engine, &world.customer);
        let id = add(engine, &actor(), candidate("eve@portal.example"), None).await.unwrap().unwrap();
        assert_eq!(add(engine, &actor(), candidate("EVE@portal.example"), None).await.unwrap(), Err(Refused::Taken));
        grant(engine, customer, &actor(), "eve@portal.example", Role::Viewer).await.unwrap().unwrap();
        grant(engine, customer, &actor(), "eve@portal.example", Role::Operator).await.unwrap().unwrap();
        grant(engine, customer, &actor(), "eve@portal.example", Role::Operator).await.unwrap().unwrap();
        let eve = engine.store.administrator(id).await.unwrap().unwrap();
        assert_eq!(eve.role_for(customer.customer().id), Some(Role::Operator));
        let audit = world.audit().await;
        assert_eq!(audit.len(), 2, "the third one changed nothing");
        assert_eq!((audit[0].changes[0].old.as_str(), audit[0].changes[0].new.as_str()), ("Viewer", "Operator"));
        set_password(engine, &actor(), "Eve@portal.example", "$argon2id$other").await.unwrap().unwrap();
        let eve = engine.store.administrator(id).await.unwrap().unwrap();
        assert_eq!(eve.password_hash, "$argon2id$other");
        let nobody = set_password(engine, &actor(), "nobody@portal.example", "x").await.unwrap();
        assert_eq!(nobody, Err(Refused::Missing));
    }
}
