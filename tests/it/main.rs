//! The portal's server, whole: router, middleware, access, pages, sync and store, against a simulated tenant over HTTP. A module per subject.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod access_matrix;
mod administration;
mod by_hand;
mod command_line;
mod connect;
mod groups;
mod history;
mod kills;
mod lists;
mod live;
mod metrics;
mod running;
mod sessions;
mod support;
mod users;
mod walls;
mod web;
