//! Users that came from a directory service and are not delivered by it any more.

use serde::{Deserialize, Serialize};

use crate::{Timestamp, named, plan::Out, settings::DeleteAfter};

/// No pending deletion is moved closer than this by a change of the setting.
pub const SHORTEST_NOTICE_MS: i64 = 24 * Timestamp::HOUR;

/// Why a user is not delivered any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The directory does not have the person.
    NotInDirectory,
    /// The account is disabled, and disabled accounts are not included.
    DisabledInDirectory,
    /// The custom filter does not match.
    FilteredOut,
    /// An exception leaves the person out.
    Exception,
    /// None of the person's addresses is in a managed domain.
    OutsideManagedDomains,
    /// Another directory service is enabled, which does not deliver the person.
    OtherDirectoryService,
}
named!(Reason {
    NotInDirectory = "not_in_directory",
    DisabledInDirectory = "disabled_in_directory",
    FilteredOut = "filtered_out",
    Exception = "exception",
    OutsideManagedDomains = "outside_managed_domains",
    OtherDirectoryService = "other_directory_service",
});

impl Reason {
    /// The reason as it stands on pages and in exports.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::NotInDirectory => "not in directory",
            Self::DisabledInDirectory => "disabled in directory",
            Self::FilteredOut => "filtered out",
            Self::Exception => "exception",
            Self::OutsideManagedDomains => "outside managed domains",
            Self::OtherDirectoryService => "other directory service",
        }
    }
}

impl From<Out> for Reason {
    fn from(out: Out) -> Self {
        match out {
            Out::Exception => Self::Exception,
            // Without an address there is none in a managed domain.
            Out::NoAddress | Out::OutsideManagedDomains => Self::OutsideManagedDomains,
            Out::Disabled => Self::DisabledInDirectory,
            Out::FilteredOut => Self::FilteredOut,
        }
    }
}

/// What was decided about a conflict so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nothing: the deletion clock runs.
    #[default]
    Pending,
    /// The user is not deleted.
    Ignored,
    /// The service is off for the user, and the user is not deleted.
    Deactivated,
}
named!(State { Pending = "pending", Ignored = "ignored", Deactivated = "deactivated" });

impl State {
    /// The state as it stands on pages and in exports.
    #[must_use]
    pub const fn label(self) -> &'static str {
        self.name()
    }
}

/// A conflict of a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// Why.
    pub reason: Reason,
    /// The end of the first complete read that lacked the person.
    pub missing_since: Timestamp,
    /// When the deletion clock started: `missing_since`, or the last time it started anew.
    pub clock_from: Timestamp,
    /// Not before this moment, whatever the setting: a shortened delay never takes anybody by surprise.
    pub not_before: Option<Timestamp>,
    /// What was decided about it.
    pub state: State,
    /// With [`State::Ignored`]: until when; `None` for ever.
    pub ignored_until: Option<Timestamp>,
    /// What the administrator noted with the decision.
    pub note: String,
    /// With [`State::Deactivated`]: the service stays off when the person comes back.
    pub stay_inactive: bool,
    /// The directory's id of somebody new who has this user's address: the same person or a new one?
    pub rival: Option<String>,
}

impl Conflict {
    /// A conflict that opens.
    #[must_use]
    pub const fn opened(reason: Reason, at: Timestamp) -> Self {
        Self {
            reason,
            missing_since: at,
            clock_from: at,
            not_before: None,
            state: State::Pending,
            ignored_until: None,
            note: String::new(),
            stay_inactive: false,
            rival: None,
        }
    }

    /// When the user is to be deleted, by the present setting; `None` while nothing deletes the user.
    #[must_use]
    pub fn delete_on(&self, setting: DeleteAfter) -> Option<Timestamp> {
        let delay = setting.milliseconds()?;
        let due = match (self.state, self.ignored_until) {
            (State::Pending, _) => self.clock_from.plus(delay),
            // The clock starts anew when the Ignore ends.
            (State::Ignored, Some(until)) => until.plus(delay),
            (State::Ignored, None) | (State::Deactivated, _) => return None,
        };
        Some(self.not_before.map_or(due, |not_before| due.max(not_before)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conflict() -> Conflict {
        Conflict::opened(Reason::NotInDirectory, Timestamp(1_000))
    }

    #[test]
    fn the_deletion_date_follows_the_present_setting() {
        let day = Timestamp(1_000).plus(Timestamp::DAY);
        assert_eq!(conflict().delete_on(DeleteAfter::OneDay), Some(day));
        assert_eq!(
            conflict().delete_on(DeleteAfter::SevenDays),
            Some(Timestamp(1_000).plus(7 * Timestamp::DAY))
        );
        assert_eq!(conflict().delete_on(DeleteAfter::Never), None);
    }

    #[test]
    fn a_promise_of_time_outlasts_a_shorter_setting() {
        let promised = Conflict { not_before: Some(Timestamp(1_000).plus(3 * Timestamp::DAY)), ..conflict() };
        assert_eq!(promised.delete_on(DeleteAfter::OneDay), promised.not_before);
        assert_eq!(promised.delete_on(DeleteAfter::SevenDays), conflict().delete_on(DeleteAfter::SevenDays));
    }

    #[test]
    fn an_ignored_or_deactivated_user_is_not_deleted() {
        let ignored = Conflict { state: State::Ignored, ..conflict() };
        assert_eq!(ignored.delete_on(DeleteAfter::OneDay), None);
        let deactivated = Conflict { state: State::Deactivated, ..conflict() };
        assert_eq!(deactivated.delete_on(DeleteAfter::OneDay), None);
    }

    #[test]
    fn after_the_date_of_an_ignore_the_clock_starts_anew() {
        let until = Timestamp(1_000).plus(90 * Timestamp::DAY);
        let ignored = Conflict { state: State::Ignored, ignored_until: Some(until), ..conflict() };
        assert_eq!(ignored.delete_on(DeleteAfter::OneDay), Some(until.plus(Timestamp::DAY)));
    }
}
