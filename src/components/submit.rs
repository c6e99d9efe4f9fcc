//! Submit buttons.

use leptos::prelude::*;

/// A submit button that shows when its work takes long and cannot be pressed twice meanwhile.
#[component]
pub fn Submit(
    /// The button's words.
    label: &'static str,
    /// Whether the form is being worked on.
    #[prop(into)]
    pending: Signal<bool>,
    /// The name that the form sends with the button, and its value.
    #[prop(optional)]
    value: Option<(&'static str, &'static str)>,
    /// Further classes.
    #[prop(default = "")]
    class: &'static str,
) -> impl IntoView {
    let (name, value) = value.unzip();
    view! {
        <button
            type="submit"
            class=format!("button {class}")
            class:working=pending
            name=name
            value=value
            aria-disabled=move || if pending.get() { "true" } else { "false" }
            on:click=move |event| {
                if pending.get_untracked() {
                    event.prevent_default();
                }
            }
        >
            {label}
        </button>
    }
}
