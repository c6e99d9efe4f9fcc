//! What the server says about a filter, as markup: whom it would take in, and what it says of one person.

use leptos::prelude::*;

use crate::components::{Icon, Tone};

/// Whom a filter would take in.
pub(super) struct Impact {
    /// The figures in a sentence, or why there are none.
    pub words: String,
    /// Who matches, joins and leaves.
    pub crowds: Vec<Crowd>,
}

/// People: how many, and some of them.
pub(super) struct Crowd {
    /// The number.
    pub figure: String,
    /// What they do.
    pub label: String,
    /// The first of them: name and address.
    pub people: Vec<(String, String)>,
    /// How many are not named.
    pub more: Option<String>,
}

/// What the rules say of one person.
pub(super) struct PersonNews {
    pub tone: Tone,
    /// Who, and whether in or out.
    pub words: String,
    /// What follows.
    pub detail: String,
    /// The parts of the filter, in the order of the text.
    pub parts: Vec<Part>,
    /// Who else may be meant.
    pub others: Vec<(String, String)>,
}

/// A part of the filter and its answer.
pub(super) struct Part {
    pub depth: u8,
    pub holds: bool,
    /// Whether `text` is a part of the filter, and not words about the parts below.
    pub is_code: bool,
    pub text: String,
    /// The person's value.
    pub found: Option<String>,
}

/// Names and addresses.
#[component]
pub(super) fn People(people: Vec<(String, String)>, more: Option<String>) -> impl IntoView {
    let rows = people.into_iter().map(|(name, address)| {
        view! { <li><bdi>{name}</bdi>" "<span class="soft"><bdi>{address}</bdi></span></li> }
    });
    view! {
        <ul class="plain people">{rows.collect_view()}</ul>
        {more.map(|more| view! { <p class="soft">{more}</p> })}
    }
}

/// The figures, each with its people behind it.
#[component]
pub(super) fn ImpactView(impact: Impact) -> impl IntoView {
    let crowds = impact.crowds.into_iter().map(|crowd| {
        let head =
            view! { <span class="figure">{crowd.figure}</span>" "<span class="soft">{crowd.label}</span> };
        if crowd.people.is_empty() {
            view! { <div class="crowd"><p>{head}</p></div> }.into_any()
        } else {
            view! {
                <details class="crowd">
                    <summary>{head}<span class="see">"See who"</span></summary>
                    <People people=crowd.people more=crowd.more />
                </details>
            }
            .into_any()
        }
    });
    let crowds = crowds.collect_view();
    view! {
        {(!impact.words.is_empty()).then(|| view! { <p>{impact.words}</p> })}
        {(!crowds.is_empty()).then(|| view! { <div class="crowds">{crowds}</div> })}
    }
}

/// One person's case.
#[component]
pub(super) fn PersonView(news: PersonNews) -> impl IntoView {
    let parts = news.parts.into_iter().map(|part| {
        let tone = if part.holds { Tone::Good } else { Tone::Bad };
        let text = if part.is_code {
            view! { <code>{part.text}</code> }.into_any()
        } else {
            view! { <em>{part.text}</em> }.into_any()
        };
        view! {
            <li class=format!("{} depth-{}", tone.class(), part.depth)>
                <Icon name=tone.icon() />
                <strong>{if part.holds { "true" } else { "false" }}</strong>
                {text}
                {part.found.map(|found| view! { <span class="soft"><bdi>{found}</bdi></span> })}
            </li>
        }
    });
    let parts = parts.collect_view();
    view! {
        <div class=format!("case {}", news.tone.class())>
            <p class="verdict-words"><Icon name=news.tone.icon() /><bdi>{news.words}</bdi></p>
            <p class="soft">{news.detail}</p>
            {(!parts.is_empty()).then(|| view! { <ul class="plain tree" aria-label="The filter, part by part">{parts}</ul> })}
            {(!news.others.is_empty()).then(|| view! { <People people=news.others more=None /> })}
        </div>
    }
}
