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
//! - [`administrators`]: who may sign in, and as what.
//!
//! What may be refused for a reason that an administrator can cure comes back as a value (`Ok(Err(refused))`), with words; a
//! [`SyncError`] is what went wrong beneath.

pub mod administrators;
pub mod connect;
mod engine;
mod error;
mod filter;
pub mod filter_preview;
pub mod rules;
pub mod run;
pub mod settings_file;

pub use engine::{Actor, Engine};
pub use error::SyncError;
