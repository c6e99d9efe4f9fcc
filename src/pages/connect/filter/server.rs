//! The server's half of the filter: asks `sync`, and turns the answers into words and markup.

mod views;

use domain::{conflict::Reason, number::counted, plan::Out, service::Status, settings::Field};
use odata_filter::Rule;
use sync::{
    filter_preview::{self as preview, Answer, Case, Found, Proposal},
    run::Verdict,
};

use leptos::prelude::*;

use self::views::{Crowd, Impact, ImpactView, Part, People, PersonNews, PersonView};
use super::{AskFilter, News};
use crate::{
    access::{self, Desk},
    components::{Tone, count},
    error::AppError,
};

/// Before the first read there is nothing to count.
const NOTHING_READ: &str =
    "How many people match can be said after the first sync: the directory was not read yet.";
/// The deepest part that is indented further than the one around it.
const DEEPEST: usize = 8;

/// People with how many of them are not named.
fn crowd(label: &str, crowd: preview::Crowd) -> Crowd {
    let named = i64::try_from(crowd.people.len()).unwrap_or_default();
    Crowd {
        figure: count(crowd.count),
        label: label.to_owned(),
        more: (crowd.count > named).then(|| format!("and {} more", count(crowd.count - named))),
        people: crowd.people.into_iter().map(named_person).collect(),
    }
}

/// Whom new rules drop, by name.
pub(in crate::pages::connect) fn named(crowd: preview::Crowd) -> String {
    let Crowd { people, more, .. } = self::crowd("", crowd);
    view! { <People people=people more=more /> }.to_html()
}

fn named_person(person: preview::Person) -> (String, String) {
    let name = if person.name.is_empty() { "Without a name".to_owned() } else { person.name };
    (name, person.address)
}

fn words_only(words: impl Into<String>) -> Impact {
    Impact { words: words.into(), crowds: Vec::new() }
}

fn not_read(properties: &[String]) -> String {
    let them = if properties.len() == 1 { "it" } else { "them" };
    format!(
        "The sync has not read {} yet. You can save the filter: the next sync then reads the whole directory anew, {them} included, and until \
         that read is complete the old filter decides.",
        properties.join(", ")
    )
}

/// Whom a filter would take in.
async fn impact(desk: &Desk, filter: &str, include_disabled: bool) -> Result<Impact, AppError> {
    let answer = preview::preview(&desk.customer, Proposal { filter, include_disabled }).await;
    Ok(match answer.map_err(|error| access::sync_error(&error))? {
        Answer::Known(found) => Impact {
            words: format!(
                "{}, of {} in the directory. With the managed domains and the switch above, {} would be synced.",
                counted(found.matching.count, "person matches", "people match"),
                count(found.people),
                count(found.synced),
            ),
            crowds: vec![
                crowd(if found.matching.count == 1 { "matches" } else { "match" }, found.matching),
                crowd("would join", found.joining),
                crowd("would leave", found.leaving),
            ],
        },
        Answer::NothingRead => words_only(NOTHING_READ),
        Answer::NotRead(properties) => words_only(not_read(&properties)),
        // The verdict below the field says why.
        Answer::Refused(_) => words_only(""),
    })
}

/// What the rules say of one person.
async fn person(
    desk: &Desk,
    filter: &str,
    include_disabled: bool,
    who: &str,
) -> Result<PersonNews, AppError> {
    let answer = preview::person(&desk.customer, Proposal { filter, include_disabled }, who).await;
    let say = |tone, words: String, detail: &str| PersonNews {
        tone,
        words,
        detail: detail.to_owned(),
        parts: Vec::new(),
        others: Vec::new(),
    };
    Ok(match answer.map_err(|error| access::sync_error(&error))? {
        Answer::Known(Found::Nobody) => say(
            Tone::Warning,
            format!("Nobody in the directory was found as {}", who.trim()),
            "Enter an address, an alias, or a part of the name. The directory is known as it was at the last sync.",
        ),
        Answer::Known(Found::Several(people)) => {
            let others = people.into_iter().map(named_person).collect();
            let words = "More than one person may be meant".to_owned();
            PersonNews { others, ..say(Tone::Warning, words, "Enter the address of one of them.") }
        }
        Answer::Known(Found::One(case)) => of_case(*case),
        Answer::NothingRead => {
            say(Tone::Warning, "The directory was not read yet".to_owned(), "Sync once, then ask again.")
        }
        Answer::NotRead(properties) => say(Tone::Warning, "Not known yet".to_owned(), &not_read(&properties)),
        Answer::Refused(error) => {
            say(Tone::Bad, format!("{} cannot be used", Field::CustomFilter.label()), &error.message)
        }
    })
}

fn of_case(case: Case) -> PersonNews {
    let (name, address) = named_person(case.person);
    let (tone, verdict) = match &case.verdict {
        Verdict::In(_) => (Tone::Good, "would be synced".to_owned()),
        Verdict::Out(reason, out) => (Tone::Bad, format!("would not be synced: {}", why(*reason, *out))),
        Verdict::Untouched => (Tone::Warning, "is an exception, which keeps the user as it is".to_owned()),
    };
    let is_in = matches!(case.verdict, Verdict::In(_));
    let now = match case.status {
        _ if case.verdict == Verdict::Untouched => "No sync changes this user, whatever the filter says.",
        None if is_in => "The portal does not have this person now: the next sync adds the user.",
        None => "The portal does not have this person now.",
        Some(Status::Conflict) if is_in => "In conflict now: the next sync closes the conflict.",
        Some(Status::Conflict) => "In conflict now, and stays so.",
        Some(_) if is_in => "In the portal now, and stays.",
        Some(_) => "In the portal now: the next sync makes the user a conflict.",
    };
    PersonNews {
        tone,
        words: format!("{name} ({address}) {verdict}"),
        detail: now.to_owned(),
        parts: case.answers.into_iter().map(part).collect(),
        others: Vec::new(),
    }
}

const fn why(reason: Reason, out: Option<Out>) -> &'static str {
    match out {
        Some(Out::Exception) => "an exception leaves them out",
        Some(Out::NoAddress) => "no usable address",
        Some(Out::OutsideManagedDomains) => "no address in a managed domain",
        Some(Out::Disabled) => "the account is disabled",
        Some(Out::FilteredOut) => "the filter does not match",
        None => reason.label(),
    }
}

fn part(answer: preview::PartAnswer) -> Part {
    let (is_code, text, found) = match answer.rule {
        Rule::And => (false, "all of these".to_owned(), None),
        Rule::Or => (false, "at least one of these".to_owned(), None),
        Rule::Not => (false, "not this".to_owned(), None),
        Rule::Any | Rule::All => (true, answer.text, None),
        Rule::Value => {
            let found = answer.found.map_or_else(|| "has no value".to_owned(), |found| format!("is {found}"));
            (true, answer.text, Some(found))
        }
    };
    let depth = u8::try_from(answer.depth.min(DEEPEST)).unwrap_or_default();
    Part { depth, holds: answer.holds, is_code, text, found }
}

/// What a page without JavaScript is told beside the answer to its form.
pub(in crate::pages::connect) async fn news(
    desk: &Desk,
    filter: &str,
    include_disabled: bool,
    who: String,
) -> Result<News, AppError> {
    let impact = impact(desk, filter, include_disabled).await?;
    let person =
        if who.trim().is_empty() { None } else { Some(person(desk, filter, include_disabled, &who).await?) };
    Ok(News {
        impact: view! { <ImpactView impact=impact /> }.to_html(),
        person: person.map(|news| view! { <PersonView news=news /> }.to_html()).unwrap_or_default(),
        who,
    })
}

/// Answers a question about a filter.
pub(super) async fn answer(desk: &Desk, question: AskFilter) -> Result<String, AppError> {
    let AskFilter { filter, include_disabled, about, typed, .. } = question;
    Ok(match about.as_str() {
        "impact" => {
            let impact = impact(desk, &filter, include_disabled).await?;
            view! { <ImpactView impact=impact /> }.to_html()
        }
        "person" => {
            let news = person(desk, &filter, include_disabled, &typed).await?;
            view! { <PersonView news=news /> }.to_html()
        }
        property => values(desk, property, &typed).await?,
    })
}

/// Values of a property, a line each: the value, a tab, how many people have it.
async fn values(desk: &Desk, property: &str, typed: &str) -> Result<String, AppError> {
    let values = preview::values(&desk.customer, property, typed).await;
    let values = values.map_err(|error| access::sync_error(&error))?;
    // A value with a line break cannot be typed into a filter either.
    let plain = values.into_iter().filter(|value| !value.value.contains(char::is_control));
    let lines = plain.map(|value| format!("{}\t{}", value.value, counted(value.people, "person", "people")));
    Ok(lines.collect::<Vec<_>>().join("\n"))
}
