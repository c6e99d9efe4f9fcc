//! Rollcall, the portal: one codebase for the server that renders the pages and the WASM that brings them to life.
//!
//! - [`pages`]: the screens, each a component with its server functions beside it; the shell and the routes;
//! - [`components`]: what several screens share;
//! - [`error`]: what can go wrong between the browser and the server, as codes;
//! - `access` (server): who may do what: sessions, sign-in, `require(slug, role)`;
//! - `server` (server): the HTTP side: configuration, router, middleware, clock.
//!
//! Who may know whom: `components ← pages ← server ← main`, and `access ← pages`. In `pages`, server-only names are used inside `#[server]`
//! bodies alone, which the browser's build drops.

#![recursion_limit = "512"]

#[cfg(feature = "ssr")]
pub mod access;
pub mod components;
pub mod error;
pub mod pages;
#[cfg(feature = "ssr")]
pub mod server;

/// Brings the server-rendered page to life. The script that loads the WASM calls it.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_body(pages::App);
}
