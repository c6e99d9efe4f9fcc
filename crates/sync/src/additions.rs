//! Additions: addresses that an administrator takes into the sync by hand.
//!
//! The directory is asked there and then. Who is found becomes a user at once, decided by the planner of a run; who is not found exists with the
//! address alone until a later sync finds somebody. A directory that cannot be asked has not said "not found": nothing is added then.

use std::collections::BTreeSet;

use directory::entra::{Credentials, Graph, Patience, USER_SELECTION};
use domain::{
    address::{Address, Addresses},
    conflict::{Conflict, Reason},
    guard::Decision,
    object::DirectoryUser,
    plan::ManagedDomains,
    service::{Service, Source},
};
use store::{Change, CursorKind, CustomerStore, CustomerWrite, ExceptionKind, StoreError, UserWrite};

use crate::{
    Actor, Engine, SyncError,
    connect::{self, SavedConnection},
    run::{BY_HAND, hold_plan, settle_addition},
};

/// How many addresses may be added at once: each is asked for in the directory.
pub const MOST: usize = 200;

/// From so many complete reads without anybody on, an addition is warned about.
pub const READS_UNTIL_WARNING: i64 = 2;

/// An address as it was typed, and what became of it.
pub type Line = (String, Result<Added, Refused>);

/// What an address that was added stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Added {
    /// Somebody whom the directory has: the name.
    Found(String),
    /// Nobody yet: the user exists with the address alone.
    Unknown,
    /// Nobody yet, and the portal has a user with this address, who stays as it is: the name.
    UnknownUser(String),
}

impl Added {
    /// What happened, in words.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Found(name) => format!("Added: {name} was found in the directory."),
            Self::Unknown => "Added. The directory has nobody with this address yet: the user is linked when a later sync finds somebody."
                .to_owned(),
            Self::UnknownUser(name) => format!(
                "Added. The directory has nobody with this address yet; {name}, who has it in the portal, stays as it is until a sync finds \
                 somebody."
            ),
        }
    }
}

/// Why an address was not added.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No mail address.
    #[error("This is not a mail address.")]
    Invalid,
    /// Mail to it is not served here.
    #[error("{0} is not a managed domain of this customer.")]
    Unmanaged(String),
    /// It was added before.
    #[error("This address is an addition already.")]
    Already,
    /// An exception leaves it out.
    #[error("An exception leaves {0} out. Remove the exception first.")]
    Exception(String),
    /// It is an alias of a person: the name and the primary address.
    #[error("This is an alias of {0}. Add {1} instead.")]
    Alias(String, String),
    /// Somebody who is delivered has it.
    #[error("{0} has this address, and it cannot belong to two.")]
    Taken(String),
    /// The directory did not answer: that is not "not found".
    #[error("The directory could not be asked: {0} Nothing was added; try again.")]
    Unreachable(String),
    /// The connection is not there to ask with.
    #[error("Save the connection on the Connect page first: the directory has to be asked.")]
    NotConnected,
    /// The rules cannot be used.
    #[error("{0}")]
    Rules(String),
    /// Too many lines.
    #[error("Add at most {MOST} addresses at once.")]
    TooMany,
}

/// What adding needs to know, the same for every line.
struct Desk<'a> {
    engine: &'a Engine,
    customer: &'a CustomerStore,
    actor: &'a Actor,
    saved: SavedConnection,
    managed: ManagedDomains,
    graph: Graph,
    selection: String,
}

/// Adds the addresses of a text, one a line (or between commas, semicolons or spaces); each is added or refused by itself.
///
/// # Errors
/// When the database cannot do it.
pub async fn add(
    engine: &Engine,
    customer: &CustomerStore,
    actor: &Actor,
    text: &str,
) -> Result<Vec<Line>, SyncError> {
    let typed = typed(text);
    let refuse_all = |why: &Refused| typed.iter().map(|line| (line.clone(), Err(why.clone()))).collect();
    if typed.len() > MOST {
        return Ok(refuse_all(&Refused::TooMany));
    }
    let saved = connect::saved(customer).await?;
    let secret = customer.secret(connect::CLIENT_SECRET).await?;
    let Some((saved, client_secret)) = saved.zip(secret) else {
        return Ok(refuse_all(&Refused::NotConnected));
    };
    let verified = saved.organisation.as_ref().map_or(&[][..], |organisation| &organisation.domains);
    let managed = ManagedDomains::of(&customer.managed_domains().await?, verified);
    let credentials = Credentials {
        tenant: saved.settings.tenant.clone(),
        client_id: saved.settings.client_id.clone(),
        client_secret,
    };
    let graph = engine.graph(credentials).with_patience(Patience::of_a_test());
    let cursor = customer.cursor(Service::Entra, CursorKind::Users).await?;
    let selection = cursor
        .map(|cursor| cursor.selection)
        .filter(|selection| !selection.is_empty())
        .unwrap_or_else(|| USER_SELECTION.to_owned());
    let desk = Desk { engine, customer, actor, saved, managed, graph, selection };
    let mut lines: Vec<Line> = Vec::new();
    let mut unreachable: Option<String> = None;
    for text in typed {
        // What did not answer once is not asked a hundred times more.
        let result = match (&unreachable, Address::parse(&text)) {
            (_, None) => Err(Refused::Invalid),
            (Some(why), Some(_)) => Err(Refused::Unreachable(why.clone())),
            (None, Some(address)) => desk.add(&address).await?,
        };
        if let Err(Refused::Unreachable(why)) = &result {
            unreachable = Some(why.clone());
        }
        lines.push((text, result));
    }
    Ok(lines)
}

/// The addresses of a text, each once. What has no `@` in it stays whole, so that a person sees it as it was typed.
fn typed(text: &str) -> Vec<String> {
    let mut seen = BTreeSet::new();
    text.split(['\n', '\r', ',', ';'])
        .map(str::trim)
        .filter(|piece| !piece.is_empty())
        .flat_map(|piece| {
            let words = || piece.split_whitespace().filter(|word| word.contains('@'));
            if words().next().is_some() { words().collect() } else { vec![piece] }
        })
        .map(|word| word.trim_matches(['<', '>', '"']).to_owned())
        .filter(|word| seen.insert(word.to_lowercase()))
        .collect()
}

impl Desk<'_> {
    async fn add(&self, address: &Address) -> Result<Result<Added, Refused>, SyncError> {
        if !self.managed.contains(address) {
            return Ok(Err(Refused::Unmanaged(address.domain().to_string())));
        }
        let known = self.customer.additions(Service::Entra).await?;
        if known.iter().any(|addition| addition.address == *address) {
            return Ok(Err(Refused::Already));
        }
        let rules = self.customer.exception_rules(Service::Entra).await?;
        let excepted = |kind: ExceptionKind, object: &str| {
            rules.iter().any(|(of, excepted, _)| *of == kind && excepted == object)
        };
        if excepted(ExceptionKind::Alias, address.as_str()) {
            return Ok(Err(Refused::Exception(address.to_string())));
        }
        let found = match self.graph.user_by_address(address, &self.selection).await {
            Ok(found) => found,
            Err(error) => return Ok(Err(Refused::Unreachable(error.headline()))),
        };
        match found {
            Some(person) => {
                if excepted(ExceptionKind::User, &person.external_id) {
                    return Ok(Err(Refused::Exception(name(&person))));
                }
                if let Some(all) = Addresses::of(&person).filter(|all| all.aliases.contains(address)) {
                    return Ok(Err(Refused::Alias(name(&person), all.primary.to_string())));
                }
                self.add_person(address, &person).await
            }
            None => self.add_unknown(address).await,
        }
    }

    /// Somebody whom the directory has.
    async fn add_person(
        &self,
        address: &Address,
        person: &DirectoryUser,
    ) -> Result<Result<Added, Refused>, SyncError> {
        let now = self.engine.clock.now();
        let id = &person.external_id;
        let mut write = self.customer.begin().await?;
        hold_plan(&mut write).await?;
        let there = write.mirror_by_external_id(Service::Entra, std::slice::from_ref(id)).await?;
        if !there.iter().any(|row| !row.gone) {
            // With the number of the present round, so that the end of a full read does not take it for somebody who left.
            let cursor = self.customer.cursor(Service::Entra, CursorKind::Users).await?;
            let round = cursor.map_or(0, |cursor| cursor.round);
            write.mirror_users(Service::Entra, round, std::slice::from_ref(person)).await?;
        }
        if let Err(refused) = self.insert(&mut write, address, Some(id)).await? {
            return Ok(Err(refused));
        }
        let holders = write.holders(std::slice::from_ref(address)).await?;
        if let Some(manual) =
            holders.iter().find(|holder| holder.source == Source::Manual && holder.is_primary)
        {
            // Adding the address by hand is the administrator's word that the Manual user becomes the directory's.
            write.await_take_overs(&[(manual.user_id, id.clone(), name(person))], now).await?;
            write.decide_take_over(manual.user_id, id, Decision::Approved).await?;
        }
        let settled = settle_addition(self.engine, self.customer, &mut write, &self.saved, id).await?;
        let user = match settled {
            Ok(user) => user.filter(|user| user.conflict.is_none()),
            Err(why) => return Ok(Err(Refused::Rules(why))),
        };
        if user.is_none() {
            let holder = self.holder_name(&mut write, address).await?;
            return Ok(Err(Refused::Taken(holder.unwrap_or_else(|| "Somebody else".to_owned()))));
        }
        self.note(&mut write, address, &name(person)).await?;
        write.commit().await?;
        Ok(Ok(Added::Found(name(person))))
    }

    /// Nobody in the directory has the address.
    async fn add_unknown(&self, address: &Address) -> Result<Result<Added, Refused>, SyncError> {
        let now = self.engine.clock.now();
        let mut write = self.customer.begin().await?;
        hold_plan(&mut write).await?;
        let holder = write.holders(std::slice::from_ref(address)).await?.into_iter().next();
        let users =
            write.users_by_id(&holder.iter().map(|holder| holder.user_id).collect::<Vec<_>>()).await?;
        let user = users.into_iter().next();
        if let (Some(holder), Some(user)) = (&holder, &user)
            && !holder.is_primary
        {
            return Ok(Err(Refused::Alias(user.display_name.clone(), user.primary_address.to_string())));
        }
        if let Err(refused) = self.insert(&mut write, address, None).await? {
            return Ok(Err(refused));
        }
        let added = match user {
            Some(user) => Added::UnknownUser(user.display_name),
            None => {
                let new = UserWrite {
                    id: None,
                    restore_as: None,
                    public_id: self.engine.random.uuid(now),
                    source: Source::Azure,
                    external_id: None,
                    display_name: address.to_string(),
                    primary: address.clone(),
                    address_lost: false,
                    aliases: Vec::new(),
                    service_on: true,
                    sign_in_blocked: false,
                    conflict: None,
                    created_at: None,
                    now,
                };
                write.write_users(&[new]).await?;
                Added::Unknown
            }
        };
        self.note(&mut write, address, "nobody yet").await?;
        write.commit().await?;
        Ok(Ok(added))
    }

    async fn insert(
        &self,
        write: &mut CustomerWrite,
        address: &Address,
        external_id: Option<&str>,
    ) -> Result<Result<(), Refused>, SyncError> {
        let now = self.engine.clock.now();
        match write.add_addition(Service::Entra, address, external_id, &self.actor.name, now).await {
            Ok(()) => Ok(Ok(())),
            Err(StoreError::Taken(_)) => Ok(Err(Refused::Already)),
            Err(error) => Err(error.into()),
        }
    }

    async fn holder_name(
        &self,
        write: &mut CustomerWrite,
        address: &Address,
    ) -> Result<Option<String>, SyncError> {
        let holders = write.holders(std::slice::from_ref(address)).await?;
        let ids: Vec<i64> = holders.iter().map(|holder| holder.user_id).collect();
        Ok(write.users_by_id(&ids).await?.into_iter().next().map(|user| user.display_name))
    }

    async fn note(&self, write: &mut CustomerWrite, address: &Address, who: &str) -> Result<(), SyncError> {
        let changes = vec![Change::new("Found in the directory", "", who)];
        let entry = self.actor.entry(self.engine.clock.now(), "additions.add", address.as_str(), changes);
        write.audit(entry).await?;
        raise(write).await
    }
}

/// Removes an addition: the next run decides about the person by the other rules. A user that was never found becomes a conflict. Answers
/// whether there was one with that address.
///
/// # Errors
/// When the database cannot do it.
pub async fn remove(
    engine: &Engine,
    customer: &CustomerStore,
    actor: &Actor,
    address: &Address,
) -> Result<bool, SyncError> {
    let now = engine.clock.now();
    let mut write = customer.begin().await?;
    hold_plan(&mut write).await?;
    let all = write.additions_in(Service::Entra).await?;
    let Some(addition) = all.into_iter().find(|addition| addition.address == *address) else {
        return Ok(false);
    };
    write.remove_addition(addition.id).await?;
    let mut changes = Vec::new();
    match &addition.external_id {
        Some(id) => {
            write.mark_dirty(Service::Entra, std::slice::from_ref(id)).await?;
        }
        None => {
            let holders = write.holders(std::slice::from_ref(address)).await?;
            for holder in holders.iter().filter(|it| it.source == Source::Azure && it.external_id.is_none()) {
                write.set_conflict(holder.user_id, &Conflict::opened(Reason::NotInDirectory, now)).await?;
                changes.push(Change::new("Conflict", "", Reason::NotInDirectory.label()));
            }
        }
    }
    write.audit(actor.entry(now, "additions.remove", address.as_str(), changes)).await?;
    raise(&mut write).await?;
    write.commit().await?;
    Ok(true)
}

async fn raise(write: &mut CustomerWrite) -> Result<(), SyncError> {
    for topic in [BY_HAND, "additions", "users", "conflicts"] {
        write.raise_topic(topic).await?;
    }
    Ok(())
}

fn name(person: &DirectoryUser) -> String {
    let named = person.display_name.as_deref().map(str::trim).filter(|name| !name.is_empty());
    named.or(person.user_principal_name.as_deref()).unwrap_or(&person.external_id).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_from_what_people_paste() {
        let text = "ada@contoso.com; Bob B <bob@contoso.com>\r\nnot an address\n\n c@contoso.com d@contoso.com,ADA@contoso.com";
        let read = ["ada@contoso.com", "bob@contoso.com", "not an address", "c@contoso.com", "d@contoso.com"];
        assert_eq!(typed(text), read);
    }
}
