//! Fields of a form: a label, the control, its help and its error, tied together for a screen reader.

use leptos::prelude::*;

use super::markup::inside_of_area;

/// The error below a field, and nothing where there is none.
fn error_line(id: &'static str, error: Signal<Option<String>>) -> impl IntoView {
    view! {
        <p class="field-error" id=format!("{id}-error") hidden=move || error.with(Option::is_none)>
            {move || error.get()}
        </p>
    }
}

/// What describes the control: its help and, when there is one, its error.
fn described(id: &'static str, error: Signal<Option<String>>) -> impl Fn() -> String {
    move || if error.with(Option::is_some) { format!("{id}-error {id}-help") } else { format!("{id}-help") }
}

/// A line or an area of text.
#[component]
pub fn TextField(
    /// The control's id and name.
    name: &'static str,
    /// The label, word for word.
    label: &'static str,
    /// What stands in it at first.
    #[prop(into)]
    value: String,
    /// The error to show below it.
    #[prop(into)]
    error: Signal<Option<String>>,
    /// `text`, `password`, `date`, `email`; `area` for several lines.
    #[prop(default = "text")]
    kind: &'static str,
    /// What the browser may fill in by itself.
    #[prop(default = "off")]
    autocomplete: &'static str,
    /// Whether it cannot be changed.
    #[prop(default = false)]
    locked: bool,
    /// The input, for code that has to reach it.
    #[prop(optional)]
    node_ref: NodeRef<leptos::html::Input>,
    /// The help below it.
    children: Children,
) -> impl IntoView {
    let invalid = move || error.with(Option::is_some).then_some("true");
    let control = if kind == "area" {
        view! {
            <textarea
                id=name
                name=name
                rows="3"
                spellcheck="false"
                readonly=locked
                aria-invalid=invalid
                aria-describedby=described(name, error)
                inner_html=inside_of_area(&value)
            ></textarea>
        }
        .into_any()
    } else {
        view! {
            <input
                id=name
                name=name
                type=kind
                value=value
                node_ref=node_ref
                autocomplete=autocomplete
                autocapitalize="none"
                spellcheck="false"
                readonly=locked
                aria-invalid=invalid
                aria-describedby=described(name, error)
            />
        }
        .into_any()
    };
    view! {
        <div class="field">
            <label for=name>{label}</label>
            {control}
            {error_line(name, error)}
            <div class="help" id=format!("{name}-help")>{children()}</div>
        </div>
    }
}

/// A choice of a list.
#[component]
pub fn SelectField(
    /// The control's id and name.
    name: &'static str,
    /// The label, word for word.
    label: &'static str,
    /// The choices: value and words.
    choices: Vec<(&'static str, &'static str)>,
    /// The value that is chosen at first.
    #[prop(into)]
    value: String,
    /// The error to show below it.
    #[prop(into)]
    error: Signal<Option<String>>,
    /// Whether it cannot be changed.
    #[prop(default = false)]
    locked: bool,
    /// The help below it.
    children: Children,
) -> impl IntoView {
    let options = choices.into_iter().map(|(choice, words)| {
        view! { <option value=choice selected=choice == value>{words}</option> }
    });
    view! {
        <div class="field">
            <label for=name>{label}</label>
            <select id=name name=name disabled=locked aria-describedby=described(name, error)>
                {options.collect_view()}
            </select>
            {error_line(name, error)}
            <div class="help" id=format!("{name}-help")>{children()}</div>
        </div>
    }
}

/// A switch.
#[component]
pub fn Checkbox(
    /// The control's id and name.
    name: &'static str,
    /// The label, word for word.
    label: &'static str,
    /// Whether it is on at first.
    checked: bool,
    /// Whether it cannot be changed.
    #[prop(default = false)]
    locked: bool,
    /// The help below it.
    children: Children,
) -> impl IntoView {
    view! {
        <div class="field checkbox">
            <input
                id=name
                name=name
                type="checkbox"
                value="on"
                checked=checked
                disabled=locked
                aria-describedby=format!("{name}-help")
            />
            <label for=name>{label}</label>
            <div class="help" id=format!("{name}-help")>{children()}</div>
        </div>
    }
}
