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

mod support;

mod administrators;
mod clashes;
mod connect;
mod filter_preview;
mod interruptions;
mod recorded;
mod rules;
mod runs;
mod settings_file;
