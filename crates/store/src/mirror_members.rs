//! Who is directly in which group, as the directory says, by its keys on either side.
//!
//! Nothing is demanded of either key: a member may be read later than its group, or never. What a member is in the portal is looked up when
//! a group is shown.

use std::collections::BTreeMap;

use domain::{
    group::{MemberKind, Membership},
    service::Service,
};
use uuid::Uuid;

use crate::{
    CustomerStore, CustomerWrite, StoreError,
    error::Result,
    given::Given,
    sql::{all, execute, statements},
};

statements! {
    MEMBERS = "SELECT d.member_id, d.kind,
                   CASE d.kind
                       WHEN 'user' THEN (SELECT mu.display_name FROM mirror_users mu
                           WHERE mu.customer_id = $1 AND mu.service = $2 AND mu.external_id = d.member_id)
                       WHEN 'group' THEN (SELECT mg.display_name FROM mirror_groups mg
                           WHERE mg.customer_id = $1 AND mg.service = $2 AND mg.external_id = d.member_id)
                   END AS display_name,
                   CASE d.kind
                       WHEN 'user' THEN (SELECT u.public_id FROM users u
                           WHERE u.customer_id = $1 AND u.source = $3 AND u.external_id = d.member_id)
                       WHEN 'group' THEN (SELECT g.public_id FROM groups g
                           WHERE g.customer_id = $1 AND g.source = $3 AND g.external_id = d.member_id)
                   END AS synced
               FROM mirror_members d
               WHERE d.customer_id = $1 AND d.service = $2 AND d.group_id = $4 AND d.member_id > $5 ORDER BY d.member_id LIMIT $6";
    MEMBER_OF = "SELECT group_id FROM mirror_members WHERE customer_id = $1 AND service = $2 AND member_id = $3 ORDER BY group_id";
    JOIN = "INSERT INTO mirror_members (customer_id, service, group_id, member_id, kind, round)
            SELECT CAST($1 AS BIGINT), CAST($2 AS TEXT), given.group_id, given.member_id, given.kind, CAST($3 AS BIGINT) FROM ",
           given("$4": group_id "TEXT" 0 "$4", member_id "TEXT" 1 "$5", kind "TEXT" 2 "$6"),
           " WHERE TRUE
            ON CONFLICT (customer_id, service, group_id, member_id) DO UPDATE SET kind = excluded.kind, round = excluded.round";
    /// The customer and the service stand in each given row: were they compared by themselves, Postgres would take them for rare, and
    /// compare all memberships of the customer with all given ones.
    LEAVE = "DELETE FROM mirror_members WHERE (customer_id, service, group_id, member_id) IN (
                SELECT given.customer_id, given.service, given.group_id, given.member_id FROM ",
            given("$1": customer_id "BIGINT" 0 "$1", service "TEXT" 1 "$2", group_id "TEXT" 2 "$3", member_id "TEXT" 3 "$4"), ")";
    EMPTY = "DELETE FROM mirror_members WHERE customer_id = $1 AND service = $2 AND group_id ", among("$3" "TEXT"), "";
    UNSEEN = "DELETE FROM mirror_members WHERE customer_id = $1 AND service = $2 AND round <> $3";
}

/// A direct member of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The directory's key of it.
    pub member_id: String,
    /// What it is.
    pub kind: MemberKind,
    /// Its name in the mirror; `None` when the mirror does not have it, or it has no name.
    pub display_name: Option<String>,
    /// The id in addresses of pages of the portal's user or group; `None` for one that is not synced.
    pub synced: Option<Uuid>,
}

impl CustomerStore {
    /// The direct members of a group by their keys, `after` that key (empty for all).
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn group_members(
        &self,
        service: Service,
        group_external_id: &str,
        after_member: &str,
        limit: i64,
    ) -> Result<Vec<Member>> {
        let mut connection = self.read().await?;
        type Row = (String, String, Option<String>, Option<String>);
        all!(
            connection,
            Row,
            MEMBERS,
            self.id(),
            service.name(),
            service.source().name(),
            group_external_id,
            after_member,
            limit
        )?
        .into_iter()
        .map(|(member_id, kind, display_name, synced)| {
            let kind = MemberKind::named(&kind)
                .ok_or_else(|| StoreError::corrupt("mirror_members", "kind", &member_id))?;
            let synced = synced
                .map(|id| Uuid::parse_str(&id).map_err(|_| StoreError::corrupt("users", "public_id", id)))
                .transpose()?;
            Ok(Member { member_id, kind, display_name, synced })
        })
        .collect()
    }

    /// The keys of the groups that a user or group is directly in, sorted.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn member_of(&self, service: Service, member_external_id: &str) -> Result<Vec<String>> {
        let mut connection = self.read().await?;
        let rows =
            all!(connection, (String,), MEMBER_OF, self.id(), service.name(), member_external_id)?;
        Ok(rows.into_iter().map(|(group,)| group).collect())
    }
}

impl CustomerWrite {
    /// Writes memberships that a round of reading saw. One that comes twice counts as it came last.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn join_members(
        &mut self,
        service: Service,
        round: i64,
        memberships: &[Membership],
    ) -> Result<()> {
        if memberships.is_empty() {
            return Ok(());
        }
        let latest: BTreeMap<(&str, &str), MemberKind> =
            memberships.iter().map(|one| ((one.group.as_str(), one.member.as_str()), one.kind)).collect();
        let given = Given::nothing()
            .texts(latest.keys().map(|(group, _)| *group))
            .texts(latest.keys().map(|(_, member)| *member))
            .texts(latest.values().map(|kind| kind.name()));
        execute!(self.connection, JOIN, self.customer_id, service.name(), round; given)?;
        Ok(())
    }

    /// Ends memberships: each a group's key and the member's. Those that are not there are passed over.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn leave_members(
        &mut self,
        service: Service,
        memberships: &[(String, String)],
    ) -> Result<()> {
        if memberships.is_empty() {
            return Ok(());
        }
        let given = Given::nothing()
            .ints(memberships.iter().map(|_| self.customer_id))
            .texts(memberships.iter().map(|_| service.name()))
            .texts(memberships.iter().map(|(group, _)| group.as_str()))
            .texts(memberships.iter().map(|(_, member)| member.as_str()));
        execute!(self.connection, LEAVE; given)?;
        Ok(())
    }

    /// Ends every membership in these groups.
    pub(crate) async fn empty_groups(&mut self, service: Service, groups: &[String]) -> Result<()> {
        let given = Given::nothing().texts(groups);
        execute!(self.connection, EMPTY, self.customer_id, service.name(); given)?;
        Ok(())
    }

    /// Ends every membership that the round did not see.
    pub(crate) async fn end_memberships_unseen(&mut self, service: Service, round: i64) -> Result<()> {
        execute!(self.connection, UNSEEN, self.customer_id, service.name(), round)?;
        Ok(())
    }
}
