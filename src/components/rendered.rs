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
    let message = rendered.message;
    view! {
        <Toast message=Signal::derive(move || message.clone()) />
        // Only a browser without JavaScript reads what is inside <noscript>: there a live page reloads itself. The content is set as text,
        // because a browser with JavaScript holds no elements there that could be brought to life.
        {rendered.live.then(|| view! { <noscript inner_html="<meta http-equiv=\"refresh\" content=\"3\">"></noscript> })}
        <div node_ref=element inner_html=rendered.html></div>
    }
}
