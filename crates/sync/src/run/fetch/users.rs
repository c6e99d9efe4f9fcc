//! Users.

use std::collections::HashSet;

use directory::entra::{Graph, GraphError, NextOrDelta, PageLink, USER_SELECTION, UserPage};
use domain::{
    run::{Notice, ObjectKind},
    service::Service,
};
use store::{CursorKind, CustomerWrite, StoreError};

use super::{Collection, known};

pub(super) struct Users;

impl Collection for Users {
    type Page = UserPage;

    const KIND: CursorKind = CursorKind::Users;
    const OBJECT: ObjectKind = ObjectKind::User;
    const NAME: &'static str = "Users";
    const MAY_BE_EMPTY: bool = false;

    async fn ask(graph: &Graph, at: &PageLink) -> Result<UserPage, GraphError> {
        graph.users_page(at).await
    }

    fn next(page: &UserPage) -> &NextOrDelta {
        &page.next
    }

    async fn write(
        write: &mut CustomerWrite,
        round: i64,
        page: UserPage,
    ) -> Result<(i64, Vec<Notice>), StoreError> {
        let UserPage { users, unreadable, changed_values, removed, next: _ } = page;
        let told = write.mirror_users(Service::Entra, round, &users).await?;
        write.still_there(Service::Entra, Self::KIND, round, &known(&unreadable)).await?;
        if !removed.is_empty() {
            write.mirror_users_gone(Service::Entra, &removed).await?;
        }
        Ok((told.first_told, unreadable.into_iter().chain(changed_values).collect()))
    }

    fn ids(page: &UserPage) -> HashSet<&str> {
        let read = page.users.iter().map(|user| user.external_id.as_str());
        read.chain(page.unreadable.iter().map(|notice| notice.external_id.as_str())).collect()
    }

    async fn end_full_round(write: &mut CustomerWrite, round: i64) -> Result<i64, StoreError> {
        write.end_full_round_users(Service::Entra, round).await
    }
}

/// The properties to read: those of every read, and what the filter asks for besides.
pub(in crate::run) fn selection(filter_properties: &[String]) -> String {
    let mut selection = USER_SELECTION.to_owned();
    for property in filter_properties {
        if !USER_SELECTION.split(',').any(|known| known == property) {
            selection.push(',');
            selection.push_str(property);
        }
    }
    selection
}
