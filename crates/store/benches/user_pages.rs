//! How long a page of the list of users takes to find: `cargo bench -p store`. Among 1,000 users and among 100,000 (`USERS=1000000` for another
//! number), on SQLite, with the searches, filters and orders of the page. Fails when the slowest hundredth of the greater list takes more than
//! three times as long as that of the smaller one.

use std::{
    io::Write as _,
    time::{Duration, Instant},
};

use domain::{
    Timestamp,
    address::Address,
    conflict::{Conflict, Reason},
    service::{Source, Status},
};
use store::{CustomerStore, DatabaseUrl, Search, Store, UserFilter, UserOrder, UserPage, UserWrite, Vault};
use uuid::Uuid;

type Failure = Box<dyn std::error::Error>;

/// How often every question is asked.
const ROUNDS: usize = 40;
/// By how much the slowest hundredth may be slower among more users.
const MOST_TIMES: u32 = 3;
const NOW: Timestamp = Timestamp(1_800_000_000_000);

const FIRST: [&str; 20] = [
    "Ada", "Björn", "Chloé", "Daniel", "Emma", "Frank", "Grace", "Hedy", "Ingrid", "Jules", "Karin", "Linus",
    "Mary", "Niels", "Olga", "Paul", "Quentin", "Rosa", "Sofia", "Zoë",
];
const LAST: [&str; 25] = [
    "Anderson",
    "Baker",
    "Campbell",
    "Davies",
    "Evans",
    "Fletcher",
    "Groß",
    "Hughes",
    "Ionescu",
    "Jackson",
    "Kennedy",
    "Lefèvre",
    "Müller",
    "Novák",
    "O'Connor",
    "Patel",
    "Quinn",
    "Robinson",
    "Smith",
    "Taylor",
    "Underwood",
    "Vogel",
    "Walker",
    "Young",
    "Zhang",
];

fn user(number: usize) -> Option<UserWrite> {
    let (first, last) = (FIRST[number % FIRST.len()], LAST[number / FIRST.len() % LAST.len()]);
    let plain = |text: &str| text.to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "");
    let address = |local: String| Address::parse(&format!("{local}@contoso.com"));
    let manual = number.is_multiple_of(200);
    let id = u128::try_from(number).ok()?;
    Some(UserWrite {
        id: None,
        restore_as: None,
        public_id: Uuid::from_u128(0x018f_0000_0000_7000_8000_0000_0000_0000 | id),
        source: if manual { Source::Manual } else { Source::Azure },
        external_id: (!manual).then(|| format!("id-{number}")),
        display_name: format!("{first} {last} {number}"),
        primary: address(format!("{}.{}{number}", plain(first), plain(last)))?,
        address_lost: false,
        aliases: vec![address(format!("{}{number}.{}", plain(last), plain(first)))?],
        service_on: !number.is_multiple_of(97),
        sign_in_blocked: false,
        conflict: (!manual && number.is_multiple_of(331))
            .then(|| Conflict::opened(Reason::NotInDirectory, NOW)),
        created_at: None,
        now: NOW.plus(i64::try_from(number * 7919 % 1_000_003).ok()?),
    })
}

async fn fill(customer: &CustomerStore, users: usize) -> Result<Duration, Failure> {
    let began = Instant::now();
    let all: Vec<UserWrite> = (0..users).filter_map(user).collect();
    for chunk in all.chunks(1_000) {
        let mut write = customer.begin().await?;
        write.write_users(chunk).await?;
        write.commit().await?;
    }
    Ok(began.elapsed())
}

/// What the page of users is asked for.
fn questions() -> Vec<(&'static str, UserPage)> {
    let page = |typed: &str, source, status, order, descending| UserPage {
        filter: UserFilter { search: Search::new(typed), source, status },
        order,
        descending,
        limit: 50,
        ..UserPage::default()
    };
    let (name, address, changed) = (UserOrder::Name, UserOrder::Address, UserOrder::Changed);
    vec![
        ("everybody", page("", None, None, name, false)),
        ("everybody, by address", page("", None, None, address, false)),
        ("everybody, latest change first", page("", None, None, changed, true)),
        ("Manual", page("", Some(Source::Manual), None, name, false)),
        ("in conflict", page("", None, Some(Status::Conflict), name, false)),
        ("Azure, active, by last change", page("", Some(Source::Azure), Some(Status::Active), changed, true)),
        ("one letter", page("z", None, None, name, false)),
        ("two letters", page("mü", None, None, name, false)),
        ("one letter, by last change", page("s", None, None, changed, true)),
        ("one person", page("ada.anderson0@contoso.com", None, None, name, false)),
        ("a first name", page("chlo", None, None, name, false)),
        ("a last name", page("müller", None, None, name, false)),
        ("a number", page("777", None, None, address, false)),
        ("the domain", page("contoso", None, None, name, false)),
        ("nobody", page("xyzzy", None, None, name, false)),
        ("a last name, inactive", page("zhang", None, Some(Status::Inactive), name, false)),
    ]
}

fn at(times: &[Duration], of_hundred: usize) -> Duration {
    let place = (times.len() * of_hundred / 100).min(times.len().saturating_sub(1));
    times.get(place).copied().unwrap_or_default()
}

/// All times of all questions, sorted.
async fn measure(users: usize) -> Result<Vec<Duration>, Failure> {
    let mut out = std::io::stdout().lock();
    let folder = tempfile::tempdir()?;
    let url = DatabaseUrl::Sqlite(folder.path().join("rollcall.db"));
    let store = Store::open(&url, Vault::new([7; 32])).await?;
    let customer = store.customer("default").await?.ok_or("there is no customer")?;
    let filled = fill(&customer, users).await?;
    writeln!(out, "\n{users} users, written in {filled:.1?}")?;
    let mut all = Vec::new();
    for (words, page) in questions() {
        let mut times = Vec::new();
        for _ in 0..ROUNDS {
            // The first page and the one behind it.
            let began = Instant::now();
            let list = customer.users(page.clone()).await?;
            times.push(began.elapsed());
            if let Some(last) = list.rows.last().filter(|_| list.has_next) {
                let next = UserPage { after: Some(last.cursor(page.order)), ..page.clone() };
                let began = Instant::now();
                customer.users(next).await?;
                times.push(began.elapsed());
            }
        }
        times.sort_unstable();
        writeln!(out, "  {words:<34} p50 {:>9.2?}   p99 {:>9.2?}", at(&times, 50), at(&times, 99))?;
        all.extend(times);
    }
    all.sort_unstable();
    writeln!(out, "  {:<34} p50 {:>9.2?}   p99 {:>9.2?}", "all", at(&all, 50), at(&all, 99))?;
    store.close().await;
    Ok(all)
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let many = std::env::var("USERS").ok().and_then(|text| text.parse().ok()).unwrap_or(100_000);
    let few = measure(1_000).await?;
    let more = measure(many).await?;
    if at(&more, 99) > at(&few, 99) * MOST_TIMES {
        return Err(
            format!("the p99 among {many} users is more than {MOST_TIMES} times that among 1,000").into()
        );
    }
    Ok(())
}
