//! Groups and who is in them. A group with many members is told of several times, each time with another slice of them.

use std::collections::{HashMap, HashSet};

use directory::entra::{GROUP_SELECTION, Graph, GraphError, GroupPage, MemberChange, NextOrDelta, PageLink};
use domain::{
    group::Membership,
    run::{Notice, ObjectKind},
    service::Service,
};
use store::{CursorKind, CustomerWrite, StoreError};

use super::{Collection, known};

pub(super) struct Groups;

impl Collection for Groups {
    type Page = GroupPage;

    const KIND: CursorKind = CursorKind::Groups;
    const OBJECT: ObjectKind = ObjectKind::Group;
    const NAME: &'static str = "Groups";
    const MAY_BE_EMPTY: bool = true;

    async fn ask(graph: &Graph, at: &PageLink) -> Result<GroupPage, GraphError> {
        graph.groups_page(at).await
    }

    fn next(page: &GroupPage) -> &NextOrDelta {
        &page.next
    }

    async fn write(
        write: &mut CustomerWrite,
        round: i64,
        page: GroupPage,
    ) -> Result<(i64, Vec<Notice>), StoreError> {
        let GroupPage { groups, members, removed, unreadable, changed_values, next: _ } = page;
        let told = write.mirror_groups(Service::Entra, round, &groups).await?;
        write.still_there(Service::Entra, Self::KIND, round, &known(&unreadable)).await?;
        let (joined, left) = last_changes(members);
        if !joined.is_empty() {
            write.join_members(Service::Entra, round, &joined).await?;
        }
        if !left.is_empty() {
            write.leave_members(Service::Entra, &left).await?;
        }
        if !removed.is_empty() {
            write.mirror_groups_gone(Service::Entra, &removed).await?;
        }
        Ok((told.first_told, unreadable.into_iter().chain(changed_values).collect()))
    }

    fn ids(page: &GroupPage) -> HashSet<&str> {
        let read = page.groups.iter().map(|group| group.external_id.as_str());
        read.chain(page.unreadable.iter().map(|notice| notice.external_id.as_str())).collect()
    }

    async fn end_full_round(write: &mut CustomerWrite, round: i64) -> Result<i64, StoreError> {
        write.end_full_round_groups(Service::Entra, round).await
    }
}

/// The properties to read, members among them.
pub(super) fn selection() -> String {
    GROUP_SELECTION.to_owned()
}

/// Who joined and who left, by the last word about each membership.
fn last_changes(changes: Vec<MemberChange>) -> (Vec<Membership>, Vec<(String, String)>) {
    let mut last = HashMap::new();
    for change in changes {
        let key = match &change {
            MemberChange::Joined(membership) => (membership.group.clone(), membership.member.clone()),
            MemberChange::Left { group, member } => (group.clone(), member.clone()),
        };
        last.insert(key, change);
    }
    let mut joined = Vec::new();
    let mut left = Vec::new();
    for (key, change) in last {
        match change {
            MemberChange::Joined(membership) => joined.push(membership),
            MemberChange::Left { .. } => left.push(key),
        }
    }
    (joined, left)
}

#[cfg(test)]
mod tests {
    use domain::group::MemberKind;

    use super::*;

    #[test]
    fn the_last_word_about_a_membership_counts() {
        let membership = Membership { group: "g".to_owned(), member: "m".to_owned(), kind: MemberKind::User };
        let left = MemberChange::Left { group: "g".to_owned(), member: "m".to_owned() };
        let joined = MemberChange::Joined(membership.clone());
        assert_eq!(last_changes(vec![left.clone(), joined.clone()]), (vec![membership], vec![]));
        assert_eq!(last_changes(vec![joined, left]), (vec![], vec![("g".to_owned(), "m".to_owned())]));
    }
}
