//! Moments on a page: the server says them in words, the browser adds the reader's own time zone.

use leptos::{html, prelude::*};
use serde::{Deserialize, Serialize};

/// A moment as a page shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// RFC 3339 in UTC.
    pub datetime: String,
    /// In words, such as `4 min ago`.
    pub words: String,
    /// In full, in UTC.
    pub full: String,
}

#[cfg(feature = "ssr")]
impl Moment {
    /// How the moment reads at `now`.
    #[must_use]
    pub fn at(moment: domain::Timestamp, now: domain::Timestamp) -> Self {
        use domain::Timestamp;
        let ago = now.since(moment);
        let words = if ago < 0 {
            moment.words()
        } else if ago < Timestamp::MINUTE {
            "just now".to_owned()
        } else if ago < Timestamp::HOUR {
            format!("{} min ago", ago / Timestamp::MINUTE)
        } else if ago < Timestamp::DAY {
            format!("{} h ago", ago / Timestamp::HOUR)
        } else if ago < 7 * Timestamp::DAY {
            super::counted(ago / Timestamp::DAY, "day ago", "days ago")
        } else {
            domain::moment::day_words(moment.date())
        };
        Self { datetime: moment.rfc3339(), words, full: moment.words() }
    }
}

/// A moment in words, with the exact time on hover.
#[component]
pub fn MomentView(
    /// The moment.
    moment: Moment,
) -> impl IntoView {
    let element = NodeRef::<html::Time>::new();
    localise(element, moment.datetime.clone());
    view! {
        <time node_ref=element datetime=moment.datetime title=moment.full>
            {moment.words}
        </time>
    }
}

/// In the browser, the title becomes the exact time in the reader's own zone and language.
fn localise(element: NodeRef<html::Time>, datetime: String) {
    #[cfg(feature = "hydrate")]
    Effect::new(move || {
        if let Some(element) = element.get() {
            element.set_title(&local_words(&datetime));
        }
    });
    #[cfg(not(feature = "hydrate"))]
    let _ = (element, datetime);
}

/// The same for every moment inside an element that the server has rendered.
pub(super) fn localise_inside(element: NodeRef<html::Div>) {
    #[cfg(feature = "hydrate")]
    Effect::new(move || {
        let Some(element) = element.get() else { return };
        let times = element.get_elements_by_tag_name("time");
        for time in (0..times.length()).filter_map(|at| times.item(at)) {
            if let Some(datetime) = time.get_attribute("datetime") {
                // Only the title is lost where the browser refuses.
                drop(time.set_attribute("title", &local_words(&datetime)));
            }
        }
    });
    #[cfg(not(feature = "hydrate"))]
    let _ = element;
}

#[cfg(feature = "hydrate")]
fn local_words(datetime: &str) -> String {
    let date = js_sys::Date::new(&datetime.into());
    String::from(date.to_locale_string("default", &wasm_bindgen::JsValue::UNDEFINED))
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use domain::Timestamp;

    use super::*;

    #[test]
    fn a_moment_reads_as_a_colleague_would_say_it() {
        let now = Timestamp(1_795_497_766_000);
        let said = |ago: i64| Moment::at(now.plus(-ago), now).words;
        assert_eq!(said(0), "just now");
        assert_eq!(said(4 * Timestamp::MINUTE), "4 min ago");
        assert_eq!(said(3 * Timestamp::HOUR), "3 h ago");
        assert_eq!(said(Timestamp::DAY), "1 day ago");
        assert_eq!(said(6 * Timestamp::DAY), "6 days ago");
        assert_eq!(said(7 * Timestamp::DAY), "17 Nov 2026");
        assert_eq!(said(-Timestamp::MINUTE), "24 Nov 2026, 05:23 UTC");
    }
}
