//! What Graph filters by: the two capability tables, read once.
//!
//! `data/*.tsv` are the one source of truth; every rule that looks at a property asks this module. Only what
//! the tables cannot say stands here as code: the general rules about `ne`, `not`, `in` and `null`, the two
//! cells where field reports contradict the table, and the names that no row lists.

use std::sync::LazyLock;

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

/// A set of operators.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ops(u16);

impl Ops {
    pub(crate) const EQ: Ops = Ops(1);
    pub(crate) const NE: Ops = Ops(1 << 1);
    pub(crate) const NOT: Ops = Ops(1 << 2);
    pub(crate) const IN: Ops = Ops(1 << 3);
    pub(crate) const STARTS_WITH: Ops = Ops(1 << 4);
    pub(crate) const ENDS_WITH: Ops = Ops(1 << 5);
    pub(crate) const GE: Ops = Ops(1 << 6);
    pub(crate) const LE: Ops = Ops(1 << 7);
    pub(crate) const EQ_NULL: Ops = Ops(1 << 8);
    pub(crate) const NE_NULL: Ops = Ops(1 << 9);
    pub(crate) const COUNT_0: Ops = Ops(1 << 10);
    pub(crate) const COUNT_1: Ops = Ops(1 << 11);

    /// The words of the tables.
    const WORDS: [(&'static str, Ops); 14] = [
        ("eq", Ops::EQ),
        ("ne", Ops::NE),
        ("not", Ops::NOT),
        ("in", Ops::IN),
        ("startsWith", Ops::STARTS_WITH),
        ("endsWith", Ops::ENDS_WITH),
        ("ge", Ops::GE),
        ("le", Ops::LE),
        ("eq null", Ops::EQ_NULL),
        ("ne null", Ops::NE_NULL),
        ("$count eq 0", Ops::COUNT_0),
        ("$count ne 0", Ops::COUNT_0),
        ("$count eq 1", Ops::COUNT_1),
        ("$count ne 1", Ops::COUNT_1),
    ];

    fn read(cell: &str) -> Ops {
        let bit = |word: &str| Self::WORDS.iter().find(|(known, _)| *known == word).map_or(0, |(_, op)| op.0);
        Ops(cell.split(',').map(|word| bit(word.trim())).fold(0, |all, bit| all | bit))
    }

    pub(crate) const fn has(self, op: Ops) -> bool {
        self.0 & op.0 != 0
    }
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
        !self.contradicted && (self.default.0 | self.advanced.0 | self.doubtful.0) != 0
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

/// What a path of a filter leads to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found {
    Value(&'static Property),
    /// A collection, with its canonical path; the rows about it are asked for by element or count.
    Collection(&'static str),
    /// A structured value, with its canonical path.
    Complex(&'static str),
    Extension(&'static Property),
    SchemaExtension(&'static Property),
    Unknown,
}

/// The rows of a resource, in the order of its table.
#[must_use]
pub fn properties(resource: Resource) -> &'static [Property] {
    static USERS: LazyLock<Vec<Property>> =
        LazyLock::new(|| read(include_str!("../data/user-filter-capabilities.tsv")));
    static GROUPS: LazyLock<Vec<Property>> =
        LazyLock::new(|| read(include_str!("../data/group-filter-capabilities.tsv")));
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

/// Looks a path up, without regard to case.
pub(crate) fn find(resource: Resource, path: &str) -> Found {
    let rows = properties(resource);
    if let Some(row) = rows.iter().find(|row| !row.pattern && row.path.eq_ignore_ascii_case(path)) {
        return match (row.shape, row.edm) {
            (Shape::Single, EdmType::Collection) | (Shape::Any | Shape::Count, _) => {
                Found::Collection(row.path)
            }
            (Shape::Single, EdmType::Complex) => Found::Complex(row.path),
            (Shape::Single, _) => Found::Value(row),
        };
    }
    if let Some(root) = rows.iter().find_map(|row| parent_named(row, path)) {
        return Found::Complex(root);
    }
    let pattern = |start: &str| rows.iter().find(|row| row.path.starts_with(start));
    let mut segments = path.split('/');
    match (segments.next(), segments.next(), segments.next()) {
        (Some(name), None, _) if is_extension(name) => {
            pattern("extension_").map_or(Found::Unknown, Found::Extension)
        }
        (Some(root), Some(_), Some(_)) if root.eq_ignore_ascii_case("customSecurityAttributes") => {
            pattern("customSecurityAttributes/").map_or(Found::Unknown, Found::SchemaExtension)
        }
        // The id of a schema extension: `extk5eefawz_courses`, `contoso_courses`.
        (Some(root), Some(_), None) if root.contains('_') => {
            pattern("{schemaExtensionId}").map_or(Found::Unknown, Found::SchemaExtension)
        }
        _ => Found::Unknown,
    }
}

/// The leading part of a row's path, when that is what `path` names.
fn parent_named(row: &Property, path: &str) -> Option<&'static str> {
    let end = path.len();
    let deeper = row.path.as_bytes().get(end) == Some(&b'/');
    let parent = row.path.get(..end).filter(|parent| deeper && parent.eq_ignore_ascii_case(path))?;
    (!row.pattern).then_some(parent)
}

/// `extension_<32 hexadecimal digits>_<name>`
fn is_extension(name: &str) -> bool {
    let Some(rest) =
        name.get(..10).filter(|start| start.eq_ignore_ascii_case("extension_")).and(name.get(10..))
    else {
        return false;
    };
    let (id, tail) = rest.split_once('_').unwrap_or((rest, ""));
    id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) && !tail.is_empty()
}

/// The row about the elements of a collection (`member`: of structured ones), or about their number.
pub(crate) fn element(resource: Resource, path: &str, member: Option<&str>) -> Option<&'static Property> {
    properties(resource).iter().find(|row| {
        row.shape == Shape::Any
            && row.path == path
            && match (row.member, member) {
                (None, None) => true,
                (Some(known), Some(asked)) => known.eq_ignore_ascii_case(asked),
                _ => false,
            }
    })
}

pub(crate) fn count(resource: Resource, path: &str) -> Option<&'static Property> {
    properties(resource).iter().find(|row| row.shape == Shape::Count && row.path == path)
}

/// Whether the elements of a collection have members.
pub(crate) fn is_structured(resource: Resource, path: &str) -> bool {
    let mut rows = properties(resource).iter().filter(|row| row.shape == Shape::Any && row.path == path);
    rows.any(|row| row.member.is_some())
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

/// Whether a sync that reads users and groups by delta sees the property. Relationships, sign-in activity and
/// data that needs a permission of its own never come with the objects.
pub(crate) fn is_followed(property: &Property) -> bool {
    const NEVER_READ: [&str; 11] = [
        "signInActivity",
        "customSecurityAttributes",
        "{schemaExtensionId}",
        "appRoleAssignments",
        "createdObjects",
        "createdOnBehalfOf",
        "manager",
        "members",
        "ownedDevices",
        "ownedObjects",
        "owners",
    ];
    !NEVER_READ.contains(&property.root()) && property.root() != "settings"
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
    const KNOWN: [(&str, &str); 14] = [
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
        ("licenseAssignmentStates", "skuId"),
        ("mailboxSettings", "timeZone"),
        ("authorizationInfo", "certificateUserIds"),
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
            include_str!("../data/user-filter-capabilities.tsv"),
            include_str!("../data/group-filter-capabilities.tsv"),
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
