//! What Graph filters by: the two capability tables, read once.
//!
//! `data/*.tsv` are the one source of truth; every rule that looks at a property asks this module. Only what
//! the tables cannot say stands here as code: the general rules about `ne`, `not`, `in` and `null`, the two
//! cells where field reports contradict the table, and the names that no row lists.

mod find;
mod ops;

use std::sync::LazyLock;

pub(crate) use find::{Found, count, element, find, is_structured};
pub(crate) use ops::Ops;

/// What is filtered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Resource {
    /// `GET /users`
    Users,
    /// `GET /groups`
    Groups,
}

impl Resource {
    /// The name in Graph's messages.
    pub(crate) const fn type_name(self) -> &'static str {
        match self {
            Resource::Users => "User",
            Resource::Groups => "Group",
        }
    }
}

/// The type of a property or value, as the entity data model names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the type names of the data model")]
pub enum EdmType {
    Text,
    Bool,
    Guid,
    DateTimeOffset,
    Int,
    /// Not declared: an extension property.
    Any,
    /// A structured value; its own members are filtered by, not itself.
    Complex,
    /// A collection that cannot be filtered at all.
    Collection,
}

/// What part of an object a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A value: `department`, `employeeOrgData/division`.
    Single,
    /// The elements of a collection, or one member of each: `proxyAddresses/any(x:x …)`.
    Any,
    /// The number of elements: `proxyAddresses/$count`.
    Count,
}

/// A row of a table: one property path.
#[derive(Clone, Copy, Debug)]
pub struct Property {
    /// The path to the value or the collection, in canonical case.
    pub path: &'static str,
    /// The member of each element that is compared, for [`Shape::Any`] over structured elements.
    pub member: Option<&'static str>,
    /// Value, elements or count.
    pub shape: Shape,
    /// The type of what is compared.
    pub edm: EdmType,
    /// What to know about it, from the table.
    pub notes: &'static str,
    pub(crate) default: Ops,
    pub(crate) advanced: Ops,
    pub(crate) doubtful: Ops,
    /// Works without the advanced parameters and fails with them.
    pub(crate) default_only: bool,
    /// Documented once, refused in practice.
    pub(crate) contradicted: bool,
    /// A row with placeholders: extension properties.
    pub(crate) pattern: bool,
}

impl Property {
    /// Whether any filter on it is taken at all.
    #[must_use]
    pub fn is_filterable(&self) -> bool {
        !self.contradicted && ![self.default, self.advanced, self.doubtful].iter().all(|ops| ops.is_empty())
    }

    /// Whether a sync that reads by delta sees it. What it does not see is refused with [`crate::Code::NotFollowed`].
    #[must_use]
    pub fn is_followed(&self) -> bool {
        is_followed(self)
    }

    /// The operators of the table that need no advanced query, and those that do.
    #[must_use]
    pub fn operators(&self) -> (Vec<&'static str>, Vec<&'static str>) {
        let words = |ops: Ops| Ops::WORDS.iter().filter(move |(_, op)| ops.has(*op)).map(|(word, _)| *word);
        (words(self.default).collect(), words(self.advanced).collect())
    }

    /// The property of the object that has to be read, `assignedLicenses` for `assignedLicenses/any(…)`.
    #[must_use]
    pub fn root(&self) -> &'static str {
        let root = self.path.split('/').next().unwrap_or(self.path);
        // The documentation writes this one without the object that holds it.
        if root == "certificateUserIds" { "authorizationInfo" } else { root }
    }
}

/// The rows of a resource, in the order of its table. Groups have none without the feature `groups`.
#[must_use]
pub fn properties(resource: Resource) -> &'static [Property] {
    static USERS: LazyLock<Vec<Property>> =
        LazyLock::new(|| read(include_str!("../../data/user-filter-capabilities.tsv")));
    #[cfg(feature = "groups")]
    static GROUPS: LazyLock<Vec<Property>> =
        LazyLock::new(|| read(include_str!("../../data/group-filter-capabilities.tsv")));
    #[cfg(not(feature = "groups"))]
    static GROUPS: [Property; 0] = [];
    match resource {
        Resource::Users => &USERS,
        Resource::Groups => &GROUPS,
    }
}

fn read(table: &'static str) -> Vec<Property> {
    let mut rows = Vec::new();
    for line in table.lines().skip(1) {
        let cells: Vec<&'static str> = line.split('\t').collect();
        let cell = |at: usize| cells.get(at).copied().unwrap_or("");
        let (path, shape, members) = split(cell(0));
        let row = Property {
            path,
            member: None,
            shape,
            edm: edm(cell(1)),
            notes: cell(4),
            default: Ops::read(cell(2)),
            advanced: Ops::read(cell(3)),
            doubtful: Ops::read(cell(6)),
            default_only: cell(5) == "default-only",
            contradicted: cells.last().is_some_and(|evidence| evidence.contains("contradicted")),
            pattern: path.contains('{'),
        };
        if members.is_empty() {
            rows.push(row);
        }
        rows.extend(members.into_iter().map(|member| {
            let edm = if row.edm == EdmType::Complex { EdmType::Text } else { row.edm };
            Property { member: Some(member), edm, ..row }
        }));
    }
    rows
}

/// `assignedLicenses/any(x:x/skuId)` → the collection, its shape, the members that the row names.
fn split(path: &'static str) -> (&'static str, Shape, Vec<&'static str>) {
    if let Some(path) = path.strip_suffix("/$count") {
        return (path, Shape::Count, Vec::new());
    }
    let Some((path, body)) = path.split_once("/any(") else { return (path, Shape::Single, Vec::new()) };
    let words = body.split(|c: char| !(c.is_ascii_alphanumeric() || c == '/'));
    (path, Shape::Any, words.filter_map(|word| word.strip_prefix("x/")).collect())
}

fn edm(name: &str) -> EdmType {
    match name.split(' ').next().unwrap_or(name) {
        "Edm.String" => EdmType::Text,
        "Edm.Boolean" => EdmType::Bool,
        "Edm.Guid" => EdmType::Guid,
        "Edm.DateTimeOffset" => EdmType::DateTimeOffset,
        "Edm.Int32" | "Edm.Int64" => EdmType::Int,
        "varies" => EdmType::Any,
        name if name.starts_with("Collection(") => EdmType::Collection,
        _ => EdmType::Complex,
    }
}

/// Cells in which the table's remark takes back what the resource page lists.
pub(crate) fn is_taken_back(resource: Resource, property: &Property, op: Ops) -> bool {
    (resource, property.path) == (Resource::Users, "passwordPolicies") && op == Ops::EQ
}

/// Cells that the sources dispute: documented, but refused in practice (groups' `createdDateTime`), or resting
/// on a single documented example (`endsWith` on groups' `mail`).
pub(crate) fn is_disputed(resource: Resource, property: &Property, op: Ops) -> bool {
    match (resource, property.path) {
        (Resource::Groups, "createdDateTime") => true,
        (Resource::Groups, "mail") => op == Ops::ENDS_WITH,
        _ => false,
    }
}

/// Paths that lead to other objects.
pub(crate) const RELATIONSHIPS: [&str; 8] = [
    "appRoleAssignments",
    "createdObjects",
    "createdOnBehalfOf",
    "manager",
    "members",
    "ownedDevices",
    "ownedObjects",
    "owners",
];

/// Whether a sync that reads users and groups by delta sees the property. Relationships, sign-in activity and
/// data that needs a permission of its own never come with the objects.
pub(crate) fn is_followed(property: &Property) -> bool {
    const APART: [&str; 4] =
        ["signInActivity", "customSecurityAttributes", "{schemaExtensionId}", "settings"];
    !APART.contains(&property.root()) && !RELATIONSHIPS.contains(&property.root())
}

/// The data model's name of a structured property or element.
pub(crate) fn complex_type(path: &str) -> String {
    let name = match path {
        "print" => "userPrint",
        "onPremisesExtensionAttributes"
        | "signInActivity"
        | "mailboxSettings"
        | "passwordProfile"
        | "employeeOrgData"
        | "authorizationInfo" => path,
        "identities" => "objectIdentity",
        // Collections are named in the plural of their element's type.
        _ => path.strip_suffix('s').unwrap_or(path),
    };
    format!("microsoft.graph.{name}")
}

/// Members that exist but cannot be filtered by; the tables list only those that can.
pub(crate) fn is_unfilterable_member(path: &str, member: &str) -> bool {
    const KNOWN: [(&str, &str); 11] = [
        ("assignedLicenses", "disabledPlans"),
        ("assignedPlans", "assignedDateTime"),
        ("identities", "signInType"),
        ("onPremisesProvisioningErrors", "occurredDateTime"),
        ("onPremisesProvisioningErrors", "value"),
        ("passwordProfile", "password"),
        ("serviceProvisioningErrors", "createdDateTime"),
        ("signInActivity", "lastSignInRequestId"),
        ("signInActivity", "lastNonInteractiveSignInRequestId"),
        ("signInActivity", "lastSuccessfulSignInRequestId"),
        ("provisionedPlans", "capabilityStatus"),
    ];
    KNOWN.iter().any(|(known, name)| *known == path && name.eq_ignore_ascii_case(member))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_both_tables_is_read() {
        // One row of users names two members (`identities`).
        assert_eq!(properties(Resource::Users).len(), 117);
        assert_eq!(properties(Resource::Groups).len(), 65);
        for row in properties(Resource::Users).iter().chain(properties(Resource::Groups)) {
            let operators = row.operators();
            let none = operators.0.is_empty() && operators.1.is_empty() && row.doubtful == Ops::default();
            assert_eq!(row.is_filterable(), !none && !row.contradicted, "{}", row.path);
        }
    }

    #[test]
    fn no_operator_of_the_tables_is_left_unread() {
        for table in [
            include_str!("../../data/user-filter-capabilities.tsv"),
            include_str!("../../data/group-filter-capabilities.tsv"),
        ] {
            for line in table.lines().skip(1) {
                let cells: Vec<&str> = line.split('\t').collect();
                for cell in [cells[2], cells[3], cells[6]] {
                    for word in cell.split(',').map(str::trim).filter(|word| !word.is_empty()) {
                        assert_ne!(Ops::read(word), Ops::default(), "{word} in {line}");
                    }
                }
            }
        }
    }

    #[test]
    fn paths_are_found_in_any_case_and_told_apart() {
        assert!(matches!(find(Resource::Users, "jobtitle"), Found::Value(row) if row.path == "jobTitle"));
        assert!(matches!(find(Resource::Users, "PROXYADDRESSES"), Found::Collection("proxyAddresses")));
        assert!(matches!(find(Resource::Users, "passwordprofile"), Found::Complex("passwordProfile")));
        assert!(matches!(find(Resource::Users, "skills"), Found::Collection("skills")));
        let extension = "extension_0123456789abcdef0123456789abcdef_team";
        assert!(matches!(find(Resource::Users, extension), Found::Extension(_)));
        assert!(matches!(find(Resource::Users, "contoso_courses/id"), Found::SchemaExtension(_)));
        assert!(matches!(find(Resource::Users, "nosuch"), Found::Unknown));
        assert!(matches!(find(Resource::Groups, "jobTitle"), Found::Unknown));
        assert_eq!(
            element(Resource::Users, "identities", Some("ISSUER")).map(|row| row.edm),
            Some(EdmType::Text)
        );
    }
}
