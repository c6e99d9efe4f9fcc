//! The rules that a run decides by, and how they stay those that are saved.
//!
//! An administrator may save other rules in the midst of a run. Such a save marks the whole mirror to be decided about anew, and a chunk
//! takes the mark away; a chunk that still went by the old rules would take it away for nothing. So both hold the same lock
//! ([`hold_plan`]), and a chunk first looks whether its rules are still the saved ones.

use directory::entra::Graph;
use domain::{
    object::DirectoryUser,
    plan::{Admission, ManagedDomains, Rules, admit},
    service::Service,
    settings::{EntraSettings, Organisation},
};
use store::{CustomerStore, CustomerWrite, StoreError};

use super::drive::{Failure, Job};
use crate::{
    SyncError,
    connect::{self, SavedConnection},
    filter::Filter,
};

/// Waits until no other transaction holds the plan of this customer, and holds it until this one ends.
///
/// Raising a topic locks its row on Postgres until the transaction ends; SQLite has one writer anyway. Nobody listens to this topic.
pub(crate) async fn hold_plan(write: &mut CustomerWrite) -> Result<(), StoreError> {
    write.raise_topic("plan").await
}

/// The rules of a run.
pub(super) struct PlanRules {
    rules: Rules,
    filter: Filter,
    /// Of the saved connection, to see whether it was saved anew.
    version: i64,
    managed: Vec<String>,
}

impl PlanRules {
    /// The rules as saved, after asking the tenant for its domains: a verified domain may have come or gone since.
    pub async fn of_the_tenant(
        job: &mut Job<'_>,
        graph: &Graph,
        mut saved: SavedConnection,
    ) -> Result<Self, Failure> {
        match graph.organisation().await {
            Ok(organisation) if saved.organisation.as_ref() != Some(&organisation) => {
                saved = remember(job, saved, organisation).await?;
            }
            Ok(_) => {}
            // The last answer will do; without the permission to ask, the managed domains are entered by hand.
            Err(error) if saved.organisation.is_some() || error.is_denied() => {
                tracing::warn!(detail = %error.detail(), "the tenant's domains could not be read");
            }
            Err(error) => return Err(error.into()),
        }
        let managed = job.customer.managed_domains().await?;
        let rules = Self::new(&saved.settings, saved.organisation.as_ref(), saved.version, managed)?;
        if rules.rules.managed == ManagedDomains::Only(std::collections::BTreeSet::new()) {
            return Err(Failure::Explained(
                "No managed domain is known: none is set, and the tenant did not tell its verified domains. Set the managed domains on the \
                 Directory Services page, or grant the app Directory.Read.All."
                    .to_owned(),
            ));
        }
        Ok(rules)
    }

    fn new(
        settings: &EntraSettings,
        organisation: Option<&Organisation>,
        version: i64,
        managed: Vec<String>,
    ) -> Result<Self, Failure> {
        let verified = organisation.map_or(&[][..], |organisation| &organisation.domains);
        let filter = Filter::read(&settings.custom_filter).map_err(|error| {
            Failure::Explained(format!(
                "The custom filter cannot be used. {} Correct it on the Connect page.",
                error.message
            ))
        })?;
        let rules = Rules {
            managed: ManagedDomains::of(&managed, verified),
            include_disabled: settings.include_disabled,
        };
        Ok(Self { rules, filter, version, managed })
    }

    /// Holds the plan, and takes the rules from the database when others were saved since.
    pub async fn confirm(
        &mut self,
        customer: &CustomerStore,
        write: &mut CustomerWrite,
    ) -> Result<(), Failure> {
        hold_plan(write).await?;
        let managed = customer.managed_domains().await?;
        let Some(saved) = connect::saved(customer).await? else { return Ok(()) };
        if saved.version != self.version || managed != self.managed {
            *self = Self::new(&saved.settings, saved.organisation.as_ref(), saved.version, managed)?;
        }
        Ok(())
    }

    /// What the rules say of a directory user.
    pub fn admit(&self, user: &DirectoryUser) -> Admission {
        admit(user, &self.rules, || self.filter.matches(user))
    }

    /// Whether mail to the address is served here.
    pub fn manages(&self, address: &domain::address::Address) -> bool {
        self.rules.managed.contains(address)
    }

    /// The properties that the filter reads.
    pub fn filter_properties(&self) -> &[String] {
        self.filter.properties()
    }
}

/// Keeps what the tenant says of itself now. Other verified domains are other rules.
async fn remember(
    job: &mut Job<'_>,
    saved: SavedConnection,
    organisation: Organisation,
) -> Result<SavedConnection, SyncError> {
    let mut write = job.begin().await?;
    hold_plan(&mut write).await?;
    // As saved now, not as read before: an administrator's save must not be undone.
    let Some(present) = connect::saved(job.customer).await? else { return Ok(saved) };
    if present.settings.tenant != saved.settings.tenant {
        return Ok(present);
    }
    let json =
        serde_json::to_string(&present.settings).map_err(|error| StoreError::Database(error.into()))?;
    let now = job.engine.clock.now();
    write.save_service(Service::Entra, present.settings.enabled, &json, Some(&organisation), now).await?;
    if present.organisation.as_ref().map(|before| &before.domains) != Some(&organisation.domains) {
        write.mark_all_dirty(Service::Entra).await?;
    }
    write.raise_topic("settings").await?;
    write.commit().await?;
    connect::saved(job.customer).await.map(|saved| saved.unwrap_or(present))
}
