//! A model test: random histories of tenant changes, rule changes, decisions and clock moves, played on the real engine (over HTTP, against a
//! simulated tenant and a real database) and on a reference that is simple enough to be believed ([`sync`], [`addresses`], [`groups`]). After
//! every sync both portals must be the same, and what must hold in any case must hold ([`compare`]).
//!
//! `cargo test` plays the same few histories each time; with `ROLLCALL_SOAK` set it plays thousands of new ones. A history that fails is
//! shortened, and printed with its number; `ROLLCALL_HISTORY=<number>` plays that one alone, on SQLite or, with `ROLLCALL_HISTORY_ON=postgres`,
//! on Postgres.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test ends by panicking, and tells on its standard output what it played; Clippy excuses the test functions, but not what they share"
)]

mod addresses;
mod changes;
mod compare;
mod decisions;
mod groups;
mod play;
mod portal;
mod runs;
mod steps;
mod sync;
mod tenant;
mod world;

use play::play_many;
use world::Database;

/// Histories of `cargo test`, and of a soak.
const SQLITE: (u64, u64) = (50, 8_000);
const POSTGRES: (u64, u64) = (20, 2_000);

#[test]
fn random_histories_on_sqlite_end_as_the_reference_says() {
    play_many(Database::Sqlite, SQLITE);
}

#[test]
fn random_histories_on_postgres_end_as_the_reference_says() {
    play_many(Database::Postgres, POSTGRES);
}
