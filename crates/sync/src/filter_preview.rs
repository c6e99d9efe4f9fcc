//! What a custom filter would do, before it is saved: how many people of the mirror it matches, who would join the sync and who would leave
//! it; which values occur; and why one person is in or out.
//!
//! The Connect page asks while somebody types, and Save asks before it makes conflicts. Everything is answered from the mirror by the rules
//! of a run themselves, exceptions and additions included, so what is said here is what the next run decides about what it last read.
//!
//! A directory is never held in memory: it is read page by page, and between two pages other work gets its turn. Whoever loses interest
//! drops the future; then no further page is read.

use std::{collections::HashMap, ops::ControlFlow};

use domain::{
    address::{Address, Addresses},
    object::DirectoryUser,
    service::{Service, Status},
    settings::{EntraSettings, FieldError, Organisation},
};
use odata_filter::{EdmType, Explanation, Node, Resource, Rule, Shape, Span, properties};
use sha2::{Digest as _, Sha256};
use store::{CustomerStore, Mirrored, Standing};
use tokio::sync::Semaphore;

use crate::{
    SyncError, connect,
    filter::{Filter, attributes},
    run::{Proposed, Verdict, unread},
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
    /// The numbers of all of them in the portal, ascending.
    users: Vec<i64>,
    /// Stands for the change of the rules.
    rules: Vec<u8>,
}

impl Leaving {
    fn new(crowd: Crowd, mut users: Vec<i64>, old: &EntraSettings, new: &EntraSettings) -> Self {
        users.sort_unstable();
        let mut hasher = Sha256::new();
        for settings in [old, new] {
            hasher.update([u8::from(settings.include_disabled)]);
            hasher.update(settings.custom_filter.len().to_be_bytes());
            hasher.update(&settings.custom_filter);
        }
        Self { crowd, users, rules: hasher.finalize().to_vec() }
    }

    /// Stands for these rules and exactly these people; a confirmation names it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.up_to(self.users.last().copied().unwrap_or_default()).0
    }

    /// Whom a confirmation of that fingerprint covers: all who were asked about. `None` when it was for other rules or other people.
    ///
    /// Users who came in since have greater numbers. A sync that is under way does not void a confirmation, but those it brings in are not
    /// covered by it either.
    #[must_use]
    pub fn confirmed_by(&self, fingerprint: &str) -> Option<&[i64]> {
        let last = fingerprint.split_once('.')?.0.parse().ok()?;
        let (own, users) = self.up_to(last);
        (own == fingerprint).then_some(users)
    }

    fn up_to(&self, last: i64) -> (String, &[i64]) {
        let users = self.users.get(..self.users.partition_point(|user| *user <= last)).unwrap_or_default();
        let mut hasher = Sha256::new();
        hasher.update(&self.rules);
        hasher.update(last.to_be_bytes());
        for user in users {
            hasher.update(user.to_be_bytes());
        }
        let hash: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        (format!("{last}.{hash}"), users)
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
    /// What the rules say.
    pub verdict: Verdict,
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
async fn judge(
    customer: &CustomerStore,
    proposal: Proposal<'_>,
) -> Result<Result<Proposed, FieldError>, SyncError> {
    let saved = connect::saved(customer).await?;
    let settings = EntraSettings {
        include_disabled: proposal.include_disabled,
        custom_filter: proposal.filter.to_owned(),
        ..EntraSettings::default()
    };
    let organisation = saved.and_then(|saved| saved.organisation);
    Proposed::of(customer, &settings, organisation.as_ref(), &customer.managed_domains().await?).await
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
        let page = customer.mirrored_people(Service::Entra, after, PAGE).await?;
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

/// The portal user by which the sync delivers the person now. A user in conflict is one that it does not deliver.
fn delivered(person: &Mirrored) -> Option<Standing> {
    person.user.filter(|user| !user.in_conflict)
}

/// What a filter would do.
///
/// # Errors
/// When the database cannot answer.
pub async fn preview(customer: &CustomerStore, proposal: Proposal<'_>) -> Result<Answer<Preview>, SyncError> {
    let rules = match judge(customer, proposal).await? {
        Ok(rules) => rules,
        Err(error) => return Ok(Answer::Refused(error)),
    };
    if customer.mirrored_people(Service::Entra, i64::MIN, 1).await?.is_empty() {
        return Ok(Answer::NothingRead);
    }
    let unread = unread(customer, rules.filter().properties()).await?;
    if !unread.is_empty() {
        return Ok(Answer::NotRead(unread));
    }
    let mut preview = Preview::default();
    each(customer, |person| {
        let user = &person.mirror.user;
        preview.people += 1;
        let matches = rules.filter().matches(user);
        if matches {
            preview.matching.add(user);
        }
        match (rules.verdict_when(&person.mirror, matches), delivered(person)) {
            (Verdict::In(_), Some(_)) => preview.synced += 1,
            (Verdict::In(_), None) => {
                preview.synced += 1;
                preview.joining.add(user);
            }
            (Verdict::Out(..), Some(_)) => preview.leaving.add(user),
            (Verdict::Out(..), None) | (Verdict::Untouched, _) => {}
        }
        ControlFlow::Continue(())
    })
    .await?;
    Ok(Answer::Known(preview))
}

/// How many people of the mirror a filter matches, whatever the other rules say of them; `None` when it reads what the mirror does not have.
pub(crate) async fn matching(customer: &CustomerStore, filter: &Filter) -> Result<Option<i64>, SyncError> {
    if !unread(customer, filter.properties()).await?.is_empty() {
        return Ok(None);
    }
    let mut count = 0;
    each(customer, |person| {
        count += i64::from(filter.matches(&person.mirror.user));
        ControlFlow::Continue(())
    })
    .await?;
    Ok(Some(count))
}

/// The people who are delivered now and whom the next sync would drop because the rules change from `old` to `new`. Nobody when the rules
/// stay, when nothing is synced any more, when another tenant is read from now on, and when the mirror does not know what the filter reads:
/// then the old filter decides until the directory was read anew.
pub(crate) async fn leaving(
    customer: &CustomerStore,
    old: &EntraSettings,
    new: &EntraSettings,
    organisation: Option<&Organisation>,
    managed: &[String],
) -> Result<Option<Leaving>, SyncError> {
    let rules =
        |settings: &EntraSettings| (settings.include_disabled, settings.custom_filter.trim().to_owned());
    if !new.enabled || rules(old) == rules(new) || old.tenant != new.tenant {
        return Ok(None);
    }
    // A saved filter that this release refuses decides nothing: a run stops at it.
    let Ok(before) = Proposed::of(customer, old, organisation, managed).await? else { return Ok(None) };
    let Ok(after) = Proposed::of(customer, new, organisation, managed).await? else { return Ok(None) };
    if !unread(customer, after.filter().properties()).await?.is_empty() {
        return Ok(None);
    }
    let mut crowd = Crowd::default();
    let mut users = Vec::new();
    each(customer, |person| {
        if let Some(user) = delivered(person)
            && matches!(after.verdict(&person.mirror), Verdict::Out(..))
            && matches!(before.verdict(&person.mirror), Verdict::In(_))
        {
            crowd.add(&person.mirror.user);
            users.push(user.id);
        }
        ControlFlow::Continue(())
    })
    .await?;
    Ok((!users.is_empty()).then(|| Leaving::new(crowd, users, old, new)))
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
    let rules = match judge(customer, proposal).await? {
        Ok(rules) => rules,
        Err(error) => return Ok(Answer::Refused(error)),
    };
    if customer.mirrored_people(Service::Entra, i64::MIN, 1).await?.is_empty() {
        return Ok(Answer::NothingRead);
    }
    let unread = unread(customer, rules.filter().properties()).await?;
    if !unread.is_empty() {
        return Ok(Answer::NotRead(unread));
    }
    let mut found = match Address::parse(who.trim()) {
        Some(address) => customer.mirrored_by_address(Service::Entra, &address, SAMPLES_AND_ONE).await?,
        None => by_name(customer, who).await?,
    };
    Ok(Answer::Known(match found.as_slice() {
        [] => Found::Nobody,
        [_] => found.pop().map_or(Found::Nobody, |person| Found::One(Box::new(case(&rules, &person)))),
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

fn case(rules: &Proposed, person: &Mirrored) -> Case {
    let user = &person.mirror.user;
    let mut answers = Vec::new();
    if let Some((text, explained)) = rules.filter().explain(user) {
        flatten(text, &explained, 0, &mut answers);
    }
    Case {
        person: Person::of(user),
        verdict: rules.verdict(&person.mirror),
        status: person.user.map(|user| if user.in_conflict { Status::Conflict } else { user.status }),
        answers,
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

    fn leaving(users: &[i64], filter: &str) -> Leaving {
        let new = EntraSettings { custom_filter: filter.to_owned(), ..EntraSettings::default() };
        Leaving::new(Crowd::default(), users.to_vec(), &EntraSettings::default(), &new)
    }

    #[test]
    fn a_confirmation_is_for_these_rules_and_covers_exactly_whom_it_was_asked_about() {
        let asked = leaving(&[5, 2], "a").fingerprint();
        assert_eq!(leaving(&[2, 5], "a").confirmed_by(&asked), Some(&[2, 5][..]));
        assert_eq!(
            leaving(&[2, 5, 6], "a").confirmed_by(&asked),
            Some(&[2, 5][..]),
            "who came since is not covered"
        );
        for (users, filter) in [(&[5][..], "a"), (&[2], "a"), (&[2, 3, 5], "a"), (&[2, 5], "b")] {
            assert_eq!(leaving(users, filter).confirmed_by(&asked), None, "{users:?} {filter}");
        }
        for nonsense in ["", ".", "5", "x.y", &format!("-{asked}"), &asked.replacen('5', "6", 1)] {
            assert_eq!(leaving(&[2, 5], "a").confirmed_by(nonsense), None, "{nonsense:?}");
        }
    }
}
