//! Customers and how their sync is doing.

use domain::{
    Timestamp,
    run::{Purpose, Trigger},
};
use sync::{
    customers::{Refused, create, delete, rename, suspend},
    health::health,
    run::{StartRefused, run_to_end},
};

use crate::support::{World, actor, on_both_engines};

/// The customer as it stands now: a store knows it as it was when it was handed out.
async fn now(world: &World, slug: &str) -> store::CustomerStore {
    world.engine.store.customer(slug).await.unwrap().unwrap()
}

on_both_engines! {
    async fn a_customer_is_made_renamed_and_deleted_and_each_is_logged(world: &mut World) {
        let engine = &world.engine;
        create(engine, &actor(), "other", " Other Ltd ").await.unwrap().unwrap();
        assert_eq!(create(engine, &actor(), "other", "Again").await.unwrap(), Err(Refused::SlugTaken));
        assert_eq!(create(engine, &actor(), "An Other", "Again").await.unwrap(), Err(Refused::Slug));
        assert_eq!(create(engine, &actor(), "again", " ").await.unwrap(), Err(Refused::Name));
        let other = now(world, "other").await;
        assert_eq!(rename(engine, &other, &actor(), "Another Ltd").await.unwrap(), Ok(true));
        let other = now(world, "other").await;
        assert_eq!((other.customer().name.as_str(), other.customer().slug.as_str()), ("Another Ltd", "other"));
        assert_eq!(rename(engine, &other, &actor(), "Another Ltd").await.unwrap(), Ok(false));
        let log = other.audit(None, 9).await.unwrap();
        let actions: Vec<_> = log.iter().map(|row| row.entry.action.as_str()).collect();
        assert_eq!(actions, ["customer.rename", "customer.add"]);

        assert_eq!(delete(engine, &other, &actor(), "Another Ltd").await.unwrap(), Err(Refused::NotConfirmed));
        delete(engine, &other, &actor(), "other").await.unwrap().unwrap();
        assert!(engine.store.customer("other").await.unwrap().is_none());
        let log = engine.store.search_portal_audit(&store::AuditFilter::default(), None, 9).await.unwrap();
        assert_eq!(log.rows[0].entry.action, "customer.delete");
        assert_eq!(delete(engine, &world.customer, &actor(), "default").await.unwrap(), Err(Refused::Last));
    }

    async fn a_suspended_customer_is_not_synced_until_that_ends(world: &mut World) {
        world.connect(|_| {}).await;
        assert!(suspend(&world.engine, &world.customer, &actor(), true).await.unwrap());
        let suspended = now(world, "default").await;
        assert!(!suspend(&world.engine, &suspended, &actor(), true).await.unwrap(), "as it was");
        let who = actor();
        let start = || run_to_end(&world.engine, &suspended, Purpose::Sync, Trigger::SyncNow, &who);
        assert_eq!(start().await.unwrap().unwrap_err(), StartRefused::CustomerSuspended);
        assert!(suspend(&world.engine, &suspended, &actor(), false).await.unwrap());
        assert!(start().await.unwrap().is_ok());
    }

    async fn a_customer_without_a_success_for_too_long_is_overdue(world: &mut World) {
        let at = |world: &World| world.engine.clock.now();
        assert_eq!(health(&world.customer, at(world)).await.unwrap().overdue_since, None, "nothing is set up");
        world.connect(|_| {}).await;
        world.sync().await;
        let done = at(world);
        let well = health(&world.customer, done).await.unwrap();
        assert_eq!((well.last_success, well.overdue_since, well.enabled()), (Some(done), None, true));
        // Six hours is the default: twice that is less than the day that is allowed at least.
        world.clock.advance(Timestamp::DAY);
        assert_eq!(health(&world.customer, at(world)).await.unwrap().overdue_since, None);
        world.clock.advance(1);
        let ill = health(&world.customer, at(world)).await.unwrap();
        assert_eq!(ill.overdue_since, Some(done.plus(Timestamp::DAY)));
        suspend(&world.engine, &world.customer, &actor(), true).await.unwrap();
        let quiet = health(&now(world, "default").await, at(world)).await.unwrap();
        assert_eq!(quiet.overdue_since, None, "nothing is expected of a suspended customer");
    }
}
