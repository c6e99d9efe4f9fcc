//! The mirror's groups, by the same rules as its users: hash, round, dirty, gone. Who is in them is [`crate::mirror_members`]'.

use domain::{
    address::Address,
    group::{DirectoryGroup, GroupKind},
    service::Service,
};

use crate::{
    CustomerStore, CustomerWrite, MirrorWritten, StoreError,
    batch::{Batch, Known, hash},
    error::Result,
    given::Given,
    sql::{all, execute, statements},
};

statements! {
    DIRTY = "SELECT id, gone, external_id, display_name, mail, proxy_addresses, kind
             FROM mirror_groups WHERE customer_id = $1 AND service = $2 AND dirty = TRUE AND id > $3 ORDER BY id LIMIT $4";
    DIRTY_AMONG = "SELECT m.id, m.gone, m.external_id, m.display_name, m.mail, m.proxy_addresses, m.kind FROM mirror_groups m
                   WHERE m.customer_id = $1 AND m.service = $2 AND m.dirty = TRUE AND m.external_id ", among("$3" "TEXT"), "";
    KNOWN = "SELECT m.id, m.external_id, m.hash, m.gone, m.round FROM mirror_groups m
             WHERE m.customer_id = $1 AND m.service = $2 AND m.external_id ", among("$3" "TEXT"), "";
    SEEN = "UPDATE mirror_groups SET round = $2 WHERE customer_id = $1 AND round <> $2 AND id ", among("$3" "BIGINT"), "";
    WRITE = "INSERT INTO mirror_groups (customer_id, service, external_id, display_name, mail, proxy_addresses, address, kind, hash,
                 sort_name, round, dirty, gone)
             SELECT CAST($1 AS BIGINT), CAST($2 AS TEXT), given.external_id, given.display_name, given.mail, given.proxy_addresses,
                 given.address, given.kind, given.hash, given.sort_name, CAST($3 AS BIGINT), TRUE, FALSE
             FROM ",
            given("$4": external_id "TEXT" 0 "$4", display_name "TEXT" 1 "$5", mail "TEXT" 2 "$6", proxy_addresses "TEXT" 3 "$7",
                address "TEXT" 4 "$8", kind "TEXT" 5 "$9", hash "TEXT" 6 "$10",
                sort_name "TEXT" 7 "$11"),
            " WHERE TRUE
             ON CONFLICT (customer_id, service, external_id) DO UPDATE SET display_name = excluded.display_name, mail = excluded.mail,
                 proxy_addresses = excluded.proxy_addresses, address = excluded.address, kind = excluded.kind, hash = excluded.hash,
                 sort_name = excluded.sort_name, round = excluded.round, dirty = excluded.dirty, gone = excluded.gone";
    GONE = "UPDATE mirror_groups SET gone = TRUE, dirty = TRUE, address = NULL
            WHERE customer_id = $1 AND service = $2 AND gone = FALSE AND external_id ", among("$3" "TEXT"), "";
    UNSEEN = "UPDATE mirror_groups SET gone = TRUE, dirty = TRUE, address = NULL
              WHERE customer_id = $1 AND service = $2 AND gone = FALSE AND round <> $3";
    /// Set against set, as for users.
    LOST = "INSERT INTO mirror_groups (customer_id, service, external_id, proxy_addresses, kind, hash, round, dirty, gone)
            SELECT CAST($1 AS BIGINT), CAST($2 AS TEXT), lost.external_id, '[]', 'security', '', CAST($3 AS BIGINT), TRUE, TRUE
            FROM (SELECT g.external_id FROM groups g WHERE g.customer_id = $1 AND g.source = $4
                  EXCEPT SELECT m.external_id FROM mirror_groups m WHERE m.customer_id = $1 AND m.service = $2) AS lost";
    MARK_ALL = "UPDATE mirror_groups SET dirty = TRUE WHERE customer_id = $1 AND service = $2 AND dirty = FALSE";
    MARK = "UPDATE mirror_groups SET dirty = TRUE WHERE customer_id = $1 AND service = $2 AND dirty = FALSE AND external_id ",
           among("$3" "TEXT"), "";
    MARK_BY_ADDRESS = "UPDATE mirror_groups SET dirty = TRUE WHERE customer_id = $1 AND service = $2 AND dirty = FALSE AND address ",
                      among("$3" "TEXT"), "";
    FORGET = "DELETE FROM mirror_groups WHERE customer_id = $1 AND gone = TRUE AND id ", among("$2" "BIGINT"), "";
    CLEAR = "UPDATE mirror_groups SET dirty = FALSE WHERE customer_id = $1 AND id ", among("$2" "BIGINT"), "";
}

/// A directory group as the mirror holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MirrorGroup {
    /// The mirror's number of it.
    pub id: i64,
    /// Whether the directory no longer has it.
    pub gone: bool,
    /// What the directory says, or last said. Of one that was gone before it was ever mirrored, only the key is known.
    pub group: DirectoryGroup,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    gone: bool,
    external_id: String,
    display_name: Option<String>,
    mail: Option<String>,
    proxy_addresses: String,
    kind: String,
}

impl TryFrom<Row> for MirrorGroup {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self> {
        let corrupt = |column| StoreError::corrupt("mirror_groups", column, row.id);
        Ok(Self {
            id: row.id,
            gone: row.gone,
            group: DirectoryGroup {
                external_id: row.external_id,
                display_name: row.display_name,
                mail: row.mail,
                proxy_addresses: serde_json::from_str(&row.proxy_addresses)
                    .map_err(|_| corrupt("proxy_addresses"))?,
                kind: GroupKind::named(&row.kind).ok_or_else(|| corrupt("kind"))?,
            },
        })
    }
}

impl CustomerStore {
    /// Dirty groups by number, `after` that number: a page of those that the portal's groups are not in line with. Gone ones are among them.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn dirty_groups(
        &self,
        service: Service,
        after_id: i64,
        limit: i64,
    ) -> Result<Vec<MirrorGroup>> {
        let mut connection = self.read().await?;
        let rows = all!(connection, Row, DIRTY, self.id(), service.name(), after_id, limit)?;
        rows.into_iter().map(MirrorGroup::try_from).collect()
    }
}

impl CustomerWrite {
    /// Those of the groups with these keys that are dirty, in no order. Gone ones are among them.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn dirty_groups_among(
        &mut self,
        service: Service,
        external_ids: &[String],
    ) -> Result<Vec<MirrorGroup>> {
        let given = Given::nothing().texts(external_ids);
        let rows = all!(self.connection, Row, DIRTY_AMONG, self.customer_id, service.name(); given)?;
        rows.into_iter().map(MirrorGroup::try_from).collect()
    }

    /// Writes what the directory said in a round of reading. A group that comes twice counts as it came last. An unchanged one only gets the
    /// round's number; a new or changed one, or one that was gone, is dirty afterwards.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn mirror_groups(
        &mut self,
        service: Service,
        round: i64,
        groups: &[DirectoryGroup],
    ) -> Result<MirrorWritten> {
        let batch = Batch::new(groups, |group| &group.external_id);
        let given = Given::nothing().texts(batch.keys());
        let known = all!(self.connection, Known, KNOWN, self.customer_id, service.name(); given)?;
        let compared = batch.compare(known, round, hash_of);
        let written = compared.written();
        if !compared.unchanged.is_empty() {
            let given = Given::nothing().ints(compared.unchanged);
            execute!(self.connection, SEEN, self.customer_id, round; given)?;
        }
        if !compared.changed.is_empty() {
            let groups = || compared.changed.iter().map(|(group, _)| *group);
            let proxies = groups()
                .map(|group| serde_json::to_string(&group.proxy_addresses))
                .collect::<Result<Vec<_>, _>>()
                .map_err(|error| StoreError::Database(error.into()))?;
            let given = Given::nothing()
                .texts(groups().map(|group| group.external_id.as_str()))
                .optional_texts(groups().map(|group| group.display_name.clone()))
                .optional_texts(groups().map(|group| group.mail.clone()))
                .texts(proxies)
                .optional_texts(groups().map(|group| group.address().map(|address| address.to_string())))
                .texts(groups().map(|group| group.kind.name()))
                .texts(compared.changed.iter().map(|(_, hash)| hash.as_str()))
                .texts(groups().map(|group| {
                    group.display_name.as_deref().unwrap_or(&group.external_id).trim().to_lowercase()
                }));
            execute!(self.connection, WRITE, self.customer_id, service.name(), round; given)?;
        }
        Ok(written)
    }

    /// Notes that the directory no longer has these groups: they are gone and dirty, have no address, and nobody is in them. Keys that the
    /// mirror does not know are passed over. Answers how many became gone.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn mirror_groups_gone(&mut self, service: Service, external_ids: &[String]) -> Result<i64> {
        self.empty_groups(service, external_ids).await?;
        let given = Given::nothing().texts(external_ids);
        Ok(execute!(self.connection, GONE, self.customer_id, service.name(); given)?.cast_signed())
    }

    /// Ends a round that read every group of the directory and its members: a group that it did not see is gone and dirty, and a membership
    /// that it did not see is over. A portal group of the service that the mirror never had is gone as well. Answers how many became gone.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn end_full_round_groups(&mut self, service: Service, round: i64) -> Result<i64> {
        let unseen = execute!(self.connection, UNSEEN, self.customer_id, service.name(), round)?;
        self.end_memberships_unseen(service, round).await?;
        let source = service.source().name();
        let lost = execute!(self.connection, LOST, self.customer_id, service.name(), round, source)?;
        Ok((unseen + lost).cast_signed())
    }

    pub(crate) async fn mark_all_groups_dirty(&mut self, service: Service) -> Result<()> {
        execute!(self.connection, MARK_ALL, self.customer_id, service.name())?;
        Ok(())
    }

    /// Marks the groups with one of these addresses dirty, because somebody else may have it now or may have let go of it; answers how many
    /// were not yet.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn mark_groups_dirty_by_address(
        &mut self,
        service: Service,
        addresses: &[Address],
    ) -> Result<i64> {
        let given = Given::nothing().texts(addresses.iter().map(Address::as_str));
        let marked = execute!(self.connection, MARK_BY_ADDRESS, self.customer_id, service.name(); given)?;
        Ok(marked.cast_signed())
    }

    /// Marks the groups with these keys dirty; answers how many were not yet.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn mark_groups_dirty(&mut self, service: Service, external_ids: &[String]) -> Result<i64> {
        let given = Given::nothing().texts(external_ids);
        Ok(execute!(self.connection, MARK, self.customer_id, service.name(); given)?.cast_signed())
    }

    /// Takes the mark from groups that the portal's groups are in line with now. Those that are gone are forgotten.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn clear_dirty_groups(&mut self, ids: &[i64]) -> Result<()> {
        let given = || Given::nothing().ints(ids.iter().copied());
        execute!(self.connection, FORGET, self.customer_id; given())?;
        execute!(self.connection, CLEAR, self.customer_id; given())?;
        Ok(())
    }
}

fn hash_of(group: &DirectoryGroup) -> String {
    let fields = [
        Some(group.external_id.as_str()),
        group.display_name.as_deref(),
        group.mail.as_deref(),
        Some(group.kind.name()),
    ];
    hash(fields.into_iter().chain(group.proxy_addresses.iter().map(|proxy| Some(proxy.as_str()))))
}
