//! What a full round has not seen: asked for before anything is taken for gone, and kept when it is there nevertheless.

use domain::service::Service;

use crate::{
    CursorKind, CustomerStore, CustomerWrite,
    error::Result,
    given::Given,
    sql::{all, execute, statements},
};

statements! {
    USERS = "SELECT id, external_id FROM mirror_users
             WHERE customer_id = $1 AND service = $2 AND gone = FALSE AND round <> $3 AND id > $4 ORDER BY id LIMIT $5";
    GROUPS = "SELECT id, external_id FROM mirror_groups
              WHERE customer_id = $1 AND service = $2 AND gone = FALSE AND round <> $3 AND id > $4 ORDER BY id LIMIT $5";
    USERS_SEEN = "UPDATE mirror_users SET round = $3 WHERE customer_id = $1 AND service = $2 AND round <> $3 AND external_id ",
                 among("$4" "TEXT"), "";
    GROUPS_SEEN = "UPDATE mirror_groups SET round = $3 WHERE customer_id = $1 AND service = $2 AND round <> $3 AND external_id ",
                  among("$4" "TEXT"), "";
}

impl CustomerStore {
    /// What of a kind is in the mirror and was not seen by a round so far: numbers of the mirror and keys, by number, `after` that number.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn unseen(
        &self,
        service: Service,
        kind: CursorKind,
        round: i64,
        after: i64,
        limit: i64,
    ) -> Result<Vec<(i64, String)>> {
        let mut connection = self.read().await?;
        let statement = match kind {
            CursorKind::Users => USERS,
            CursorKind::Groups => GROUPS,
        };
        all!(connection, (i64, String), statement, self.id(), service.name(), round, after, limit)
    }
}

impl CustomerWrite {
    /// Notes that these are there as they were last read, whatever the round told or did not tell of them. Keys that the mirror does not know
    /// are passed over.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn still_there(
        &mut self,
        service: Service,
        kind: CursorKind,
        round: i64,
        external_ids: &[String],
    ) -> Result<()> {
        if external_ids.is_empty() {
            return Ok(());
        }
        let statement = match kind {
            CursorKind::Users => USERS_SEEN,
            CursorKind::Groups => GROUPS_SEEN,
        };
        let given = Given::nothing().texts(external_ids);
        execute!(self.connection, statement, self.customer_id, service.name(), round; given).map(drop)
    }
}
