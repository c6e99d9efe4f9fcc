//! A customer's directory-service settings as a file: `rollcall settings show` and `settings apply`.
//!
//! A file is applied as a whole or not at all. What it leaves out stays as it is saved; an `[entra]` section is complete, its secret apart:
//! without a source for it the saved one is kept. Secrets are never written into a file.

mod file;

use domain::{
    Secret,
    number::counted,
    service::Source,
    settings::{FieldError, GuardLimits},
};
use store::{CustomerStore, StoreError};

pub use file::{EntraSection, GuardSection, SecretSource, SettingsFile, parse};

use crate::{
    Actor, Engine, SyncError,
    connect::{self, ConnectForm, ExpiryDate, Saved, TenantDoubt},
    filter_preview::{Crowd, Leaving},
    rules,
};

/// The settings as TOML.
///
/// # Errors
/// When the database cannot answer.
pub async fn show(engine: &Engine, customer: &CustomerStore) -> Result<String, SyncError> {
    let managed = customer.managed_domains().await?;
    let saved = connect::saved(customer).await?;
    let guard = rules::guard(engine, customer).await?;
    Ok(file::write(&managed, saved.as_ref().map(|saved| &saved.settings), &guard))
}

/// What came of applying a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything in the file is saved now.
    Applied(Applied),
    /// Something in the file is wrong; nothing was saved. Exit code 1.
    Refused(Vec<String>),
    /// The file would connect another tenant, or one that may be the wrong one; nothing was saved. Exit code 4: apply it with
    /// `--confirm-switch` if that is meant.
    SwitchRefused(SwitchRefused),
}

/// A file that was applied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Whether anything was different from what was saved before.
    pub changed: bool,
    /// What came of the connection, when the file has one.
    pub connection: Option<Saved>,
}

/// Why a switch was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwitchRefused {
    /// What speaks against the tenant.
    pub doubt: TenantDoubt,
    /// How many users the portal has from Entra ID now. Nobody is deleted by the switch itself.
    pub users: i64,
}

impl Outcome {
    /// The exit code of the command line: 0, 1 or 4.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Applied(_) => 0,
            Self::Refused(_) => 1,
            Self::SwitchRefused(_) => 4,
        }
    }
}

/// Applies a settings file. `read_secret` fetches a secret from where the file says; it is called at most once.
///
/// # Errors
/// When the database cannot do it.
pub async fn apply(
    engine: &Engine,
    customer: &CustomerStore,
    actor: &Actor,
    settings: SettingsFile,
    confirm_switch: bool,
    read_secret: impl Fn(&SecretSource) -> Result<Secret, String>,
) -> Result<Outcome, SyncError> {
    let mut wrong = Vec::new();
    let managed = match &settings.managed_domains {
        None => None,
        Some(entries) => match rules::check_managed_domains(customer, entries).await? {
            Ok(domains) => Some(domains),
            Err(error) => {
                wrong.push(words(&error));
                None
            }
        },
    };
    let guard = settings.guard.as_ref().map(GuardLimits::from);
    wrong.extend(guard.and_then(|limits| limits.check().err()).as_ref().map(words));
    let form = match &settings.entra {
        None => None,
        Some(section) => match form(section, confirm_switch, read_secret) {
            Ok(form) => Some(form),
            Err(error) => {
                wrong.push(error);
                None
            }
        },
    };
    let checked = match &form {
        None => None,
        Some(form) => {
            let saved_domains = customer.managed_domains().await?;
            let managed = managed.as_ref().unwrap_or(&saved_domains);
            match connect::check(engine, customer, form, managed).await? {
                Ok(checked) => Some(checked),
                Err(connect::Refused::Fields(errors)) => {
                    wrong.extend(errors.iter().map(words));
                    None
                }
                Err(connect::Refused::ConfirmTenant(doubt)) if wrong.is_empty() => {
                    let users = users_of_entra(customer).await?;
                    return Ok(Outcome::SwitchRefused(SwitchRefused { doubt, users }));
                }
                Err(connect::Refused::ConfirmTenant(_) | connect::Refused::ConfirmLeaving { .. }) => None,
            }
        }
    };
    if !wrong.is_empty() {
        return Ok(Outcome::Refused(wrong));
    }

    // A file says what it means, and nobody is there to be asked. But nobody saw these people named either: none of them is approved, and
    // the deletion guard asks where they are many.
    let leaving = match &checked {
        None => None,
        Some(checked) => {
            let saved_domains = customer.managed_domains().await?;
            connect::whom_it_drops(customer, checked, managed.as_ref().unwrap_or(&saved_domains)).await?
        }
    };
    let mut applied = Applied::default();
    let mut write = customer.begin().await?;
    if let Some(domains) = &managed {
        match rules::write_managed_domains(engine, customer, &mut write, actor, domains).await {
            Ok(changed) => applied.changed |= changed,
            Err(SyncError::Store(StoreError::Taken(what))) => return Ok(Outcome::Refused(vec![what])),
            Err(error) => return Err(error),
        }
    }
    if let Some(limits) = guard {
        applied.changed |= rules::write_guard(engine, customer, &mut write, actor, limits).await?;
    }
    if let Some(checked) = checked {
        let mut saved =
            connect::write(engine, customer, &mut write, actor, checked, ExpiryDate::Meant).await?;
        saved.warnings.extend(leaving.as_ref().map(leave));
        applied.changed |= saved.changed;
        applied.connection = Some(saved);
    }
    write.commit().await?;
    Ok(Outcome::Applied(applied))
}

/// Whom the file's rules drop, in words.
fn leave(leaving: &Leaving) -> String {
    let Crowd { count, people } = &leaving.crowd;
    let shown: Vec<_> = people.iter().map(|person| format!("{} ({})", person.name, person.address)).collect();
    let more = if i64::try_from(shown.len()).is_ok_and(|shown| shown < *count) { ", and others" } else { "" };
    format!(
        "{} with these settings, and the next sync makes them conflicts unless the deletion guard holds them: {}{more}.",
        counted(*count, "person leaves the sync", "people leave the sync"),
        shown.join(", ")
    )
}

async fn users_of_entra(customer: &CustomerStore) -> Result<i64, SyncError> {
    let counts = customer.user_counts().await?;
    Ok(counts.iter().filter(|(source, ..)| *source == Source::Azure).map(|(.., users)| users).sum())
}

fn form(
    section: &EntraSection,
    confirm_tenant: bool,
    read_secret: impl Fn(&SecretSource) -> Result<Secret, String>,
) -> Result<ConnectForm, String> {
    let secret = section.secret_source()?.map(|source| read_secret(&source)).transpose()?;
    Ok(ConnectForm { text: section.text(), secret, confirm_tenant, ..ConnectForm::default() })
}

fn words(error: &FieldError) -> String {
    format!("{}: {}", error.field.label(), error.message)
}
