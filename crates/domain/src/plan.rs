//! Who is synced, under which addresses, and what has to change for that: `admit` → `settle` → `diff`.
//!
//! Three pure functions that every caller shares: a run, and later the preview and the "why is this person here" page.

mod admit;
mod diff;
mod settle;

pub use admit::{Admission, ByHand, ManagedDomains, Out, Rules, admit};
pub use diff::{Desired, Present, differs};
pub use settle::{Claim, Claimant, Rank, winner};
