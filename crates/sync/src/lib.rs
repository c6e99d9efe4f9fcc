//! One run of the sync, step by step, and every change that an administrator makes.
//!
//! The pages of the portal and its command line both call this crate, so that a change has one meaning wherever it comes from. Each change
//! is one function that writes the change, its audit entry and the topic version that wakes open pages in one transaction. A run
//! ([`run`]) reads a directory service into the mirror and brings the portal's users in line with it.
//!
//! - [`Engine`]: what a run and a change need: the store, the HTTP client, the endpoints, time and chance;
//! - [`connect`]: Test and Save of a connection to an Entra ID tenant;
//! - [`filter_preview`]: what a custom filter would do, before it is saved;
//! - [`rules`]: managed domains and the deletion guard's limits;
//! - [`settings_file`]: the same settings as a file, for the command line;
//! - [`run`]: starting, running and reporting a sync;
//! - [`conflicts`]: users that the directory does not deliver any more, and what is decided about them;
//! - [`held`]: what the deletion guard holds;
//! - [`exceptions`], [`additions`]: what the sync leaves out or takes in by hand;
//! - [`take_overs`]: Manual users whose address the directory delivers;
//! - [`recycle_bin`]: bringing a deleted user back;
//! - [`schedule`]: when the next sync is due, and starting those that are;
//! - [`health`]: how the sync of a customer is doing;
//! - [`exports`]: what is handed out as CSV;
//! - [`customers`]: whose directories are read;
//! - [`manual_users`]: people who are entered by hand, and anybody's service on and off;
//! - [`administrators`]: who may sign in, and as what.
//!
//! What may be refused for a reason that an administrator can cure comes back as a value (`Ok(Err(refused))`), with words; a
//! [`SyncError`] is what went wrong beneath.

pub mod additions;
pub mod administrators;
pub mod conflicts;
pub mod connect;
mod csv;
pub mod customers;
mod engine;
mod error;
pub mod exceptions;
pub mod exports;
mod filter;
pub mod filter_preview;
pub mod health;
pub mod held;
pub mod manual_users;
pub mod recycle_bin;
pub mod rules;
pub mod run;
pub mod schedule;
pub mod settings_file;
pub mod take_overs;

pub use engine::{Actor, Engine};
pub use error::SyncError;
