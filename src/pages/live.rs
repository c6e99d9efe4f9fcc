//! Pages that stay up to date: the browser's end of the stream of topic versions (`/customers/{slug}/live`), and cancelling a run.
//!
//! The stream says which topics of the customer are at which version, and how a running sync is doing. A page names the topics that it is about;
//! when one of them rises, it asks its own server function again, at most every two seconds. While nobody sees the page, the stream is closed.
//! Without JavaScript there is none: pages are as of their load then, and a running sync's page reloads itself.

use leptos::prelude::*;

use crate::error::AppError;

/// How long a page waits at least from one refetch to the next, in milliseconds.
const PAUSE_MS: u64 = 2_000;

/// What the stream said last.
#[derive(Clone, Copy)]
pub(super) struct Live {
    /// Each topic with its version; nothing before anything was heard. A customer for whom nothing was done yet has no topic.
    versions: RwSignal<Option<Vec<(String, i64)>>>,
    /// How the running sync is doing, in words; empty while none is running.
    pub(super) progress: RwSignal<String>,
}

impl Live {
    /// Nothing was heard yet.
    pub(super) fn new() -> Self {
        Self { versions: RwSignal::default(), progress: RwSignal::default() }
    }

    /// Takes the versions that a page was rendered from, unless the stream has said more already.
    pub(super) fn begin(self, message: &str) {
        if self.versions.with_untracked(Option::is_none) {
            self.hear(message);
        }
    }

    /// Takes in a message: a line for each topic, its name and its version, and one that begins with `progress`.
    pub(super) fn hear(self, message: &str) {
        let mut progress = "";
        let mut versions = Vec::new();
        for (name, rest) in message.lines().filter_map(|line| line.split_once(' ')) {
            match rest.parse() {
                Ok(version) if name != "progress" => versions.push((name.to_owned(), version)),
                _ if name == "progress" => progress = rest,
                _ => {}
            }
        }
        let versions = Some(versions);
        if self.versions.with_untracked(|before| *before != versions) {
            self.versions.set(versions);
        }
        if self.progress.with_untracked(|before| before != progress) {
            self.progress.set(progress.to_owned());
        }
    }

    /// The versions of these topics, which stand between spaces, added up: it rises when one of them does. `*` stands for all. Nothing before
    /// anything was heard.
    fn sum(self, topics: &str) -> Option<i64> {
        self.versions.with(|versions| {
            let about = |name: &str| topics == "*" || topics.split(' ').any(|topic| topic == name);
            let versions = versions.as_ref()?;
            Some(versions.iter().filter(|(name, _)| about(name)).map(|(_, version)| version).sum())
        })
    }
}

/// Calls `act` when one of the topics rises: not before the page's own content was there, at most every two seconds, and not while somebody
/// writes in a field, which the new content would replace.
pub(super) fn when_changed(topics: impl Fn() -> String + 'static, act: impl Fn() + Copy + 'static) {
    let Some(live) = use_context::<Live>() else { return };
    let waiting = StoredValue::new(false);
    Effect::new(move |before: Option<(String, Option<i64>)>| {
        let topics = topics();
        let sum = live.sum(&topics);
        let risen = before.is_some_and(|(before, seen)| before == topics && seen.is_some() && seen < sum);
        if risen && !topics.is_empty() && !waiting.get_value() {
            waiting.set_value(true);
            act_after_a_pause(waiting, act);
        }
        (topics, sum)
    });
}

fn act_after_a_pause(waiting: StoredValue<bool>, act: impl Fn() + Copy + 'static) {
    let pause = std::time::Duration::from_millis(PAUSE_MS);
    set_timeout(
        move || {
            // The page may have been left meanwhile.
            if waiting.try_get_value().is_none() {
                return;
            }
            if is_busy() {
                act_after_a_pause(waiting, act);
            } else {
                waiting.set_value(false);
                act();
            }
        },
        pause,
    );
}

/// Whether the focus is in a field, or a button is being pressed: what is replaced under a press never hears of it.
pub(super) fn is_busy() -> bool {
    let focus = document().active_element();
    let writing =
        focus.is_some_and(|element| ["INPUT", "TEXTAREA", "SELECT"].contains(&element.tag_name().as_str()));
    writing || document().query_selector("main button:active").is_ok_and(|pressed| pressed.is_some())
}

/// Keeps the stream of the customer open while the page is visible.
pub(super) fn listen(slug: Memo<String>, live: Live) {
    #[cfg(feature = "hydrate")]
    {
        use wasm_bindgen::{JsCast as _, JsValue, closure::Closure};
        use web_sys::{EventSource, MessageEvent};

        let open = StoredValue::new_local(None::<EventSource>);
        let close = move || {
            open.try_update_value(|open| {
                if let Some(source) = open.take() {
                    source.close();
                }
            });
        };
        let hidden = RwSignal::new(document().hidden());
        let visibility =
            window_event_listener_untyped("visibilitychange", move |_| hidden.set(document().hidden()));
        Effect::new(move || {
            close();
            let address = format!("/customers/{}/live", slug.get());
            if hidden.get() {
                return;
            }
            // Where it cannot be opened, the page is as of its load.
            let Ok(source) = EventSource::new(&address) else { return };
            let hear: Closure<dyn FnMut(MessageEvent)> = Closure::new(move |event: MessageEvent| {
                if let Some(message) = event.data().as_string() {
                    live.hear(&message);
                }
            });
            let hear: JsValue = hear.into_js_value();
            source.set_onmessage(Some(hear.unchecked_ref()));
            open.set_value(Some(source));
        });
        on_cleanup(move || {
            visibility.remove();
            close();
        });
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = (slug, live);
}

/// Cancels a run.
#[server(endpoint = "cancel_run")]
async fn cancel_run(slug: String, run: String) -> Result<(), AppError> {
    use domain::role::Role;

    use super::customer_path;
    use crate::{
        access,
        components::{Message, Tone},
    };

    let desk = access::require(&slug, Role::Operator).await?;
    let Ok(id) = run.parse() else { return Err(access::not_found()) };
    let cancelled = sync::run::cancel(&desk.portal.engine, &desk.customer, &desk.actor(), id).await;
    let message = if cancelled.map_err(|error| access::sync_error(&error))? {
        Message::new(Tone::Good, "The sync was cancelled. What it had written stays.")
    } else {
        Message::new(Tone::Warning, "The sync had ended already.")
    };
    let path = customer_path(&slug, &format!("sync-history/{run}"));
    access::answer(&desk.portal, &desk.session, &path, message).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_tells_versions_and_how_the_sync_is_doing() {
        let owner = Owner::new();
        owner.set();
        let live = Live::new();
        assert_eq!(live.sum("*"), None, "nothing was heard yet");
        live.hear("users 3\nruns 7\nnonsense\nprogress Reading the directory");
        assert_eq!((live.sum("users"), live.sum("users runs"), live.sum("*")), (Some(3), Some(10), Some(10)));
        assert_eq!((live.sum("groups"), live.sum("")), (Some(0), Some(0)));
        assert_eq!(live.progress.get_untracked(), "Reading the directory");
        live.hear("users 4");
        assert_eq!((live.sum("*"), live.progress.get_untracked()), (Some(4), String::new()));
    }
}
