//! The two programs that a sync is compared with: the bare download, and the limit, which also keeps the objects as they came.
//!
//! A page can only be followed by reading it, because the link to the next one stands in it; so the download reads its pages as well.

use std::collections::BTreeMap;

use directory::entra::{
    Credentials, Endpoints, GROUP_SELECTION, Graph, GroupPage, Http, MemberChange, NextOrDelta, PageLink,
    USER_SELECTION, UserPage,
};
use domain::Secret;
use serde_json::json;
use store::{DatabaseUrl, RawObjects, Store, Vault};

use crate::{
    Failure, Measure, Program, Task, child,
    meter::Meter,
    sync_role::{NoRandom, SystemClock},
};

/// What is done with an object: nothing, or it is written as JSON.
type Objects = BTreeMap<String, String>;

/// A page as it is kept.
struct Page {
    objects: Objects,
    removed: Vec<String>,
    told: usize,
    next: NextOrDelta,
}

/// One of the two lists that are read.
struct List {
    link: PageLink,
    pages: i64,
    objects: i64,
}

/// Reads the tenant once.
#[tokio::main]
pub async fn run(program: Program) -> Result<(), Failure> {
    let Some(Task { tenant, database, first, links }) = child::order()? else { return Ok(()) };
    let table = match (program, database) {
        (Program::Limit, Some(address)) => {
            let store = Store::open(&DatabaseUrl::parse(&address)?, Vault::new([7; 32])).await?;
            Some(if first { RawObjects::create(&store).await? } else { RawObjects::of(&store) })
        }
        _ => None,
    };
    child::ready()?;
    let meter = Meter::start()?;
    let graph = Graph::new(
        &Http::new(None)?,
        Endpoints::parse(&tenant.url, &tenant.url)?,
        Credentials {
            tenant: tenant.id,
            client_id: tenant.client_id,
            client_secret: Secret::new(tenant.client_secret),
        },
        std::sync::Arc::new(SystemClock),
        std::sync::Arc::new(NoRandom::default()),
    );
    let first = |select: &str| PageLink::First { select: select.to_owned() };
    let [users, groups] =
        links.map_or([first(USER_SELECTION), first(GROUP_SELECTION)], |links| links.map(PageLink::Next));
    let keeps = table.is_some();
    let (users, groups) = tokio::try_join!(
        read(users, table.as_ref(), async |link| Ok(of_users(graph.users_page(&link).await?, keeps))),
        read(groups, table.as_ref(), async |link| Ok(of_groups(graph.groups_page(&link).await?, keeps))),
    )?;
    let reading = meter.read()?;
    let traffic = graph.traffic();
    let link = |list: &List| match &list.link {
        PageLink::Next(link) => link.clone(),
        PageLink::First { .. } => String::new(),
    };
    child::answer(&Measure {
        wall: reading.wall,
        cpu: reading.cpu,
        server_cpu: 0.0,
        peak_mb: reading.peak_mb,
        objects: users.objects + groups.objects,
        requests: traffic.requests.cast_signed(),
        pages: users.pages + groups.pages,
        bytes: traffic.bytes.cast_signed(),
        links: Some([link(&users), link(&groups)]),
        remark: String::new(),
    })?;
    child::over()
}

/// Reads a list to its end. While a page is kept, the next one is on its way.
async fn read(
    link: PageLink,
    table: Option<&RawObjects>,
    ask: impl AsyncFn(PageLink) -> Result<Page, Failure>,
) -> Result<List, Failure> {
    let mut list = List { pages: 0, objects: 0, link: link.clone() };
    let mut page = ask(link).await?;
    loop {
        list.pages += 1;
        list.objects += i64::try_from(page.told)?;
        let following = match &page.next {
            NextOrDelta::Next(link) => Some(PageLink::Next(link.clone())),
            NextOrDelta::Delta(link) => {
                list.link = PageLink::Next(link.clone());
                None
            }
        };
        let keep = async {
            match table {
                Some(table) => table.put(&page.objects, &page.removed).await,
                None => Ok(()),
            }
        };
        let next = async {
            match following {
                Some(link) => Some(ask(link).await),
                None => None,
            }
        };
        let (kept, next) = tokio::join!(keep, next);
        kept?;
        match next {
            Some(next) => page = next?,
            None => return Ok(list),
        }
    }
}

fn of_users(page: UserPage, keeps: bool) -> Page {
    let told = page.users.len() + page.removed.len();
    let objects = if keeps {
        page.users.into_iter().map(|user| (user.external_id, user.attributes)).collect()
    } else {
        Objects::new()
    };
    Page { objects, removed: page.removed, told, next: page.next }
}

/// The client does not hand out a group's text, so it is put together again, with the members that the page tells of.
fn of_groups(page: GroupPage, keeps: bool) -> Page {
    let told = page.groups.len() + page.removed.len();
    let mut objects = Objects::new();
    if keeps {
        let mut members: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for change in &page.members {
            if let MemberChange::Joined(joined) = change {
                members.entry(&joined.group).or_default().push(&joined.member);
            }
        }
        for group in &page.groups {
            let body = json!({
                "id": group.external_id,
                "displayName": group.display_name,
                "mail": group.mail,
                "proxyAddresses": group.proxy_addresses,
                "kind": group.kind.name(),
                "members": members.get(group.external_id.as_str()),
            });
            objects.insert(group.external_id.clone(), body.to_string());
        }
    }
    Page { objects, removed: page.removed, told, next: page.next }
}
