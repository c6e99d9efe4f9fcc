//! A tenant, a database and an engine per test; time stands still until a test moves it.

use std::{
    collections::BTreeMap,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use directory::entra::{Endpoints, Http};
use domain::{
    Secret, Timestamp,
    run::{Notice, NoticeKind, Purpose, Trigger},
    settings::EntraText,
    testing::{CountingRandom, HandClock},
};
use entra_sim::{DeltaPages, Import, Options, Running, Sim, Tenant};
use serde_json::{Value, json};
use store::{AuditEntry, CustomerStore, DatabaseUrl, ExportedUser, Store, Vault};
use sync::{
    Actor, Engine,
    connect::{self, ConnectForm, Refused},
    run::{RunReport, run_to_end},
};
use tempfile::TempDir;

/// Makes a test on each engine of every function.
macro_rules! on_both_engines {
    ($(async fn $name:ident($world:ident: &mut World) $body:block)+) => {
        $(async fn $name($world: &mut crate::support::World) $body)+

        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    let mut world = crate::support::World::new().await;
                    super::$name(&mut world).await;
                }
            )+
        }

        mod postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    let mut world = crate::support::World::on_postgres().await;
                    super::$name(&mut world).await;
                    world.remove().await;
                }
            )+
        }
    };
}
pub(crate) use on_both_engines;

/// What a user of the portal looks like to whoever compares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub name: String,
    pub primary: String,
    pub aliases: Vec<String>,
}

pub struct World {
    pub tenant: Running,
    pub engine: Engine,
    pub customer: CustomerStore,
    pub clock: Arc<HandClock>,
    place: Place,
}

enum Place {
    Folder(TempDir),
    Database { server: String, name: String },
}

fn psql(server: &str, statement: &str) {
    let output =
        Command::new("psql").args([server, "-qc", statement]).output().expect("psql is not installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

impl World {
    /// An empty tenant of `contoso.com` with pages of three, and a portal on SQLite that knows nothing of it yet.
    pub async fn new() -> Self {
        Self::with_pages(3).await
    }

    pub async fn with_pages(objects: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::Sqlite(folder.path().join("rollcall.db"));
        Self::at(Place::Folder(folder), &url, objects).await
    }

    pub async fn on_postgres() -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let server = std::env::var("ROLLCALL_TEST_POSTGRES").expect(
            "ROLLCALL_TEST_POSTGRES is not set. Start a throw-away cluster and hand its address in: \
             export ROLLCALL_TEST_POSTGRES=$(scripts/postgres start DIR)",
        );
        let name = format!("sync_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        psql(&server, &format!("CREATE DATABASE {name}"));
        let base = server.rsplit_once('/').unwrap().0.to_owned();
        let url = DatabaseUrl::parse(&format!("{base}/{name}")).unwrap();
        Self::at(Place::Database { server, name }, &url, 3).await
    }

    async fn at(place: Place, url: &DatabaseUrl, objects: usize) -> Self {
        let delta_pages = DeltaPages { objects, ..DeltaPages::default() };
        let tenant = Sim::start(Options { delta_pages, ..Options::default() }).await.unwrap();
        tenant.sim().replace_tenant(tenant_of(&[]));
        let store = Store::open(url, Vault::new([7; 32])).await.unwrap();
        let clock = Arc::new(HandClock::at(Timestamp(1_795_497_766_000)));
        let engine = Engine::new(
            store.clone(),
            Http::new(None).unwrap(),
            Endpoints::parse(tenant.url(), tenant.url()).unwrap(),
            clock.clone(),
            Arc::new(CountingRandom::default()),
        );
        let customer = store.customer("default").await.unwrap().unwrap();
        Self { tenant, engine, customer, clock, place }
    }

    /// What another process would work with: the same database and tenant.
    pub fn another_engine(&self) -> Engine {
        self.engine_on(self.engine.store.clone())
    }

    /// What a portal with another database would work with: the same tenant.
    pub fn engine_on(&self, store: Store) -> Engine {
        Engine::new(
            store,
            self.engine.http.clone(),
            self.engine.endpoints.clone(),
            self.clock.clone(),
            Arc::clone(&self.engine.random),
        )
    }

    pub async fn remove(&self) {
        self.engine.store.close().await;
        if let Place::Database { server, name } = &self.place {
            psql(server, &format!("DROP DATABASE {name} WITH (FORCE)"));
        }
    }

    /// The folder of the database.
    pub fn folder(&self) -> &std::path::Path {
        match &self.place {
            Place::Folder(folder) => folder.path(),
            Place::Database { .. } => panic!("this database has no folder"),
        }
    }

    /// Replaces the people of the tenant. Those who were there keep their ids.
    pub fn people(&self, people: &[Value]) {
        self.tenant.sim().replace_tenant(tenant_of(people));
    }

    /// The form as an administrator would fill it in for this tenant.
    pub fn form(&self) -> ConnectForm {
        ConnectForm {
            text: EntraText {
                enabled: true,
                tenant: self.tenant.tenant_id(),
                client_id: self.tenant.client_id(),
                client_secret_expires: String::new(),
                sync_frequency: "6h".to_owned(),
                delete_users_after: "7d".to_owned(),
                include_disabled: false,
                custom_filter: String::new(),
            },
            secret: Some(Secret::new(self.tenant.client_secret())),
            ..ConnectForm::default()
        }
    }

    /// Saves the connection as the form has it, changed by `edit`, whoever leaves because of it.
    pub async fn connect(&self, edit: impl FnOnce(&mut ConnectForm)) {
        let mut form = self.form();
        edit(&mut form);
        let save = async |form| connect::save(&self.engine, &self.customer, &actor(), form).await.unwrap();
        let mut saved = save(form.clone()).await;
        if let Err(Refused::ConfirmLeaving { leaving, .. }) = saved {
            form.confirm_leaving = Some(leaving.fingerprint());
            saved = save(form).await;
        }
        assert_eq!(saved.unwrap().unchecked, None);
    }

    pub async fn sync(&self) -> RunReport {
        run_to_end(&self.engine, &self.customer, Purpose::Sync, Trigger::CommandLine, &actor())
            .await
            .unwrap()
            .unwrap()
    }

    /// A sync that has to get to its end, whether something is held or not.
    pub async fn read(&self) -> RunReport {
        let report = self.sync().await;
        assert_eq!(report.error, None);
        report
    }

    /// A sync that has to succeed.
    pub async fn synced(&self) -> RunReport {
        let report = self.sync().await;
        assert_eq!(report.error, None);
        assert_eq!(report.outcome, "succeeded");
        report
    }

    pub async fn users(&self) -> Vec<ExportedUser> {
        self.customer.export_users(None, 100_000).await.unwrap()
    }

    /// The portal's users by the directory's id; those whom it does not know are not among them.
    pub async fn seen(&self) -> BTreeMap<String, Seen> {
        let see = |user: ExportedUser| {
            let seen = Seen { name: user.display_name, primary: user.primary_address, aliases: user.aliases };
            Some((user.external_id?, seen))
        };
        self.users().await.into_iter().filter_map(see).collect()
    }

    pub async fn one(&self, number: u32) -> Seen {
        self.seen().await.remove(&id(number)).unwrap_or_else(|| panic!("{number} is no user"))
    }

    pub async fn audit(&self) -> Vec<AuditEntry> {
        self.customer.audit(None, 1_000).await.unwrap().into_iter().map(|row| row.entry).collect()
    }
}

pub fn actor() -> Actor {
    Actor { administrator_id: None, name: "ada@portal.example".to_owned() }
}

/// A directory id.
pub fn id(number: u32) -> String {
    format!("00000000-0000-0000-0000-{number:012}")
}

/// A person of the tenant with that primary address and aliases, all in `contoso.com`.
pub fn person(number: u32, primary: &str, aliases: &[&str]) -> Value {
    let mut proxies = vec![format!("SMTP:{primary}@contoso.com")];
    proxies.extend(aliases.iter().map(|alias| format!("smtp:{alias}@contoso.com")));
    json!({
        "id": id(number),
        "displayName": format!("Person {number}"),
        "userPrincipalName": format!("upn{number}@contoso.onmicrosoft.com"),
        "mail": format!("{primary}@contoso.com"),
        "proxyAddresses": proxies,
    })
}

/// The same person with other properties.
pub fn with(mut person: Value, name: &str, value: impl Into<Value>) -> Value {
    person[name] = value.into();
    person
}

fn tenant_of(people: &[Value]) -> Tenant {
    // Without address and outside every portal: it makes `contoso.com` a verified domain whoever else is there.
    let anchor = json!({
        "id": id(999_999), "displayName": "Anchor", "userPrincipalName": "anchor@contoso.com", "mail": null,
        "proxyAddresses": [], "accountEnabled": false,
    });
    let mut import = Import::default();
    let people: Vec<&Value> = people.iter().chain([&anchor]).collect();
    import.add(&json!({ "users": people }).to_string()).unwrap();
    Tenant::import(import, 1).unwrap()
}

pub fn of_kind(report: &RunReport, kind: NoticeKind) -> Vec<&Notice> {
    report.notices.iter().filter(|notice| notice.kind == kind).collect()
}
