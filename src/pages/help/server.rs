//! What the help page shows, from the capability table of the filter language.

use leptos::prelude::*;
use odata_filter::{EdmType, Property, Resource as Objects, Shape, Verdict, check, properties};

use crate::components::Icon;

/// Filters for copying, and what they do. Each is judged as the field judges it.
const EXAMPLES: [(&str, &str); 14] = [
    ("Members only, no guests", "userType eq 'Member'"),
    ("Only people with a licence", "assignedLicenses/$count ne 0"),
    (
        "Only people with one licence (the GUID is the skuId)",
        "assignedLicenses/any(x:x/skuId eq 05e9a617-0261-4cee-bb44-138d3ef5d965)",
    ),
    ("One department", "department eq 'Sales'"),
    ("Several departments", "department in ('Sales','Marketing','Legal')"),
    ("All departments but one", "department ne 'Contractors'"),
    ("One country or another", "country eq 'Germany' or country eq 'Austria'"),
    ("One company", "companyName eq 'Contoso Ltd'"),
    ("Addresses of one domain", "endsWith(mail,'@contoso.com')"),
    (
        "No service accounts, when their names begin alike",
        "not(startsWith(userPrincipalName,'svc') or startsWith(userPrincipalName,'sync_'))",
    ),
    ("Only people who have an employee number", "employeeId ne null"),
    ("Only people that come from Active Directory", "onPremisesSyncEnabled eq true"),
    ("An extension attribute", "onPremisesExtensionAttributes/extensionAttribute15 ne 'NoMailSync'"),
    ("Accounts created since a day", "createdDateTime ge 2026-01-01T00:00:00Z"),
];

/// What the page shows.
struct Help {
    examples: Vec<Example>,
    /// What can be filtered by.
    properties: Vec<PropertyRow>,
    /// What Graph filters by and the sync cannot follow.
    not_followed: Vec<String>,
}

/// A filter and what it does.
struct Example {
    what: String,
    filter: String,
    is_advanced: bool,
}

/// A row of the table of properties.
struct PropertyRow {
    path: String,
    /// How its values are written.
    value: String,
    /// The operators that need nothing more.
    plain: String,
    /// Those that make the filter an advanced query.
    advanced: String,
}

/// The content of the page, as markup.
pub(super) fn content() -> String {
    view! { <HelpView help=help() /> }.to_html()
}

fn help() -> Help {
    let rows = || properties(Objects::Users).iter().filter(|row| row.is_filterable());
    let mut not_followed: Vec<String> = Vec::new();
    for row in rows().filter(|row| !row.is_followed() && !row.path.contains('{')) {
        if not_followed.iter().all(|known| known != row.root()) {
            not_followed.push(row.root().to_owned());
        }
    }
    Help {
        examples: EXAMPLES.iter().map(|(what, filter)| example(what, filter)).collect(),
        properties: rows().filter(|row| row.is_followed()).map(property).collect(),
        not_followed,
    }
}

fn example(what: &str, filter: &str) -> Example {
    Example {
        what: what.to_owned(),
        filter: filter.to_owned(),
        is_advanced: check(Objects::Users, filter).verdict == Verdict::AcceptedAdvanced,
    }
}

fn property(row: &Property) -> PropertyRow {
    let (plain, mut advanced) = row.operators();
    let uncertain = plain.is_empty() && advanced.is_empty();
    if uncertain {
        advanced.push("Microsoft's documents disagree: press Test");
    }
    let of_count = |words: Vec<&str>| words.join(", ").replace("$count ", "");
    PropertyRow {
        path: match (row.shape, row.member) {
            (Shape::Single, _) => row.path.to_owned(),
            (Shape::Count, _) => format!("{}/$count", row.path),
            (Shape::Any, None) => format!("{}/any(x:x …)", row.path),
            (Shape::Any, Some(member)) => format!("{}/any(x:x/{member} …)", row.path),
        },
        value: value(row).to_owned(),
        plain: of_count(plain),
        advanced: of_count(advanced),
    }
}

const fn value(row: &Property) -> &'static str {
    match (row.shape, row.edm) {
        (Shape::Count, _) | (_, EdmType::Int) => "a number",
        (_, EdmType::Text) => "text, 'in quotes'",
        (_, EdmType::Bool) => "true or false",
        (_, EdmType::Guid) => "a GUID, without quotes",
        (_, EdmType::DateTimeOffset) => "a moment, 2026-01-31T00:00:00Z",
        (_, EdmType::Any) => "as declared",
        (_, EdmType::Complex | EdmType::Collection) => "",
    }
}

#[component]
fn HelpView(help: Help) -> impl IntoView {
    let examples = help.examples.into_iter().map(|example| {
        view! {
            <li>
                <p>
                    {example.what}
                    {example.is_advanced.then(|| view! { " " <span class="badge">"advanced query"</span> })}
                </p>
                <code class="example">{example.filter}</code>
            </li>
        }
    });
    let properties = help.properties.into_iter().map(|row| {
        view! {
            <tr>
                <th scope="row" data-label="Property"><code>{row.path}</code></th>
                <td data-label="Value">{row.value}</td>
                <td data-label="Operators">{row.plain}</td>
                <td data-label="Advanced query">{row.advanced}</td>
            </tr>
        }
    });
    view! {
        <h1>"Custom Filters for use with Entra ID Sync"</h1>
        <p>
            "A custom filter says which people of the directory are synced. It is the language of Microsoft Graph's "<code>"$filter"</code>
            ", on users; groups are never filtered. An empty field means everyone."
        </p>
        <p class="notice">
            <Icon name="info" />
            <span>
                "Two things go before the filter: an exception leaves somebody out whatever the filter says, and an addition takes somebody in.
                Disabled accounts and addresses outside the managed domains are left out as well."
            </span>
        </p>
        <h2>"Examples"</h2>
        <ul class="plain examples">{examples.collect_view()}</ul>
        <h2>"How a filter is written"</h2>
        <ul>
            <li>"Text stands in single quotes, and a quote inside is doubled: "<code>"displayName eq 'Miles O''Brien'"</code>"."</li>
            <li>"Numbers, dates and GUIDs stand without quotes: "<code>"createdDateTime ge 2026-01-31T00:00:00Z"</code>"."</li>
            <li><code>"true"</code>", "<code>"false"</code>" and "<code>"null"</code>" are written small, without quotes."</li>
            <li>"Names and text are compared without regard to capitals. A missing value equals "<code>"null"</code>" and nothing else."</li>
            <li>
                <code>"and"</code>" binds closer than "<code>"or"</code>"; parentheses say it plainly. "<code>"not"</code>
                " stands before a condition or a parenthesis."
            </li>
            <li>
                "Collections are asked with "<code>"any"</code>": "<code>"proxyAddresses/any(x:startsWith(x,'smtp:sales'))"</code>
                ". Every collection can be compared with "<code>"/$count eq 0"</code>" or "<code>"ne 0"</code>" where the table says so."
            </li>
            <li>
                "An "<em>"advanced query"</em>" is one that Graph answers only with "<code>"ConsistencyLevel: eventual"</code>" and "
                <code>"$count=true"</code>". The portal sends both by itself."
            </li>
        </ul>
        <h2>"What Graph does not filter by"</h2>
        <ul>
            <li>"Whether a text contains another one: "<code>"contains"</code>" is refused for users. There are "<code>"startsWith"</code>" and, for a few properties, "<code>"endsWith"</code>"."</li>
            <li><code>"gt"</code>" and "<code>"lt"</code>": use "<code>"ge"</code>" and "<code>"le"</code>"."</li>
            <li>"Groups, managers and other objects that a person is connected with. Use a group's people as exceptions or additions instead."</li>
            <li>"Properties that are not in the table below."</li>
        </ul>
        <p>
            "These Graph filters by, but a sync that reads only what changed never sees them, so the portal refuses them: "
            <code>{help.not_followed.join(", ")}</code>"."
        </p>
        <h2>"Properties and operators"</h2>
        <div class="table-wrap" tabindex="0" role="region" aria-label="Properties and operators">
            <table class="list properties">
                <caption class="visually-hidden">"Properties that can be filtered by"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Property"</th>
                        <th scope="col">"Value"</th>
                        <th scope="col">"Operators"</th>
                        <th scope="col">"As an advanced query"</th>
                    </tr>
                </thead>
                <tbody>{properties.collect_view()}</tbody>
            </table>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_is_accepted() {
        for (what, filter) in EXAMPLES {
            let report = check(Objects::Users, filter);
            assert!(
                report.verdict != Verdict::Rejected && report.problem.is_none(),
                "{what}: {filter}: {report:?}"
            );
        }
    }

    #[test]
    fn every_row_of_the_table_is_a_property_that_the_field_takes() {
        let help = help();
        assert!(help.properties.len() > 60, "{}", help.properties.len());
        for name in ["department", "proxyAddresses/any(x:x …)", "assignedLicenses/$count"] {
            let row = help.properties.iter().find(|row| row.path == name).unwrap();
            assert!(!row.plain.is_empty() || !row.advanced.is_empty(), "{name}");
        }
        assert!(help.properties.iter().all(|row| !row.path.starts_with("signInActivity")));
        assert!(help.not_followed.iter().any(|name| name == "signInActivity"), "{:?}", help.not_followed);
    }
}
