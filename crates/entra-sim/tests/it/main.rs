//! The simulator over real HTTP, each test with a tenant of its own.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod assertions;
mod batch;
mod changes;
mod company;
mod control;
mod delta;
mod delta_rounds;
mod discovery;
mod graph;
mod graph_client;
mod import;
mod members;
mod msal_node;
mod node;
mod program;
mod queries;
mod several;
mod support;
mod throttling;
mod tokens;
