//! The deletion guard: how many removals are too many to happen without a look.

use serde::{Deserialize, Serialize};

use crate::{named, settings::GuardLimits};

/// What the guard counts, each apart from the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Guarded {
    /// Synced users that would become conflicts.
    Removal,
    /// Users in conflict that would be deleted.
    Deletion,
    /// Groups that would leave.
    Group,
}
named!(Guarded { Removal = "removal", Deletion = "deletion", Group = "group" });

/// What was decided about a held object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Nothing: it waits.
    #[default]
    Waiting,
    /// It may happen.
    Approved,
    /// It must not happen: the object stays as delivered, until the directory delivers it again.
    Dismissed,
}
named!(Decision { Waiting = "waiting", Approved = "approved", Dismissed = "dismissed" });

impl GuardLimits {
    /// Whether `new` removals, after `recent` ones that happened without an approval in the last 24 hours, are to be held. `present` is how
    /// many objects there are before the new removals.
    ///
    /// Held are more than the largest number; more than the share, from the smallest number on; and all of them.
    #[must_use]
    pub fn holds(&self, recent: i64, new: i64, present: i64) -> bool {
        if new <= 0 {
            return false;
        }
        let all = recent.saturating_add(new);
        let before = recent.saturating_add(present);
        let share = all.saturating_mul(100) > before.saturating_mul(self.max_removals_percent);
        all > self.max_removals || (share && all >= self.min_removals) || new >= present
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: GuardLimits = GuardLimits { max_removals: 500, max_removals_percent: 20, min_removals: 5 };

    #[test]
    fn more_than_the_largest_number_are_held_whatever_their_share() {
        assert!(!LIMITS.holds(0, 500, 100_000));
        assert!(LIMITS.holds(0, 501, 100_000));
    }

    #[test]
    fn more_than_the_share_are_held_from_the_smallest_number_on() {
        assert!(!LIMITS.holds(0, 4, 10));
        assert!(LIMITS.holds(0, 5, 10));
        assert!(!LIMITS.holds(0, 20, 100));
        assert!(LIMITS.holds(0, 21, 100));
    }

    #[test]
    fn all_of_them_are_held_however_few() {
        assert!(LIMITS.holds(0, 1, 1));
        assert!(LIMITS.holds(0, 3, 3));
        assert!(!LIMITS.holds(0, 2, 3));
    }

    #[test]
    fn removals_of_the_last_day_count_with_the_new_ones() {
        assert!(!LIMITS.holds(10, 10, 90));
        assert!(LIMITS.holds(10, 11, 90));
        assert!(LIMITS.holds(499, 2, 100_000));
    }

    #[test]
    fn nothing_new_is_never_held() {
        assert!(!LIMITS.holds(1_000, 0, 0));
    }
}
