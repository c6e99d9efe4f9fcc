//! How a page of the list of users is found, however many there are.
//!
//! The list has three orders, each with an index. Without a filter, a page is a walk along that index from the cursor on. With one there
//! are two ways, and which of them is short depends on how many fit:
//!
//! - *few* (at most [`UserList::MOST_FOUND`]): all of them are read, from the search's index or by source and status, and sorted here;
//! - *many*: the walk along the order passes by those that do not fit. It is given up after [`WINDOW`] users (those who fit may all stand at the
//!   other end), and then all that fit are read after all.
//!
//! One or two letters that very many begin with are the exception: of them, the orders by name and address show those that have the letters
//! at the beginning of just that, which is a piece of the index.

use domain::service::{Source, Status};

use crate::{
    CustomerStore,
    error::Result,
    sql::{Connection, Statement, all, optional, statements},
    user_lists::{UserCursor, UserFilter, UserList, UserOrder, UserPage, rows},
    user_search::{LAST, found},
};

statements! {
    NAME_AFTER = "SELECT u.id, u.sort_name, u.primary_address, u.changed_at FROM users u
        WHERE u.customer_id = $1 AND (u.sort_name, u.id) > ($2, $3) AND (u.sort_name, u.id) <= ($4, $5)
            AND (CAST($6 AS TEXT) = '' OR u.source = $6) AND (CAST($7 AS TEXT) = '' OR u.status = $7)
            AND (CAST($8 AS TEXT) = '' OR (SELECT s.text FROM user_search s WHERE s.user_id = u.id) LIKE $8 ESCAPE '!')
        ORDER BY u.sort_name, u.id LIMIT $9";
    NAME_AFTER_EDGE = "SELECT u.id, u.sort_name, u.primary_address, u.changed_at FROM users u
        WHERE u.customer_id = $1 AND (u.sort_name, u.id) > ($2, $3) ORDER BY u.sort_name, u.id LIMIT 1 OFFSET $4";
    NAME_BEFORE = "SELECT u.id, u.sort_name, u.primary_address, u.changed_at FROM users u
        WHERE u.customer_id = $1 AND (u.sort_name, u.id) < ($2, $3) AND (u.sort_name, u.id) >= ($4, $5)
            AND (CAST($6 AS TEXT) = '' OR u.source = $6) AND (CAST($7 AS TEXT) = '' OR u.status = $7)
            AND (CAST($8 AS TEXT) = '' OR (SELECT s.text FROM user_search s WHERE s.user_id = u.id) LIKE $8 ESCAPE '!')
        ORDER BY u.sort_name DESC, u.id DESC LIMIT $9";
    NAME_BEFORE_EDGE = "SELECT u.id, u.sort_name, u.primary_address, u.changed_at FROM users u
        WHERE u.customer_id = $1 AND (u.sort_name, u.id) < ($2, $3) ORDER BY u.sort_name DESC, u.id DESC LIMIT 1 OFFSET $4";
    ADDRESS_AFTER = "SELECT u.id, u.sort_name, u.primary_address, u.changed_at FROM users u
        WHERE u.customer_id = $1 AND (u.primary_address, u.id) > ($2, $3) AND (u.primary_address, u.id) <= ($4, $5)
            AND (CAST($6 AS TEXT) = '' OR u.source = $6) AND (CAST($7 AS TEXT) = '' OR u.status = $7)
            AND (CAST($8 AS TEXT) = '' OR (SELECT s.text FROM user_search s WHERE s.user_id = u.id) LIKE $8 ESCAPE '!')
        ORDER BY u.primary_address, u.id LIMIT $9";
    ADDRESS_AFTER_EDGE = "SELECT u.id, u.sort_name, u.primary_address, u.changed_at FROM users u
        WHERE u.customer_id = $1 AND (u.primary_address, u.id) > ($2, $3) ORDER BY u.primary_address, u.id LIMIT 1 OFFSET $4";
    ADDRESS_BEFORE = "SELECT u.id, u.sort_name, u.primary_address, u.changed_at FROM users u
        WHERE u.customer_id = $1 AND (u.primary_address, u.id) < ($2, $3) AND (u.primary_address, u.id) >= ($4, $5)
            AND (CAST($6 AS TEXT) = '' OR u.source = $6) AND (CAST($7 AS TEXT) = '' OR u.status = $7)
            AND (CAST($8 AS TEXT) = '' OR (SELECT s.text FROM user_search s WHERE s.user_id = u.id) LIKE $8 ESCAPE '!')
        ORDER BY u.primary_address DESC, u.id DESC LIMIT $9";
    ADDRESS_BEFORE_EDGE = "SELECT u.id, u.sort_name, u.primary_address, u.changed_at FROM users u
        WHERE u.customer_id = $1 AND (u.primary_address, u.id) < ($2, $3) ORDER BY u.primary_address DESC, u.id DESC LIMIT 1 OFFSET $4";
    CHANGED_AFTER = "SELECT u.id, u.sort_name, u.primary_address, u.changed_at FROM users u
        WHERE u.customer_id = $1 AND (u.changed_at, u.id) > ($2, $3) AND (u.changed_at, u.id) <= ($4, $5)
            AND (CAST($6 AS TEXT) = '' OR u.source = $6) AND (CAST($7 AS TEXT) = '' OR u.status = $7)
            AND (CAST($8 AS TEXT) = '' OR (SELECT s.text FROM user_search s WHERE s.user_id = u.id) LIKE $8 ESCAPE '!')
        ORDER BY u.changed_at, u.id LIMIT $9";
    CHANGED_AFTER_EDGE = "SELECT u.id, u.sort_name, u.primary_address, u.changed_at FROM users u
        WHERE u.customer_id = $1 AND (u.changed_at, u.id) > ($2, $3) ORDER BY u.changed_at, u.id LIMIT 1 OFFSET $4";
    CHANGED_BEFORE = "SELECT u.id, u.sort_name, u.primary_address, u.changed_at FROM users u
        WHERE u.customer_id = $1 AND (u.changed_at, u.id) < ($2, $3) AND (u.changed_at, u.id) >= ($4, $5)
            AND (CAST($6 AS TEXT) = '' OR u.source = $6) AND (CAST($7 AS TEXT) = '' OR u.status = $7)
            AND (CAST($8 AS TEXT) = '' OR (SELECT s.text FROM user_search s WHERE s.user_id = u.id) LIKE $8 ESCAPE '!')
        ORDER BY u.changed_at DESC, u.id DESC LIMIT $9";
    CHANGED_BEFORE_EDGE = "SELECT u.id, u.sort_name, u.primary_address, u.changed_at FROM users u
        WHERE u.customer_id = $1 AND (u.changed_at, u.id) < ($2, $3) ORDER BY u.changed_at DESC, u.id DESC LIMIT 1 OFFSET $4";
    KIND = "SELECT u.id, u.sort_name, u.primary_address, u.changed_at FROM users u
            WHERE u.customer_id = $1 AND u.source = $2 AND u.status = $3";
}

/// How many users a walk passes before it is given up.
const WINDOW: i64 = 5_000;

/// A user's place in each order.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct Place {
    pub(crate) id: i64,
    sort_name: String,
    primary_address: String,
    changed_at: i64,
}

impl Place {
    fn key(self, order: UserOrder) -> (Key, i64) {
        let key = match order {
            UserOrder::Name => Key::Text(self.sort_name),
            UserOrder::Address => Key::Text(self.primary_address),
            UserOrder::Changed => Key::Moment(self.changed_at),
        };
        (key, self.id)
    }
}

/// What a list is ordered by. Both engines compare text byte by byte, as Rust does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Text(String),
    Moment(i64),
}

/// A way along an order: up or down, from one place (not itself) to another one (with it).
struct Way {
    order: UserOrder,
    up: bool,
    from: (Key, i64),
    to: (Key, i64),
}

impl Way {
    /// The whole order.
    fn whole(order: UserOrder, up: bool) -> Self {
        let ends = match order {
            UserOrder::Name | UserOrder::Address => {
                (Key::Text(String::new()), Key::Text(String::from(LAST)))
            }
            UserOrder::Changed => (Key::Moment(i64::MIN), Key::Moment(i64::MAX)),
        };
        Self::between((ends.0, i64::MIN), (ends.1, i64::MAX), order, up)
    }

    fn between(low: (Key, i64), high: (Key, i64), order: UserOrder, up: bool) -> Self {
        let (from, to) = if up { (low, high) } else { (high, low) };
        Self { order, up, from, to }
    }

    /// The piece of the order in which the texts begin with these letters.
    fn beginning(letters: &str, order: UserOrder, up: bool) -> Self {
        let low = (Key::Text(letters.to_owned()), i64::MIN);
        let high = (Key::Text(format!("{letters}{LAST}")), i64::MAX);
        Self::between(low, high, order, up)
    }

    /// The same way from the cursor on. A cursor of another order is none.
    fn from(mut self, cursor: Option<&UserCursor>) -> Self {
        let Some(cursor) = cursor else { return self };
        let key = match self.order {
            UserOrder::Name | UserOrder::Address => Some(Key::Text(cursor.key.clone())),
            UserOrder::Changed => cursor.key.parse().ok().map(Key::Moment),
        };
        if let Some(key) = key {
            let place = (key, cursor.id);
            self.from = if self.up { self.from.max(place) } else { self.from.min(place) };
        }
        self
    }

    const fn statements(&self) -> (Statement, Statement) {
        match (self.order, self.up) {
            (UserOrder::Name, true) => (NAME_AFTER, NAME_AFTER_EDGE),
            (UserOrder::Name, false) => (NAME_BEFORE, NAME_BEFORE_EDGE),
            (UserOrder::Address, true) => (ADDRESS_AFTER, ADDRESS_AFTER_EDGE),
            (UserOrder::Address, false) => (ADDRESS_BEFORE, ADDRESS_BEFORE_EDGE),
            (UserOrder::Changed, true) => (CHANGED_AFTER, CHANGED_AFTER_EDGE),
            (UserOrder::Changed, false) => (CHANGED_BEFORE, CHANGED_BEFORE_EDGE),
        }
    }

    /// The first of these that lie on the way, in its order.
    fn pick(&self, places: Vec<Place>, most: usize) -> Vec<i64> {
        let mut keys: Vec<_> = places.into_iter().map(|place| place.key(self.order)).collect();
        keys.retain(|key| if self.up { *key > self.from } else { *key < self.from });
        if self.up { keys.sort_unstable() } else { keys.sort_unstable_by(|a, b| b.cmp(a)) }
        keys.into_iter().take(most).map(|(_, id)| id).collect()
    }
}

/// The users on a way, and what is known of the list beside them.
struct Found {
    ids: Vec<i64>,
    total: Option<i64>,
    narrowed: bool,
}

impl CustomerStore {
    /// A page of the users.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn users(&self, page: UserPage) -> Result<UserList> {
        let counts = self.user_counts().await?;
        let mut connection = self.read().await?;
        let limit = page.limit.max(1);
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        let backwards = page.after.is_none() && page.before.is_some();
        let cursor = page.after.as_ref().or(page.before.as_ref());
        let up = page.descending == backwards;
        let Found { mut ids, total, narrowed } =
            self.find(&mut connection, &page, &counts, cursor, up).await?;
        let more = ids.len() > most;
        ids.truncate(most);
        if backwards {
            ids.reverse();
        }
        Ok(UserList {
            rows: rows(&mut connection, self.id(), &ids).await?,
            has_previous: if backwards { more } else { page.after.is_some() },
            has_next: if backwards { !ids.is_empty() } else { more },
            total,
            narrowed,
        })
    }

    /// One user more than the page takes, when there are so many.
    async fn find(
        &self,
        connection: &mut Connection,
        page: &UserPage,
        counts: &[(Source, Status, i64)],
        cursor: Option<&UserCursor>,
        up: bool,
    ) -> Result<Found> {
        let UserPage { filter, order, limit, .. } = page;
        let most = limit.max(&1) + 1;
        let way = Way::whole(*order, up).from(cursor);
        let kinds: Vec<_> = counts
            .iter()
            .filter(|(source, status, _)| {
                filter.source.is_none_or(|of| of == *source) && filter.status.is_none_or(|of| of == *status)
            })
            .collect();
        let counted: i64 = kinds.iter().map(|(.., users)| users).sum();
        let total = filter.search.is_empty().then_some(counted);
        if filter.is_everybody() {
            let ids = self.walk(connection, &way, filter, most).await?;
            return Ok(Found { ids, total, narrowed: false });
        }
        let few = if !filter.search.is_empty() {
            found(connection, self.id(), filter, UserList::MOST_FOUND).await?
        } else if counted <= UserList::MOST_FOUND {
            Some(self.of_kinds(connection, &kinds).await?)
        } else {
            None
        };
        let sorted = |way: &Way, places| way.pick(places, usize::try_from(most).unwrap_or(usize::MAX));
        if let Some(few) = few {
            let total = Some(i64::try_from(few.len()).unwrap_or(i64::MAX));
            return Ok(Found { ids: sorted(&way, few), total, narrowed: false });
        }
        if filter.search.is_prefix() && *order != UserOrder::Changed {
            let way = Way::beginning(filter.search.as_str(), *order, up).from(cursor);
            let ids = self.walk(connection, &way, filter, most).await?;
            return Ok(Found { ids, total, narrowed: true });
        }
        let edge = self.edge(connection, &way).await?;
        let rest_seen = edge.is_none();
        let window = Way { to: edge.unwrap_or_else(|| way.to.clone()), from: way.from.clone(), ..way };
        let mut ids = self.walk(connection, &window, filter, most).await?;
        if !rest_seen && i64::try_from(ids.len()).is_ok_and(|walked| walked < most) {
            let all = if filter.search.is_empty() {
                self.of_kinds(connection, &kinds).await?
            } else {
                found(connection, self.id(), filter, i64::MAX).await?.unwrap_or_default()
            };
            ids = sorted(&way, all);
        }
        Ok(Found { ids, total, narrowed: false })
    }

    async fn walk(
        &self,
        connection: &mut Connection,
        way: &Way,
        filter: &UserFilter,
        most: i64,
    ) -> Result<Vec<i64>> {
        let (statement, _) = way.statements();
        let source = filter.source.map_or("", Source::name);
        let status = filter.status.map_or("", Status::name);
        let pattern = filter.search.pattern();
        let ((from, from_id), (to, to_id)) = (&way.from, &way.to);
        let places = match (from, to) {
            (Key::Moment(from), Key::Moment(to)) => {
                all!(connection, Place, statement, self.id(), *from, *from_id, *to, *to_id, source, status, pattern, most)?
            }
            (Key::Text(from), Key::Text(to)) => all!(
                connection,
                Place,
                statement,
                self.id(),
                from.as_str(),
                *from_id,
                to.as_str(),
                *to_id,
                source,
                status,
                pattern,
                most
            )?,
            // A way never leads from one order to another.
            _ => Vec::new(),
        };
        Ok(places.into_iter().map(|place| place.id).collect())
    }

    /// The place at the end of the window; `None` when the list ends within it.
    async fn edge(&self, connection: &mut Connection, way: &Way) -> Result<Option<(Key, i64)>> {
        let (_, statement) = way.statements();
        let (key, id) = &way.from;
        let place = match key {
            Key::Moment(from) => optional!(connection, Place, statement, self.id(), *from, *id, WINDOW)?,
            Key::Text(from) => optional!(connection, Place, statement, self.id(), from.as_str(), *id, WINDOW)?,
        };
        Ok(place.map(|place| place.key(way.order)))
    }

    async fn of_kinds(
        &self,
        connection: &mut Connection,
        kinds: &[&(Source, Status, i64)],
    ) -> Result<Vec<Place>> {
        let mut places = Vec::new();
        for (source, status, _) in kinds {
            places.extend(all!(connection, Place, KIND, self.id(), source.name(), status.name())?);
        }
        Ok(places)
    }
}
