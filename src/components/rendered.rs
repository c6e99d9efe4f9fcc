//! Pages that the server renders and the browser only shows.
//!
//! A page of figures, tables and plain forms has nothing to bring to life. Its server function answers the markup itself, made by the same
//! `view!` as any page, and the browser puts it in place: links go through the router as everywhere, forms are sent as a browser without
//! JavaScript sends them. What such a page looks like then costs the WASM file nothing.

use leptos::{html, prelude::*};
use serde::{Deserialize, Serialize};

use super::{Message, Toast};

/// A page as the server rendered it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rendered {
    /// The markup. Foreign text in it is escaped, as `view!` does.
    html: String,
    /// What came of the form that led here.
    message: Option<Message>,
    /// Whether it goes on changing: it is asked for again every two seconds.
    live: bool,
    /// The topics that it is about, between spaces: when one of them changes, it is asked for again.
    topics: String,
}

#[cfg(feature = "ssr")]
impl Rendered {
    /// The page of that view.
    pub fn new(view: impl IntoView) -> Self {
        Self { html: view.into_view().to_html(), message: None, live: false, topics: String::new() }
    }

    /// The same page under a message.
    #[must_use]
    pub fn with_message(mut self, message: Option<Message>) -> Self {
        self.message = message;
        self
    }

    /// The same page, asked for again when one of these topics changes, which stand between spaces.
    #[must_use]
    pub fn about(mut self, topics: &str) -> Self {
        topics.clone_into(&mut self.topics);
        self
    }

    /// The same page, asked for again while `live`.
    #[must_use]
    pub fn live(mut self, live: bool) -> Self {
        self.live = live;
        self
    }
}

impl Rendered {
    /// The topics that it is about, between spaces.
    #[must_use]
    pub fn topics(&self) -> &str {
        &self.topics
    }

    /// Whether it goes on changing.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        self.live
    }
}

/// The page in place.
#[component]
pub fn RenderedView(
    /// The page.
    rendered: Rendered,
) -> impl IntoView {
    let element = NodeRef::<html::Div>::new();
    super::moment::localise_inside(element);
    keep_focus(element);
    let message = rendered.message;
    view! {
        <Toast message=Signal::derive(move || message.clone()) />
        // Only a browser without JavaScript reads what is inside <noscript>: there a live page reloads itself. The content is set as text,
        // because a browser with JavaScript holds no elements there that could be brought to life.
        {rendered.live.then(|| view! { <noscript inner_html="<meta http-equiv=\"refresh\" content=\"3\">"></noscript> })}
        <div node_ref=element inner_html=rendered.html on:submit=|event| once(&event)></div>
    }
}

/// When the page is put in place anew, the focus stays at the element with the same id.
fn keep_focus(element: NodeRef<html::Div>) {
    #[cfg(feature = "hydrate")]
    {
        use wasm_bindgen::JsCast as _;

        let id = document().active_element().map(|focus| focus.id()).filter(|id| !id.is_empty());
        Effect::new(move || {
            let (Some(page), Some(id)) = (element.get(), &id) else { return };
            let lost = document().active_element().is_none_or(|focus| focus.tag_name() == "BODY");
            let again = document().get_element_by_id(id).filter(|again| lost && page.contains(Some(again)));
            if let Some(again) = again.and_then(|again| again.dyn_into::<web_sys::HtmlElement>().ok()) {
                // Where the browser refuses, the focus is at the beginning of the page, as without this.
                drop(again.focus());
            }
        });
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = element;
}

/// A form that changes something is sent once: its button shows that it is being worked on, and a second press does nothing.
fn once(event: &leptos::ev::SubmitEvent) {
    #[cfg(feature = "hydrate")]
    {
        use wasm_bindgen::JsCast as _;

        /// When the answer has not come by then, it may be tried again.
        const PATIENCE: std::time::Duration = std::time::Duration::from_secs(15);
        let form = event.target().and_then(|form| form.dyn_into::<web_sys::Element>().ok());
        let Some(form) = form.filter(|form| form.get_attribute("method").as_deref() == Some("post")) else {
            return;
        };
        if form.has_attribute("data-sent") {
            event.prevent_default();
            return;
        }
        // Nothing is lost but the sign when the browser refuses one of these.
        drop(form.set_attribute("data-sent", ""));
        if let Some(button) = event.submitter() {
            drop(button.class_list().add_1("working"));
            drop(button.set_attribute("aria-disabled", "true"));
            set_timeout(
                move || {
                    drop(form.remove_attribute("data-sent"));
                    drop(button.class_list().remove_1("working"));
                    drop(button.remove_attribute("aria-disabled"));
                },
                PATIENCE,
            );
        }
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = event;
}
