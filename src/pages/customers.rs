//! The customers of an administrator.

use leptos::prelude::*;
use leptos_meta::Title;
use serde::{Deserialize, Serialize};

use super::customer_path;
use crate::{
    components::{Empty, ErrorView, Icon, Loading},
    error::AppError,
};

/// A row of the list.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct CustomerRow {
    slug: String,
    name: String,
}

/// Every customer at which the administrator has a role.
#[server(endpoint = "customers")]
async fn customers() -> Result<Vec<CustomerRow>, AppError> {
    use crate::access;

    let visitor = access::signed_in().await?;
    let open = access::open_customers(&visitor.portal, &visitor.session.administrator).await;
    let open = open.map_err(|error| access::store_error(&error))?;
    Ok(open.into_iter().map(|customer| CustomerRow { slug: customer.slug, name: customer.name }).collect())
}

/// The list of customers.
#[component]
pub(super) fn Customers() -> impl IntoView {
    let rows = super::load::load(|| (), |()| customers());
    view! {
        <Title text="Customers" />
        <main class="alone wide">
            <p class="brand">
                <Icon name="brand" />
                "Rollcall"
            </p>
            <h1>"Customers"</h1>
            <Suspense fallback=|| view! { <Loading /> }>
                {move || Suspend::new(async move {
                    match rows.await {
                        Err(error) => view! { <ErrorView error=error /> }.into_any(),
                        Ok(rows) if rows.is_empty() => {
                            view! { <Empty why="No customer is open to you yet. Ask an administrator for a role." /> }.into_any()
                        }
                        Ok(rows) => {
                            let rows = rows.into_iter().map(|row| {
                                view! {
                                    <li>
                                        <a href=customer_path(&row.slug, "dashboard")>{row.name}</a>
                                    </li>
                                }
                            });
                            view! { <ul class="card customer-list">{rows.collect_view()}</ul> }.into_any()
                        }
                    }
                })}
            </Suspense>
        </main>
    }
}
