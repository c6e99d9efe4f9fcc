//! The invented users, each derived from the company's seed and its position.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use super::company::{Company, DEFAULT_DOMAIN, INITIAL_DOMAIN, Part, SECOND_DOMAIN};
use super::names::{CULTURES, Culture, HOSTILE, Name};
use super::places::{DEPARTMENTS, LICENCES, OFFICES, PARTNERS, SERVICE_ACCOUNTS, SHARED_MAILBOXES};
use super::properties::{USER_COLLECTIONS, USER_SCALARS};
use super::{Object, Reference};
use crate::chance::Chance;
use crate::clock::graph_time;

/// Visits every combination of names once before one comes back, whatever the seed: prime, and no divisor of
/// the number of combinations.
const STRIDE: usize = 613;

/// What a user is called.
struct Naming {
    display: String,
    given: Option<String>,
    family: Option<String>,
    language: Option<&'static str>,
    /// Local part of the address, unique in the company.
    local: String,
    /// A second local part, unique as well.
    turned: String,
}

impl Company {
    pub(super) fn user_principal_name(&self, index: usize) -> String {
        let naming = self.naming(index);
        match self.part(index) {
            Part::Guest => {
                let (_, domain) = self.partner(index);
                format!("{}_{domain}#EXT#@{INITIAL_DOMAIN}", naming.local)
            }
            Part::ServiceAccount | Part::Room => format!("{}@{INITIAL_DOMAIN}", naming.local),
            _ => format!("{}@{}", naming.local, self.mail_domain(index)),
        }
    }

    fn partner(&self, index: usize) -> (&'static str, &'static str) {
        *self.chance("partner", index).pick(PARTNERS)
    }

    fn mail_domain(&self, index: usize) -> &'static str {
        let fabrikam = self.part(index) == Part::Person && self.chance("domain", index).percent(12);
        if fabrikam { SECOND_DOMAIN } else { DEFAULT_DOMAIN }
    }

    fn naming(&self, index: usize) -> Naming {
        let thing = |display: String, local: String| Naming {
            turned: format!("{local}.mailbox"),
            display,
            given: None,
            family: None,
            language: None,
            local,
        };
        let number = |slug: &str| if index < 100 { slug.to_owned() } else { format!("{slug}.{index}") };
        match self.part(index) {
            Part::SharedMailbox => {
                let (display, slug) = self.chance("mailbox", index).pick(SHARED_MAILBOXES);
                thing((*display).to_owned(), number(slug))
            }
            Part::Room => {
                let office = self.chance("room", index).pick(OFFICES).city;
                thing(format!("Meeting Room {office} {index}"), format!("room.{index}"))
            }
            Part::ServiceAccount => {
                let account = *self.chance("service", index).pick(SERVICE_ACCOUNTS);
                thing(account.to_owned(), format!("{}-{index}", account.to_lowercase()))
            }
            Part::Hostile(at) => {
                let hostile = &HOSTILE[at];
                Naming {
                    given: Some(hostile.given.to_owned()),
                    family: Some(hostile.family.to_owned()),
                    ..thing(hostile.display.to_owned(), hostile.local.to_owned())
                }
            }
            _ => self.person(index),
        }
    }

    fn person(&self, index: usize) -> Naming {
        let size = |culture: &Culture| culture.given.len() * culture.family.len();
        let all: usize = CULTURES.iter().map(size).sum();
        let offset = self.chance("names", 0).below(all);
        let mut at = (index.wrapping_mul(STRIDE) + offset) % all;
        let round = index / all;
        let mut culture = &CULTURES[0];
        for candidate in CULTURES {
            culture = candidate;
            if at < size(candidate) {
                break;
            }
            at -= size(candidate);
        }
        let given: Name = culture.given[at % culture.given.len()];
        let family: Name = culture.family[at / culture.given.len() % culture.family.len()];
        let suffix = if round == 0 { String::new() } else { (round + 1).to_string() };
        Naming {
            display: if culture.family_first {
                format!("{}{}", family.0, given.0)
            } else {
                format!("{} {}", given.0, family.0)
            },
            given: Some(given.0.to_owned()),
            family: Some(family.0.to_owned()),
            language: Some(culture.language),
            local: format!("{}.{}{suffix}", given.1, family.1),
            turned: format!("{}.{}{suffix}", family.1, given.1),
        }
    }

    pub(super) fn user(&self, index: usize) -> Object {
        let mut user = Object::new();
        for name in USER_SCALARS {
            user.insert((*name).to_owned(), Value::Null);
        }
        for name in USER_COLLECTIONS {
            user.insert((*name).to_owned(), json!([]));
        }
        let mut chance = self.chance("user details", index);
        let naming = self.naming(index);
        let part = self.part(index);
        let enabled = !matches!(part, Part::Disabled | Part::SharedMailbox | Part::Room);
        let created = datetime!(2015-01-05 08:00 UTC) + Duration::minutes(minutes(&mut chance, 5_500_000));
        set(
            &mut user,
            json!({
                "id": self.user_id(index),
                "displayName": naming.display,
                "givenName": naming.given,
                "surname": naming.family,
                "userPrincipalName": self.user_principal_name(index),
                "mailNickname": naming.local,
                "preferredLanguage": naming.language.filter(|_| chance.percent(60)),
                "accountEnabled": enabled,
                // Objects from before 2014 have neither a type nor a date of creation.
                "userType": if index % 97 == 96 { Value::Null } else { json!("Member") },
                "createdDateTime": if index % 97 == 96 { Value::Null } else { json!(graph_time(created)) },
                "lastPasswordChangeDateTime": graph_time(created + Duration::days(30)),
                "signInSessionsValidFromDateTime": graph_time(created + Duration::days(30)),
                "onPremisesExtensionAttributes": extension_attributes(&mut chance),
            }),
        );
        match part {
            Part::Guest => self.guest(&mut user, index, &naming, created),
            Part::ServiceAccount => {}
            Part::Room | Part::SharedMailbox => self.mailbox(&mut user, index, &naming, &mut chance),
            part => {
                self.employee(&mut user, index, &mut chance, created);
                if !matches!(part, Part::Mailless) {
                    self.mailbox(&mut user, index, &naming, &mut chance);
                }
                if !matches!(part, Part::Unlicensed) {
                    licence(&mut user, &mut chance);
                }
            }
        }
        user
    }

    fn employee(&self, user: &mut Object, index: usize, chance: &mut Chance, created: OffsetDateTime) {
        let office = chance.pick(OFFICES);
        let (department, titles) = chance.pick(DEPARTMENTS);
        let company = if self.mail_domain(index) == SECOND_DOMAIN { "Fabrikam UK" } else { "Contoso Ltd" };
        let extension = chance.below(10_000);
        set(
            user,
            json!({
                "department": department,
                "jobTitle": chance.pick(titles),
                "companyName": company,
                "officeLocation": office.name,
                "streetAddress": office.street,
                "city": office.city,
                "state": office.state,
                "postalCode": office.postal_code,
                "country": office.country,
                "usageLocation": office.usage_location,
                "businessPhones": [format!("{} {extension:04}", office.phone)],
                "employeeId": format!("E{:06}", 100_000 + index),
                "employeeType": if chance.percent(85) { "Employee" } else { "Contractor" },
                "employeeHireDate": graph_time(created),
                "mobilePhone": chance.percent(40).then(|| format!("+44 7700 900{:03}", index % 1000)),
            }),
        );
        match chance.below(100) {
            0..=29 => on_premises(user, chance, created, Some(true)),
            // Once synchronised from a forest that is gone.
            30..=31 => on_premises(user, chance, created, Some(false)),
            _ => {}
        }
    }

    fn mailbox(&self, user: &mut Object, index: usize, naming: &Naming, chance: &mut Chance) {
        let local = &naming.local;
        let address = address(self, index);
        let mut proxies = vec![
            format!("SMTP:{address}"),
            // The prefix tells primary from alias by its case; addresses come in any case.
            format!(
                "smtp:{}@{INITIAL_DOMAIN}",
                if chance.percent(20) { local.to_uppercase() } else { local.clone() }
            ),
        ];
        if chance.percent(60) {
            proxies.push(format!("smtp:{}@{DEFAULT_DOMAIN}", naming.turned));
        }
        if let Some(alias) = self.clashing_alias(index) {
            proxies.push(format!("smtp:{alias}"));
        }
        if chance.percent(30) {
            let scheme = if chance.percent(50) { "SIP" } else { "sip" };
            proxies.push(format!("{scheme}:{address}"));
            user.insert("imAddresses".to_owned(), json!([address]));
        }
        if chance.percent(15) {
            let scheme = if chance.percent(50) { "X500" } else { "x500" };
            let group = "/o=Contoso/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn=";
            proxies.push(format!("{scheme}:{group}{}", chance.text(12)));
        }
        // Their order means nothing.
        let turn = chance.below(proxies.len());
        proxies.rotate_left(turn);
        set(user, json!({ "mail": address, "proxyAddresses": proxies }));
    }

    fn guest(&self, user: &mut Object, index: usize, naming: &Naming, created: OffsetDateTime) {
        let (company, domain) = self.partner(index);
        let address = format!("{}@{domain}", naming.local);
        let accepted = self.chance("guest", index).percent(80);
        set(
            user,
            json!({
                "userType": "Guest",
                "creationType": "Invitation",
                "externalUserState": if accepted { "Accepted" } else { "PendingAcceptance" },
                "externalUserStateChangeDateTime": graph_time(created),
                "mail": address,
                "otherMails": [address],
                "proxyAddresses": [format!("SMTP:{address}")],
                "companyName": company,
                "mailNickname": format!("{}_{domain}#EXT#", naming.local),
            }),
        );
    }
}

/// The primary address; some keep the capitals they were entered with.
pub(super) fn address(company: &Company, index: usize) -> String {
    let local = company.naming(index).local;
    let local = if index % 5 == 3 { capitals(&local) } else { local };
    format!("{local}@{}", company.mail_domain(index))
}

fn capitals(local: &str) -> String {
    let mut at_start = true;
    local
        .chars()
        .map(|letter| {
            let shown = if at_start { letter.to_ascii_uppercase() } else { letter };
            at_start = letter == '.' || letter == '-';
            shown
        })
        .collect()
}

fn licence(user: &mut Object, chance: &mut Chance) {
    let licence = json!({ "skuId": chance.pick(LICENCES), "disabledPlans": [] });
    user.insert("assignedLicenses".to_owned(), json!([licence]));
}

fn extension_attributes(chance: &mut Chance) -> Value {
    let mut attributes = Object::new();
    for number in 1..=15 {
        attributes.insert(format!("extensionAttribute{number}"), Value::Null);
    }
    if chance.percent(25) {
        attributes.insert("extensionAttribute1".to_owned(), json!(format!("CC-{}", 1000 + chance.below(40))));
    }
    if chance.percent(5) {
        attributes.insert("extensionAttribute15".to_owned(), json!("NoMailSync"));
    }
    Value::Object(attributes)
}

fn on_premises(user: &mut Object, chance: &mut Chance, created: OffsetDateTime, enabled: Option<bool>) {
    let anchor = STANDARD.encode([chance.next().to_le_bytes(), chance.next().to_le_bytes()].concat());
    let account = super::text(user, "mailNickname").to_owned();
    let security_identifier =
        format!("S-1-5-21-1004336348-1177238915-682003330-{}", 1100 + chance.below(900_000));
    set(
        user,
        json!({
            "onPremisesSyncEnabled": enabled,
            "onPremisesImmutableId": anchor,
            "onPremisesLastSyncDateTime": graph_time(created + Duration::days(400)),
            "onPremisesSamAccountName": account.chars().take(20).collect::<String>(),
            "onPremisesDomainName": "corp.contoso.com",
            "onPremisesUserPrincipalName": format!("{account}@corp.contoso.com"),
            "onPremisesDistinguishedName": format!("CN={account},OU=Staff,DC=corp,DC=contoso,DC=com"),
            "onPremisesSecurityIdentifier": security_identifier,
        }),
    );
}

/// Overwrites properties of an object with those of another.
pub(super) fn set(object: &mut Object, properties: Value) {
    if let Value::Object(properties) = properties {
        object.extend(properties);
    }
}

fn minutes(chance: &mut Chance, limit: usize) -> i64 {
    i64::try_from(chance.below(limit)).unwrap_or_default()
}

/// Distinct positions below `limit`, beginning anywhere; as many as there are when `count` is larger.
pub(super) fn spread(chance: &mut Chance, limit: usize, count: usize) -> Vec<usize> {
    let start = chance.below(limit);
    let count = count.min(limit);
    // Steps of a fixed width land on `count` different positions.
    let step = (limit / count.max(1)).max(1);
    (0..count).map(|at| (start + at * step) % limit).collect()
}

/// The users at these positions.
pub(super) fn users(positions: impl IntoIterator<Item = usize>) -> Vec<Reference> {
    positions.into_iter().map(|index| Reference { kind: super::Kind::User, index }).collect()
}
