//! From page to page of a list, by address: without JavaScript, with the back button, and as a bookmark.

use leptos::prelude::*;

/// Links to the previous and the next page; where there is none, the word stands greyed.
#[component]
pub fn Pager(
    /// The address of the previous page.
    previous: Option<String>,
    /// The address of the next page.
    next: Option<String>,
    /// What stands between them, such as `1–50 of 1,812`.
    #[prop(into)]
    place: String,
    /// The words of the way back, where it leads further than one page.
    #[prop(default = "Previous")]
    back: &'static str,
) -> impl IntoView {
    let step = |path: Option<String>, words: &'static str, rel: &'static str| match path {
        Some(path) => view! { <a class="button" href=path rel=rel>{words}</a> }.into_any(),
        None => view! { <span class="button disabled" aria-hidden="true">{words}</span> }.into_any(),
    };
    view! {
        <nav class="pager" aria-label="Pages">
            {step(previous, back, "prev")}
            <span class="soft">{place}</span>
            {step(next, "Next", "next")}
        </nav>
    }
}
