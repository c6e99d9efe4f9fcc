//! Runs and changes, against the real Graph client, a simulated tenant over HTTP and a real database.
//!
//! What depends on the database runs on both engines. Postgres is the server named by `ROLLCALL_TEST_POSTGRES`, the address of a superuser of a
//! throw-away cluster (`scripts/postgres start DIR` makes one and prints it). Without it those tests fail: nothing is skipped silently.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends by panicking; Clippy excuses the test functions, but not what they share"
)]

mod scenario;
mod support;

mod administrators;
mod by_hand;
mod clashes;
mod connect;
mod customers;
mod delta;
mod exceptions_and_additions;
mod faults;
mod filter_preview;
mod groups;
mod guard;
mod history;
mod interruptions;
mod life_cycle;
mod manual_users;
mod preview;
mod recorded;
mod returns;
mod rules;
mod runs;
mod schedule;
mod settings_file;
mod switch;
mod team;
mod two_administrators;
mod undo;
