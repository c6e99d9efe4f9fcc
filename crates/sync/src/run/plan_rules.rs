//! The rules that a run decides by, and how they stay those that are saved.
//!
//! An administrator may save other rules in the midst of a run. Such a save marks the whole mirror to be decided about anew, and a chunk
//! takes the mark away; a chunk that still went by the old rules would take it away for nothing. So both hold the same lock
//! ([`hold_plan`]), and a chunk first looks whether its rules are still the saved ones.

mod explain;
mod proposed;

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

use directory::entra::Graph;
use domain::{
    address::{Address, Addresses},
    conflict::Reason,
    object::DirectoryUser,
    plan::{Admission, ByHand, ManagedDomains, Out, Rules, admit},
    service::Service,
    settings::{DeleteAfter, EntraSettings, FieldError, Organisation},
};
use store::{CustomerStore, CustomerWrite, ExceptionKind, MirrorUser, StoreError, User};

use super::{
    drive::{Failure, Job},
    fetch::unread,
};
use crate::{
    SyncError,
    connect::{self, SavedConnection},
    filter::Filter,
};

const PLAN: &str = "plan";

/// Waits until no other transaction holds the plan of this customer, and holds it until this one ends.
///
/// Raising a topic locks its row on Postgres until the transaction ends; SQLite has one writer anyway. Nobody listens to this topic.
pub(crate) async fn hold_plan(write: &mut CustomerWrite) -> Result<(), StoreError> {
    write.raise_topic(PLAN).await
}

/// Keeps the plan from being held by others until the transaction ends, beside others that share it: those that write what the tenant said,
/// users here and groups there, need not wait for each other.
pub(super) async fn share_plan(write: &mut CustomerWrite) -> Result<(), StoreError> {
    if write.share_topic(PLAN).await? { Ok(()) } else { hold_plan(write).await }
}

pub use explain::explain;
pub(crate) use proposed::Proposed;

/// The rules of a run.
pub(super) struct PlanRules {
    rules: Rules,
    filter: Filter,
    by_hand: ByHandLists,
    /// How long a conflict lasts before its user is deleted.
    pub delete_after: DeleteAfter,
    /// Of the saved connection and of what was decided by hand, to see whether either was saved anew.
    versions: (i64, i64),
    managed: Vec<String>,
}

/// The topic that every change of an exception or an addition raises.
pub(crate) const BY_HAND: &str = "by_hand";

/// What was decided by hand about single objects.
#[derive(Default)]
struct ByHandLists {
    version: i64,
    /// Excepted users by the directory's id, and whether one that is in the portal is kept there.
    users: HashMap<String, bool>,
    groups: HashSet<String>,
    aliases: HashSet<String>,
    /// Additions that were found in the directory, and by address those that were not yet, with their numbers.
    added: HashSet<String>,
    awaited: HashMap<Address, i64>,
}

/// What the rules say of an object of the mirror.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Synced under these addresses.
    In(Addresses),
    /// Not delivered, for this reason; as [`Out`] when the directory has the object.
    Out(Reason, Option<Out>),
    /// An exception says that the sync does not touch this user any more.
    Untouched,
}

fn unusable_filter(error: FieldError) -> Failure {
    Failure::Explained(format!(
        "The custom filter cannot be used. {} Correct it on the Connect page.",
        error.message
    ))
}

impl PlanRules {
    /// The rules as saved, after asking the tenant for its domains: a verified domain may have come or gone since.
    pub async fn of_the_tenant(
        job: &mut Job<'_>,
        graph: &Graph,
        mut saved: SavedConnection,
    ) -> Result<Self, Failure> {
        match graph.organisation().await {
            Ok(organisation)
                if saved.organisation.as_ref().is_some_and(|known| known.id != organisation.id) =>
            {
                return Err(Failure::Explained(format!(
                    "{} belongs to another tenant than before. Nothing was read. Save it on the Connect page, which shows what that would change.",
                    saved.settings.tenant
                )));
            }
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
        let rules = Self::saved(job.customer, &saved).await?;
        if rules.rules.managed == ManagedDomains::Only(std::collections::BTreeSet::new()) {
            return Err(Failure::Explained(
                "No managed domain is known: none is set, and the tenant did not tell its verified domains. Set the managed domains on the \
                 Directory Services page, or grant the app Directory.Read.All."
                    .to_owned(),
            ));
        }
        Ok(rules)
    }

    /// The rules as saved.
    pub async fn saved(customer: &CustomerStore, saved: &SavedConnection) -> Result<Self, Failure> {
        let managed = customer.managed_domains().await?;
        let by_hand = ByHandLists::saved(customer).await?;
        Self::new(&saved.settings, saved.organisation.as_ref(), saved.version, managed, by_hand)
            .map_err(unusable_filter)
    }

    /// The rules as they are about to be saved for another tenant: what was decided by hand about objects of the present one says nothing there,
    /// and additions wait for their addresses.
    pub async fn of_another_tenant(
        customer: &CustomerStore,
        settings: &EntraSettings,
        organisation: Option<&Organisation>,
        managed: &[String],
    ) -> Result<Self, Failure> {
        let saved = ByHandLists::saved(customer).await?;
        let additions = customer.additions(Service::Entra).await?;
        let awaited = additions.into_iter().map(|addition| (addition.address, addition.id)).collect();
        let by_hand =
            ByHandLists { version: saved.version, aliases: saved.aliases, awaited, ..ByHandLists::default() };
        Self::new(settings, organisation, 0, managed.to_vec(), by_hand).map_err(unusable_filter)
    }

    fn new(
        settings: &EntraSettings,
        organisation: Option<&Organisation>,
        version: i64,
        managed: Vec<String>,
        by_hand: ByHandLists,
    ) -> Result<Self, FieldError> {
        let verified = organisation.map_or(&[][..], |organisation| &organisation.domains);
        let filter = Filter::read(&settings.custom_filter)?;
        let rules = Rules {
            managed: ManagedDomains::of(&managed, verified),
            include_disabled: settings.include_disabled,
        };
        let delete_after = settings.delete_users_after;
        let versions = (version, by_hand.version);
        Ok(Self { rules, filter, by_hand, delete_after, versions, managed })
    }

    /// Holds the plan, and takes the rules from the database when others were saved since.
    pub async fn confirm(
        &mut self,
        customer: &CustomerStore,
        write: &mut CustomerWrite,
    ) -> Result<(), Failure> {
        hold_plan(write).await?;
        let Some(saved) = connect::saved(customer).await? else { return Ok(()) };
        if !saved.settings.enabled {
            return Err(Failure::Explained(
                "Azure sync was switched off during the run, which ended there.".to_owned(),
            ));
        }
        let managed = customer.managed_domains().await?;
        let versions = (saved.version, by_hand_version(customer).await?);
        if versions != self.versions || managed != self.managed {
            let rules = Self::saved(customer, &saved).await?;
            // Nobody is decided about by what was not read of them: every object keeps its mark until the next run has read it.
            let unread = unread(customer, rules.filter_properties()).await?;
            if !unread.is_empty() {
                return Err(Failure::Explained(format!(
                    "A custom filter was saved during the run that reads {}, which the directory was not asked for. The run ended there; the \
                     next sync reads everything anew.",
                    unread.join(", ")
                )));
            }
            *self = rules;
        }
        Ok(())
    }

    /// Which rules these are: others after a save.
    pub fn stand(&self) -> (i64, i64, Vec<String>) {
        (self.versions.0, self.versions.1, self.managed.clone())
    }

    /// What the rules say of a user of the mirror.
    pub fn verdict(&self, row: &MirrorUser) -> Verdict {
        self.verdict_when(row, || self.filter.matches(&row.user))
    }

    /// The same, with the filter's answer from whoever knows it already.
    fn verdict_when(&self, row: &MirrorUser, matches: impl FnOnce() -> bool) -> Verdict {
        let id = &row.user.external_id;
        if self.keeps(id) {
            return Verdict::Untouched;
        }
        let exception = self.by_hand.users.get(id);
        if row.gone {
            return Verdict::Out(
                if exception.is_some() { Reason::Exception } else { Reason::NotInDirectory },
                None,
            );
        }
        let addition = self.by_hand.added.contains(id)
            || (!self.by_hand.awaited.is_empty()
                && Addresses::of(&row.user).is_some_and(|all| {
                    std::iter::once(&all.primary)
                        .chain(&all.aliases)
                        .any(|a| self.by_hand.awaited.contains_key(a))
                }));
        let by_hand = ByHand { exception: exception.is_some(), addition };
        let user = self.without_excepted_aliases(&row.user);
        match admit(&user, &self.rules, by_hand, matches) {
            Admission::In(addresses) => Verdict::In(addresses),
            Admission::Out(out) => Verdict::Out(out.into(), Some(out)),
        }
    }

    /// Takes an object into account that is being made an addition.
    pub fn add(&mut self, external_id: &str) {
        self.by_hand.added.insert(external_id.to_owned());
    }

    /// The user without the aliases that an exception leaves out: none of them may become the primary of somebody whose own is not managed.
    fn without_excepted_aliases<'a>(&self, user: &'a DirectoryUser) -> Cow<'a, DirectoryUser> {
        if self.by_hand.aliases.is_empty() {
            return Cow::Borrowed(user);
        }
        let Some(all) = Addresses::of(user) else { return Cow::Borrowed(user) };
        let excepted = |entry: &String| {
            let address = entry.split_once(':').and_then(|(_, address)| Address::parse(address));
            address.is_some_and(|address| {
                address != all.primary && self.by_hand.aliases.contains(address.as_str())
            })
        };
        if !user.proxy_addresses.iter().any(excepted) {
            return Cow::Borrowed(user);
        }
        let proxy_addresses = user.proxy_addresses.iter().filter(|entry| !excepted(entry)).cloned().collect();
        Cow::Owned(DirectoryUser { proxy_addresses, ..user.clone() })
    }

    /// Whether an exception says that the sync does not touch the user of that directory id any more.
    pub fn keeps(&self, external_id: &str) -> bool {
        self.by_hand.users.get(external_id) == Some(&true)
    }

    /// Whether an addition waits for somebody with this address.
    pub fn awaits(&self, address: &Address) -> bool {
        self.by_hand.awaited.contains_key(address)
    }

    /// The additions that waited for somebody with these addresses.
    pub fn found(&self, addresses: &Addresses) -> Vec<i64> {
        let all = std::iter::once(&addresses.primary).chain(&addresses.aliases);
        all.filter_map(|address| self.by_hand.awaited.get(address).copied()).collect()
    }

    /// Whether an exception keeps this user as it is, conflict and all.
    pub fn leaves_alone(&self, user: &User) -> bool {
        user.external_id.as_ref().is_some_and(|id| self.keeps(id))
    }

    /// Whether an exception leaves a group out.
    pub fn excepts_group(&self, external_id: &str) -> bool {
        self.by_hand.groups.contains(external_id)
    }

    /// Whether mail to the address is served here.
    pub fn manages(&self, address: &Address) -> bool {
        self.rules.managed.contains(address)
    }

    /// The properties that the filter reads.
    pub fn filter_properties(&self) -> &[String] {
        self.filter.properties()
    }
}

impl ByHandLists {
    async fn saved(customer: &CustomerStore) -> Result<Self, StoreError> {
        // Before the lists: a change between the two is seen at the next look.
        let mut lists = Self { version: by_hand_version(customer).await?, ..Self::default() };
        for (kind, object, keep) in customer.exception_rules(Service::Entra).await? {
            match kind {
                ExceptionKind::User => {
                    lists.users.insert(object, keep);
                }
                ExceptionKind::Group => {
                    lists.groups.insert(object);
                }
                ExceptionKind::Alias => {
                    lists.aliases.insert(object);
                }
            }
        }
        for addition in customer.additions(Service::Entra).await? {
            match addition.external_id {
                Some(id) => {
                    lists.added.insert(id);
                }
                None => {
                    lists.awaited.insert(addition.address, addition.id);
                }
            }
        }
        Ok(lists)
    }
}

async fn by_hand_version(customer: &CustomerStore) -> Result<i64, StoreError> {
    let versions = customer.topic_versions().await?;
    Ok(versions.into_iter().find(|(topic, _)| topic == BY_HAND).map_or(0, |(_, version)| version))
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
