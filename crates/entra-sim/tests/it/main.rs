//! The simulator over real HTTP, each test with a tenant of its own.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod assertions;
mod company;
mod control;
mod delta;
mod discovery;
mod graph;
mod import;
mod msal_node;
mod program;
mod support;
mod tokens;
