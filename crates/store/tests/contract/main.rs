//! The store's contract, kept by SQLite and by Postgres alike: every test runs on both.
//!
//! Postgres is the server named by `ROLLCALL_TEST_POSTGRES`, the address of a superuser of a throw-away cluster
//! (`scripts/postgres start DIR` makes one and prints it). Each test makes a database of its own there. Without that variable the tests
//! on Postgres fail: nothing is skipped silently.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends by panicking; Clippy excuses the test functions, but not what they share"
)]

mod support;

mod access;
mod additions;
mod administration;
mod conflicts;
mod cursors;
mod exceptions;
mod group_lists;
mod groups;
mod held;
mod leases;
mod mirror;
mod mirror_groups;
mod mirror_rounds;
mod opening;
mod recycle_bin;
mod run_changes;
mod runs;
mod schedules;
mod schema;
mod scope;
mod search;
mod services;
mod statements;
mod switching;
mod take_overs;
mod upgrade;
mod user_lists;
mod users;
