//! Exceptions: added, changed, listed and removed, of one service of one customer.

use domain::service::Service;
use store::{Exception, ExceptionKind};

use crate::support::{NOW, TestDb, in_one_write, on_both_engines};

fn exception(kind: ExceptionKind, object: &str) -> Exception {
    Exception {
        kind,
        object: object.to_owned(),
        name: format!("Name of {object}"),
        address: format!("{object}@contoso.com"),
        reason: "a robot".to_owned(),
        keep: false,
        created_by: "eve@contoso.com".to_owned(),
        created_at: NOW,
    }
}

on_both_engines! {
    async fn exceptions_come_back_as_rules_and_page_by_page(db: &TestDb) {
        let customer = db.customer().await;
        let all = [
            exception(ExceptionKind::User, "u"),
            exception(ExceptionKind::Group, "g"),
            Exception { keep: true, address: String::new(), ..exception(ExceptionKind::User, "b") },
            exception(ExceptionKind::Alias, "alias@contoso.com"),
        ];
        in_one_write!(customer, |write| {
            for one in &all {
                write.add_exceptions(Service::Entra, std::slice::from_ref(one)).await.unwrap();
            }
            write.add_exceptions(Service::Ldap, &[exception(ExceptionKind::User, "u")]).await.unwrap();
            write.add_exceptions(Service::Ldap, &[]).await.unwrap();
        });
        assert_eq!(customer.exception_rules(Service::Entra).await.unwrap(), [
            (ExceptionKind::Alias, "alias@contoso.com".to_owned(), false),
            (ExceptionKind::Group, "g".to_owned(), false),
            (ExceptionKind::User, "b".to_owned(), true),
            (ExceptionKind::User, "u".to_owned(), false),
        ]);
        let first = customer.exceptions_page(Service::Entra, 0, 3).await.unwrap();
        let rest = customer.exceptions_page(Service::Entra, first[2].0, 3).await.unwrap();
        assert_eq!((first.len(), rest.len()), (3, 1));
        let listed: Vec<_> = first.into_iter().chain(rest).map(|(_, exception)| exception).collect();
        assert_eq!(listed, all);
    }

    async fn an_exception_made_again_takes_the_new_reason_and_keeps_who_made_it(db: &TestDb) {
        let customer = db.customer().await;
        let first = exception(ExceptionKind::User, "u");
        let again = Exception {
            reason: "a shared mailbox".to_owned(),
            keep: true,
            created_by: "bob@contoso.com".to_owned(),
            created_at: NOW.plus(9),
            ..first.clone()
        };
        let last = Exception { name: "New name".to_owned(), ..again.clone() };
        in_one_write!(customer, |write| {
            write.add_exceptions(Service::Entra, std::slice::from_ref(&first)).await.unwrap();
            // Twice in one batch: as it comes last.
            write.add_exceptions(Service::Entra, &[again, last.clone()]).await.unwrap();
        });
        let listed = customer.exceptions_page(Service::Entra, 0, 9).await.unwrap();
        assert_eq!(listed.len(), 1);
        assert_eq!(listed[0].1, Exception { created_by: first.created_by, created_at: first.created_at, ..last });
    }

    async fn only_the_named_exceptions_of_the_service_and_the_customer_are_removed(db: &TestDb) {
        let (customer, other) = (db.customer().await, db.other_customer().await);
        let both = [exception(ExceptionKind::User, "x"), exception(ExceptionKind::Group, "x"), exception(ExceptionKind::User, "y")];
        in_one_write!(customer, |write| {
            write.add_exceptions(Service::Entra, &both).await.unwrap();
            write.add_exceptions(Service::Ldap, &both).await.unwrap();
        });
        assert_eq!(other.exception_rules(Service::Entra).await.unwrap(), []);
        assert_eq!(other.exceptions_page(Service::Entra, 0, 9).await.unwrap(), []);
        let named = [(ExceptionKind::User, "x".to_owned()), (ExceptionKind::Alias, "y".to_owned())];
        assert_eq!(in_one_write!(other, |write| { write.remove_exceptions(Service::Entra, &named).await.unwrap() }), 0);
        assert_eq!(in_one_write!(customer, |write| { write.remove_exceptions(Service::Entra, &named).await.unwrap() }), 1);
        assert_eq!(customer.exception_rules(Service::Entra).await.unwrap(), [
            (ExceptionKind::Group, "x".to_owned(), false),
            (ExceptionKind::User, "y".to_owned(), false),
        ]);
        assert_eq!(customer.exception_rules(Service::Ldap).await.unwrap().len(), 3);
    }
}
