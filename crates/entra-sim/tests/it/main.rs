//! The simulator over real HTTP, each test with a tenant of its own.

mod graph;
mod support;
