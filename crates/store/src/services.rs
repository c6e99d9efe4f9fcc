//! A customer's directory services: their settings, what the tenant says about itself, their sealed secrets, and the managed domains.

use domain::{
    Random, Secret, Timestamp,
    service::Service,
    settings::{EntraSettings, Organisation},
};

use crate::{
    CustomerStore, CustomerWrite, StoreError,
    error::Result,
    given::Given,
    sql::{all, execute, optional, statements},
};

statements! {
    SERVICE = "SELECT enabled, settings, organisation, version, updated_at, disabled_at FROM directory_services WHERE customer_id = $1 AND service = $2";
    DISABLE_OTHERS = "UPDATE directory_services SET enabled = FALSE, version = version + 1, updated_at = $3, disabled_at = $3
                      WHERE customer_id = $1 AND service <> $2 AND enabled = TRUE";
    SAVE = "INSERT INTO directory_services (customer_id, service, enabled, settings, organisation, organisation_id, version, updated_at)
            VALUES ($1, $2, $3, $4, $5, $6, 1, $7)
            ON CONFLICT (customer_id, service) DO UPDATE SET enabled = excluded.enabled, settings = excluded.settings,
                organisation = excluded.organisation, organisation_id = excluded.organisation_id,
                version = directory_services.version + 1, updated_at = excluded.updated_at,
                disabled_at = CASE WHEN excluded.enabled = TRUE THEN NULL
                                   WHEN directory_services.enabled = TRUE THEN excluded.updated_at
                                   ELSE directory_services.disabled_at END";
    TENANT_ELSEWHERE = "SELECT c.name FROM directory_services s JOIN customers c ON c.id = s.customer_id
                        WHERE s.organisation_id = $2 AND s.customer_id <> $1 ORDER BY c.name";
    SECRET = "SELECT sealed FROM secrets WHERE customer_id = $1 AND name = $2";
    SECRET_SAVED_AT = "SELECT saved_at FROM secrets WHERE customer_id = $1 AND name = $2";
    SAVE_SECRET = "INSERT INTO secrets (customer_id, name, sealed, saved_at) VALUES ($1, $2, $3, $4)
                   ON CONFLICT (customer_id, name) DO UPDATE SET sealed = excluded.sealed, saved_at = excluded.saved_at";
    REMOVE_SECRET = "DELETE FROM secrets WHERE customer_id = $1 AND name = $2";
    DOMAINS = "SELECT domain FROM managed_domains WHERE customer_id = $1 ORDER BY domain";
    REMOVE_DOMAINS = "DELETE FROM managed_domains WHERE customer_id = $1";
    ADD_DOMAIN = "INSERT INTO managed_domains (customer_id, domain) VALUES ($1, $2)";
    DOMAIN_OWNERS = "SELECT d.domain, c.name FROM managed_domains d JOIN customers c ON c.id = d.customer_id
                     WHERE d.customer_id <> $1 AND d.domain <> '*' AND d.domain ", among("$2" "TEXT"), " ORDER BY d.domain";
}

/// A directory service as saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryService {
    /// Which one.
    pub service: Service,
    /// Whether it is the customer's enabled one.
    pub enabled: bool,
    /// Its settings as JSON.
    pub settings_json: String,
    /// What the tenant said about itself at the last successful test.
    pub organisation: Option<Organisation>,
    /// Raised with every save.
    pub version: i64,
    /// The last save.
    pub updated_at: Timestamp,
    /// Since when it is switched off; `None` while it is enabled, and when it never was.
    pub disabled_at: Option<Timestamp>,
}

impl DirectoryService {
    /// The settings of Entra ID. Whether it is enabled is what the row says: it may have been disabled by enabling the other service.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when they are not such settings.
    pub fn entra(&self) -> Result<EntraSettings> {
        let settings: EntraSettings = serde_json::from_str(&self.settings_json)
            .map_err(|_| StoreError::corrupt("directory_services", "settings", self.service.name()))?;
        Ok(EntraSettings { enabled: self.enabled, ..settings })
    }
}

impl CustomerStore {
    /// A directory service's settings, when they were ever saved.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn service(&self, service: Service) -> Result<Option<DirectoryService>> {
        let mut connection = self.read().await?;
        let row = optional!(
            connection,
            (bool, String, Option<String>, i64, i64, Option<i64>),
            SERVICE,
            self.id(),
            service.name()
        )?;
        let Some((enabled, settings_json, organisation, version, updated_at, disabled_at)) = row else {
            return Ok(None);
        };
        let organisation = organisation
            .map(|json| {
                serde_json::from_str(&json)
                    .map_err(|_| StoreError::corrupt("directory_services", "organisation", service.name()))
            })
            .transpose()?;
        Ok(Some(DirectoryService {
            service,
            enabled,
            settings_json,
            organisation,
            version,
            updated_at: Timestamp(updated_at),
            disabled_at: disabled_at.map(Timestamp),
        }))
    }

    /// A saved secret, opened.
    ///
    /// # Errors
    /// [`StoreError::KeyDoesNotFit`] when it was sealed with another key.
    pub async fn secret(&self, name: &str) -> Result<Option<Secret>> {
        let mut connection = self.read().await?;
        let row = optional!(connection, (Vec<u8>,), SECRET, self.id(), name)?;
        row.map(|(sealed,)| self.vault().open(self.id(), name, &sealed)).transpose()
    }

    /// When a secret was saved: all that a page shows of it.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn secret_saved_at(&self, name: &str) -> Result<Option<Timestamp>> {
        let mut connection = self.read().await?;
        let row = optional!(connection, (i64,), SECRET_SAVED_AT, self.id(), name)?;
        Ok(row.map(|(saved_at,)| Timestamp(saved_at)))
    }

    /// The managed domains as entered, sorted: none, `*`, or names.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn managed_domains(&self) -> Result<Vec<String>> {
        let mut connection = self.read().await?;
        let rows = all!(connection, (String,), DOMAINS, self.id())?;
        Ok(rows.into_iter().map(|(domain,)| domain).collect())
    }

    /// Which of these domains another customer manages, each with that customer's name.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn domain_owners(&self, domains: &[String]) -> Result<Vec<(String, String)>> {
        let mut connection = self.read().await?;
        let given = Given::nothing().texts(domains);
        all!(connection, (String, String), DOMAIN_OWNERS, self.id(); given)
    }

    /// The names of other customers that are connected to the tenant with that id.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn tenant_elsewhere(&self, organisation_id: &str) -> Result<Vec<String>> {
        let mut connection = self.read().await?;
        let rows = all!(connection, (String,), TENANT_ELSEWHERE, self.id(), organisation_id)?;
        Ok(rows.into_iter().map(|(name,)| name).collect())
    }
}

impl CustomerWrite {
    /// Saves a directory service's settings and raises their version. Enabling one disables the other. One that was enabled and is not
    /// any more is noted as switched off since `now`.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when another transaction has just enabled the other service.
    pub async fn save_service(
        &mut self,
        service: Service,
        enabled: bool,
        settings_json: &str,
        organisation: Option<&Organisation>,
        now: Timestamp,
    ) -> Result<()> {
        if enabled {
            // Before the save, so that at no moment two are enabled.
            execute!(self.connection, DISABLE_OTHERS, self.customer_id, service.name(), now.0)?;
        }
        let json = organisation
            .map(serde_json::to_string)
            .transpose()
            .map_err(|error| StoreError::Database(error.into()))?;
        execute!(
            self.connection,
            SAVE,
            self.customer_id,
            service.name(),
            enabled,
            settings_json,
            json.as_deref(),
            organisation.map(|organisation| organisation.id.as_str()),
            now.0
        )
        .map_err(|error: StoreError| {
            error.or_taken(|| "The place of the one enabled directory service".to_owned())
        })?;
        Ok(())
    }

    /// Seals a secret and saves it in place of the one before.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn seal_secret(
        &mut self,
        name: &str,
        secret: &Secret,
        random: &dyn Random,
        now: Timestamp,
    ) -> Result<()> {
        let sealed = self.vault.seal(self.customer_id, name, secret, random)?;
        execute!(self.connection, SAVE_SECRET, self.customer_id, name, sealed, now.0)?;
        Ok(())
    }

    /// Removes a secret, when there is one.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn remove_secret(&mut self, name: &str) -> Result<()> {
        execute!(self.connection, REMOVE_SECRET, self.customer_id, name)?;
        Ok(())
    }

    /// Sets the managed domains: none, `*`, or names as A-labels in lower case.
    ///
    /// # Errors
    /// [`StoreError::Taken`] with the first domain that another customer manages.
    pub async fn set_managed_domains(&mut self, domains: &[String]) -> Result<()> {
        execute!(self.connection, REMOVE_DOMAINS, self.customer_id)?;
        for domain in domains {
            // One by one, so that a violated index names the domain; there are few.
            execute!(self.connection, ADD_DOMAIN, self.customer_id, domain.as_str())
                .map_err(|error: StoreError| error.or_taken(|| format!("The domain {domain}")))?;
        }
        Ok(())
    }
}
