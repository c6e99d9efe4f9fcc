//! Whether a tenant may be the wrong one.

use std::collections::BTreeSet;

use domain::{
    address::Domain,
    settings::{EntraSettings, Organisation},
};
use store::CustomerStore;

use super::{Switch, check::Saved};
use crate::SyncError;

/// What speaks for the wrong tenant. Shown before Save, which then needs a confirmation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantDoubt {
    /// What the tenant says about itself, when it could be asked.
    pub organisation: Option<Organisation>,
    /// What speaks against it, a sentence each. Never empty.
    pub reasons: Vec<String>,
    /// What becomes of the users when it is another tenant than before.
    pub switch: Option<Switch>,
}

impl TenantDoubt {
    /// All that there is to say, a sentence each.
    #[must_use]
    pub fn sentences(&self) -> Vec<String> {
        self.reasons.iter().cloned().chain(self.switch.iter().flat_map(Switch::sentences)).collect()
    }

    /// What names the question; empty when there is no switch to be confirmed.
    #[must_use]
    pub fn stamp(&self) -> String {
        self.switch.as_ref().map(|switch| switch.stamp(self.organisation.as_ref())).unwrap_or_default()
    }
}

/// Whether the tenant may be the wrong one for this customer.
pub(super) async fn of(
    customer: &CustomerStore,
    managed: &[String],
    saved: Option<&Saved>,
    settings: &EntraSettings,
    organisation: Option<&Organisation>,
) -> Result<Option<TenantDoubt>, SyncError> {
    let elsewhere = match organisation {
        Some(organisation) => customer.tenant_elsewhere(&organisation.id).await?,
        None => Vec::new(),
    };
    Ok(doubt(&Facts {
        customer: &customer.customer().name,
        managed,
        saved: saved.map(|saved| (&saved.settings, saved.organisation.as_ref())),
        settings,
        organisation,
        elsewhere: &elsewhere,
    }))
}

/// What is known when a tenant is judged.
struct Facts<'a> {
    /// The customer's name.
    pub customer: &'a str,
    /// The managed domains as set.
    pub managed: &'a [String],
    /// The connection as saved, and what its tenant said of itself then.
    pub saved: Option<(&'a EntraSettings, Option<&'a Organisation>)>,
    /// The connection as it would be saved.
    pub settings: &'a EntraSettings,
    /// What the tenant says about itself; `None` when it could not be asked.
    pub organisation: Option<&'a Organisation>,
    /// The names of other customers that are connected to this tenant.
    pub elsewhere: &'a [String],
}

/// Collects the doubts.
fn doubt(facts: &Facts<'_>) -> Option<TenantDoubt> {
    let mut reasons = Vec::new();
    if let Some((saved, before)) = facts.saved {
        match (before, facts.organisation) {
            (Some(before), Some(now)) if before.id != now.id => {
                reasons.push(format!("This is another tenant than before ({}).", named(before)));
            }
            // Who it is cannot be compared: the text of the field is all there is.
            (_, None) | (None, _) if saved.tenant != facts.settings.tenant => {
                reasons.push(format!("This is another tenant than before ({}).", saved.tenant));
            }
            _ => {}
        }
    }
    if let Some(organisation) = facts.organisation {
        let set: BTreeSet<_> = facts.managed.iter().filter_map(|domain| Domain::parse(domain)).collect();
        let has =
            organisation.domains.iter().filter_map(|domain| Domain::parse(domain)).any(|d| set.contains(&d));
        if !set.is_empty() && !has {
            reasons.push(format!("None of its domains is a managed domain of {}.", facts.customer));
        }
    }
    for other in facts.elsewhere {
        reasons.push(format!("The customer {other} is connected to the same tenant."));
    }
    (!reasons.is_empty()).then(|| TenantDoubt {
        organisation: facts.organisation.cloned(),
        reasons,
        switch: None,
    })
}

fn named(organisation: &Organisation) -> String {
    let domain = organisation.domains.first().map_or(organisation.id.as_str(), String::as_str);
    if organisation.display_name.is_empty() {
        domain.to_owned()
    } else {
        format!("{}, {domain}", organisation.display_name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn organisation(id: &str, domains: &[&str]) -> Organisation {
        Organisation {
            id: id.to_owned(),
            display_name: "Contoso".to_owned(),
            domains: domains.iter().map(ToString::to_string).collect(),
        }
    }

    fn settings(tenant: &str) -> EntraSettings {
        EntraSettings { tenant: tenant.to_owned(), ..EntraSettings::default() }
    }

    fn reasons(facts: &Facts<'_>) -> Vec<String> {
        doubt(facts).map_or_else(Vec::new, |doubt| doubt.reasons)
    }

    #[test]
    fn a_tenant_that_is_met_first_and_has_a_managed_domain_raises_no_doubt() {
        let tenant = organisation("1", &["Contoso.com"]);
        let facts = Facts {
            customer: "Contoso",
            managed: &["contoso.com".to_owned()],
            saved: None,
            settings: &settings("contoso.com"),
            organisation: Some(&tenant),
            elsewhere: &[],
        };
        assert_eq!(doubt(&facts), None);
        assert_eq!(doubt(&Facts { managed: &[], ..facts }), None);
    }

    #[test]
    fn every_reason_is_named() {
        let (before, now) = (organisation("1", &["contoso.com"]), organisation("2", &["fabrikam.com"]));
        let facts = Facts {
            customer: "Contoso",
            managed: &["contoso.com".to_owned()],
            saved: Some((&settings("contoso.com"), Some(&before))),
            settings: &settings("fabrikam.com"),
            organisation: Some(&now),
            elsewhere: &["Fabrikam".to_owned()],
        };
        assert_eq!(
            reasons(&facts),
            [
                "This is another tenant than before (Contoso, contoso.com).",
                "None of its domains is a managed domain of Contoso.",
                "The customer Fabrikam is connected to the same tenant.",
            ]
        );
    }

    #[test]
    fn the_same_tenant_by_another_name_is_no_doubt_when_it_can_be_asked_and_one_when_not() {
        let tenant = organisation("1", &["contoso.com"]);
        let (saved, new) = (settings("contoso.com"), settings("contoso.onmicrosoft.com"));
        let facts = Facts {
            customer: "Contoso",
            managed: &[],
            saved: Some((&saved, Some(&tenant))),
            settings: &new,
            organisation: Some(&tenant),
            elsewhere: &[],
        };
        assert_eq!(doubt(&facts), None);
        let unasked = Facts { organisation: None, ..facts };
        assert_eq!(reasons(&unasked), ["This is another tenant than before (contoso.com)."]);
    }
}
