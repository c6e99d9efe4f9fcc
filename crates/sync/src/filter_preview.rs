//! What a custom filter would do, before it is saved: how many people of the mirror it matches, who would join the sync and who would leave
//! it; which values occur; and why one person is in or out.
//!
//! The Connect page asks while somebody types, and Save asks before it makes conflicts. Everything is answered from the mirror with the
//! rules of a run ([`domain::plan::admit`]), so what is said here is what the next run decides about what it last read.
//!
//! A directory is never held in memory: it is read page by page, and between two pages other work gets its turn. Whoever loses interest
//! drops the future; then no further page is read.

use std::{collections::HashMap, ops::ControlFlow};

use domain::{
    address::{Address, Addresses},
    object::DirectoryUser,
    plan::{Admission, ByHand, ManagedDomains, Out, Rules, admit},
    service::{Service, Status},
    settings::{EntraSettings, FieldError, Organisation},
};
use odata_filter::{EdmType, Explanation, Node, Resource, Rule, Shape, Span, properties};
use sha2::{Digest as _, Sha256};
use store::{CustomerStore, Mirrored};
use tokio::sync::Semaphore;

use crate::{
    SyncError, connect,
    filter::{Filter, attributes},
};

/// People per page of the mirror: a few milliseconds of work.
const PAGE: i64 = 1_000;
/// People who are named.
pub const SAMPLES: usize = 10;
/// The most values that are offered.
pub const VALUES: usize = 20;
/// Different values that are counted; beyond them only those that are known already are.
const DIFFERENT: usize = 10_000;
/// Readings of the whole mirror at a time, so that typing administrators leave the database to the others.
static READINGS: Semaphore = Semaphore::const_new(2);

/// What is to be judged: the rules that stand in the form, saved or not.
#[derive(Clone, Copy, Debug)]
pub struct Proposal<'a> {
    /// The text of the custom filter; blank for everyone.
    pub filter: &'a str,
    /// Whether disabled accounts are synced.
    pub include_disabled: bool,
}

/// An answer about the mirror, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer<T> {
    /// The answer.
    Known(T),
    /// The directory was not read yet.
    NothingRead,
    /// The filter reads properties that the mirror does not have.
    NotRead(Vec<String>),
    /// The filter is refused.
    Refused(FieldError),
}

/// A directory user by name and address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// The display name; may be empty.
    pub name: String,
    /// The primary address, else the user principal name, else empty.
    pub address: String,
}

impl Person {
    fn of(user: &DirectoryUser) -> Self {
        let primary = Addresses::of(user).map(|addresses| addresses.primary.to_string());
        Self {
            name: user.display_name.clone().unwrap_or_default(),
            address: primary.or_else(|| user.user_principal_name.clone()).unwrap_or_default(),
        }
    }
}

/// People: how many, and the first of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Crowd {
    /// How many.
    pub count: i64,
    /// The first [`SAMPLES`].
    pub people: Vec<Person>,
}

impl Crowd {
    fn add(&mut self, user: &DirectoryUser) {
        self.count += 1;
        if self.people.len() < SAMPLES {
            self.people.push(Person::of(user));
        }
    }
}

/// What a filter would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    /// The people of the mirror.
    pub people: i64,
    /// Those whom the filter matches, whatever the other rules say of them.
    pub matching: Crowd,
    /// How many the next sync would deliver by all rules together.
    pub synced: i64,
    /// Those who would be delivered and are not now.
    pub joining: Crowd,
    /// Those who are delivered now and would not be.
    pub leaving: Crowd,
}

/// Whom a change of the rules turns into conflicts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaving {
    /// Who they are.
    pub crowd: Crowd,
    /// Stands for these rules and this many people; a confirmation names it.
    pub fingerprint: String,
}

impl Leaving {
    fn new(crowd: Crowd, old: &EntraSettings, new: &EntraSettings) -> Self {
        let mut hasher = Sha256::new();
        for settings in [old, new] {
            hasher.update([u8::from(settings.include_disabled)]);
            hasher.update(settings.custom_filter.len().to_be_bytes());
            hasher.update(&settings.custom_filter);
        }
        let rules: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Self { fingerprint: format!("{}.{rules}", crowd.count), crowd }
    }

    /// Whether a confirmation of that fingerprint holds for these people: it was for the same rules, and not for far fewer. A sync that runs
    /// meanwhile may add a few; ten of them, or a tenth, need no further question.
    #[must_use]
    pub fn is_confirmed_by(&self, fingerprint: &str) -> bool {
        let rules = |fingerprint: &str| fingerprint.split_once('.').map(|(_, rules)| rules.to_owned());
        let seen = fingerprint.split_once('.').and_then(|(count, _)| count.parse::<i64>().ok());
        rules(fingerprint) == rules(&self.fingerprint)
            && seen.is_some_and(|seen| self.crowd.count <= seen.saturating_add((seen / 10).max(10)))
    }
}

/// A value and how many people have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frequent {
    /// The value, as the first of them has it.
    pub value: String,
    /// How many people.
    pub people: i64,
}

/// Who was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Nobody.
    Nobody,
    /// More than one; at most [`SAMPLES`] are named.
    Several(Vec<Person>),
    /// One.
    One(Box<Case>),
}

/// One person, and what the rules say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Who.
    pub person: Person,
    /// Why the rules leave the person out; `None` when they take the person in.
    pub out: Option<Out>,
    /// How the portal's user stands; `None` when there is none.
    pub status: Option<Status>,
    /// The answers of the filter's parts, in the order of the text; empty without a filter.
    pub answers: Vec<PartAnswer>,
}

/// What one part of the filter answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartAnswer {
    /// How deep it stands in the tree.
    pub depth: usize,
    /// How it comes to its answer.
    pub rule: Rule,
    /// Whether it holds.
    pub holds: bool,
    /// Its text.
    pub text: String,
    /// The value that was compared, when there is one.
    pub found: Option<String>,
}

/// The rules of a proposal.
struct Judge {
    rules: Rules,
    filter: Filter,
}

impl Judge {
    async fn of(
        customer: &CustomerStore,
        organisation: Option<&Organisation>,
        proposal: Proposal<'_>,
    ) -> Result<Result<Self, FieldError>, SyncError> {
        let filter = match Filter::read(proposal.filter) {
            Ok(filter) => filter,
            Err(error) => return Ok(Err(error)),
        };
        let verified = organisation.map_or(&[][..], |organisation| &organisation.domains);
        let managed = ManagedDomains::of(&customer.managed_domains().await?, verified);
        Ok(Ok(Self { rules: Rules { managed, include_disabled: proposal.include_disabled }, filter }))
    }

    async fn of_the_form(
        customer: &CustomerStore,
        proposal: Proposal<'_>,
    ) -> Result<Result<Self, FieldError>, SyncError> {
        let saved = connect::saved(customer).await?;
        Self::of(customer, saved.and_then(|saved| saved.organisation).as_ref(), proposal).await
    }

    /// `None` when the person is in.
    fn out(&self, user: &DirectoryUser, matches: impl FnOnce() -> bool) -> Option<Out> {
        match admit(user, &self.rules, ByHand::default(), matches) {
            Admission::In(_) => None,
            Admission::Out(why) => Some(why),
        }
    }

    fn takes_in(&self, user: &DirectoryUser) -> bool {
        self.out(user, || self.filter.matches(user)).is_none()
    }
}

/// Shows every person of the mirror to `visit`, until it breaks off.
async fn each(
    customer: &CustomerStore,
    mut visit: impl FnMut(&Mirrored) -> ControlFlow<()>,
) -> Result<(), SyncError> {
    // The semaphore is never closed; should it be, nobody has to wait.
    let _turn = READINGS.acquire().await.ok();
    let mut after = i64::MIN;
    loop {
        let page = customer.mirror_page(Service::Entra, after, PAGE).await?;
        for person in &page {
            if visit(person).is_break() {
                return Ok(());
            }
        }
        let Some(last) = page.last() else { return Ok(()) };
        after = last.mirror.id;
        tokio::task::yield_now().await;
    }
}

/// Whether the sync delivers the person now. A user in conflict is one that it does not.
fn is_delivered(person: &Mirrored) -> bool {
    person.status.is_some_and(|status| status != Status::Conflict)
}

/// Notes which properties of a filter the mirror has: Graph names a selected property at least where it has a value.
struct Unread(Vec<String>);

impl Unread {
    fn of(filter: &Filter) -> Self {
        let selected = |name: &String| directory::entra::USER_SELECTION.split(',').any(|known| known == name);
        Self(filter.properties().iter().filter(|name| !selected(name)).cloned().collect())
    }

    fn look_at(&mut self, user: &DirectoryUser) {
        if self.0.is_empty() {
            return;
        }
        let Node::Record(read) = attributes(user, &self.0) else { return };
        self.0.retain(|name| !read.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)));
    }
}

/// What a filter would do.
///
/// # Errors
/// When the database cannot answer.
pub async fn preview(customer: &CustomerStore, proposal: Proposal<'_>) -> Result<Answer<Preview>, SyncError> {
    let judge = match Judge::of_the_form(customer, proposal).await? {
        Ok(judge) => judge,
        Err(error) => return Ok(Answer::Refused(error)),
    };
    let mut unread = Unread::of(&judge.filter);
    let mut preview = Preview::default();
    each(customer, |person| {
        let user = &person.mirror.user;
        unread.look_at(user);
        preview.people += 1;
        let matches = judge.filter.matches(user);
        if matches {
            preview.matching.add(user);
        }
        match (judge.out(user, || matches).is_none(), is_delivered(person)) {
            (true, delivered) => {
                preview.synced += 1;
                if !delivered {
                    preview.joining.add(user);
                }
            }
            (false, true) => preview.leaving.add(user),
            (false, false) => {}
        }
        ControlFlow::Continue(())
    })
    .await?;
    Ok(if preview.people == 0 {
        Answer::NothingRead
    } else if unread.0.is_empty() {
        Answer::Known(preview)
    } else {
        Answer::NotRead(unread.0)
    })
}

/// The people who are delivered now and whom the next sync would drop because the rules change from `old` to `new`. Nobody when the rules
/// stay, when nothing is synced any more, and when the mirror does not know what the filter reads: then the old filter decides until the
/// directory was read anew.
pub(crate) async fn leaving(
    customer: &CustomerStore,
    old: &EntraSettings,
    new: &EntraSettings,
    organisation: Option<&Organisation>,
) -> Result<Option<Leaving>, SyncError> {
    let rules =
        |settings: &EntraSettings| (settings.include_disabled, settings.custom_filter.trim().to_owned());
    if !new.enabled || rules(old) == rules(new) {
        return Ok(None);
    }
    fn proposal(settings: &EntraSettings) -> Proposal<'_> {
        Proposal { filter: &settings.custom_filter, include_disabled: settings.include_disabled }
    }
    // A saved filter that this release refuses decides nothing: a run stops at it.
    let Ok(before) = Judge::of(customer, organisation, proposal(old)).await? else { return Ok(None) };
    let Ok(after) = Judge::of(customer, organisation, proposal(new)).await? else { return Ok(None) };
    let mut unread = Unread::of(&after.filter);
    let mut crowd = Crowd::default();
    each(customer, |person| {
        let user = &person.mirror.user;
        unread.look_at(user);
        if is_delivered(person) && !after.takes_in(user) && before.takes_in(user) {
            crowd.add(user);
        }
        ControlFlow::Continue(())
    })
    .await?;
    if crowd.count == 0 || !unread.0.is_empty() {
        return Ok(None);
    }
    Ok(Some(Leaving::new(crowd, old, new)))
}

/// The most frequent values of a property that hold `typed`, without regard to case; those that begin with it first. Only of properties that
/// are text and stand alone: collections and dates have none.
///
/// # Errors
/// When the database cannot answer.
pub async fn values(
    customer: &CustomerStore,
    property: &str,
    typed: &str,
) -> Result<Vec<Frequent>, SyncError> {
    let rows = properties(Resource::Users).iter();
    let Some(row) = rows.clone().find(|row| {
        row.path.eq_ignore_ascii_case(property) && row.shape == Shape::Single && row.edm == EdmType::Text
    }) else {
        return Ok(Vec::new());
    };
    let typed = typed.to_lowercase();
    let mut counted: HashMap<String, Frequent> = HashMap::new();
    each(customer, |person| {
        let read = attributes(&person.mirror.user, &[row.root()]);
        let Some(value) = text_at(&read, row.path) else { return ControlFlow::Continue(()) };
        let folded = value.to_lowercase();
        if let Some(known) = counted.get_mut(&folded) {
            known.people += 1;
        } else if counted.len() < DIFFERENT && folded.contains(&typed) {
            counted.insert(folded, Frequent { value: value.to_owned(), people: 1 });
        }
        ControlFlow::Continue(())
    })
    .await?;
    let mut values: Vec<(String, Frequent)> = counted.into_iter().collect();
    values.sort_by_cached_key(|(folded, value)| {
        (!folded.starts_with(&typed), std::cmp::Reverse(value.people), folded.clone())
    });
    Ok(values.into_iter().take(VALUES).map(|(_, value)| value).collect())
}

/// The text at a path of members; blank text is none.
fn text_at<'n>(record: &'n Node, path: &str) -> Option<&'n str> {
    let found = path.split('/').try_fold(record, Node::member)?;
    match found {
        Node::Text(text) if !text.trim().is_empty() => Some(text),
        _ => None,
    }
}

/// Looks for one person by an address, in whatever form the directory has it, or by a part of the name, and asks the rules about the person.
///
/// # Errors
/// When the database cannot answer.
pub async fn person(
    customer: &CustomerStore,
    proposal: Proposal<'_>,
    who: &str,
) -> Result<Answer<Found>, SyncError> {
    let judge = match Judge::of_the_form(customer, proposal).await? {
        Ok(judge) => judge,
        Err(error) => return Ok(Answer::Refused(error)),
    };
    if customer.mirror_page(Service::Entra, i64::MIN, 1).await?.is_empty() {
        return Ok(Answer::NothingRead);
    }
    let mut found = match Address::parse(who.trim()) {
        Some(address) => customer.mirror_by_address(Service::Entra, &address, SAMPLES_AND_ONE).await?,
        None => by_name(customer, who).await?,
    };
    Ok(Answer::Known(match found.as_slice() {
        [] => Found::Nobody,
        [_] => found.pop().map_or(Found::Nobody, |person| Found::One(Box::new(judge.case(&person)))),
        several => {
            let people = several.iter().take(SAMPLES).map(|person| Person::of(&person.mirror.user));
            Found::Several(people.collect())
        }
    }))
}

/// One more than are named.
const SAMPLES_AND_ONE: i64 = 11;

/// The first people whose name or user principal name holds the text; one alone when it is exactly theirs.
async fn by_name(customer: &CustomerStore, text: &str) -> Result<Vec<Mirrored>, SyncError> {
    let wanted = text.trim().to_lowercase();
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let mut exact = Vec::new();
    let mut partly = Vec::new();
    each(customer, |person| {
        let user = &person.mirror.user;
        let names = [user.display_name.as_deref(), user.user_principal_name.as_deref()];
        let mut names = names.into_iter().flatten().map(str::to_lowercase);
        let (list, hit) = match names.find(|name| name.contains(&wanted)) {
            Some(name) if name == wanted => (&mut exact, true),
            other => (&mut partly, other.is_some()),
        };
        if hit && list.len() <= SAMPLES {
            list.push(person.clone());
        }
        ControlFlow::Continue(())
    })
    .await?;
    if exact.is_empty() { Ok(partly) } else { Ok(exact) }
}

impl Judge {
    fn case(&self, person: &Mirrored) -> Case {
        let user = &person.mirror.user;
        let mut answers = Vec::new();
        if let Some((text, explained)) = self.filter.explain(user) {
            flatten(text, &explained, 0, &mut answers);
        }
        Case {
            person: Person::of(user),
            out: self.out(user, || self.filter.matches(user)),
            status: person.status,
            answers,
        }
    }
}

/// The tree as lines. Below `any` and `all` the same part answers once for each element.
fn flatten(text: &str, part: &Explanation, depth: usize, answers: &mut Vec<PartAnswer>) {
    let Span { start, end } = part.span;
    answers.push(PartAnswer {
        depth,
        rule: part.rule,
        holds: part.holds,
        text: text.get(start..end).unwrap_or_default().to_owned(),
        found: part.found.clone(),
    });
    for part in &part.parts {
        flatten(text, part, depth + 1, answers);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaving(count: i64, filter: &str) -> Leaving {
        let new = EntraSettings { custom_filter: filter.to_owned(), ..EntraSettings::default() };
        Leaving::new(Crowd { count, people: Vec::new() }, &EntraSettings::default(), &new)
    }

    #[test]
    fn a_confirmation_holds_for_the_same_rules_and_a_few_more_people() {
        let asked = leaving(200, "a").fingerprint;
        assert!(leaving(200, "a").is_confirmed_by(&asked));
        assert!(leaving(3, "a").is_confirmed_by(&asked), "fewer are no surprise");
        assert!(leaving(220, "a").is_confirmed_by(&asked));
        assert!(!leaving(221, "a").is_confirmed_by(&asked));
        assert!(leaving(11, "a").is_confirmed_by(&leaving(1, "a").fingerprint));
        assert!(!leaving(200, "b").is_confirmed_by(&asked));
        for nonsense in ["", ".", "200", "x.y", &format!("-{asked}")] {
            assert!(!leaving(200, "a").is_confirmed_by(nonsense), "{nonsense:?}");
        }
    }
}
