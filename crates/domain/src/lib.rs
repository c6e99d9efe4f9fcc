//! What is true of users, addresses, settings and runs without any I/O.
//!
//! Both sides of the portal use this crate: the server to decide, the browser to name things with the same words. Nothing here reads a
//! clock, draws a random number or opens a connection; those come in through [`Clock`] and [`Random`].
//!
//! - [`address`]: mail addresses and domains, and the rules by which a directory object's addresses are read;
//! - [`object`]: what a directory says about a user, in one shape for every directory service;
//! - [`settings`]: a customer's directory-service settings, their defaults, labels and field errors;
//! - [`plan`]: who is synced, under which addresses, and what has to change for that;
//! - [`conflict`]: users that are not delivered any more, and when one of them is deleted;
//! - [`guard`]: how many removals are too many;
//! - [`group`]: what a directory says about a group;
//! - [`run`]: the words for a sync: trigger, phase, outcome, counts, notices;
//! - [`role`]: what an administrator may do; [`service`]: directory services and the source of a user.

pub mod address;
pub mod chance;
pub mod check;
pub mod conflict;
pub mod group;
pub mod guard;
pub mod moment;
mod named;
pub mod number;
pub mod object;
pub mod plan;
pub mod role;
pub mod run;
pub mod secret;
pub mod service;
pub mod settings;
#[cfg(feature = "testing")]
pub mod testing;

pub use chance::Random;
pub(crate) use named::named;

pub use moment::{Clock, Timestamp};
pub use secret::Secret;
