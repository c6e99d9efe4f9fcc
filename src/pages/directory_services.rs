//! The directory services of a customer.

use leptos::prelude::*;
use leptos_meta::Title;
use serde::{Deserialize, Serialize};

use super::{CONNECT, customer_path, dashboard::secret_warning, use_slug};
use crate::{
    components::{ErrorView, Icon, Loading},
    error::AppError,
};

/// What the overview shows of Entra ID.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Overview {
    /// Whether the connection was ever saved.
    saved: bool,
    /// Whether it is enabled.
    enabled: bool,
    /// The organisation's name and domains, once the tenant was asked.
    organisation: Option<(String, Vec<String>)>,
    /// The managed domains as set; empty for the tenant's.
    managed: Vec<String>,
    /// Days until the client secret expires, when that is soon.
    secret_days: Option<i64>,
}

/// The directory services of a customer.
#[server(endpoint = "directory_services")]
async fn directory_services(slug: String) -> Result<Overview, AppError> {
    use domain::{role::Role, service::Service};

    use crate::access;

    let desk = access::require(&slug, Role::Viewer).await?;
    let loaded = async {
        let service = desk.customer.service(Service::Entra).await?;
        let settings = service.as_ref().map(store::DirectoryService::entra).transpose()?;
        Ok((service, settings, desk.customer.managed_domains().await?))
    };
    let (service, settings, managed) = loaded.await.map_err(|error| access::store_error(&error))?;
    let days = settings.as_ref().and_then(|settings| settings.secret_expires_soon(desk.portal.now()));
    Ok(Overview {
        saved: service.is_some(),
        enabled: settings.is_some_and(|settings| settings.enabled),
        organisation: service.and_then(|service| service.organisation).map(|o| (o.display_name, o.domains)),
        managed,
        secret_days: days,
    })
}

/// The overview.
#[component]
pub(super) fn DirectoryServices() -> impl IntoView {
    let slug = use_slug();
    let data = super::load::load(move || slug.get(), directory_services);
    view! {
        <Title text="Directory Services" />
        <div class="page-head">
            <h1>"Directory Services"</h1>
        </div>
        <Suspense fallback=|| view! { <Loading /> }>
            {move || Suspend::new(async move {
                match data.await {
                    Ok(data) => view! { <Filled slug=slug.get_untracked() data=data /> }.into_any(),
                    Err(error) => view! { <ErrorView error=error /> }.into_any(),
                }
            })}
        </Suspense>
    }
}

/// The overview once its data is there.
#[component]
fn Filled(slug: String, data: Overview) -> impl IntoView {
    let connect = customer_path(&slug, CONNECT);
    let (class, words) = match (data.saved, data.enabled) {
        (_, true) => ("good", "Enabled"),
        (true, false) => ("soft", "Saved, not enabled"),
        (false, false) => ("soft", "Not set up"),
    };
    let managed = match data.managed.as_slice() {
        [] => "The tenant's verified domains.".to_owned(),
        [star] if star == "*" => "Every domain.".to_owned(),
        domains => domains.join(", "),
    };
    view! {
        {data
            .secret_days
            .map(secret_warning)
            .map(|(tone, words)| {
                view! { <p class=format!("notice {}", tone.class())><Icon name=tone.icon() /><span>{words}</span></p> }
            })}
        <div class="cards">
            <section class="card">
                <h2>"Entra ID"</h2>
                <p class=format!("badge {class}")>{words}</p>
                {data
                    .organisation
                    .map(|(name, domains)| {
                        view! {
                            <p>{name}</p>
                            <p class="soft">{domains.join(", ")}</p>
                        }
                    })}
                <a class="button" href=connect>{if data.saved { "Open Connect" } else { "Connect Entra ID" }}</a>
            </section>
            <section class="card">
                <h2>"Managed domains"</h2>
                <p>{managed}</p>
                <p class="soft">
                    "People with a mail address in one of these domains are served. The setting is "<code>"managed_domains"</code>
                    " in the customer's settings file."
                </p>
            </section>
        </div>
    }
}
