//! A simulated tenant, clients of it, and a reader that keeps what rounds told, as a sync does.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use directory::entra::{
    Credentials, Endpoints, GROUP_SELECTION, Graph, GraphError, Http, MemberChange, NextOrDelta, PageLink,
    USER_SELECTION,
};
use domain::{
    Secret,
    group::{DirectoryGroup, MemberKind},
    object::DirectoryUser,
};
use entra_sim::{Change, DeltaPages, Kind, Options, Running, Sim, Size};
use serde_json::Value;

use crate::support::{Counter, Hand, quick};

pub async fn tenant(users: usize) -> Running {
    let size = Size { users, ..Size::default() };
    Sim::start(Options { size, ..Options::default() }).await.unwrap()
}

/// A tenant whose delta pages are small: a group of more than a few members is split.
pub async fn tenant_with_small_pages() -> Running {
    let size = Size { users: 60, groups: 12, members_per_group: 5, seed: 1 };
    let delta_pages = DeltaPages { objects: 10, members: 4 };
    Sim::start(Options { size, delta_pages, ..Options::default() }).await.unwrap()
}

pub fn credentials(sim: &Running) -> Credentials {
    Credentials {
        tenant: sim.tenant_domain(),
        client_id: sim.client_id(),
        client_secret: Secret::new(sim.client_secret()),
    }
}

pub fn client_as(url: &str, http: &Http, credentials: Credentials) -> Graph {
    let endpoints = Endpoints::parse(url, url).unwrap();
    Graph::new(http, endpoints, credentials, Arc::new(Hand::default()), Arc::new(Counter::default()))
        .with_patience(quick())
}

pub fn client(sim: &Running) -> Graph {
    client_as(sim.url(), &Http::new(None).unwrap(), credentials(sim))
}

/// Makes a change that is possible; the id of what it was made to.
pub fn change(sim: &Running, change: Value) -> String {
    sim.sim().change(&serde_json::from_value::<Change>(change).unwrap()).unwrap()
}

/// The id of the user at a position.
pub fn user(sim: &Running, index: usize) -> String {
    sim.sim().tenant().id_of(entra_sim::Reference { kind: Kind::User, index })
}

/// The id of the group with a display name.
pub fn group(sim: &Running, name: &str) -> String {
    let directory = sim.sim().directory();
    let found = directory.all(Kind::Group).find(|of| directory.object(*of)["displayName"] == name);
    directory.id_of(found.unwrap())
}

/// The requests that a delta round took, and the changes that its pages told.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Told {
    pub pages: usize,
    pub objects: Vec<String>,
    pub removed: Vec<String>,
    pub joined: usize,
    pub left: Vec<(String, String)>,
}

/// What rounds told, the last word kept.
#[derive(Debug, Default)]
pub struct Mirror {
    pub users: BTreeMap<String, DirectoryUser>,
    pub groups: BTreeMap<String, DirectoryGroup>,
    pub members: BTreeMap<(String, String), MemberKind>,
    users_link: Option<String>,
    groups_link: Option<String>,
}

impl Mirror {
    fn start(link: &Option<String>, select: &str) -> PageLink {
        match link {
            Some(link) => PageLink::Next(link.clone()),
            None => PageLink::First { select: select.to_owned() },
        }
    }

    /// Reads a round of users: a full one, later a delta round.
    pub async fn round_of_users(&mut self, graph: &Graph) -> Result<Told, GraphError> {
        let mut at = Self::start(&self.users_link, USER_SELECTION);
        let mut told = Told::default();
        loop {
            let page = graph.users_page(&at).await?;
            assert!(page.unreadable.is_empty(), "{:?}", page.unreadable);
            told.pages += 1;
            for user in page.users {
                told.objects.push(user.external_id.clone());
                self.users.insert(user.external_id.clone(), user);
            }
            for id in page.removed {
                self.users.remove(&id);
                told.removed.push(id);
            }
            match page.next {
                NextOrDelta::Next(link) => at = PageLink::Next(link),
                NextOrDelta::Delta(link) => {
                    self.users_link = Some(link);
                    return Ok(told);
                }
            }
        }
    }

    /// Reads a round of groups.
    pub async fn round_of_groups(&mut self, graph: &Graph) -> Result<Told, GraphError> {
        let mut at = Self::start(&self.groups_link, GROUP_SELECTION);
        let mut told = Told::default();
        loop {
            let page = graph.groups_page(&at).await?;
            assert!(page.unreadable.is_empty(), "{:?}", page.unreadable);
            told.pages += 1;
            for group in page.groups {
                told.objects.push(group.external_id.clone());
                self.groups.insert(group.external_id.clone(), group);
            }
            for change in page.members {
                match change {
                    MemberChange::Joined(joined) => {
                        told.joined += 1;
                        self.members.insert((joined.group, joined.member), joined.kind);
                    }
                    MemberChange::Left { group, member } => {
                        let left = (group, member);
                        self.members.remove(&left);
                        told.left.push(left);
                    }
                }
            }
            for id in page.removed {
                self.groups.remove(&id);
                self.members.retain(|(group, _), _| *group != id);
                told.removed.push(id);
            }
            match page.next {
                NextOrDelta::Next(link) => at = PageLink::Next(link),
                NextOrDelta::Delta(link) => {
                    self.groups_link = Some(link);
                    return Ok(told);
                }
            }
        }
    }

    /// Forgets the position, so that the next rounds are full ones.
    pub fn begin_again(&mut self) {
        *self = Self::default();
    }

    /// The members of a group.
    pub fn members_of(&self, id: &str) -> BTreeSet<&str> {
        self.members.keys().filter(|(group, _)| group == id).map(|(_, member)| member.as_str()).collect()
    }

    /// Compares with the directory itself: who is there, under which name, and who is in which group.
    pub fn assert_is(&self, sim: &Running) {
        let directory = sim.sim().directory();
        let live = |kind| -> BTreeMap<String, String> {
            directory
                .all(kind)
                .map(|of| (directory.id_of(of), stored(&directory.object(of)["displayName"])))
                .collect()
        };
        let named = |id: &String, name: &Option<String>| (id.clone(), name.clone().unwrap_or_default());
        let users = self.users.iter().map(|(id, user)| named(id, &user.display_name));
        assert_eq!(users.collect::<BTreeMap<_, _>>(), live(Kind::User));
        let groups = self.groups.iter().map(|(id, group)| named(id, &group.display_name));
        assert_eq!(groups.collect::<BTreeMap<_, _>>(), live(Kind::Group));
        // What is deleted keeps its memberships, for the case that it is restored; no group tells of it.
        let told: BTreeSet<_> = self
            .members
            .iter()
            .filter(|((_, member), kind)| **kind == MemberKind::Other || directory.find(member).is_some())
            .map(|(membership, _)| membership.clone())
            .collect();
        let members: BTreeSet<(String, String)> = directory
            .all(Kind::Group)
            .flat_map(|group| {
                let id = directory.id_of(group);
                let members = directory.members(group.index).into_iter();
                members.map(|member| (id.clone(), directory.id_of(member))).collect::<Vec<_>>()
            })
            .collect();
        let apart: Vec<_> = told.symmetric_difference(&members).collect();
        assert!(apart.is_empty(), "told or there, not both: {apart:?}");
    }
}

/// A name as it is kept: without NUL, at most 256 characters.
fn stored(name: &Value) -> String {
    name.as_str().unwrap_or_default().chars().filter(|c| *c != '\0').take(256).collect()
}
