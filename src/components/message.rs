//! Messages about what was just done.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::Icon;

/// How a message is meant. Colour is never the only sign: each has its icon, and the words say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tone {
    /// It was done.
    Good,
    /// It was done, but look here.
    Warning,
    /// It was not done.
    Bad,
}

impl Tone {
    /// The class that colours it.
    #[must_use]
    pub const fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Warning => "warning",
            Self::Bad => "bad",
        }
    }

    /// The icon that marks it.
    #[must_use]
    pub const fn icon(self) -> &'static str {
        match self {
            Self::Good => "check",
            Self::Warning => "warning",
            Self::Bad => "cross",
        }
    }
}

/// One message, with a link when there is something to go and see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// How it is meant.
    pub tone: Tone,
    /// What happened.
    pub text: String,
    /// A local path and the words of its link.
    pub link: Option<(String, String)>,
}

impl Message {
    /// A message without a link.
    pub fn new(tone: Tone, text: impl Into<String>) -> Self {
        Self { tone, text: text.into(), link: None }
    }

    /// The same message with a link.
    #[must_use]
    pub fn linked(mut self, path: impl Into<String>, words: impl Into<String>) -> Self {
        self.link = Some((path.into(), words.into()));
        self
    }
}

/// The place of messages, top right. A good one goes after six seconds (by the stylesheet); the others stay until they are closed.
#[component]
pub fn Toast(
    /// The message to show, if any.
    #[prop(into)]
    message: Signal<Option<Message>>,
) -> impl IntoView {
    // Which message was closed: the next one shows again.
    let closed = RwSignal::new(None::<Message>);
    let shown =
        move || message.get().filter(|message| closed.with(|closed| closed.as_ref() != Some(message)));
    Effect::new(move || {
        message.track();
        closed.set(None);
    });
    view! {
        <div class="toasts" role="status" aria-live="polite">
            {move || {
                shown()
                    .map(|message| {
                        let close = message.clone();
                        view! {
                            <div class=format!("toast {}", message.tone.class())>
                                <Icon name=message.tone.icon() />
                                <p>
                                    {message.text}
                                    {message.link.map(|(path, words)| view! { " " <a href=path>{words}</a> })}
                                </p>
                                <button
                                    type="button"
                                    class="quiet toast-close"
                                    on:click=move |_| closed.set(Some(close.clone()))
                                >
                                    <Icon name="cross" />
                                    <span class="visually-hidden">"Close"</span>
                                </button>
                            </div>
                        }
                    })
            }}
        </div>
    }
}
