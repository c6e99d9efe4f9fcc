//! The settings file itself: its names, and how it is read and written. Nothing here knows a database.

use std::{fmt::Write as _, path::PathBuf};

use domain::settings::{DeleteAfter, EntraSettings, EntraText, GuardLimits, SyncFrequency};
use serde::Deserialize;

/// A customer's directory-service settings as a file. What is left out stays as it is saved.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingsFile {
    /// The managed domains: empty for the tenant's verified domains, `["*"]` for all.
    pub managed_domains: Option<Vec<String>>,
    /// The connection to an Entra ID tenant.
    pub entra: Option<EntraSection>,
    /// Reserved: an LDAP connection is refused, with words.
    pub ldap: Option<toml::Table>,
    /// The deletion guard's limits.
    pub guard: Option<GuardSection>,
}

/// `[entra]`. The connection is a whole: what is left out of the section has its default, the secret apart.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntraSection {
    /// Enable Azure Sync.
    #[serde(default)]
    pub enabled: bool,
    /// Tenant Domain.
    pub tenant: String,
    /// Client ID.
    pub client_id: String,
    /// The environment variable that holds the client secret.
    pub client_secret_env: Option<String>,
    /// The file that holds the client secret.
    pub client_secret_file: Option<PathBuf>,
    /// Client secret expires on: a TOML date, or the same as text.
    pub client_secret_expires: Option<toml::Value>,
    /// Sync Frequency by name.
    #[serde(default = "default_frequency")]
    pub sync_frequency: String,
    /// Delete Users After by name.
    #[serde(default = "default_delete_after")]
    pub delete_users_after: String,
    /// Include disabled/deactivated user accounts.
    #[serde(default)]
    pub include_disabled: bool,
    /// Custom Filters.
    #[serde(default)]
    pub custom_filter: String,
}

fn default_frequency() -> String {
    SyncFrequency::default().name().to_owned()
}

fn default_delete_after() -> String {
    DeleteAfter::default().name().to_owned()
}

/// `[guard]`. A limit that is left out has its default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GuardSection {
    /// Hold when more than this many users would become conflicts.
    pub max_removals: Option<i64>,
    /// Hold when more than this share of the synced users would, in percent…
    pub max_removals_percent: Option<i64>,
    /// … and at least this many.
    pub min_removals: Option<i64>,
}

impl From<&GuardSection> for GuardLimits {
    fn from(section: &GuardSection) -> Self {
        let default = Self::default();
        Self {
            max_removals: section.max_removals.unwrap_or(default.max_removals),
            max_removals_percent: section.max_removals_percent.unwrap_or(default.max_removals_percent),
            min_removals: section.min_removals.unwrap_or(default.min_removals),
        }
    }
}

/// Where a settings file says that a secret is to be read, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// An environment variable of that name.
    Environment(String),
    /// A file.
    File(PathBuf),
}

impl EntraSection {
    /// Where the secret is to be read; `None` keeps the saved one.
    ///
    /// # Errors
    /// When the section names two places.
    pub(super) fn secret_source(&self) -> Result<Option<SecretSource>, String> {
        match (&self.client_secret_env, &self.client_secret_file) {
            (Some(_), Some(_)) => {
                Err("[entra] names both client_secret_env and client_secret_file: keep one.".to_owned())
            }
            (Some(name), None) => Ok(Some(SecretSource::Environment(name.clone()))),
            (None, Some(path)) => Ok(Some(SecretSource::File(path.clone()))),
            (None, None) => Ok(None),
        }
    }

    /// The section as the text of a form.
    pub(super) fn text(&self) -> EntraText {
        EntraText {
            enabled: self.enabled,
            tenant: self.tenant.clone(),
            client_id: self.client_id.clone(),
            client_secret_expires: match &self.client_secret_expires {
                None => String::new(),
                Some(toml::Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
            },
            sync_frequency: self.sync_frequency.clone(),
            delete_users_after: self.delete_users_after.clone(),
            include_disabled: self.include_disabled,
            custom_filter: self.custom_filter.clone(),
        }
    }
}

/// Reads a settings file.
///
/// # Errors
/// What is wrong with it in words, with its line: no TOML, an unknown name, a value of the wrong kind, or an `[ldap]` section.
pub fn parse(text: &str) -> Result<SettingsFile, String> {
    // The error's own text quotes the line, and somebody may have written the secret itself into it.
    let file: SettingsFile = toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start));
        match before {
            Some(before) => format!("line {}: {}", before.matches('\n').count() + 1, error.message()),
            None => error.message().to_owned(),
        }
    })?;
    if file.ldap.is_some() {
        return Err(
            "[ldap]: this version connects Entra ID only. LDAP comes later; remove the section.".to_owned()
        );
    }
    Ok(file)
}

/// Writes a settings file. Secrets are never part of it.
pub(super) fn write(managed: &[String], entra: Option<&EntraSettings>, guard: &GuardLimits) -> String {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let managed = managed.iter().map(|domain| quoted(domain)).collect::<Vec<_>>().join(", ");
    let mut out = format!("managed_domains = [{managed}]\n");
    let mut line = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    if let Some(entra) = entra {
        line("\n[entra]".to_owned());
        line(format!("enabled = {}", entra.enabled));
        line(format!("tenant = {}", quoted(&entra.tenant)));
        line(format!("client_id = {}", quoted(&entra.client_id)));
        if let Some(day) = &entra.client_secret_expires {
            line(format!("client_secret_expires = {day}"));
        }
        line(format!("sync_frequency = {}", quoted(entra.sync_frequency.name())));
        line(format!("delete_users_after = {}", quoted(entra.delete_users_after.name())));
        line(format!("include_disabled = {}", entra.include_disabled));
        line(format!("custom_filter = {}", quoted(&entra.custom_filter)));
    }
    let _infallible = write!(
        out,
        "\n[guard]\nmax_removals = {}\nmax_removals_percent = {}\nmin_removals = {}\n",
        guard.max_removals, guard.max_removals_percent, guard.min_removals
    );
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entra() -> EntraSettings {
        EntraSettings {
            enabled: true,
            tenant: "contoso.onmicrosoft.com".to_owned(),
            client_id: "11111111-2222-3333-4444-555555555555".to_owned(),
            client_secret_expires: Some("2027-06-30".to_owned()),
            custom_filter: "startsWith(displayName,'\"\\\n''x')".to_owned(),
            ..EntraSettings::default()
        }
    }

    #[test]
    fn what_is_written_is_read_back_as_the_same_settings() {
        let guard = GuardLimits { max_removals: 7, ..GuardLimits::default() };
        let managed = ["contoso.com".to_owned()];
        let file = parse(&write(&managed, Some(&entra()), &guard)).unwrap();
        assert_eq!(file.managed_domains.as_deref(), Some(&managed[..]));
        assert_eq!(GuardLimits::from(file.guard.as_ref().unwrap()), guard);
        assert_eq!(EntraSettings::read(&file.entra.unwrap().text()).unwrap(), entra());
    }

    #[test]
    fn a_date_may_be_a_toml_date_or_text() {
        for day in ["2027-06-30", "\"2027-06-30\""] {
            let text =
                format!("[entra]\ntenant=\"a.example\"\nclient_id=\"x\"\nclient_secret_expires = {day}\n");
            assert_eq!(parse(&text).unwrap().entra.unwrap().text().client_secret_expires, "2027-06-30");
        }
    }

    #[test]
    fn an_unknown_name_is_refused_by_name_and_line() {
        let error = parse(
            "managed_domains = []\n[entra]\ntenant = \"a\"\nclient_id = \"b\"\nclient_secret = \"hunter2\"\n",
        );
        let error = error.unwrap_err();
        assert!(error.contains("`client_secret`") && error.contains("line 5"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }

    #[test]
    fn an_ldap_section_is_refused_with_words() {
        assert!(parse("[ldap]\nhost = \"x\"\n").unwrap_err().contains("LDAP comes later"));
    }

    #[test]
    fn two_places_for_one_secret_are_refused() {
        let file = parse(
            "[entra]\ntenant=\"a\"\nclient_id=\"b\"\nclient_secret_env=\"E\"\nclient_secret_file=\"f\"\n",
        );
        assert!(file.unwrap().entra.unwrap().secret_source().is_err());
    }
}
