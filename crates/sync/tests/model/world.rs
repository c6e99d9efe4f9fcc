//! A tenant, a portal and the reference model of one history; time stands still until a step moves it.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

use directory::entra::{Endpoints, Http};
use domain::{
    Clock, Secret, Timestamp,
    guard::{Decision, Guarded},
    plan::ManagedDomains,
    settings::{DeleteAfter, EntraText, GuardLimits},
    testing::{CountingRandom, HandClock},
};
use entra_sim::{DeltaPages, Import, Object, Options, Running, Sim};
use serde_json::{Value, json};
use store::{CustomerStore, DatabaseUrl, Store, Vault};
use sync::{
    Actor, Engine,
    connect::{self, ConnectForm, Refused},
};
use tempfile::TempDir;
use tokio::sync::Notify;

use crate::{
    portal::{self, Portal, Rules},
    steps::Chance,
};

/// Where the portal's database is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    Sqlite,
    Postgres,
}

/// The clock of a history. It can end the sync that looks at it: by the stop that a shutdown sends, or as if the process were killed.
pub struct StepClock {
    hand: HandClock,
    looks_left: AtomicI64,
    kill: AtomicI64,
    pub killed: Notify,
    engine: Mutex<Option<Engine>>,
}

impl StepClock {
    pub fn advance(&self, milliseconds: i64) {
        self.hand.advance(milliseconds);
    }

    /// Ends the sync at the look of that number.
    pub fn end_at(&self, look: i64, kill: bool, engine: Engine) {
        *self.engine.lock().unwrap() = Some(engine);
        self.kill.store(i64::from(kill), Ordering::SeqCst);
        self.looks_left.store(look.max(1), Ordering::SeqCst);
    }

    pub fn let_go(&self) {
        self.looks_left.store(0, Ordering::SeqCst);
        *self.engine.lock().unwrap() = None;
    }
}

impl Clock for StepClock {
    fn now(&self) -> Timestamp {
        if self.looks_left.load(Ordering::SeqCst) > 0 && self.looks_left.fetch_sub(1, Ordering::SeqCst) == 1 {
            if self.kill.load(Ordering::SeqCst) == 1 {
                self.killed.notify_one();
            } else if let Some(engine) = self.engine.lock().unwrap().take() {
                engine.stop();
            }
        }
        self.hand.now()
    }
}

pub struct World {
    pub tenant: Running,
    pub engine: Engine,
    pub customer: CustomerStore,
    pub clock: Arc<StepClock>,
    /// What the portal is to be.
    pub model: Portal,
    pub rules: Rules,
    /// The form of the Connect page.
    pub form: EntraText,
    /// People who were deleted, as they last were.
    pub graveyard: Vec<Object>,
    /// A round of reading is under way that began before the last change of the tenant: what the next sync sees is neither then nor now.
    pub between: bool,
    secret: Secret,
    place: Place,
}

enum Place {
    /// Kept until the history is over.
    Folder(#[expect(dead_code, reason = "it deletes the folder when it is dropped")] TempDir),
    Database {
        server: String,
        name: String,
    },
}

fn psql(server: &str, statement: &str) {
    let output =
        Command::new("psql").args([server, "-qc", statement]).output().expect("psql is not installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn place(database: Database) -> (Place, DatabaseUrl) {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    match database {
        Database::Sqlite => {
            let folder = tempfile::tempdir().unwrap();
            let url = DatabaseUrl::Sqlite(folder.path().join("rollcall.db"));
            (Place::Folder(folder), url)
        }
        Database::Postgres => {
            let server = std::env::var("ROLLCALL_TEST_POSTGRES").expect(
                "ROLLCALL_TEST_POSTGRES is not set. Start a throw-away cluster and hand its address in: \
                 export ROLLCALL_TEST_POSTGRES=$(scripts/postgres start DIR)",
            );
            let name = format!("model_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
            psql(&server, &format!("CREATE DATABASE {name}"));
            let base = server.rsplit_once('/').unwrap().0.to_owned();
            let url = DatabaseUrl::parse(&format!("{base}/{name}")).unwrap();
            (Place::Database { server, name }, url)
        }
    }
}

impl World {
    /// A tenant of a dozen or two and a portal that is connected to it.
    pub async fn new(database: Database, seed: u64) -> Self {
        let mut chance = Chance::new(!seed);
        let delta_pages =
            DeltaPages { objects: chance.one_of(&[3, 5, 50]), members: chance.one_of(&[2, 500]) };
        let import = Some(first_tenant(&mut chance));
        let tenant = Sim::start(Options { delta_pages, import, ..Options::default() }).await.unwrap();
        let secret = tenant.sim().add_secret(None, time::Duration::days(9_000)).value;
        let (place, url) = place(database);
        let store = Store::open(&url, Vault::new([7; 32])).await.unwrap();
        let clock = Arc::new(StepClock {
            hand: HandClock::at(Timestamp(1_795_497_766_000)),
            looks_left: AtomicI64::new(0),
            kill: AtomicI64::new(0),
            killed: Notify::new(),
            engine: Mutex::new(None),
        });
        let engine = Engine::new(
            store.clone(),
            Http::new(None).unwrap(),
            Endpoints::parse(tenant.url(), tenant.url()).unwrap(),
            clock.clone(),
            Arc::new(CountingRandom::default()),
        )
        .with_chunk(chance.one_of(&[1, 2, 3, 1_000, 1_000]));
        let customer = store.customer("default").await.unwrap().unwrap();
        let form = EntraText {
            enabled: true,
            tenant: tenant.tenant_id(),
            client_id: tenant.client_id(),
            client_secret_expires: String::new(),
            sync_frequency: "6h".to_owned(),
            delete_users_after: "7d".to_owned(),
            include_disabled: false,
            custom_filter: String::new(),
        };
        let rules = Rules {
            enabled: true,
            off_since: None,
            include_disabled: false,
            departments: Vec::new(),
            managed: ManagedDomains::of(&[], &verified(&tenant)),
            delete_after: DeleteAfter::SevenDays,
            guard: GuardLimits::default(),
            excepted_users: BTreeMap::new(),
            excepted_groups: BTreeSet::new(),
            excepted_aliases: BTreeSet::new(),
        };
        let mut world = Self {
            tenant,
            engine,
            customer,
            clock,
            model: Portal::default(),
            rules,
            form,
            graveyard: Vec::new(),
            between: false,
            secret: Secret::new(secret),
            place,
        };
        world.save_connection().await;
        world
    }

    pub fn now(&self) -> Timestamp {
        self.clock.hand.now()
    }

    /// Saves the form as it stands. Whoever leaves because of it was named, and is approved.
    pub async fn save_connection(&mut self) {
        let mut form = ConnectForm {
            text: self.form.clone(),
            secret: Some(self.secret.clone()),
            confirm_tenant: true,
            ..ConnectForm::default()
        };
        let mut saved = connect::save(&self.engine, &self.customer, &actor(), form.clone()).await.unwrap();
        if let Err(Refused::ConfirmLeaving { leaving, .. }) = saved {
            let seen = leaving.fingerprint();
            for number in leaving.confirmed_by(&seen).unwrap() {
                self.model.held.insert((Guarded::Removal, portal::Object::User(*number)), Decision::Approved);
            }
            form.confirm_leaving = Some(seen);
            saved = connect::save(&self.engine, &self.customer, &actor(), form).await.unwrap();
        }
        assert_eq!(saved.unwrap().unchecked, None);
    }

    /// What the tenant calls its own.
    pub fn verified(&self) -> Vec<String> {
        verified(&self.tenant)
    }

    /// The next process: a stopped engine starts nothing more.
    pub fn restart(&mut self, chunk: i64) {
        self.engine = Engine::new(
            self.engine.store.clone(),
            self.engine.http.clone(),
            self.engine.endpoints.clone(),
            self.clock.clone(),
            Arc::clone(&self.engine.random),
        )
        .with_chunk(chunk);
    }

    pub async fn remove(self) {
        self.engine.store.close().await;
        if let Place::Database { server, name } = &self.place {
            psql(server, &format!("DROP DATABASE {name} WITH (FORCE)"));
        }
        drop(self.place);
        self.tenant.stop().await;
    }
}

fn verified(tenant: &Running) -> Vec<String> {
    tenant.sim().tenant().domains().iter().map(|domain| domain.name.clone()).collect()
}

pub fn actor() -> Actor {
    Actor { administrator_id: None, name: "ada@portal.example".to_owned() }
}

pub const NAMES: [&str; 8] =
    ["Ada Byron", "Bob Miles", "Cy Young", "Di Rose", "Ed Stone", "Flo West", "Gus Hill", "  "];
pub const DEPARTMENTS: [&str; 3] = ["Sales", "Support", "Legal"];

/// An address out of few, so that people meet.
pub fn address(chance: &mut Chance) -> String {
    let local = char::from(b'a' + u8::try_from(chance.below(20)).unwrap());
    let domain = chance.one_of(&[
        "contoso.com",
        "contoso.com",
        "contoso.com",
        "contoso.com",
        "fabrikam.com",
        "contoso.onmicrosoft.com",
        "elsewhere.example",
    ]);
    format!("{local}@{domain}")
}

/// A new person whose properties follow from chance.
pub fn new_person(chance: &mut Chance) -> Object {
    let number = chance.number();
    let id = format!("{:08x}-0000-4000-8000-{:012x}", number >> 32, number & 0xffff_ffff);
    let (name, department) = (chance.one_of(&NAMES), chance.one_of(&DEPARTMENTS));
    let principal = match chance.below(8) {
        0 | 1 => address(chance),
        2 => format!("guest{number:x}#EXT#@contoso.com"),
        _ => format!("u{number:x}@contoso.onmicrosoft.com"),
    };
    let (mail, proxies) = if chance.once_in(12) {
        (Value::Null, Vec::new())
    } else {
        let primary = address(chance);
        let mut proxies = vec![format!("SMTP:{primary}")];
        proxies.extend((0..chance.below(3)).map(|_| format!("smtp:{}", address(chance))));
        proxies.push(format!("SIP:{primary}"));
        (json!(primary), proxies)
    };
    let person = json!({
        "id": id, "displayName": name, "userPrincipalName": principal, "mail": mail, "proxyAddresses": proxies,
        "department": department, "accountEnabled": !chance.once_in(6),
    });
    person.as_object().unwrap().clone()
}

pub fn new_group(chance: &mut Chance) -> Object {
    let number = chance.number();
    let id = format!("{:08x}-0000-4000-9000-{:012x}", number >> 32, number & 0xffff_ffff);
    let name = format!("Group {}", chance.below(6));
    let mail = match chance.below(4) {
        0 => Value::Null,
        1 => json!(address(chance)),
        _ => json!(format!("g{}@contoso.com", chance.below(6))),
    };
    let types = if chance.once_in(2) { json!(["Unified"]) } else { json!([]) };
    let group = json!({
        "id": id, "displayName": name, "mail": mail, "groupTypes": types, "mailEnabled": chance.once_in(2),
        "securityEnabled": chance.once_in(2),
        "proxyAddresses": mail.as_str().map(|mail| vec![format!("SMTP:{mail}")]).unwrap_or_default(),
    });
    group.as_object().unwrap().clone()
}

fn first_tenant(chance: &mut Chance) -> Import {
    let anchor = |number: u8, domain: &str| {
        json!({
            "id": format!("ffffffff-0000-4000-8000-00000000000{number}"), "displayName": "Anchor",
            "userPrincipalName": format!("anchor@{domain}"), "mail": null, "proxyAddresses": [], "accountEnabled": false,
            "department": "Sales",
        })
    };
    let domains = ["contoso.com", "fabrikam.com", "contoso.onmicrosoft.com"];
    let mut users: Vec<Value> = (1..).zip(domains).map(|(number, domain)| anchor(number, domain)).collect();
    let mut names = BTreeSet::new();
    for _ in 0..6 + chance.below(16) {
        let mut person = new_person(chance);
        // At first nobody has an address of a foreign domain: the simulator would take the domain for a verified one.
        let text = Value::Object(person).to_string().replace("elsewhere.example", "fabrikam.com");
        person = serde_json::from_str(&text).unwrap();
        if names.insert(person["userPrincipalName"].to_string()) {
            users.push(Value::Object(person));
        }
    }
    let groups: Vec<Value> = (0..chance.below(5)).map(|_| Value::Object(new_group(chance))).collect();
    let mut import = Import::default();
    import.add(&json!({ "users": users, "groups": groups }).to_string()).unwrap();
    import
}
