//! The help page on custom filters, which the Connect page opens in a new tab.
//!
//! It says nothing about anybody's directory, so everybody may read it. The server writes all of it; nothing in it has to come to life, and as
//! views it would weigh on the WebAssembly of every page. Its table comes from the capability table that also judges a filter, so that the
//! page never promises what the field refuses.

use leptos::prelude::*;
use leptos_meta::Title;

/// The page.
#[component]
pub(super) fn CustomFilters() -> impl IntoView {
    // In the browser the content stands in the document already, and stays as it is.
    #[cfg(feature = "ssr")]
    let content = server::content();
    #[cfg(not(feature = "ssr"))]
    let content = "";
    view! {
        <Title text="Custom Filters" />
        <main class="alone wide help-page" id="content" inner_html=content></main>
    }
}

#[cfg(feature = "ssr")]
mod server;
