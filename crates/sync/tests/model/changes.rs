//! Steps that change the tenant. One that is not possible, such as a second principal name of the same spelling, is no step.

use entra_sim::{Change, DeltaHabits, Directory, Kind, Object, Reference, Resync};
use serde_json::{Value, json};

use crate::{
    steps::{Chance, Pick, Step, pick},
    tenant::{proxies, text},
    world::{DEPARTMENTS, NAMES, World, address, new_group, new_person},
};

fn properties(of: Value) -> Object {
    of.as_object().unwrap().clone()
}

fn one(directory: &Directory, kind: Kind, number: Pick) -> Option<(String, Object)> {
    let live: Vec<Reference> = directory.all(kind).collect();
    let of = pick(&live, number)?;
    Some((directory.id_of(of), directory.object(of).into_owned()))
}

fn primary_of(object: &Object) -> Option<String> {
    proxies(object).iter().find_map(|proxy| proxy.strip_prefix("SMTP:").map(str::to_owned))
}

fn aliases_of(object: &Object) -> Vec<String> {
    proxies(object).iter().filter_map(|proxy| proxy.strip_prefix("smtp:").map(str::to_owned)).collect()
}

/// `mail` and `proxyAddresses` for these addresses.
fn mail(primary: &str, aliases: &[String]) -> Object {
    let mut proxies = vec![format!("SMTP:{primary}")];
    proxies.extend(aliases.iter().map(|alias| format!("smtp:{alias}")));
    properties(json!({ "mail": primary, "proxyAddresses": proxies }))
}

impl World {
    /// Makes the change; `false` for a step that is none of the tenant's.
    pub fn change(&mut self, step: Step) -> bool {
        let directory = self.tenant.sim().directory();
        let person = |number| one(&directory, Kind::User, number);
        let group = |number| one(&directory, Kind::Group, number);
        let set = |object: String, properties: Object| Change::Set { object, properties };
        let drawn = |number: Pick| address(&mut Chance::new(number));
        let many = directory.count(Kind::User) > 3;
        let change =
            match step {
                Step::AddPerson(number) => Some(Change::AddUser(new_person(&mut Chance::new(number)))),
                Step::Rename(who, name) => person(who)
                    .map(|(id, _)| set(id, properties(json!({ "displayName": pick(&NAMES, name) })))),
                Step::Marry(who, number) => person(who).map(|(object, _)| Change::Rename {
                    object,
                    display_name: pick(&NAMES, number).unwrap().to_owned(),
                    address: Some(drawn(number)),
                }),
                Step::Primary(who, number) => {
                    person(who).map(|(id, object)| set(id, mail(&drawn(number), &aliases_of(&object))))
                }
                Step::AddAlias(who, number) => person(who).and_then(|(id, object)| {
                    let mut aliases = aliases_of(&object);
                    aliases.push(drawn(number));
                    Some(set(id, mail(&primary_of(&object)?, &aliases)))
                }),
                Step::RemoveAlias(who) => person(who).and_then(|(id, object)| {
                    let mut aliases = aliases_of(&object);
                    aliases.pop()?;
                    Some(set(id, mail(&primary_of(&object)?, &aliases)))
                }),
                Step::MoveAlias(who, whom) => {
                    person(who).zip(person(whom)).and_then(|((from, object), (to, _))| {
                        Some(Change::MoveAlias { address: aliases_of(&object).pop()?, from, to })
                    })
                }
                Step::SwapPrimaries(who, whom) => person(who)
                    .zip(person(whom))
                    .map(|((one, _), (other, _))| Change::SwapPrimaries { one, other }),
                Step::NoMail(who) => person(who)
                    .map(|(id, _)| set(id, properties(json!({ "mail": null, "proxyAddresses": [] })))),
                Step::Disable(who) => person(who).map(|(id, _)| Change::Disable(id)),
                Step::Enable(who) => person(who).map(|(id, _)| Change::Enable(id)),
                Step::Department(who, number) => person(who)
                    .map(|(id, _)| set(id, properties(json!({ "department": pick(&DEPARTMENTS, number) })))),
                Step::Delete(who) | Step::DeleteForGood(who) => {
                    person(who).filter(|_| many).map(|(object, was)| {
                        self.graveyard.push(was);
                        Change::Delete { object, for_good: matches!(step, Step::DeleteForGood(_)) }
                    })
                }
                Step::Restore(who) => {
                    let deleted: Vec<usize> = (0..self.graveyard.len()).collect();
                    pick(&deleted, who).map(|at| Change::Restore(text(&self.graveyard[at], "id").to_owned()))
                }
                Step::Recreate(who, same_name) => {
                    let dead: Vec<usize> = (0..self.graveyard.len()).collect();
                    pick(&dead, who).map(|at| {
                        let mut chance = Chance::new(who);
                        let mut object = self.graveyard[at].clone();
                        object.insert("id".to_owned(), new_person(&mut chance)["id"].clone());
                        object.retain(|name, _| name != "deletedDateTime" && name != "createdDateTime");
                        if !same_name {
                            object.insert("displayName".to_owned(), json!(chance.one_of(&NAMES)));
                        }
                        Change::AddUser(object)
                    })
                }
                Step::AddGroup(number, _) => Some(Change::AddGroup(new_group(&mut Chance::new(number)))),
                Step::RenameGroup(which, number) => group(which).map(|(object, _)| Change::Rename {
                    object,
                    display_name: format!("Group {}", number % 6),
                    address: None,
                }),
                Step::GroupAddress(which, number) => {
                    let address =
                        if number % 2 == 0 { drawn(number) } else { format!("g{}@contoso.com", number % 6) };
                    group(which).map(|(id, _)| set(id, mail(&address, &[])))
                }
                Step::DeleteGroup(which) => {
                    group(which).map(|(object, _)| Change::Delete { object, for_good: false })
                }
                Step::Join(which, who) | Step::Leave(which, who) => {
                    let member = if who % 5 == 0 { group(who) } else { person(who) };
                    group(which).zip(member).map(|((group, _), (member, _))| {
                        let members = vec![member];
                        if matches!(step, Step::Join(..)) {
                            Change::AddMembers { group, members }
                        } else {
                            Change::RemoveMembers { group, members }
                        }
                    })
                }
                Step::Habits(number) => {
                    self.tenant.sim().set_delta_habits(DeltaHabits {
                        replays: number & 1 == 1,
                        removed_in_first_round: number & 2 == 2,
                        members_follow: number & 4 == 4,
                        resync: pick(&[Resync::Gone, Resync::ResyncRequired, Resync::BadRequest], number)
                            .unwrap(),
                    });
                    return true;
                }
                Step::Expire => {
                    self.tenant.sim().advance_clock(time::Duration::days(8));
                    return true;
                }
                _ => return false,
            };
        if let Some(change) = change {
            // What is not possible there is no change.
            let _refused = self.tenant.sim().change(&change);
        }
        true
    }
}
