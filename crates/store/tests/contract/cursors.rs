//! Cursors: where the reading of a directory stands.

use domain::{Timestamp, service::Service};
use store::{Cursor, CursorKind};

use crate::support::{NOW, TestDb, on_both_engines};

on_both_engines! {
    async fn a_cursor_is_the_last_one_put_until_it_is_cleared(db: &TestDb) {
        let customer = db.customer().await;
        let (service, kind) = (Service::Entra, CursorKind::Users);
        assert_eq!(customer.cursor(service, kind).await.unwrap(), None);
        let mut cursor = Cursor {
            service,
            kind,
            round: 1,
            full: true,
            idle: false,
            link: "https://graph.example/next?$skiptoken=1".to_owned(),
            selection: "id,mail".to_owned(),
            pages: 1,
            objects: 999,
            updated_at: NOW,
        };
        for page in 2..4 {
            cursor = Cursor { pages: page, updated_at: Timestamp(page), idle: page == 3, ..cursor };
            let mut write = customer.begin().await.unwrap();
            write.put_cursor(&cursor).await.unwrap();
            write.commit().await.unwrap();
            assert_eq!(customer.cursor(service, kind).await.unwrap().as_ref(), Some(&cursor));
        }
        cursor = Cursor { round: 2, full: false, link: "https://graph.example/delta".to_owned(), ..cursor };
        let mut write = customer.begin().await.unwrap();
        write.put_cursor(&cursor).await.unwrap();
        write.commit().await.unwrap();
        assert_eq!(customer.cursor(service, kind).await.unwrap(), Some(cursor));

        let mut write = customer.begin().await.unwrap();
        write.clear_cursor(service, kind).await.unwrap();
        write.commit().await.unwrap();
        assert_eq!(customer.cursor(service, kind).await.unwrap(), None);
    }

    async fn users_and_groups_and_each_service_have_a_cursor_of_their_own(db: &TestDb) {
        let customer = db.customer().await;
        let cursor = |service, kind, round| Cursor {
            service,
            kind,
            round,
            full: true,
            idle: true,
            link: String::new(),
            selection: String::new(),
            pages: 0,
            objects: 0,
            updated_at: NOW,
        };
        let all = [
            cursor(Service::Entra, CursorKind::Users, 1),
            cursor(Service::Entra, CursorKind::Groups, 2),
            cursor(Service::Ldap, CursorKind::Users, 3),
        ];
        let mut write = customer.begin().await.unwrap();
        for one in &all {
            write.put_cursor(one).await.unwrap();
        }
        write.clear_cursor(Service::Ldap, CursorKind::Groups).await.unwrap();
        write.clear_cursor(Service::Entra, CursorKind::Users).await.unwrap();
        write.commit().await.unwrap();
        let [gone, groups, ldap] = all;
        assert_eq!(customer.cursor(gone.service, gone.kind).await.unwrap(), None);
        assert_eq!(customer.cursor(groups.service, groups.kind).await.unwrap(), Some(groups));
        assert_eq!(customer.cursor(ldap.service, ldap.kind).await.unwrap(), Some(ldap));
    }
}
