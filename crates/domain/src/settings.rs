//! A customer's directory-service settings: their names, defaults, labels, and what is wrong with a field.
//!
//! The labels are fixed words of the product: administrators know them. A form or a settings file arrives as text and becomes settings
//! through [`EntraSettings::read`], which reports every wrong field at once.

use serde::{Deserialize, Serialize};

use crate::{
    address::Domain,
    moment::{Timestamp, day_text, parse_day},
};

/// How often a sync starts by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SyncFrequency {
    /// Every hour.
    #[serde(rename = "1h")]
    OneHour,
    /// Every 3 hours.
    #[serde(rename = "3h")]
    ThreeHours,
    /// Every 6 hours: the default.
    #[default]
    #[serde(rename = "6h")]
    SixHours,
    /// Every 12 hours.
    #[serde(rename = "12h")]
    TwelveHours,
    /// Every 24 hours.
    #[serde(rename = "24h")]
    OneDay,
    /// Every 3 days.
    #[serde(rename = "3d")]
    ThreeDays,
    /// Every week.
    #[serde(rename = "7d")]
    OneWeek,
    /// Only when somebody starts one.
    #[serde(rename = "manual")]
    Manual,
}

impl SyncFrequency {
    /// Every choice, in the order of the select box.
    pub const ALL: [Self; 8] = [
        Self::OneHour,
        Self::ThreeHours,
        Self::SixHours,
        Self::TwelveHours,
        Self::OneDay,
        Self::ThreeDays,
        Self::OneWeek,
        Self::Manual,
    ];

    /// The time between two runs in milliseconds; `None` for runs by hand only.
    #[must_use]
    pub const fn milliseconds(self) -> Option<i64> {
        let hours = match self {
            Self::OneHour => 1,
            Self::ThreeHours => 3,
            Self::SixHours => 6,
            Self::TwelveHours => 12,
            Self::OneDay => 24,
            Self::ThreeDays => 72,
            Self::OneWeek => 168,
            Self::Manual => return None,
        };
        Some(hours * Timestamp::HOUR)
    }

    /// The name in forms and settings files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OneHour => "1h",
            Self::ThreeHours => "3h",
            Self::SixHours => "6h",
            Self::TwelveHours => "12h",
            Self::OneDay => "24h",
            Self::ThreeDays => "3d",
            Self::OneWeek => "7d",
            Self::Manual => "manual",
        }
    }

    /// The label in the select box.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::OneHour => "1 hour",
            Self::ThreeHours => "3 hours",
            Self::SixHours => "6 hours",
            Self::TwelveHours => "12 hours",
            Self::OneDay => "24 hours",
            Self::ThreeDays => "3 days",
            Self::OneWeek => "1 week",
            Self::Manual => "Manual only",
        }
    }

    /// The choice of that [`name`](Self::name).
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|choice| choice.name() == name)
    }
}

/// How long a person may be missing before the user is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeleteAfter {
    /// 1 day.
    #[serde(rename = "1d")]
    OneDay,
    /// 3 days.
    #[serde(rename = "3d")]
    ThreeDays,
    /// 7 days: the default.
    #[default]
    #[serde(rename = "7d")]
    SevenDays,
    /// 14 days.
    #[serde(rename = "14d")]
    FourteenDays,
    /// 30 days.
    #[serde(rename = "30d")]
    ThirtyDays,
    /// 60 days.
    #[serde(rename = "60d")]
    SixtyDays,
    /// 90 days.
    #[serde(rename = "90d")]
    NinetyDays,
    /// Not by itself.
    #[serde(rename = "never")]
    Never,
}

impl DeleteAfter {
    /// Every choice, in the order of the select box.
    pub const ALL: [Self; 8] = [
        Self::OneDay,
        Self::ThreeDays,
        Self::SevenDays,
        Self::FourteenDays,
        Self::ThirtyDays,
        Self::SixtyDays,
        Self::NinetyDays,
        Self::Never,
    ];

    /// The delay in milliseconds; `None` for never.
    #[must_use]
    pub const fn milliseconds(self) -> Option<i64> {
        let days = match self {
            Self::OneDay => 1,
            Self::ThreeDays => 3,
            Self::SevenDays => 7,
            Self::FourteenDays => 14,
            Self::ThirtyDays => 30,
            Self::SixtyDays => 60,
            Self::NinetyDays => 90,
            Self::Never => return None,
        };
        Some(days * Timestamp::DAY)
    }

    /// The name in forms and settings files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OneDay => "1d",
            Self::ThreeDays => "3d",
            Self::SevenDays => "7d",
            Self::FourteenDays => "14d",
            Self::ThirtyDays => "30d",
            Self::SixtyDays => "60d",
            Self::NinetyDays => "90d",
            Self::Never => "never",
        }
    }

    /// The label in the select box.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::OneDay => "1 day",
            Self::ThreeDays => "3 days",
            Self::SevenDays => "7 days",
            Self::FourteenDays => "14 days",
            Self::ThirtyDays => "30 days",
            Self::SixtyDays => "60 days",
            Self::NinetyDays => "90 days",
            Self::Never => "Never",
        }
    }

    /// The choice of that [`name`](Self::name).
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|choice| choice.name() == name)
    }
}

/// The connection to an Entra ID tenant, secrets apart: what Save keeps and the settings file shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntraSettings {
    /// Enable Azure Sync.
    pub enabled: bool,
    /// Tenant Domain: the directory (tenant) ID as a GUID in lower case, or a verified domain in lower case.
    pub tenant: String,
    /// Client ID: the application's GUID in lower case.
    pub client_id: String,
    /// Client secret expires on: `2027-06-30`.
    pub client_secret_expires: Option<String>,
    /// Sync Frequency.
    pub sync_frequency: SyncFrequency,
    /// Delete Users After.
    pub delete_users_after: DeleteAfter,
    /// Include disabled/deactivated user accounts.
    pub include_disabled: bool,
    /// Custom Filters: a Microsoft Graph `$filter`, empty for everyone.
    pub custom_filter: String,
}

/// A field of the Connect form. The names are those of the form and of the settings file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// Tenant Domain.
    Tenant,
    /// Client ID.
    ClientId,
    /// Client Secret.
    ClientSecret,
    /// Client secret expires on.
    ClientSecretExpires,
    /// Sync Frequency.
    SyncFrequency,
    /// Delete Users After.
    DeleteUsersAfter,
    /// Custom Filters.
    CustomFilter,
    /// Managed domains.
    ManagedDomains,
    /// The deletion guard's limits.
    Guard,
}

impl Field {
    /// The label on the page.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Tenant => "Tenant Domain",
            Self::ClientId => "Client ID",
            Self::ClientSecret => "Client Secret",
            Self::ClientSecretExpires => "Client secret expires on",
            Self::SyncFrequency => "Sync Frequency",
            Self::DeleteUsersAfter => "Delete Users After",
            Self::CustomFilter => "Custom Filters",
            Self::ManagedDomains => "Managed domains",
            Self::Guard => "Deletion guard",
        }
    }
}

/// What is wrong with a field, in words that say what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// The field.
    pub field: Field,
    /// What is wrong, and what to enter.
    pub message: String,
}

impl FieldError {
    /// An error at that field.
    pub fn new(field: Field, message: impl Into<String>) -> Self {
        Self { field, message: message.into() }
    }
}

/// The text of a Connect form or a settings file, not yet read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntraText {
    /// Enable Azure Sync.
    pub enabled: bool,
    /// Tenant Domain.
    pub tenant: String,
    /// Client ID.
    pub client_id: String,
    /// Client secret expires on; empty for unknown.
    pub client_secret_expires: String,
    /// Sync Frequency by name.
    pub sync_frequency: String,
    /// Delete Users After by name.
    pub delete_users_after: String,
    /// Include disabled/deactivated user accounts.
    pub include_disabled: bool,
    /// Custom Filters.
    pub custom_filter: String,
}

impl From<&EntraSettings> for EntraText {
    fn from(settings: &EntraSettings) -> Self {
        Self {
            enabled: settings.enabled,
            tenant: settings.tenant.clone(),
            client_id: settings.client_id.clone(),
            client_secret_expires: settings.client_secret_expires.clone().unwrap_or_default(),
            sync_frequency: settings.sync_frequency.name().to_owned(),
            delete_users_after: settings.delete_users_after.name().to_owned(),
            include_disabled: settings.include_disabled,
            custom_filter: settings.custom_filter.clone(),
        }
    }
}

impl EntraSettings {
    /// Reads a form. The custom filter is checked by whoever knows the filter language.
    ///
    /// # Errors
    /// Every field that is wrong in form, in the order of the page.
    pub fn read(text: &EntraText) -> Result<Self, Vec<FieldError>> {
        let mut errors = Vec::new();
        let tenant = text.tenant.trim().to_lowercase();
        if tenant.is_empty() {
            errors.push(FieldError::new(
                Field::Tenant,
                "Enter the Directory (tenant) ID or a verified domain of the tenant, such as contoso.onmicrosoft.com.",
            ));
        } else if ["common", "organizations", "consumers"].contains(&tenant.as_str()) {
            errors.push(FieldError::new(
                Field::Tenant,
                "An application signs in to one tenant: enter its Directory (tenant) ID or a verified domain.",
            ));
        } else if !is_guid(&tenant) && Domain::parse(&tenant).is_none() {
            errors.push(FieldError::new(
                Field::Tenant,
                "This is neither a GUID nor a domain. Copy the Directory (tenant) ID from the app's Overview page.",
            ));
        }
        let client_id = text.client_id.trim().to_lowercase();
        if client_id.is_empty() {
            errors.push(FieldError::new(Field::ClientId, "Enter the Application (client) ID of the app."));
        } else if !is_guid(&client_id) {
            errors.push(FieldError::new(
                Field::ClientId,
                "This is not a GUID. Copy the Application (client) ID from the app's Overview page.",
            ));
        }
        let expires = text.client_secret_expires.trim();
        let expires = if expires.is_empty() {
            None
        } else {
            match parse_day(expires) {
                Some(day) => Some(day_text(day)),
                None => {
                    errors.push(FieldError::new(
                        Field::ClientSecretExpires,
                        "This is not a day. Enter it as year-month-day, such as 2027-06-30, or leave it empty.",
                    ));
                    None
                }
            }
        };
        let sync_frequency = SyncFrequency::named(&text.sync_frequency).unwrap_or_else(|| {
            errors.push(FieldError::new(Field::SyncFrequency, "Choose one of the frequencies of the list."));
            SyncFrequency::default()
        });
        let delete_users_after = DeleteAfter::named(&text.delete_users_after).unwrap_or_else(|| {
            errors.push(FieldError::new(Field::DeleteUsersAfter, "Choose one of the delays of the list."));
            DeleteAfter::default()
        });
        let settings = Self {
            enabled: text.enabled,
            tenant: Domain::parse(&tenant).map_or(tenant, |domain| domain.as_str().to_owned()),
            client_id,
            client_secret_expires: expires,
            sync_frequency,
            delete_users_after,
            include_disabled: text.include_disabled,
            custom_filter: text.custom_filter.trim().to_owned(),
        };
        if errors.is_empty() { Ok(settings) } else { Err(errors) }
    }

    /// Days from `now` until the client secret expires, when a day was given; negative when it has passed.
    #[must_use]
    pub fn secret_days_left(&self, now: Timestamp) -> Option<i64> {
        let day = parse_day(self.client_secret_expires.as_deref()?)?;
        Some((day - now.date()).whole_days())
    }

    /// The same, when it is so soon that an administrator is warned ([`SECRET_WARNING_DAYS`]).
    #[must_use]
    pub fn secret_expires_soon(&self, now: Timestamp) -> Option<i64> {
        self.secret_days_left(now).filter(|days| *days <= SECRET_WARNING_DAYS)
    }

    /// Whether another secret is demanded before these settings may use it: a saved secret is never sent to another tenant or as another client.
    #[must_use]
    pub fn needs_secret_again(&self, saved: &Self) -> bool {
        self.tenant != saved.tenant || self.client_id != saved.client_id
    }
}

/// From how many days before its expiry a client secret is warned about.
pub const SECRET_WARNING_DAYS: i64 = 60;

/// What a tenant says about itself (`GET /organization`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organisation {
    /// The tenant's id: a GUID.
    pub id: String,
    /// The organisation's name.
    pub display_name: String,
    /// The verified domains, the default one first.
    pub domains: Vec<String>,
}

/// The limits of the deletion guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuardLimits {
    /// Hold when more than this many users would become conflicts.
    pub max_removals: i64,
    /// Hold when more than this share of the synced users would, in percent…
    pub max_removals_percent: i64,
    /// … and at least this many.
    pub min_removals: i64,
}

impl Default for GuardLimits {
    fn default() -> Self {
        Self { max_removals: 500, max_removals_percent: 20, min_removals: 5 }
    }
}

impl GuardLimits {
    /// Whether the three numbers make sense together.
    ///
    /// # Errors
    /// What to change, in words.
    pub fn check(&self) -> Result<(), FieldError> {
        let wrong = if self.max_removals < 1 {
            "max_removals must be at least 1."
        } else if !(1..=100).contains(&self.max_removals_percent) {
            "max_removals_percent must lie between 1 and 100."
        } else if self.min_removals < 1 {
            "min_removals must be at least 1."
        } else {
            return Ok(());
        };
        Err(FieldError::new(Field::Guard, wrong))
    }
}

/// Reads the managed domains of a form or settings file: empty for the tenant's verified domains, `*` for all, else domain names.
///
/// # Errors
/// The first entry that is no domain, or `*` beside other entries.
pub fn read_managed_domains(entries: &[String]) -> Result<Vec<String>, FieldError> {
    let entries: Vec<_> =
        entries.iter().map(|entry| entry.trim()).filter(|entry| !entry.is_empty()).collect();
    if entries.contains(&"*") {
        return if entries.len() == 1 {
            Ok(vec!["*".to_owned()])
        } else {
            Err(FieldError::new(Field::ManagedDomains, "\"*\" means every domain and must stand alone."))
        };
    }
    let mut domains = Vec::new();
    for entry in entries {
        let Some(domain) = Domain::parse(entry) else {
            return Err(FieldError::new(Field::ManagedDomains, format!("\"{entry}\" is not a domain name.")));
        };
        if !domains.iter().any(|known| known == domain.as_str()) {
            domains.push(domain.as_str().to_owned());
        }
    }
    domains.sort();
    Ok(domains)
}

/// Whether the text is a GUID in its usual form, `8-4-4-4-12` hexadecimal digits.
#[must_use]
pub fn is_guid(text: &str) -> bool {
    let parts: Vec<_> = text.split('-').collect();
    let lengths = [8, 4, 4, 4, 12];
    parts.len() == lengths.len()
        && parts
            .iter()
            .zip(lengths)
            .all(|(part, length)| part.len() == length && part.chars().all(|c| c.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text() -> EntraText {
        EntraText {
            tenant: " Contoso.OnMicrosoft.com ".to_owned(),
            client_id: "11111111-2222-3333-4444-55555555ABCD".to_owned(),
            sync_frequency: "6h".to_owned(),
            delete_users_after: "7d".to_owned(),
            ..EntraText::default()
        }
    }

    fn wrong_fields(text: &EntraText) -> Vec<Field> {
        EntraSettings::read(text)
            .map_or_else(|errors| errors.into_iter().map(|e| e.field).collect(), |_| Vec::new())
    }

    #[test]
    fn a_form_is_read_with_its_spaces_and_capitals_folded() {
        let settings = EntraSettings::read(&text()).unwrap();
        assert_eq!(settings.tenant, "contoso.onmicrosoft.com");
        assert_eq!(settings.client_id, "11111111-2222-3333-4444-55555555abcd");
        assert_eq!(settings.sync_frequency, SyncFrequency::SixHours);
        assert_eq!(settings.delete_users_after, DeleteAfter::SevenDays);
    }

    #[test]
    fn every_wrong_field_is_reported_at_once_in_the_order_of_the_page() {
        let wrong = EntraText {
            tenant: "contoso".to_owned(),
            client_id: "not-a-guid".to_owned(),
            client_secret_expires: "soon".to_owned(),
            sync_frequency: "2h".to_owned(),
            delete_users_after: "5d".to_owned(),
            ..EntraText::default()
        };
        let fields = [
            Field::Tenant,
            Field::ClientId,
            Field::ClientSecretExpires,
            Field::SyncFrequency,
            Field::DeleteUsersAfter,
        ];
        assert_eq!(wrong_fields(&wrong), fields);
    }

    #[test]
    fn an_empty_tenant_and_the_words_for_any_tenant_are_refused() {
        for tenant in ["", "  ", "common", "Organizations", "consumers"] {
            assert_eq!(
                wrong_fields(&EntraText { tenant: tenant.to_owned(), ..text() }),
                [Field::Tenant],
                "{tenant:?}"
            );
        }
    }

    #[test]
    fn another_tenant_or_client_needs_the_secret_again_and_other_fields_do_not() {
        let saved = EntraSettings::read(&text()).unwrap();
        assert!(
            !EntraSettings { include_disabled: true, custom_filter: "x".to_owned(), ..saved.clone() }
                .needs_secret_again(&saved)
        );
        assert!(
            EntraSettings { tenant: "other.example".to_owned(), ..saved.clone() }.needs_secret_again(&saved)
        );
        assert!(EntraSettings { client_id: String::new(), ..saved.clone() }.needs_secret_again(&saved));
    }

    #[test]
    fn the_days_until_the_secret_expires_are_counted_from_today() {
        let settings = EntraSettings {
            client_secret_expires: Some("2026-11-26".to_owned()),
            ..EntraSettings::default()
        };
        let now = Timestamp(1_795_497_766_000);
        assert_eq!(settings.secret_days_left(now), Some(2));
        assert_eq!(settings.secret_days_left(now.plus(5 * Timestamp::DAY)), Some(-3));
        assert_eq!(EntraSettings::default().secret_days_left(now), None);
    }

    #[test]
    fn a_secret_is_warned_about_from_sixty_days_before_its_expiry() {
        let settings = EntraSettings {
            client_secret_expires: Some("2027-01-23".to_owned()),
            ..EntraSettings::default()
        };
        let now = Timestamp(1_795_497_766_000);
        assert_eq!(settings.secret_expires_soon(now), Some(60));
        assert_eq!(settings.secret_expires_soon(now.plus(-Timestamp::DAY)), None);
        assert_eq!(settings.secret_expires_soon(now.plus(61 * Timestamp::DAY)), Some(-1));
    }

    #[test]
    fn names_of_frequencies_and_delays_are_found_and_unique() {
        for choice in SyncFrequency::ALL {
            assert_eq!(SyncFrequency::named(choice.name()), Some(choice));
        }
        for choice in DeleteAfter::ALL {
            assert_eq!(DeleteAfter::named(choice.name()), Some(choice));
        }
    }

    #[test]
    fn managed_domains_are_folded_sorted_and_a_star_stands_alone() {
        let read = |entries: &[&str]| {
            read_managed_domains(&entries.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(
            read(&["Fabrikam.co.uk", " contoso.com ", "contoso.com", ""]).unwrap(),
            ["contoso.com", "fabrikam.co.uk"]
        );
        assert_eq!(read(&["*"]).unwrap(), ["*"]);
        assert!(read(&["*", "contoso.com"]).is_err());
        assert!(read(&["not a domain"]).is_err());
    }

    #[test]
    fn guard_limits_that_make_no_sense_are_refused() {
        assert!(GuardLimits::default().check().is_ok());
        for limits in [
            GuardLimits { max_removals: 0, ..GuardLimits::default() },
            GuardLimits { max_removals_percent: 101, ..GuardLimits::default() },
            GuardLimits { min_removals: 0, ..GuardLimits::default() },
        ] {
            assert!(limits.check().is_err());
        }
    }
}
