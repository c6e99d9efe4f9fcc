//! The set-up guide for the Entra side, with a script that does the same.

use leptos::prelude::*;

use crate::components::Icon;

/// Microsoft Graph's own application id, in every tenant.
const GRAPH: &str = "00000003-0000-0000-c000-000000000000";
/// The application permissions that the sync reads with, and the ids of their app roles (Microsoft Graph permissions reference).
const PERMISSIONS: [(&str, &str); 4] = [
    ("Directory.Read.All", "7ab1d382-f21e-4acd-a863-ba3e13f7da61"),
    ("Group.Read.All", "5b567255-7703-4780-807c-7be8301ae99b"),
    ("GroupMember.Read.All", "98830695-27a2-44f7-8c18-0c3ebc9698f6"),
    ("User.Read.All", "df021288-bdef-4463-88db-98f22de89214"),
];

/// A shell script for the Azure CLI that registers the app as the guide describes. The tenant is part of it only when it is plainly one: a
/// script must not be built from arbitrary text.
fn script(tenant: &str) -> String {
    let plain =
        !tenant.is_empty() && tenant.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '.');
    let tenant = if plain { format!(" --tenant {tenant}") } else { String::new() };
    let roles: Vec<_> = PERMISSIONS.iter().map(|(_, id)| format!("{id}=Role")).collect();
    format!(
        "set -eu\n\
         az login --allow-no-subscriptions{tenant} --output none\n\
         app=$(az ad app create --display-name \"Rollcall directory sync\" \\\n  --sign-in-audience AzureADMyOrg --query appId --output tsv)\n\
         az ad sp create --id \"$app\" --output none\n\
         az ad app permission add --id \"$app\" --api {GRAPH} \\\n  --api-permissions {}\n\
         sleep 30  # a new app takes a moment to be known everywhere\n\
         az ad app permission admin-consent --id \"$app\"\n\
         secret=$(az ad app credential reset --id \"$app\" --append \\\n  --display-name Rollcall --years 1 --query password --output tsv)\n\
         echo \"Tenant Domain: $(az account show --query tenantId --output tsv)\"\n\
         echo \"Client ID:     $app\"\n\
         echo \"Client Secret: $secret\"\n",
        roles.join(" ")
    )
}

/// The guide.
#[component]
pub(super) fn Guide(
    /// The saved tenant, for the script.
    tenant: String,
) -> impl IntoView {
    let script = script(&tenant);
    let permissions = PERMISSIONS.map(|(name, _)| view! { <li><code>{name}</code></li> });
    view! {
        <aside class="card guide" aria-label="Set up in Entra">
            <h2>"Set up in Entra"</h2>
            <ol>
                <li>
                    "In the Microsoft Entra admin center, open "<strong>"App registrations"</strong>
                    " and register a new app: accounts in this directory only (single tenant), no redirect URI."
                </li>
                <li>
                    "Under "<strong>"API permissions"</strong>", add these "<strong>"application"</strong>
                    " permissions of Microsoft Graph: "<ul class="plain">{permissions}</ul>
                </li>
                <li>"Remove the delegated permission "<code>"User.Read"</code>", which a new app starts with."</li>
                <li>"Choose "<strong>"Grant admin consent"</strong>". It may take up to 15 minutes to reach every server."</li>
                <li>
                    "Under "<strong>"Certificates & secrets"</strong>", create a client secret. Copy its "<strong>"Value"</strong>
                    ", not the Secret ID: it is shown once. Note when it expires."
                </li>
                <li>
                    "From "<strong>"Overview"</strong>", copy the Application (client) ID and the Directory (tenant) ID."
                </li>
            </ol>
            <p class="soft">
                "Graph's permissions do not read mail contacts, dynamic distribution groups, public folders and hidden memberships. Addresses of
                that kind are not synced."
            </p>
            <details>
                <summary>"The same as an Azure CLI script"</summary>
                <CopyButton text=script.clone() />
                <pre class="script" tabindex="0" aria-label="Azure CLI script">{script}</pre>
            </details>
        </aside>
    }
}

/// Copies a text. It shows only where there is JavaScript; without it the text can be marked by hand.
#[component]
fn CopyButton(text: String) -> impl IntoView {
    let works = RwSignal::new(false);
    let copied = RwSignal::new(false);
    Effect::new(move || works.set(true));
    let copy = move || {
        #[cfg(feature = "hydrate")]
        {
            let written = window().navigator().clipboard().write_text(&text);
            leptos::task::spawn_local(async move {
                copied.set(wasm_bindgen_futures::JsFuture::from(written).await.is_ok());
            });
        }
        #[cfg(not(feature = "hydrate"))]
        let _ = (&text, copied);
    };
    view! {
        <button type="button" class="button" hidden=move || !works.get() on:click=move |_| copy()>
            <Icon name="copy" />
            {move || if copied.get() { "Copied" } else { "Copy CLI script" }}
        </button>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_names_every_permission_and_the_tenant() {
        let script = script("contoso.onmicrosoft.com");
        assert!(script.contains("--tenant contoso.onmicrosoft.com "));
        for (_, id) in PERMISSIONS {
            assert!(script.contains(&format!("{id}=Role")), "{id}");
        }
    }

    #[test]
    fn the_script_is_not_built_from_arbitrary_text() {
        for tenant in ["", "$(rm -rf ~)", "a; b", "a b", "a`b`"] {
            assert!(!script(tenant).contains("--tenant"), "{tenant:?}");
        }
    }
}
