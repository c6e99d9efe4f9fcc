//! The connection to an Entra ID tenant: Test and Save.
//!
//! Both work on what stands in the form, saved or not. What the form got wrong, and what somebody has to confirm first, comes back as
//! [`Refused`]; then nothing was saved. The rules:
//!
//! - a saved secret is never sent to another tenant or as another client: changing either demands the secret again;
//! - the classic mistake of somebody who looks after many customers is the wrong customer's tenant. Save asks the tenant who it is, and
//!   what looks like such a mistake ([`TenantDoubt`]) must be confirmed;
//! - rules that turn people into conflicts are saved only after a confirmation that names these people ([`Leaving`]);
//! - another tenant than before is a [`Switch`]: it is saved only by somebody who has seen what becomes of the users;
//! - a tenant that cannot be asked now does not prevent Save: the administrator may be preparing, and consent may still be on its way.

mod check;
mod doubt;
mod save;
mod switch;

use directory::entra::{
    Patience,
    check::{MirrorCounts, connection_test},
};
use domain::{
    Secret,
    check::{Step, StepResult, TestReport},
    service::Service,
    settings::{EntraSettings, EntraText, FieldError},
};
use store::{CursorKind, CustomerStore};

pub(crate) use check::{Checked, Saved as SavedConnection, check, saved};
pub use doubt::TenantDoubt;
pub(crate) use save::{ExpiryDate, whom_it_drops, write};
pub use save::{Saved, save};
pub use switch::{Figures, Switch};

use crate::{
    Engine, SyncError,
    filter::Filter,
    filter_preview::{self, Leaving},
};

/// The name under which the client secret is sealed.
pub const CLIENT_SECRET: &str = "entra.client_secret";

/// What stands in the Connect form.
#[derive(Clone, Debug, Default)]
pub struct ConnectForm {
    /// The fields.
    pub text: EntraText,
    /// The client secret as typed; nothing or an empty one stands for the saved one.
    pub secret: Option<Secret>,
    /// The administrator has seen the [`TenantDoubt`] and means it.
    pub confirm_tenant: bool,
    /// The administrator has seen whom the new rules drop and means it: the fingerprint of that question ([`Leaving`]).
    pub confirm_leaving: Option<String>,
    /// With [`confirm_tenant`](Self::confirm_tenant): the stamp of the [`Switch`] that was shown. `None` takes whatever is found: the command
    /// line says so on purpose, and a page never does.
    pub confirm_switch: Option<String>,
}

/// Why nothing was saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Fields are wrong.
    Fields(Vec<FieldError>),
    /// The tenant may be the wrong one: send the form again with `confirm_tenant`.
    ConfirmTenant(TenantDoubt),
    /// People would leave the sync: send the form again with `confirm_leaving`.
    ConfirmLeaving {
        /// Who they are.
        leaving: Leaving,
        /// What speaks against the tenant, and was confirmed in this form.
        confirmed: Vec<String>,
    },
}

/// Tests what stands in the form, saved or not. What speaks against the tenant becomes a warning of the report.
///
/// # Errors
/// When the database cannot answer. What is wrong with the connection is the report.
pub async fn test(
    engine: &Engine,
    customer: &CustomerStore,
    form: &ConnectForm,
) -> Result<Result<TestReport, Refused>, SyncError> {
    let saved = saved(customer).await?;
    let read = match check::read(customer, form, saved.as_ref().map(|saved| &saved.settings)).await? {
        Ok(read) => read,
        Err(errors) => return Ok(Err(Refused::Fields(errors))),
    };
    let graph = engine.graph(read.credentials()).with_patience(Patience::of_a_test());
    let filter = Filter::read(&read.settings.custom_filter).unwrap_or_default();
    let mirrored = mirrored(customer, saved.as_ref(), &read.settings, &filter).await?;
    let mut report = connection_test(&graph, filter.for_graph(), mirrored).await;
    let managed = customer.managed_domains().await?;
    let organisation = report.organisation.as_ref();
    if let Some(doubt) = doubt::of(customer, &managed, saved.as_ref(), &read.settings, organisation).await? {
        report.steps.push(Step {
            title: "The right tenant".to_owned(),
            result: StepResult::Warning,
            detail: doubt.reasons.join(" "),
            remedy: Some(
                "Make sure that this is the customer's own tenant; Save asks you to confirm it.".to_owned(),
            ),
            technical: None,
        });
    }
    Ok(Ok(report))
}

/// How many people the mirror has of this tenant, and how many of them the filter matches; `None` before it was read to the end.
async fn mirrored(
    customer: &CustomerStore,
    saved: Option<&SavedConnection>,
    tested: &EntraSettings,
    filter: &Filter,
) -> Result<Option<MirrorCounts>, SyncError> {
    let cursor = customer.cursor(Service::Entra, CursorKind::Users).await?;
    let same = saved.is_some_and(|saved| saved.settings.tenant == tested.tenant);
    if cursor.filter(|cursor| same && cursor.idle).is_none() {
        return Ok(None);
    }
    let matching = match filter.for_graph() {
        Some(_) => filter_preview::matching(customer, filter).await?,
        None => None,
    };
    Ok(Some(MirrorCounts { people: customer.mirror_count(Service::Entra).await?, matching }))
}
