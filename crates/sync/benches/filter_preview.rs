//! How long the live filter takes on a large directory: `cargo bench -p sync --bench filter_preview`. `PEOPLE=1000000` before it asks for more.

use std::{
    io::Write as _,
    time::{Duration, Instant},
};

use domain::{object::DirectoryUser, service::Service};
use store::{DatabaseUrl, Store, Vault};
use sync::filter_preview::{Proposal, person, preview, values};

type Failure = Box<dyn std::error::Error>;

/// Attributes as Graph sends them for the properties of every read.
fn user(number: usize) -> DirectoryUser {
    let department = ["Sales", "Legal", "Finance", "Research", "Support"][number % 5];
    let mail = format!("person.{number}@contoso.com");
    let id = format!("00000000-0000-0000-0000-{number:012}");
    DirectoryUser {
        attributes: format!(
            r#"{{"id":"{id}","userPrincipalName":"{mail}","mail":"{mail}","mailNickname":"person.{number}","proxyAddresses":["SMTP:{mail}","smtp:p{number}@contoso.onmicrosoft.com"],"otherMails":[],"displayName":"Person {number}","givenName":"Person","surname":"{number}","accountEnabled":true,"userType":"Member","externalUserState":null,"onPremisesSyncEnabled":null,"onPremisesImmutableId":null,"department":"{department}","jobTitle":"Engineer","companyName":"Contoso Ltd","country":"Germany","city":"Berlin","officeLocation":"Berlin 1","state":null,"postalCode":"10115","streetAddress":"Some Street 1","employeeId":"E{number}","employeeType":"Employee","usageLocation":"DE","preferredLanguage":"de-DE","businessPhones":["+49 30 1234"],"mobilePhone":null,"createdDateTime":"2020-01-31T08:00:00Z","assignedLicenses":[{{"skuId":"05e9a617-0261-4cee-bb44-138d3ef5d965","disabledPlans":[]}}],"onPremisesExtensionAttributes":{{"extensionAttribute1":null,"extensionAttribute2":null,"extensionAttribute15":null}}}}"#
        ),
        external_id: id,
        user_principal_name: Some(mail.clone()),
        proxy_addresses: vec![format!("SMTP:{mail}"), format!("smtp:p{number}@contoso.onmicrosoft.com")],
        display_name: Some(format!("Person {number}")),
        mail: Some(mail),
        account_enabled: Some(true),
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let people: usize = std::env::var("PEOPLE").ok().and_then(|text| text.parse().ok()).unwrap_or(100_000);
    let folder = tempfile::tempdir()?;
    let store =
        Store::open(&DatabaseUrl::Sqlite(folder.path().join("rollcall.db")), Vault::new([7; 32])).await?;
    let customer = store.customer("default").await?.ok_or("a fresh database has no customer")?;
    for chunk in (0..people).collect::<Vec<_>>().chunks(2_000) {
        let mut write = customer.begin().await?;
        let users: Vec<_> = chunk.iter().map(|number| user(*number)).collect();
        write.mirror_users(Service::Entra, 1, &users).await?;
        write.commit().await?;
    }
    let mut out = std::io::stdout();
    writeln!(out, "{people} people in the mirror")?;
    let mut say = |what: &str, took: Duration| writeln!(out, "{what}: {} ms", took.as_millis());
    for filter in [
        "",
        "department eq 'Sales'",
        "department in ('Sales','Legal') and assignedLicenses/any(x:x/skuId eq 05e9a617-0261-4cee-bb44-138d3ef5d965) and not endsWith(mail,'@x.example')",
    ] {
        let begun = Instant::now();
        preview(&customer, Proposal { filter, include_disabled: false }).await?;
        say(&format!("preview of {filter:?}"), begun.elapsed())?;
    }
    let begun = Instant::now();
    values(&customer, "department", "").await?;
    say("values of department", begun.elapsed())?;
    for who in ["person.5000@contoso.com", "Person 5000"] {
        let begun = Instant::now();
        person(&customer, Proposal { filter: "department eq 'Sales'", include_disabled: false }, who).await?;
        say(&format!("person {who:?}"), begun.elapsed())?;
    }
    Ok(())
}
