//! A run of the sync: from the lease to the summary.
//!
//! A run goes through these steps, each in a file of its own:
//!
//! 1. `start`: the lease is taken, what a dead process left is tidied up, and the run's row is written. From here on pages show it.
//! 2. `fetch`: the directory is read page by page into the mirror. Each page is committed with the checkpoint behind it.
//! 3. `apply`: once the read is complete, whoever is new or changed in the mirror is decided about and written, chunk by chunk. A read
//!    that fails changes no user.
//! 4. `drive`: the run's row gets its outcome and summary, and the lease is given back.
//!
//! A run that is killed at any point loses nothing: the next one reads on from the checkpoint, and what was not applied is still marked in
//! the mirror. Nobody is ever removed here.

mod apply;
mod chunk;
mod drive;
mod fetch;
mod owner;
mod plan_rules;
mod report;
mod scene;
mod start;

pub(crate) use owner::Owner;
pub(crate) use plan_rules::hold_plan;
pub use report::{Changes, Read, RunReport};
pub use start::{Running, StartRefused, run_to_end};
