//! What is found out before a connection is tested or saved.

use std::time::Duration;

use directory::entra::{Credentials, Patience};
use domain::{
    Secret, Timestamp,
    service::Service,
    settings::{EntraSettings, Field, FieldError, Organisation},
};
use store::{CustomerStore, StoreError};

use super::{CLIENT_SECRET, ConnectForm, Refused, Switch, doubt, switch};
use crate::{Engine, SyncError, filter::Filter};

/// How long Save waits for the tenant's answer: somebody sits before the browser.
const PATIENCE: Duration = Duration::from_secs(15);

/// The connection as saved.
pub(crate) struct Saved {
    pub settings: EntraSettings,
    pub organisation: Option<Organisation>,
    pub version: i64,
    /// When it was switched off; the deletion clocks stand still since then.
    pub disabled_at: Option<Timestamp>,
}

/// The connection as saved, when it ever was.
pub(crate) async fn saved(customer: &CustomerStore) -> Result<Option<Saved>, SyncError> {
    let Some(service) = customer.service(Service::Entra).await? else { return Ok(None) };
    Ok(Some(Saved {
        settings: service.entra()?,
        organisation: service.organisation,
        version: service.version,
        disabled_at: service.disabled_at,
    }))
}

/// A form whose fields are right.
pub(crate) struct Read {
    pub settings: EntraSettings,
    /// A secret that was typed and is not the saved one.
    pub new_secret: Option<Secret>,
    /// The secret to use: the typed one, else the saved one.
    pub secret: Secret,
}

impl Read {
    pub(crate) fn credentials(&self) -> Credentials {
        Credentials {
            tenant: self.settings.tenant.clone(),
            client_id: self.settings.client_id.clone(),
            client_secret: self.secret.clone(),
        }
    }
}

/// Reads a form against what is saved: every wrong field at once, in the order of the page.
pub(crate) async fn read(
    customer: &CustomerStore,
    form: &ConnectForm,
    saved: Option<&EntraSettings>,
) -> Result<Result<Read, Vec<FieldError>>, SyncError> {
    let (settings, mut errors) = match EntraSettings::read(&form.text) {
        Ok(settings) => (Some(settings), Vec::new()),
        Err(errors) => (None, errors),
    };
    errors.extend(Filter::read(&form.text.custom_filter).err());
    let typed = form.secret.clone().filter(|secret| !secret.expose().trim().is_empty());
    let moved = settings.as_ref().zip(saved).is_some_and(|(new, saved)| new.needs_secret_again(saved));
    let kept = match customer.secret(CLIENT_SECRET).await {
        // Whoever types it again cures this.
        Err(StoreError::KeyDoesNotFit(_)) if typed.is_some() => None,
        Err(error @ StoreError::KeyDoesNotFit(_)) => {
            errors.push(FieldError::new(Field::ClientSecret, error.to_string()));
            None
        }
        kept => {
            let kept = kept?;
            if typed.is_none() && (moved || kept.is_none()) {
                let words = if moved {
                    "Enter the Client Secret again: a saved secret is never sent to another tenant or client."
                } else {
                    "Enter the Client Secret: the Value of a client secret of the app, not its Secret ID."
                };
                errors.push(FieldError::new(Field::ClientSecret, words));
            }
            kept
        }
    };
    let new_secret = typed.clone().filter(|typed| Some(typed) != kept.as_ref());
    Ok(match (settings, typed.or(kept)) {
        (Some(settings), Some(secret)) if errors.is_empty() => Ok(Read { settings, new_secret, secret }),
        _ => {
            errors.sort_by_key(|error| order(error.field));
            Err(errors)
        }
    })
}

/// The order of the fields on the page.
const fn order(field: Field) -> u8 {
    match field {
        Field::Tenant => 0,
        Field::ClientId => 1,
        Field::ClientSecret => 2,
        Field::ClientSecretExpires => 3,
        Field::SyncFrequency => 4,
        Field::DeleteUsersAfter => 5,
        Field::CustomFilter => 6,
        Field::ManagedDomains => 7,
        Field::Guard => 8,
    }
}

/// A form that may be saved, and what is known about its tenant.
pub(crate) struct Checked {
    pub read: Read,
    pub saved: Option<Saved>,
    pub organisation: Option<Organisation>,
    /// Why the tenant could not be asked.
    pub unchecked: Option<String>,
    /// What spoke against the tenant, and was confirmed.
    pub confirmed: Vec<String>,
    /// What becomes of the users, when another tenant is connected.
    pub switch: Option<Switch>,
}

/// Checks a form against what is saved, with the managed domains as they are or are about to be: the fields, then the tenant.
pub(crate) async fn check(
    engine: &Engine,
    customer: &CustomerStore,
    form: &ConnectForm,
    managed: &[String],
) -> Result<Result<Checked, Refused>, SyncError> {
    let saved = saved(customer).await?;
    let read = match read(customer, form, saved.as_ref().map(|saved| &saved.settings)).await? {
        Ok(read) => read,
        Err(errors) => return Ok(Err(Refused::Fields(errors))),
    };
    let (organisation, unchecked) = ask(engine, read.credentials()).await;
    let mut doubt =
        doubt::of(customer, managed, saved.as_ref(), &read.settings, organisation.as_ref()).await?;
    if let (Some(doubt), Some(saved)) = (&mut doubt, &saved)
        && switch::is_switch(
            &saved.settings,
            saved.organisation.as_ref(),
            &read.settings,
            organisation.as_ref(),
        )
    {
        let (credentials, organisation) = (read.credentials(), organisation.as_ref());
        doubt.switch = Some(
            switch::foreseen(engine, customer, credentials, &read.settings, organisation, managed).await?,
        );
    }
    // The figures may be others by now than those that were confirmed.
    let seen = |doubt: &doubt::TenantDoubt| {
        form.confirm_tenant && form.confirm_switch.as_ref().is_none_or(|stamp| *stamp == doubt.stamp())
    };
    match doubt {
        Some(doubt) if !seen(&doubt) => Ok(Err(Refused::ConfirmTenant(doubt))),
        Some(doubt) => {
            let switch = doubt.switch;
            Ok(Ok(Checked { read, saved, organisation, unchecked, confirmed: doubt.reasons, switch }))
        }
        None => {
            let confirmed = Vec::new();
            Ok(Ok(Checked { read, saved, organisation, unchecked, confirmed, switch: None }))
        }
    }
}

/// Asks the tenant who it is. When it cannot be asked, why not.
async fn ask(engine: &Engine, credentials: Credentials) -> (Option<Organisation>, Option<String>) {
    let graph = engine.graph(credentials).with_patience(Patience::of_a_test());
    match tokio::time::timeout(PATIENCE, graph.organisation()).await {
        Ok(Ok(organisation)) => (Some(organisation), None),
        Ok(Err(error)) => (None, Some(format!("{} {}", error.headline(), error.remedy()))),
        Err(_elapsed) => (None, Some("The tenant did not answer in time.".to_owned())),
    }
}
