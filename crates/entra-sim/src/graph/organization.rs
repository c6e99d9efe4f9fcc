//! The organization and its domains (contract 7.5).

use serde_json::{Value, json};

use super::Call;
use super::access::{DOMAINS, ORGANIZATION};
use super::error::GraphError;
use super::query::project;
use super::reply::Reply;
use crate::tenant::Object;

pub(super) fn organization(call: &Call<'_>) -> Result<Reply, GraphError> {
    call.caller.require(ORGANIZATION)?;
    let verified: Vec<Value> = call
        .directory
        .tenant()
        .domains()
        .iter()
        .map(|domain| {
            json!({
                "capabilities": "Email, OfficeCommunicationsOnline",
                "isDefault": domain.is_default,
                "isInitial": domain.is_initial,
                "name": domain.name,
                "type": "Managed",
            })
        })
        .collect();
    let organization = json!({
        "id": call.directory.tenant().id(),
        "deletedDateTime": null,
        "businessPhones": ["+44 20 7946 0000"],
        "city": "London",
        "country": null,
        "countryLetterCode": "GB",
        "createdDateTime": "2015-01-05T08:00:00Z",
        "displayName": call.directory.tenant().display_name(),
        "onPremisesLastSyncDateTime": null,
        "onPremisesSyncEnabled": null,
        "preferredLanguage": "en",
        "technicalNotificationMails": [],
        "tenantType": "AAD",
        "verifiedDomains": verified,
    });
    collection(call, "organization", vec![organization])
}

pub(super) fn domains(call: &Call<'_>) -> Result<Reply, GraphError> {
    call.caller.require(DOMAINS)?;
    let all = call
        .directory
        .tenant()
        .domains()
        .iter()
        .map(|domain| {
            json!({
                "authenticationType": "Managed",
                "availabilityStatus": null,
                "id": domain.name,
                "isAdminManaged": true,
                "isDefault": domain.is_default,
                "isInitial": domain.is_initial,
                "isRoot": true,
                "isVerified": true,
                "passwordNotificationWindowInDays": null,
                "passwordValidityPeriodInDays": null,
                "state": null,
                "supportedServices": ["Email", "OfficeCommunicationsOnline"],
            })
        })
        .collect();
    collection(call, "domains", all)
}

/// All of a few objects, on one page.
fn collection(call: &Call<'_>, set: &str, all: Vec<Value>) -> Result<Reply, GraphError> {
    call.query.only(&["$select"], call.eventual())?;
    let select = call.query.select();
    let selected = select.as_ref().map(|select| format!("({})", select.list())).unwrap_or_default();
    let value: Vec<Value> = all
        .into_iter()
        .map(|item| match (item, &select) {
            (Value::Object(object), Some(select)) => Value::Object(project(&object, Some(select), &[])),
            (item, _) => item,
        })
        .collect();
    let mut body = Object::new();
    body.insert("@odata.context".to_owned(), json!(format!("{}/$metadata#{set}{selected}", call.base)));
    body.insert("value".to_owned(), Value::Array(value));
    Ok(Reply::json(Value::Object(body), 1))
}
