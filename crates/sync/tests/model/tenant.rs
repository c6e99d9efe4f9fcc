//! What the directory has, as the reference model sees it: read from the simulated tenant in the plainest way, by the product's words.

use std::collections::BTreeMap;

use domain::{address::Address, group::GroupKind};
use entra_sim::{Directory, Kind, Object};

/// A person of the directory.
#[derive(Clone, Debug)]
pub struct Person {
    pub name: String,
    /// Without any of these nobody can write to the person.
    pub primary: Option<Address>,
    pub aliases: Vec<Address>,
    /// The principal name, when it is an address.
    pub principal: Option<Address>,
    pub enabled: bool,
    pub department: String,
}

/// A group of the directory.
#[derive(Clone, Debug)]
pub struct DirectoryGroup {
    pub name: String,
    pub address: Option<Address>,
    pub kind: GroupKind,
    pub members: Vec<String>,
}

/// The whole directory, by id.
#[derive(Clone, Debug, Default)]
pub struct Tenant {
    pub people: BTreeMap<String, Person>,
    pub groups: BTreeMap<String, DirectoryGroup>,
}

impl Tenant {
    pub fn of(directory: &Directory) -> Self {
        let people = directory.all(Kind::User).map(|of| (directory.id_of(of), person(&directory.object(of))));
        let groups = directory.all(Kind::Group).map(|of| {
            let mut members: Vec<String> =
                directory.members(of.index).into_iter().map(|member| directory.id_of(member)).collect();
            members.sort();
            (directory.id_of(of), DirectoryGroup { members, ..group(&directory.object(of)) })
        });
        Self { people: people.collect(), groups: groups.collect() }
    }
}

pub fn text<'a>(object: &'a Object, property: &str) -> &'a str {
    object.get(property).and_then(|value| value.as_str()).unwrap_or_default()
}

/// The proxy addresses as sent.
pub fn proxies(object: &Object) -> Vec<String> {
    let list = object.get("proxyAddresses").and_then(|value| value.as_array());
    list.into_iter().flatten().filter_map(|value| value.as_str()).map(str::to_owned).collect()
}

fn mailboxes(object: &Object) -> (Option<Address>, Vec<Address>) {
    let proxies = proxies(object);
    let behind = |prefix: &str| -> Vec<Address> {
        proxies.iter().filter_map(|proxy| proxy.strip_prefix(prefix)).filter_map(Address::parse).collect()
    };
    let primary = behind("SMTP:").first().cloned().or_else(|| Address::parse(text(object, "mail")));
    (primary, behind("smtp:"))
}

fn person(object: &Object) -> Person {
    let principal = Some(text(object, "userPrincipalName"))
        .filter(|name| !name.contains("#EXT#"))
        .and_then(Address::parse);
    let (primary, mut aliases) = mailboxes(object);
    let primary = primary.or_else(|| principal.clone());
    aliases.retain(|alias| Some(alias) != primary.as_ref());
    Person {
        name: text(object, "displayName").to_owned(),
        primary,
        aliases,
        principal,
        enabled: object.get("accountEnabled").and_then(|value| value.as_bool()) != Some(false),
        department: text(object, "department").to_owned(),
    }
}

fn group(object: &Object) -> DirectoryGroup {
    let unified = object.get("groupTypes").and_then(|value| value.as_array());
    let is = |property: &str| object.get(property).and_then(|value| value.as_bool()) == Some(true);
    let kind = if unified.is_some_and(|types| types.iter().any(|kind| kind == "Unified")) {
        GroupKind::Microsoft365
    } else {
        match (is("mailEnabled"), is("securityEnabled")) {
            (true, true) => GroupKind::MailEnabledSecurity,
            (true, false) => GroupKind::Distribution,
            (false, _) => GroupKind::Security,
        }
    };
    DirectoryGroup {
        name: text(object, "displayName").to_owned(),
        address: mailboxes(object).0,
        kind,
        members: Vec::new(),
    }
}
