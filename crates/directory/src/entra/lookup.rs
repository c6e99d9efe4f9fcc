//! Looking users up. An answer of `None` is Graph's word that there is nobody; whatever keeps Graph from answering is an error.

use std::collections::HashSet;

use domain::{
    address::{Address, Addresses, principal_address},
    object::DirectoryUser,
    run::ObjectKind,
};
use serde::{Deserialize, de::IgnoredAny};

use super::{
    client::{Graph, Manner},
    error::{GraphError, Problem, Trace},
    page::{Frame, Objects, no_answer, text},
    user::{Object, read_user},
};

const USER: &str = "GET /users('id')";
const BY_ADDRESS: &str = "GET /users?$filter";
const BY_IDS: &str = "POST /directoryObjects/getByIds";

/// How many ids one request may name.
const MOST_IDS: usize = 1_000;

/// Graph's code for an object that it does not have. Another 404 comes from something between here and Graph.
const NOBODY: &str = "Request_ResourceNotFound";

/// The longest value, in characters, that the default engine compares with.
const VALUE: usize = 120;

/// How many pages of an answer are read: an address belongs to one user, or to a few by mistake.
const PAGES: usize = 10;

/// A page of an answer: the users, whether one could not be read, and the next link.
struct Found {
    users: Vec<DirectoryUser>,
    unreadable: bool,
    next: Option<String>,
}

impl Graph {
    /// The user with this id or user principal name. `select` are the properties to read, the `id` among them, such as
    /// [`USER_SELECTION`](super::USER_SELECTION).
    ///
    /// # Errors
    /// When Graph does not answer, or with something else than a user.
    pub async fn user(&self, id_or_upn: &str, select: &str) -> Result<Option<DirectoryUser>, GraphError> {
        // As a key in quotes: as a segment of its own, a name such as `$a@contoso.com` or `delta` would be another request.
        let key = format!("users('{}')", id_or_upn.replace('\'', "''"));
        let mut url = self.endpoints.graph_url(&[&key]);
        url.set_query(Some(&format!("$select={select}")));
        let found = self.get(USER, &url, Manner::Plain, single).await;
        let nobody = |error: &GraphError| {
            error.problem == Problem::NotFound
                && error.trace.codes.iter().any(|code| code.eq_ignore_ascii_case(NOBODY))
        };
        if found.as_ref().is_err_and(nobody) { Ok(None) } else { found }
    }

    /// Which of these ids belong to objects of that kind that the directory has at this moment; deleted ones are not among them. 1,000 are asked
    /// for at a time (`POST /directoryObjects/getByIds`).
    ///
    /// # Errors
    /// When Graph does not answer.
    pub async fn existing(&self, kind: ObjectKind, ids: &[String]) -> Result<HashSet<String>, GraphError> {
        let url = self.endpoints.graph_url(&["directoryObjects", "getByIds"]);
        let mut existing = HashSet::new();
        for ids in ids.chunks(MOST_IDS) {
            // Graph calls the kinds as Rollcall does.
            let question = serde_json::json!({ "ids": ids, "types": [kind.name()] });
            existing.extend(self.post(BY_IDS, &url, &question, ids_of).await?);
        }
        Ok(existing)
    }

    /// The user who has this address: among the proxy addresses, else as `mail`, else as user principal name. `select` are the properties to
    /// read; `id`, `mail`, `userPrincipalName` and `proxyAddresses` must be among them.
    ///
    /// Two questions are asked, since Graph does not promise to take conditions on a collection and on other properties as alternatives: who has
    /// it as a proxy address, then whose `mail` or principal name it is. How Graph compares case is not documented: both usual prefixes are
    /// asked for, and what comes back is compared here.
    ///
    /// # Errors
    /// When Graph does not answer, or with somebody who cannot be read.
    pub async fn user_by_address(
        &self,
        address: &Address,
        select: &str,
    ) -> Result<Option<DirectoryUser>, GraphError> {
        let quoted = address.as_str().replace('\'', "''");
        let by_proxy = format!(
            "proxyAddresses/any(p:p eq 'smtp:{quoted}') or proxyAddresses/any(p:p eq 'SMTP:{quoted}')"
        );
        let by_name = format!("mail eq '{quoted}' or userPrincipalName eq '{quoted}'");
        for filter in [by_proxy, by_name] {
            let users = self.users_where(&filter, quoted.chars().count(), select).await?;
            let ranked = users.into_iter().filter_map(|user| Some((rank(&user, address)?, user)));
            if let Some((_, user)) = ranked.min_by_key(|(rank, _)| *rank) {
                return Ok(Some(user));
            }
        }
        Ok(None)
    }

    /// The users that a filter names. A page may be empty and still have a next one.
    async fn users_where(
        &self,
        filter: &str,
        value: usize,
        select: &str,
    ) -> Result<Vec<DirectoryUser>, GraphError> {
        let mut url = self.endpoints.graph_url(&["users"]);
        url.query_pairs_mut().append_pair("$filter", filter).append_pair("$select", select);
        // The prefix counts too.
        let manner = if value + "smtp:".len() > VALUE {
            url.query_pairs_mut().append_pair("$count", "true");
            Manner::Advanced
        } else {
            Manner::Plain
        };
        let mut all = Vec::new();
        for _ in 0..PAGES {
            let Found { users, unreadable, next } = self.get(BY_ADDRESS, &url, manner, found).await?;
            if unreadable {
                return Err(self.unusable("somebody with the address cannot be read"));
            }
            all.extend(users);
            match next {
                Some(link) => url = self.own_link(BY_ADDRESS, &link)?,
                None => return Ok(all),
            }
        }
        Err(self.unusable("the list of those with the address does not end"))
    }

    fn unusable(&self, what: &str) -> GraphError {
        let trace = Trace { request: BY_ADDRESS, ..Trace::default() };
        self.error(Problem::Unexpected { what: what.to_owned() }, trace)
    }
}

/// How closely the address belongs to the user, the lowest number first; `None` when it does not.
fn rank(user: &DirectoryUser, address: &Address) -> Option<u8> {
    let has = Addresses::of(user).is_some_and(|all| all.primary == *address || all.aliases.contains(address));
    let mail = || user.mail.as_deref().and_then(Address::parse);
    if has {
        Some(0)
    } else if mail().as_ref() == Some(address) {
        Some(1)
    } else {
        (principal_address(user).as_ref() == Some(address)).then_some(2)
    }
}

/// A user as the whole answer.
fn single(body: &[u8]) -> Result<Option<DirectoryUser>, Problem> {
    let body = text(body);
    if let Err(error) = serde_json::from_str::<IgnoredAny>(&body) {
        return Err(no_answer(&error, body.as_bytes()));
    }
    match read_user(&body) {
        Object::User(user, _) => Ok(Some(user)),
        Object::Removed(_) => Ok(None),
        Object::Unreadable(notice) => Err(Problem::Unexpected { what: notice.detail }),
    }
}

/// The ids of the objects of a list, whatever else is said of them.
fn ids_of(body: &[u8]) -> Result<Vec<String>, Problem> {
    #[derive(Deserialize)]
    struct Named {
        id: String,
    }
    let body = text(body);
    let frame = Frame::read(&body)?;
    let ids = frame.value.iter().map(|object| serde_json::from_str(object.get()).map(|Named { id }| id));
    ids.collect::<Result<_, _>>().map_err(|error| no_answer(&error, body.as_bytes()))
}

fn found(body: &[u8]) -> Result<Found, Problem> {
    let body = text(body);
    let frame = Frame::read(&body)?;
    let Objects { users, unreadable, .. } = frame.users();
    Ok(Found { users, unreadable: !unreadable.is_empty(), next: frame.next })
}
