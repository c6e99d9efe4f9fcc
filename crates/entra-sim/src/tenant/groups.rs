//! The invented groups. The first eight are fixed: everybody (dynamic), a nested tree, two that contain each
//! other, one without members, one with hostile values, one of devices. The rest take the five kinds in turn.

use serde_json::{Value, json};
use time::Duration;
use time::macros::datetime;

use super::company::{Company, DEFAULT_DOMAIN, INITIAL_DOMAIN, Part};
use super::people::{set, spread, users};
use super::places::{DEPARTMENTS, OFFICES};
use super::properties::{GROUP_COLLECTIONS, GROUP_DEFAULT};
use super::{Kind, Object, Reference};
use crate::clock::graph_time;

const EVERYBODY: usize = 0;
const REGIONS: usize = 1;
const HEADQUARTERS: usize = 2;
const CYCLE_A: usize = 3;
const CYCLE_B: usize = 4;
const EMPTY: usize = 5;
const HOSTILE: usize = 6;
const DEVICES: usize = 7;
const FIXED: usize = 8;
const DEVICE_COUNT: usize = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Microsoft365,
    Security,
    MailEnabledSecurity,
    DistributionList,
    DynamicSecurity,
    DynamicMicrosoft365,
}

impl Company {
    /// The devices, which exist only as members of a group.
    pub(super) fn devices(&self) -> Vec<Object> {
        (0..DEVICE_COUNT)
            .map(|index| {
                let mut device = Object::new();
                set(
                    &mut device,
                    json!({
                        "@odata.type": "#microsoft.graph.device",
                        "id": self.chance("device", index).guid(),
                        "displayName": format!("LAPTOP-{:04}", index + 1),
                        "operatingSystem": "Windows",
                    }),
                );
                device
            })
            .collect()
    }

    /// The direct members of a group. Nesting is left as it is, including the two that contain each other.
    pub(super) fn members(&self, group: usize) -> Vec<Reference> {
        let nested = |groups: &[usize]| -> Vec<Reference> {
            let existing = groups.iter().filter(|index| **index < self.size.groups);
            existing.map(|index| Reference { kind: Kind::Group, index: *index }).collect()
        };
        let mut chance = self.chance("members", group);
        let mut some = |count: usize| users(spread(&mut chance, self.size.users, count));
        match group {
            EVERYBODY => users((0..self.size.users).filter(|index| self.part(*index) != Part::Guest)),
            REGIONS => nested(&[HEADQUARTERS, FIXED, FIXED + 1]),
            HEADQUARTERS => [some(self.size.members_per_group), nested(&[CYCLE_A])].concat(),
            CYCLE_A => [some(self.size.members_per_group.min(2)), nested(&[CYCLE_B])].concat(),
            CYCLE_B => [some(self.size.members_per_group.min(2)), nested(&[CYCLE_A])].concat(),
            EMPTY => Vec::new(),
            DEVICES => (0..DEVICE_COUNT).map(|index| Reference { kind: Kind::Other, index }).collect(),
            _ => some(self.size.members_per_group),
        }
    }

    fn sort(index: usize) -> Sort {
        const TURN: [Sort; 6] = [
            Sort::Microsoft365,
            Sort::Security,
            Sort::MailEnabledSecurity,
            Sort::DistributionList,
            Sort::DynamicSecurity,
            Sort::DynamicMicrosoft365,
        ];
        match index {
            EVERYBODY | DEVICES => Sort::DynamicSecurity,
            REGIONS | CYCLE_A | CYCLE_B => Sort::Security,
            HEADQUARTERS => Sort::MailEnabledSecurity,
            EMPTY => Sort::DistributionList,
            _ => TURN[index % TURN.len()],
        }
    }

    fn group_name(&self, index: usize) -> (String, String) {
        let fixed = match index {
            EVERYBODY => Some(("All Employees", "all.employees")),
            REGIONS => Some(("All Regions", "all.regions")),
            HEADQUARTERS => Some(("Headquarters", "headquarters")),
            CYCLE_A => Some(("Project Ouroboros (head)", "ouroboros.head")),
            CYCLE_B => Some(("Project Ouroboros (tail)", "ouroboros.tail")),
            EMPTY => Some(("Retired Newsletter", "newsletter")),
            HOSTILE => Some(("=HYPERLINK(\"http://x\")<b>\"O'Neil\" \\ \u{202e}puorg", "hostile.group")),
            DEVICES => Some(("All Windows Devices", "windows.devices")),
            _ => None,
        };
        if let Some((display, nickname)) = fixed {
            return (display.to_owned(), nickname.to_owned());
        }
        let mut chance = self.chance("group name", index);
        let department = chance.pick(DEPARTMENTS).0;
        let city = chance.pick(OFFICES).city;
        let slug: String = department.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
        (format!("{department} {city}"), format!("{slug}.{index}"))
    }

    pub(super) fn group(&self, index: usize) -> Object {
        let mut group = Object::new();
        for name in GROUP_DEFAULT {
            let is_list = GROUP_COLLECTIONS.contains(name);
            group.insert((*name).to_owned(), if is_list { json!([]) } else { Value::Null });
        }
        let sort = Self::sort(index);
        let (display, nickname) = self.group_name(index);
        let mut chance = self.chance("group details", index);
        let created = datetime!(2017-07-31 18:56:16 UTC)
            + Duration::hours(i64::try_from(chance.below(60_000)).unwrap_or_default());
        let unified = matches!(sort, Sort::Microsoft365 | Sort::DynamicMicrosoft365);
        let dynamic = matches!(sort, Sort::DynamicSecurity | Sort::DynamicMicrosoft365);
        let mail_enabled = unified || matches!(sort, Sort::MailEnabledSecurity | Sort::DistributionList);
        let mut types = Vec::new();
        if unified {
            types.push("Unified");
        }
        if dynamic {
            types.push("DynamicMembership");
        }
        set(
            &mut group,
            json!({
                "id": self.group_id(index),
                "displayName": display,
                "description": format!("{display} ({sort:?})"),
                "createdDateTime": graph_time(created),
                "renewedDateTime": graph_time(created),
                "groupTypes": types,
                "mailEnabled": mail_enabled,
                "mailNickname": nickname,
                "securityEnabled": !unified && sort != Sort::DistributionList,
                "visibility": unified.then_some(if index.is_multiple_of(2) { "Private" } else { "Public" }),
                "securityIdentifier": format!("S-1-12-1-{}-{}", chance.below(1 << 31), chance.below(1 << 31)),
            }),
        );
        if dynamic {
            let rule = if index == DEVICES {
                "(device.deviceOSType -eq \"Windows\")".to_owned()
            } else {
                "(user.userType -ne \"Guest\")".to_owned()
            };
            set(&mut group, json!({ "membershipRule": rule, "membershipRuleProcessingState": "On" }));
        }
        if mail_enabled {
            let address = format!("{nickname}@{DEFAULT_DOMAIN}");
            let mut proxies = vec![format!("SMTP:{address}"), format!("smtp:{nickname}@{INITIAL_DOMAIN}")];
            if unified {
                proxies.push(format!("SPO:SPO_{}@SPO_{}", chance.guid(), super::tenant_id(self.size.seed)));
            }
            set(&mut group, json!({ "mail": address, "proxyAddresses": proxies }));
        }
        group
    }
}
