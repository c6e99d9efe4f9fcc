//! The rules of a run as they would be with other settings: for whoever asks what a change would do before it is saved.

use domain::settings::{EntraSettings, FieldError, Organisation};
use store::{CustomerStore, MirrorUser};

use super::{ByHandLists, PlanRules, Verdict};
use crate::{SyncError, filter::Filter};

/// Rules that are not saved, with the exceptions and additions as they are.
pub(crate) struct Proposed(PlanRules);

impl Proposed {
    /// The rules of these settings. A filter that cannot be used is the inner error.
    pub(crate) async fn of(
        customer: &CustomerStore,
        settings: &EntraSettings,
        organisation: Option<&Organisation>,
        managed: &[String],
    ) -> Result<Result<Self, FieldError>, SyncError> {
        let by_hand = ByHandLists::saved(customer).await?;
        Ok(PlanRules::new(settings, organisation, 0, managed.to_vec(), by_hand).map(Self))
    }

    /// What a run would decide about a user of the mirror.
    pub(crate) fn verdict(&self, row: &MirrorUser) -> Verdict {
        self.0.verdict(row)
    }

    /// The same, for whoever has asked the filter already.
    pub(crate) fn verdict_when(&self, row: &MirrorUser, matches: bool) -> Verdict {
        self.0.verdict_when(row, || matches)
    }

    /// The custom filter.
    pub(crate) const fn filter(&self) -> &Filter {
        &self.0.filter
    }
}
