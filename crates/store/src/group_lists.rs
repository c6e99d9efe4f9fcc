//! Lists of groups and of who is in them: for the pages of groups, and for the groups on a user's page.
//!
//! Membership is the directory's ([`mirror_members`](crate::Member)): a member that the portal does not have is listed as such. Groups within
//! groups are followed to any depth, and a group that contains itself is seen once.

use domain::{
    group::{GroupKind, MemberKind},
    service::Service,
};
use uuid::Uuid;

use crate::{
    CustomerStore, Group, Search, StoreError,
    error::Result,
    groups::Row,
    sql::{all, statements},
};

statements! {
    AFTER = "SELECT g.id, g.public_id, g.source, g.external_id, g.display_name, g.address, g.kind, g.created_at, g.changed_at,
                 (SELECT COUNT(*) FROM (SELECT 1 FROM mirror_members m WHERE m.customer_id = g.customer_id
                     AND m.service = CASE g.source WHEN 'azure' THEN 'entra' ELSE 'ldap' END AND m.group_id = g.external_id LIMIT 1001) AS m)
                     AS members
             FROM groups g WHERE g.customer_id = $1 AND (g.sort_name, g.id) > ($2, $3)
                 AND (CAST($4 AS TEXT) = '' OR g.kind = $4)
                 AND (CAST($5 AS TEXT) = '' OR CAST($6 AS TEXT) || g.sort_name || CAST($6 AS TEXT) || COALESCE(g.address, '') LIKE $5 ESCAPE '!')
             ORDER BY g.sort_name, g.id LIMIT $7";
    BEFORE = "SELECT g.id, g.public_id, g.source, g.external_id, g.display_name, g.address, g.kind, g.created_at, g.changed_at,
                 (SELECT COUNT(*) FROM (SELECT 1 FROM mirror_members m WHERE m.customer_id = g.customer_id
                     AND m.service = CASE g.source WHEN 'azure' THEN 'entra' ELSE 'ldap' END AND m.group_id = g.external_id LIMIT 1001) AS m)
                     AS members
             FROM groups g WHERE g.customer_id = $1 AND (g.sort_name, g.id) < ($2, $3)
                 AND (CAST($4 AS TEXT) = '' OR g.kind = $4)
                 AND (CAST($5 AS TEXT) = '' OR CAST($6 AS TEXT) || g.sort_name || CAST($6 AS TEXT) || COALESCE(g.address, '') LIKE $5 ESCAPE '!')
             ORDER BY g.sort_name DESC, g.id DESC LIMIT $7";
    /// $4 says whether groups in the group are opened. Those whom the portal has come first, by folded name; the others by the name that the
    /// directory has.
    MEMBERS = "WITH RECURSIVE reached(group_id) AS (
                   SELECT g.external_id FROM groups g WHERE g.customer_id = $1 AND g.source = $5 AND g.external_id = $3
                   UNION
                   SELECT m.member_id FROM reached r
                   JOIN mirror_members m ON m.customer_id = $1 AND m.service = $2 AND m.group_id = r.group_id AND m.kind = 'group'
                   WHERE CAST($4 AS BIGINT) = 1),
               members AS (
                   SELECT DISTINCT d.member_id, d.kind FROM reached r
                   JOIN mirror_members d ON d.customer_id = $1 AND d.service = $2 AND d.group_id = r.group_id
                   WHERE CAST($4 AS BIGINT) = 0 OR d.kind <> 'group'),
               named AS (
                   SELECT m.member_id, m.kind,
                       COALESCE(u.display_name, g.display_name, mu.display_name, mg.display_name) AS display_name,
                       COALESCE(u.primary_address, g.address) AS address,
                       COALESCE(u.public_id, g.public_id) AS synced,
                       CASE WHEN u.id IS NULL AND g.id IS NULL THEN '1' || COALESCE(mu.display_name, mg.display_name, '')
                           ELSE '0' || COALESCE(u.sort_name, g.sort_name) END AS place
                   FROM members m
                   LEFT JOIN users u ON m.kind = 'user' AND u.customer_id = $1 AND u.source = $5 AND u.external_id = m.member_id
                   LEFT JOIN groups g ON m.kind = 'group' AND g.customer_id = $1 AND g.source = $5 AND g.external_id = m.member_id
                   LEFT JOIN mirror_users mu ON m.kind = 'user' AND mu.customer_id = $1 AND mu.service = $2 AND mu.external_id = m.member_id
                   LEFT JOIN mirror_groups mg ON m.kind = 'group' AND mg.customer_id = $1 AND mg.service = $2 AND mg.external_id = m.member_id)
               SELECT n.member_id, n.kind, n.display_name, n.address, n.synced, n.place FROM named n
               WHERE (n.place, n.member_id) > ($6, $7) ORDER BY n.place, n.member_id LIMIT $8";
    /// From a member upwards; those that it is in directly are told apart.
    GROUPS_OF = "WITH RECURSIVE above(group_id) AS (
                     SELECT d.group_id FROM mirror_members d WHERE d.customer_id = $1 AND d.service = $2 AND d.member_id = $3
                     UNION
                     SELECT m.group_id FROM above a
                     JOIN mirror_members m ON m.customer_id = $1 AND m.service = $2 AND m.member_id = a.group_id)
                 SELECT g.id, g.public_id, g.source, g.external_id, g.display_name, g.address, g.kind, g.created_at, g.changed_at,
                     EXISTS (SELECT 1 FROM mirror_members o WHERE o.customer_id = $1 AND o.service = $2 AND o.member_id = $3
                         AND o.group_id = g.external_id) AS direct
                 FROM above a JOIN groups g ON g.customer_id = $1 AND g.source = $4 AND g.external_id = a.group_id
                 ORDER BY g.sort_name, g.id LIMIT $5";
}

/// Which page of the list of groups, by name: after one place or before another; with neither, the first.
#[derive(Clone, Debug, Default)]
pub struct GroupPage {
    /// Which groups are found by this, in their names and addresses.
    pub search: Search,
    /// Which type they have.
    pub kind: Option<GroupKind>,
    /// The page begins behind the group at this [place](Group::cursor).
    pub after: Option<(String, i64)>,
    /// The page ends before the group at this place. Counts only without `after`.
    pub before: Option<(String, i64)>,
    /// The most rows.
    pub limit: i64,
}

/// A page of the list of groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupList {
    /// The groups, each with the number of its direct members; beyond [`GroupList::MOST_COUNTED`] they are not counted.
    pub rows: Vec<(Group, i64)>,
    /// Whether there are rows before these, as far as the cursor tells.
    pub has_previous: bool,
    /// Whether there are rows behind these.
    pub has_next: bool,
}

impl GroupList {
    /// Beyond so many, members are not counted: the number of a greater group is this and one.
    pub const MOST_COUNTED: i64 = 1_000;
}

/// A member of a group as its page lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedMember {
    /// The directory's key of it.
    pub member_id: String,
    /// What it is.
    pub kind: MemberKind,
    /// Its name; `None` when nobody knows it.
    pub display_name: Option<String>,
    /// The portal's address of it.
    pub address: Option<String>,
    /// The id in addresses of pages of the portal's user or group; `None` for one that is not synced.
    pub synced: Option<Uuid>,
    /// Its place in the list, with the key the cursor of the next page.
    pub place: String,
}

#[derive(sqlx::FromRow)]
struct ListRow {
    #[sqlx(flatten)]
    group: Row,
    members: i64,
}

#[derive(sqlx::FromRow)]
struct GroupOfRow {
    #[sqlx(flatten)]
    group: Row,
    direct: bool,
}

#[derive(sqlx::FromRow)]
struct MemberRow {
    member_id: String,
    kind: String,
    display_name: Option<String>,
    address: Option<String>,
    synced: Option<String>,
    place: String,
}

impl TryFrom<MemberRow> for ListedMember {
    type Error = StoreError;

    fn try_from(row: MemberRow) -> Result<Self> {
        let corrupt = |table, column| StoreError::corrupt(table, column, &row.member_id);
        Ok(Self {
            kind: MemberKind::named(&row.kind).ok_or_else(|| corrupt("mirror_members", "kind"))?,
            synced: row
                .synced
                .as_deref()
                .map(|id| Uuid::parse_str(id).map_err(|_| corrupt("users", "public_id")))
                .transpose()?,
            member_id: row.member_id,
            display_name: row.display_name,
            address: row.address,
            place: row.place,
        })
    }
}

impl CustomerStore {
    /// A page of the groups by name, without regard to case. The longer one looks for something rare the more groups are passed: a customer has
    /// far fewer of them than users.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn groups(&self, page: GroupPage) -> Result<GroupList> {
        let mut connection = self.read().await?;
        let backwards = page.after.is_none() && page.before.is_some();
        let has_cursor = page.after.is_some();
        let (statement, (place, id)) = match (page.after, page.before) {
            (None, Some(before)) => (BEFORE, before),
            (after, _) => (AFTER, after.unwrap_or((String::new(), i64::MIN))),
        };
        let limit = page.limit.max(1);
        let kind = page.kind.map_or("", GroupKind::name);
        let pattern = page.search.pattern();
        let mut rows =
            all!(connection, ListRow, statement, self.id(), place, id, kind, pattern, "\n", limit + 1)?;
        let more = i64::try_from(rows.len()).is_ok_and(|read| read > limit);
        if more {
            rows.pop();
        }
        if backwards {
            rows.reverse();
        }
        Ok(GroupList {
            has_previous: if backwards { more } else { has_cursor },
            has_next: if backwards { !rows.is_empty() } else { more },
            rows: rows
                .into_iter()
                .map(|row| Ok((row.group.try_into()?, row.members)))
                .collect::<Result<_>>()?,
        })
    }

    /// Who is in a group of the portal: directly, or (nested) everybody but groups in it and in the groups that it contains. By name, those whom the portal has
    /// first, `after` the member of that place and key.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn listed_members(
        &self,
        service: Service,
        group_external_id: &str,
        nested: bool,
        after: Option<(String, String)>,
        limit: i64,
    ) -> Result<Vec<ListedMember>> {
        let mut connection = self.read().await?;
        let (place, member) = after.unwrap_or_default();
        all!(
            connection,
            MemberRow,
            MEMBERS,
            self.id(),
            service.name(),
            group_external_id,
            i64::from(nested),
            service.source().name(),
            place,
            member,
            limit
        )?
        .into_iter()
        .map(ListedMember::try_from)
        .collect()
    }

    /// The portal's groups that a member of the directory is in, by name, each with whether it is in there directly.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn groups_of(
        &self,
        service: Service,
        member_external_id: &str,
        limit: i64,
    ) -> Result<Vec<(Group, bool)>> {
        let mut connection = self.read().await?;
        all!(
            connection,
            GroupOfRow,
            GROUPS_OF,
            self.id(),
            service.name(),
            member_external_id,
            service.source().name(),
            limit
        )?
        .into_iter()
        .map(|row| Ok((row.group.try_into()?, row.direct)))
        .collect()
    }
}
