//! The tenant that is read.

use entra_sim::{Change, Kind, Object, Options, Running, Sim, Size};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{Failure, child};

/// How to reach the tenant.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tenant {
    /// Login and Graph.
    pub url: String,
    /// The tenant's id.
    pub id: String,
    /// The application.
    pub client_id: String,
    /// Its secret, which everybody may know.
    pub client_secret: String,
}

/// What the tenant is told.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum Order {
    /// Begin with so many users; answered with a [`Tenant`].
    Begin {
        /// How many.
        users: usize,
    },
    /// Take so long for every answer.
    Latency {
        /// Milliseconds.
        ms: u64,
    },
    /// Change one user of so many.
    Change {
        /// How many users there are for each one that changes.
        every: usize,
    },
}

/// Answers requests until there are no more orders.
#[tokio::main]
pub async fn run() -> Result<(), Failure> {
    let mut running: Option<Running> = None;
    // Waiting for orders occupies this thread; requests are answered by the others.
    while let Some(order) = child::order()? {
        match (order, &running) {
            (Order::Begin { users }, _) => {
                let groups = users.div_ceil(1_000) * 50;
                let size = Size { users, groups, members_per_group: 20, ..Size::default() };
                let tenant = Sim::start(Options { size, ..Options::default() }).await?;
                child::answer(&Tenant {
                    url: tenant.url().to_owned(),
                    id: tenant.tenant_id(),
                    client_id: tenant.client_id(),
                    client_secret: tenant.client_secret(),
                })?;
                running = Some(tenant);
            }
            (Order::Latency { ms }, Some(tenant)) => {
                tenant.sim().set_latency_ms(ms);
                child::answer(&())?;
            }
            (Order::Change { every }, Some(tenant)) => {
                let changes = changes(tenant.sim(), every);
                tenant.sim().change_all(&changes).map_err(|(_, error)| error)?;
                child::answer(&())?;
            }
            (order, None) => return Err(format!("{order:?} before there is a tenant").into()),
        }
    }
    if let Some(tenant) = running {
        tenant.stop().await;
    }
    Ok(())
}

/// What happens in a company: another job, a name, a name with an address, a departure, in turn.
fn changes(sim: &Sim, every: usize) -> Vec<Change> {
    let directory = sim.directory();
    let users = directory.all(Kind::User).step_by(every).enumerate();
    users
        .map(|(number, user)| {
            let object = directory.id_of(user);
            let display_name = format!("Renamed {number}");
            match number % 4 {
                0 => Change::Set {
                    object,
                    properties: Object::from_iter([(
                        "jobTitle".to_owned(),
                        json!(format!("Title {number}")),
                    )]),
                },
                1 => Change::Rename { object, display_name, address: None },
                2 => {
                    let domain = directory.tenant().initial_domain();
                    let address = Some(format!("renamed{number}@{domain}"));
                    Change::Rename { object, display_name, address }
                }
                _ => Change::Delete { object, for_good: false },
            }
        })
        .collect()
}
