//! A run of the sync: from the lease to the summary.
//!
//! A run goes through these steps, each in a file of its own:
//!
//! 1. `start`: the lease is taken, what a dead process left is tidied up, and the run's row is written. From here on pages show it.
//! 2. `fetch`: the directory is read page by page into the mirror. Each page is committed with the cursor behind it. A read that fails
//!    changes no user.
//! 3. `guard`: the first pass over what is marked in the mirror counts what would go, and decides how much of that may.
//! 4. `apply`: the second pass decides chunk by chunk and writes. `chunk` gathers whoever has a part in a decision, `scene` says who gets
//!    which address, `resolve` turns that into rows and history. Then the same for `groups`.
//! 5. `deletions`: users in conflict whose time has come are deleted.
//! 6. `drive`: the run's row gets its outcome and summary, and the lease is given back.
//!
//! What a run did to users can be taken back: [`undo`].
//!
//! A run that is killed at any point loses nothing: the next one reads on from the cursor, and what was not applied is still marked in the
//! mirror.

mod apply;
mod at_once;
mod cancel;
mod chunk;
mod deletions;
mod drive;
mod fetch;
mod groups;
mod guard;
mod handover;
mod owner;
mod plan_rules;
mod report;
mod resolve;
mod scene;
mod start;
pub mod undo;

pub(crate) use at_once::settle_addition;
pub use cancel::cancel;
pub(crate) use fetch::unread;
pub(crate) use handover::{Foreseen, foresee, on_premises_id};
pub(crate) use owner::Owner;
pub(crate) use plan_rules::{BY_HAND, Proposed, hold_plan};
pub use plan_rules::{Verdict, explain};
pub use report::{Changes, Read, RunReport};
pub use start::{Running, StartRefused, run_to_end};
