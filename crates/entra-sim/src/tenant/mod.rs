//! The directory of one simulated tenant: its domains, users, groups and who is a member of what.
//!
//! A tenant is either invented ([`Tenant::seeded`]) or read from Graph's own answers ([`Tenant::import`]). An
//! invented object is not stored: it is derived from the seed and its position each time it is asked for, so
//! that a tenant of 100,000 users takes a few megabytes and is there at once. An imported one is kept as it came.

mod company;
mod groups;
mod import;
mod names;
mod people;
mod places;
mod properties;

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::chance::Chance;
use company::Company;
pub use import::{Import, ImportError};
pub(crate) use import::{complete_group, complete_user};
pub(crate) use properties::{GROUP_DEFAULT, SINGLE_USER_ONLY, USER_DEFAULT};

/// An object as Graph writes it: property name to value.
pub type Object = Map<String, Value>;

/// How large an invented company is. The same size and seed always give the same company.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// How many users.
    pub users: usize,
    /// How many groups; the first few are of fixed kinds (dynamic, nested, a cycle, devices).
    pub groups: usize,
    /// How many direct members an ordinary group has; group 0 has every member of the company.
    pub members_per_group: usize,
    /// What the company is derived from.
    pub seed: u64,
}

impl Default for Size {
    fn default() -> Self {
        Self { users: 500, groups: 40, members_per_group: 12, seed: 1 }
    }
}

/// A verified domain of the tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Domain {
    /// In lower case.
    pub name: String,
    /// Addresses of new users get it.
    pub is_default: bool,
    /// The `…​.onmicrosoft.com` domain that every tenant begins with.
    pub is_initial: bool,
}

/// What kind of object something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `#microsoft.graph.user`
    User,
    /// `#microsoft.graph.group`
    Group,
    /// A device, contact or service principal: it can be a member, and that is all.
    Other,
}

/// One object of the tenant: its kind, and its position among its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Reference {
    /// Which list it stands in.
    pub kind: Kind,
    /// Where in that list, from 0.
    pub index: usize,
}

#[derive(Debug)]
enum Entry {
    /// To be derived from the company by its position.
    Seeded,
    Stored(Object),
}

/// The directory of a tenant.
#[derive(Debug)]
pub struct Tenant {
    id: String,
    display_name: String,
    domains: Vec<Domain>,
    company: Company,
    users: Vec<Entry>,
    groups: Vec<Entry>,
    others: Vec<Object>,
    /// Direct members, by position of the group.
    members: Vec<Vec<Reference>>,
    by_id: HashMap<String, Reference>,
    by_upn: HashMap<String, usize>,
}

impl Tenant {
    /// An invented company: Contoso Ltd. with `contoso.com`, `fabrikam.co.uk` and `contoso.onmicrosoft.com`.
    #[must_use]
    pub fn seeded(size: Size) -> Self {
        let company = Company::new(size);
        let domain =
            |name: &str, is_default, is_initial| Domain { name: name.to_owned(), is_default, is_initial };
        let mut tenant = Self {
            id: tenant_id(size.seed),
            display_name: "Contoso Ltd".to_owned(),
            domains: vec![
                domain(company::DEFAULT_DOMAIN, true, false),
                domain(company::SECOND_DOMAIN, false, false),
                domain(company::INITIAL_DOMAIN, false, true),
            ],
            users: (0..size.users).map(|_| Entry::Seeded).collect(),
            groups: (0..size.groups).map(|_| Entry::Seeded).collect(),
            others: company.devices(),
            members: (0..size.groups).map(|group| company.members(group)).collect(),
            by_id: HashMap::with_capacity(size.users + size.groups),
            by_upn: HashMap::with_capacity(size.users),
            company,
        };
        for index in 0..size.users {
            tenant.by_id.insert(tenant.company.user_id(index), Reference { kind: Kind::User, index });
            tenant.by_upn.insert(tenant.company.user_principal_name(index).to_lowercase(), index);
        }
        for index in 0..size.groups {
            tenant.by_id.insert(tenant.company.group_id(index), Reference { kind: Kind::Group, index });
        }
        tenant
    }

    /// The tenant's GUID.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What the organization calls itself.
    #[must_use]
    pub fn display_name(&self) -> &str {
        &self.display_name
    }

    /// The verified domains.
    #[must_use]
    pub fn domains(&self) -> &[Domain] {
        &self.domains
    }

    /// The `…​.onmicrosoft.com` domain.
    #[must_use]
    pub fn initial_domain(&self) -> &str {
        self.domains.iter().find(|domain| domain.is_initial).map_or("", |domain| &domain.name)
    }

    /// Whether this is the tenant's GUID or one of its domains: what a token request may name it by.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        self.id.eq_ignore_ascii_case(name)
            || self.domains.iter().any(|domain| domain.name.eq_ignore_ascii_case(name))
    }

    /// How many objects of a kind there are; their positions run from 0 to one below.
    #[must_use]
    pub fn count(&self, kind: Kind) -> usize {
        match kind {
            Kind::User => self.users.len(),
            Kind::Group => self.groups.len(),
            Kind::Other => self.others.len(),
        }
    }

    /// The whole object; empty when there is no such position.
    #[must_use]
    pub fn object(&self, of: Reference) -> Cow<'_, Object> {
        let entry = match of.kind {
            Kind::User => self.users.get(of.index),
            Kind::Group => self.groups.get(of.index),
            Kind::Other => return self.others.get(of.index).map_or_else(Cow::default, Cow::Borrowed),
        };
        match entry {
            Some(Entry::Stored(object)) => Cow::Borrowed(object),
            Some(Entry::Seeded) if of.kind == Kind::User => Cow::Owned(self.company.user(of.index)),
            Some(Entry::Seeded) => Cow::Owned(self.company.group(of.index)),
            None => Cow::default(),
        }
    }

    /// The `@odata.type` of an object.
    #[must_use]
    pub fn odata_type(&self, of: Reference) -> String {
        match of.kind {
            Kind::User => "#microsoft.graph.user".to_owned(),
            Kind::Group => "#microsoft.graph.group".to_owned(),
            Kind::Other => text(&self.object(of), "@odata.type").to_owned(),
        }
    }

    /// The GUID of an object.
    #[must_use]
    pub fn id_of(&self, of: Reference) -> String {
        match (of.kind, self.entry(of)) {
            (Kind::User, Some(Entry::Seeded)) => self.company.user_id(of.index),
            (Kind::Group, Some(Entry::Seeded)) => self.company.group_id(of.index),
            _ => text(&self.object(of), "id").to_owned(),
        }
    }

    fn entry(&self, of: Reference) -> Option<&Entry> {
        match of.kind {
            Kind::User => self.users.get(of.index),
            Kind::Group => self.groups.get(of.index),
            Kind::Other => None,
        }
    }

    /// The direct members of the group at a position.
    #[must_use]
    pub fn members(&self, group: usize) -> &[Reference] {
        self.members.get(group).map_or(&[], Vec::as_slice)
    }

    /// Finds an object by its GUID, in any case.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<Reference> {
        self.by_id.get(&id.to_lowercase()).copied()
    }

    /// Finds a user by GUID or user principal name, in any case.
    #[must_use]
    pub fn find_user(&self, id_or_upn: &str) -> Option<Reference> {
        let key = id_or_upn.to_lowercase();
        match self.by_id.get(&key) {
            Some(found) => (found.kind == Kind::User).then_some(*found),
            None => self.by_upn.get(&key).map(|index| Reference { kind: Kind::User, index: *index }),
        }
    }
}

/// A seed's tenant keeps its GUID whatever it holds.
fn tenant_id(seed: u64) -> String {
    Chance::of(seed, "tenant", 0).guid()
}

/// A text property, or nothing.
pub(crate) fn text<'a>(object: &'a Object, property: &str) -> &'a str {
    object.get(property).and_then(Value::as_str).unwrap_or_default()
}
