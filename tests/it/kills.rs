//! The program under SIGKILL, at moments that nobody chose: while it reads everything, reads changes, applies them and deletes. Whatever was
//! under way, the next sync goes on, and at the end the portal is what a portal is whose syncs were left in peace.
//!
//! `ROLLCALL_KILLS` is the number of kills on each engine (10 without it), `ROLLCALL_SEED` another course of events.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use domain::service::Source;
use entra_sim::{Change, DeltaPages, GraphFault, Kind, Options, Running, Sim, Size};
use serde_json::Value;
use store::{DatabaseUrl, Store, Vault};

use crate::support::program;

/// People of the tenant, and groups.
const SIZE: Size = Size { users: 240, groups: 20, members_per_group: 8, seed: 3 };
const KEY: [u8; 32] = [7; 32];

struct Place {
    folder: tempfile::TempDir,
    tenant: Running,
    database: String,
    chance: u64,
}

impl Place {
    async fn new(database: Option<String>) -> Self {
        let delta_pages = DeltaPages { objects: 8, ..DeltaPages::default() };
        let tenant = Sim::start(Options { size: SIZE, delta_pages, latency_ms: 4, ..Options::default() })
            .await
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let database =
            database.unwrap_or_else(|| format!("sqlite://{}", folder.path().join("rollcall.db").display()));
        let chance = env::var("ROLLCALL_SEED").map_or(1, |seed| seed.parse().unwrap());
        Self { folder, tenant, database, chance }
    }

    fn below(&mut self, limit: u64) -> u64 {
        // Knuth's linear congruential generator; its upper bits.
        self.chance =
            self.chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.chance >> 33) % limit
    }

    fn rollcall(&self, database: &str, arguments: &[&str]) -> Child {
        program(self.folder.path(), &self.tenant)
            .args(arguments)
            .env("ROLLCALL_DATABASE_URL", database)
            .env("ROLLCALL_KEY", "07".repeat(32))
            .env("RUST_LOG", "error")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    fn done(&self, database: &str, arguments: &[&str]) -> Output {
        let output = self.rollcall(database, arguments).wait_with_output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        output
    }

    /// With a guard that lets many leave in the short time that a test takes.
    fn connect(&self, database: &str) {
        let file = self.folder.path().join("settings.toml");
        let (tenant, client) = (self.tenant.tenant_id(), self.tenant.client_id());
        let text = format!(
            "[entra]\nenabled = true\ntenant = \"{tenant}\"\nclient_id = \"{client}\"\nclient_secret_env = \"CONTOSO_SECRET\"\n\
             [guard]\nmax_removals = 100000\nmax_removals_percent = 100\nmin_removals = 100000\n"
        );
        std::fs::write(&file, text).unwrap();
        self.done(database, &["settings", "apply", "default", file.to_str().unwrap(), "--confirm-switch"]);
    }

    /// The portal's users by the directory's id.
    fn users(&self, database: &str) -> BTreeMap<String, Value> {
        let exported = self.done(database, &["users", "export", "default", "--json"]).stdout;
        let users = String::from_utf8(exported).unwrap();
        let one = |line: &str| {
            let mut user: Value = serde_json::from_str(line).unwrap();
            user["id"] = Value::Null;
            (user["external_id"].as_str().unwrap().to_owned(), user)
        };
        users.lines().map(one).collect()
    }

    /// The addresses that more than one person of the directory has.
    fn contested(&self) -> BTreeSet<String> {
        let directory = self.tenant.sim().directory();
        let mut seen = BTreeSet::new();
        let mut contested = BTreeSet::new();
        for person in directory.all(Kind::User).map(|of| directory.object(of)) {
            let proxies = person["proxyAddresses"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let addresses: BTreeSet<String> =
                proxies.filter_map(|proxy| Some(proxy.split_once(':')?.1.to_lowercase())).collect();
            contested.extend(addresses.into_iter().filter(|address| !seen.insert(address.clone())));
        }
        contested
    }

    /// Something happens to a few people; now and then the directory forgets where the reader was.
    fn change(&mut self) {
        let directory = self.tenant.sim().directory();
        let ids: Vec<String> = directory.all(Kind::User).map(|of| directory.id_of(of)).collect();
        for _ in 0..3 {
            let at = usize::try_from(self.below(ids.len() as u64)).unwrap();
            let (object, number) = (ids[at].clone(), self.below(1_000_000));
            let change = match self.below(4) {
                0 => Change::Delete { object, for_good: false },
                1 => Change::Disable(object),
                _ => {
                    let domain = self.tenant.tenant_domain().replace(".onmicrosoft", "");
                    let address = Some(format!("new{number}@{domain}"));
                    Change::Rename { object, display_name: format!("New {number}"), address }
                }
            };
            // Whoever was deleted before cannot be changed.
            let _done_or_not = self.tenant.sim().change(&change);
        }
        if self.below(3) == 0 {
            for route in ["/users/delta", "/groups/delta"] {
                self.tenant.sim().fail_graph(GraphFault {
                    route: route.to_owned(),
                    status: 410,
                    code: "resyncRequired".to_owned(),
                    message: String::new(),
                    retry_after: None,
                    times: Some(1),
                });
            }
        }
    }

    /// Eight days pass for whoever is in conflict.
    async fn days_pass(&self) {
        let url = DatabaseUrl::parse(&self.database).unwrap();
        let store = Store::open(&url, Vault::new(KEY)).await.unwrap();
        let customer = store.customer("default").await.unwrap().unwrap();
        let mut write = customer.begin().await.unwrap();
        write.shift_clocks(Source::Azure, -8 * domain::Timestamp::DAY).await.unwrap();
        write.commit().await.unwrap();
        store.close().await;
    }

    /// How often pages behind the first were asked for more than once.
    fn pages_read_twice(&self) -> u64 {
        let mut times: BTreeMap<String, u64> = BTreeMap::new();
        for request in self.tenant.sim().requests().requests {
            if request.query.contains("skiptoken") {
                *times.entry(request.query).or_default() += 1;
            }
        }
        times.values().map(|times| times - 1).sum()
    }

    async fn survives(&mut self, kills: u64) {
        let database = self.database.clone();
        self.connect(&database);
        // How long a whole first sync takes on this machine, in a portal of its own.
        let peaceful = format!("sqlite://{}", self.folder.path().join("peaceful.db").display());
        self.connect(&peaceful);
        let began = std::time::Instant::now();
        self.done(&peaceful, &["sync", "default", "--json"]);
        let whole = u64::try_from(began.elapsed().as_millis()).unwrap();
        self.tenant.sim().clear_requests();

        let (mut killed, mut ended) = (0, 0);
        while killed < kills {
            let mut child = self.rollcall(&database, &["sync", "default", "--json"]);
            tokio::time::sleep(Duration::from_millis(10 + self.below(whole + whole / 2))).await;
            if child.try_wait().unwrap().is_none() {
                child.kill().unwrap();
                killed += 1;
            }
            let output = child.wait_with_output().unwrap();
            if output.status.success() {
                ended += 1;
                self.change();
                self.days_pass().await;
            } else {
                let told = String::from_utf8_lossy(&output.stderr);
                assert_eq!(
                    output.status.code(),
                    None,
                    "it failed by itself: {told}{}",
                    String::from_utf8_lossy(&output.stdout)
                );
            }
        }
        let twice = self.pages_read_twice();
        // One page is written while the next one is read, of users and of groups.
        assert!(twice <= 4 * killed, "{twice} pages were read twice in {killed} kills");
        eprintln!("{killed} kills, {ended} syncs that ended in between, {twice} pages read twice");

        // Who is missing becomes a conflict, and in another sync, days later, is deleted.
        for _ in 0..2 {
            self.done(&database, &["sync", "default", "--json"]);
            self.days_pass().await;
        }
        self.done(&database, &["sync", "default", "--json"]);
        let anew = format!("sqlite://{}", self.folder.path().join("anew.db").display());
        self.connect(&anew);
        self.done(&anew, &["sync", "default", "--json"]);
        let (mut here, mut there) = (self.users(&database), self.users(&anew));
        let keys = |users: &BTreeMap<String, Value>| users.keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&here), keys(&there));
        assert_eq!(addresses(&here), addresses(&there));
        // Of two people who both have an address as an alias, the one who holds it keeps it: that is for the past to say, which the new portal
        // does not have.
        let contested = self.contested();
        for aliases in here.values_mut().chain(there.values_mut()).map(|user| &mut user["aliases"]) {
            aliases.as_array_mut().unwrap().retain(|alias| !contested.contains(alias.as_str().unwrap()));
        }
        for (id, user) in &here {
            assert_eq!(user, &there[id]);
        }
    }
}

/// Every address of the portal, whoever has it.
fn addresses(users: &BTreeMap<String, Value>) -> BTreeSet<&str> {
    let aliases = users.values().flat_map(|user| user["aliases"].as_array().unwrap());
    users
        .values()
        .map(|user| &user["primary_address"])
        .chain(aliases)
        .map(|text| text.as_str().unwrap())
        .collect()
}

fn kills() -> u64 {
    env::var("ROLLCALL_KILLS").map_or(10, |kills| kills.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_portal_that_is_killed_again_and_again_ends_as_if_it_never_was() {
    Place::new(None).await.survives(kills()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_portal_on_postgres_that_is_killed_again_and_again_ends_as_if_it_never_was() {
    let server = env::var("ROLLCALL_TEST_POSTGRES").expect("ROLLCALL_TEST_POSTGRES: see scripts/postgres");
    let name = format!("kills_{}", std::process::id());
    let create =
        Command::new("psql").args([&server, "-qc", &format!("CREATE DATABASE {name}")]).status().unwrap();
    assert!(create.success());
    let base = server.rsplit_once('/').unwrap().0;
    Place::new(Some(format!("{base}/{name}"))).await.survives(kills()).await;
    let drop = Command::new("psql")
        .args([&server, "-qc", &format!("DROP DATABASE {name} WITH (FORCE)")])
        .status()
        .unwrap();
    assert!(drop.success());
}
