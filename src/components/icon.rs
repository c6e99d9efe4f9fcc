//! Icons, from one sprite.

use leptos::prelude::*;

/// An icon of the sprite in `public/icons.svg`, beside words that say the same.
#[component]
pub fn Icon(
    /// The symbol's id.
    name: &'static str,
) -> impl IntoView {
    view! {
        <svg class="icon" aria-hidden="true" focusable="false">
            <use href=format!("/icons.svg#{name}")></use>
        </svg>
    }
}
