//! What every list has besides its rows: nothing yet, nothing that matches, and a place that is not there any more.

use domain::{Timestamp, service::Service};
use store::{Exception, ExceptionKind};

use crate::{support::TestPortal, users::synced};

const CUSTOMER: &str = "/customers/default";
const ENTRA: &str = "/customers/default/service-settings/directory-services/entra-id";

#[tokio::test]
async fn a_list_without_rows_says_why_before_anything_is_connected() {
    let portal = TestPortal::start().await;
    let mut browser = portal.administrator().await;
    let lists = [
        (format!("{CUSTOMER}/users"), "There are no users yet."),
        (format!("{CUSTOMER}/users/take-over"), "Nobody is waiting."),
        (format!("{CUSTOMER}/groups"), "There are no groups yet."),
        (format!("{CUSTOMER}/recycle-bin"), "The recycle bin is empty."),
        (format!("{CUSTOMER}/sync-history"), "Nothing was synced yet."),
        (format!("{ENTRA}/exceptions"), "The directory was not read yet."),
        (format!("{ENTRA}/additions"), "There are no additions"),
        (format!("{ENTRA}/user-conflicts"), "Nobody is in conflict"),
        (format!("{ENTRA}/held-removals"), "Nothing is held"),
    ];
    for (path, words) in lists {
        let page = browser.get(&path).await.body;
        let empty = page.split("class=\"empty\"").nth(1);
        assert!(empty.is_some_and(|empty| empty.contains(words)), "{path} says {words}: {page}");
    }
}

#[tokio::test]
async fn a_list_filtered_to_nothing_shows_the_way_to_all_of_it() {
    let (portal, _) = synced().await;
    let mut browser = portal.administrator().await;
    let lists = [
        (format!("{CUSTOMER}/users?q=zzzz"), "Nobody matches.", "Show everybody"),
        (format!("{CUSTOMER}/groups?q=zzzz"), "No group matches.", "Show all groups"),
        (format!("{CUSTOMER}/audit-log?text=zzzz"), "No entry matches this filter.", "Clear the filter"),
        (format!("{ENTRA}/user-conflicts?q=zzzz"), "No user in conflict matches.", "Show all"),
        (format!("{ENTRA}/exceptions?q=zzzz"), "Nothing in the directory matches.", "Show all"),
        (format!("{ENTRA}/exceptions?eq=zzzz"), "No exception matches.", "Show all"),
    ];
    for (path, words, step) in lists {
        let page = browser.get(&path).await.body;
        assert!(page.contains(words) && page.contains(step), "{path} says {words}: {page}");
    }
}

#[tokio::test]
async fn a_place_that_a_list_does_not_have_any_more_leads_back_to_its_first_page() {
    let (portal, _) = synced().await;
    let mut browser = portal.administrator().await;
    let last = "~~~~";
    let lists = [
        format!("{CUSTOMER}/groups?after=9.{last}"),
        format!("{CUSTOMER}/recycle-bin?before=1"),
        format!("{CUSTOMER}/sync-history?before=1"),
        format!("{CUSTOMER}/audit-log?before=1"),
        format!("{ENTRA}/exceptions?after=alias.9.{last}"),
        format!("{ENTRA}/exceptions?eafter=9"),
        format!("{ENTRA}/additions?after={last}"),
        format!("{ENTRA}/user-conflicts?after=1.1"),
    ];
    for path in lists {
        let page = browser.get(&path).await.body;
        assert!(page.contains("the list has changed meanwhile"), "{path}: {page}");
        assert!(page.contains("Back to the first page"), "{path}: {page}");
    }
}

#[tokio::test]
async fn an_exception_is_found_by_its_address_as_people_write_it() {
    let (portal, _) = synced().await;
    let exception = Exception {
        kind: ExceptionKind::Alias,
        object: "info@xn--bcher-kva.example".to_owned(),
        name: "Élodie Information".to_owned(),
        address: "info@xn--bcher-kva.example".to_owned(),
        reason: String::new(),
        keep: false,
        created_by: "Ada".to_owned(),
        created_at: Timestamp(1),
    };
    let customer = portal.customer("default").await;
    let mut write = customer.begin().await.unwrap();
    write.add_exceptions(Service::Entra, &[exception]).await.unwrap();
    write.commit().await.unwrap();
    let mut browser = portal.administrator().await;
    for text in ["INFO%40B%C3%BCcher.Example", "b%C3%BCcher.example", "info%40xn--BCHER", "%C3%89LODIE"] {
        let page = browser.get(&format!("{ENTRA}/exceptions?eq={text}")).await.body;
        assert!(page.contains("Élodie Information"), "{text}: {page}");
    }
}
