//! Schedules: what is due, and for whom.

use domain::service::Service;
use store::{CustomerStore, Schedule};

use crate::support::{NOW, TestDb, in_one_write, on_both_engines};

fn schedule(service: Service, after: i64) -> Schedule {
    Schedule { service, next_at: NOW.plus(after), failures: 0, reason: String::new() }
}

async fn enable(customer: &CustomerStore, enabled: bool) {
    in_one_write!(customer, |write| {
        write.save_service(Service::Entra, enabled, "{}", None, NOW).await.unwrap();
    });
}

async fn due(db: &TestDb, after: i64) -> Vec<String> {
    let due = db.store.due_schedules(NOW.plus(after), 9).await.unwrap();
    assert!(due.iter().all(|(_, service)| *service == Service::Entra));
    due.into_iter().map(|(slug, _)| slug).collect()
}

on_both_engines! {
    async fn a_schedule_comes_back_as_put_and_is_of_one_customer(db: &TestDb) {
        let (customer, other) = (db.customer().await, db.other_customer().await);
        let failed = Schedule { failures: 3, reason: "The tenant did not answer.".to_owned(), ..schedule(Service::Entra, 60) };
        in_one_write!(customer, |write| {
            write.put_schedule(&schedule(Service::Entra, 1)).await.unwrap();
            write.put_schedule(&failed).await.unwrap();
            write.put_schedule(&schedule(Service::Ldap, 2)).await.unwrap();
        });
        assert_eq!(customer.schedule(Service::Entra).await.unwrap(), Some(failed.clone()));
        assert_eq!(other.schedule(Service::Entra).await.unwrap(), None);
        in_one_write!(other, |write| { write.clear_schedule(Service::Entra).await.unwrap() });
        assert_eq!(customer.schedule(Service::Entra).await.unwrap(), Some(failed));
        in_one_write!(customer, |write| { write.clear_schedule(Service::Entra).await.unwrap() });
        assert_eq!(customer.schedule(Service::Entra).await.unwrap(), None);
        assert_eq!(customer.schedule(Service::Ldap).await.unwrap(), Some(schedule(Service::Ldap, 2)));
    }

    async fn only_enabled_services_of_customers_that_are_not_suspended_are_due(db: &TestDb) {
        let (customer, other) = (db.customer().await, db.other_customer().await);
        for (customer, after) in [(&customer, 20), (&other, 10)] {
            enable(customer, true).await;
            in_one_write!(customer, |write| {
                write.put_schedule(&schedule(Service::Entra, after)).await.unwrap();
                write.put_schedule(&schedule(Service::Ldap, 0)).await.unwrap();
            });
        }
        assert_eq!(due(db, 9).await, Vec::<String>::new());
        assert_eq!(due(db, 10).await, ["other"]);
        assert_eq!(due(db, 20).await, ["other", "default"]);
        assert_eq!(db.store.due_schedules(NOW.plus(20), 1).await.unwrap().len(), 1);
        db.execute("UPDATE customers SET suspended_at = 1 WHERE slug = 'other'").await;
        assert_eq!(due(db, 20).await, ["default"]);
        enable(&customer, false).await;
        assert_eq!(due(db, 20).await, Vec::<String>::new());
    }
}
