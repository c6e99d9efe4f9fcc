//! Fields old and new, as the run page and the audit log show them.

use leptos::prelude::*;
use store::Change;

/// A line for each field: what it is called, the value before, the value after.
pub(super) fn changed_fields(changes: Vec<Change>) -> impl IntoView {
    let none = || view! { <span class="soft">"none"</span> }.into_any();
    let lines = changes.into_iter().map(|Change { field, old, new }| {
        let old = if old.is_empty() { none() } else { view! { <del><bdi>{old}</bdi></del> }.into_any() };
        let new = if new.is_empty() { none() } else { view! { <ins><bdi>{new}</bdi></ins> }.into_any() };
        view! { <li><span class="soft">{field}</span>" "{old}" → "{new}</li> }
    });
    view! { <ul class="plain fields">{lines.collect_view()}</ul> }
}
