//! Tests of the public interface, one module per promise.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests may panic like the tests themselves"
)]

mod examples;
mod exercise;
mod explain;
mod generate;
mod grammar;
mod ldap;
mod messages;
mod oracle;
mod properties;
mod suggestions;
