//! Lists of users: paging in both directions, aliases, export.

use std::collections::HashSet;

use store::{CustomerStore, UserCursor, UserList, UserOrder, UserPage, UserRow};

use crate::support::{TestDb, new_user, on_both_engines, write};

/// In the order of the list: folded names byte by byte, equal ones by number.
const NAMES: [&str; 9] = ["Ada", "ada", "ADA", "Zoe", "zoë", "Émile", "Łukasz", "Анна", "李雷"];

async fn fill(customer: &CustomerStore) {
    let named =
        |place: usize, aliases: &[&str]| new_user(NAMES[place], &format!("n{place}@contoso.com"), aliases);
    // Against the order of the list, apart from the equal names.
    for place in (3..NAMES.len()).rev() {
        write(customer, &[named(place, &[])]).await;
    }
    write(customer, &[named(0, &[])]).await;
    write(customer, &[named(1, &["a1@contoso.com"])]).await;
    write(customer, &[named(2, &["b2@contoso.com", "a2@contoso.com"])]).await;
}

async fn after(customer: &CustomerStore, after: Option<UserCursor>, limit: i64) -> UserList {
    customer.users(UserPage { after, limit, ..UserPage::default() }).await.unwrap()
}

fn by_name(row: &UserRow) -> UserCursor {
    row.cursor(UserOrder::Name)
}

fn names(page: &UserList) -> Vec<&str> {
    page.rows.iter().map(|row| row.display_name.as_str()).collect()
}

on_both_engines! {
    async fn pages_forward_and_back_show_everybody_once_in_one_order(db: &TestDb) {
        let customer = db.customer().await;
        fill(&customer).await;
        for limit in [1, 2, 4, 9, 20] {
            let size = usize::try_from(limit).unwrap();
            let (mut cursor, mut seen, mut pages) = (None, Vec::new(), Vec::new());
            loop {
                let page = after(&customer, cursor, limit).await;
                assert_eq!(page.has_previous, !seen.is_empty());
                seen.extend(page.rows.iter().map(|row| row.display_name.clone()));
                assert_eq!(page.has_next, seen.len() < NAMES.len());
                cursor = page.rows.last().map(by_name);
                pages.push(page.clone());
                if !page.has_next {
                    break;
                }
            }
            assert_eq!(seen, NAMES, "by {limit}");
            assert_eq!(pages.len(), NAMES.len().div_ceil(size));

            // Back again, from the last page: the same pages.
            for pair in pages.windows(2).rev() {
                let before = pair[1].rows.first().map(by_name);
                let page = customer.users(UserPage { before, limit, ..UserPage::default() }).await.unwrap();
                assert_eq!(page, pair[0], "by {limit}");
            }
        }
    }

    async fn a_cursor_whose_row_is_gone_or_at_the_ends_still_leads_on(db: &TestDb) {
        let customer = db.customer().await;
        let empty = after(&customer, None, 5).await;
        assert_eq!((empty.rows.len(), empty.has_previous, empty.has_next), (0, false, false));
        fill(&customer).await;
        let gone = UserCursor { key: "zo".to_owned(), id: 0 };
        let page = after(&customer, Some(gone.clone()), 2).await;
        assert_eq!((names(&page), page.has_previous), (vec!["Zoe", "zoë"], true));
        let page = customer.users(UserPage { before: Some(gone), limit: 2, ..UserPage::default() }).await.unwrap();
        assert_eq!((names(&page), page.has_previous, page.has_next), (vec!["ada", "ADA"], true, true));
        let beyond = UserCursor { key: "\u{10FFFF}".to_owned(), id: 0 };
        let page = after(&customer, Some(beyond), 2).await;
        assert_eq!((page.rows.len(), page.has_previous, page.has_next), (0, true, false));
    }

    async fn a_row_counts_its_aliases_and_a_page_of_rows_reads_them(db: &TestDb) {
        let customer = db.customer().await;
        fill(&customer).await;
        let page = after(&customer, None, 4).await;
        assert_eq!(page.rows.iter().map(|row| row.aliases).collect::<Vec<_>>(), [0, 1, 2, 0]);
        let ids: Vec<_> = page.rows.iter().map(|row| row.id).collect();
        let aliases = customer.user_aliases(&ids).await.unwrap();
        assert_eq!(aliases.len(), 2);
        assert_eq!(aliases[&ids[2]], ["a2@contoso.com", "b2@contoso.com"]);
        assert!(customer.user_aliases(&[]).await.unwrap().is_empty());
    }

    async fn the_export_goes_by_primary_address_chunk_by_chunk(db: &TestDb) {
        let customer = db.customer().await;
        fill(&customer).await;
        let (mut after, mut exported) = (None, Vec::new());
        loop {
            let chunk = customer.export_users(after, 4).await.unwrap();
            let Some(last) = chunk.last() else { break };
            after = Some((last.primary_address.clone(), last.id));
            exported.extend(chunk);
        }
        let primaries: Vec<_> = exported.iter().map(|user| user.primary_address.as_str()).collect();
        assert_eq!(primaries, (0..9).map(|n| format!("n{n}@contoso.com")).collect::<Vec<_>>());
        assert_eq!(exported[2].aliases, ["a2@contoso.com", "b2@contoso.com"]);
        assert_eq!(exported[3].external_id.as_deref(), Some("n3"));
        assert_eq!(exported.iter().map(|user| user.id).collect::<HashSet<_>>().len(), 9);
    }
}

#[test]
fn a_cursor_survives_its_way_through_an_address() {
    let cursor = UserCursor { key: "o'brien, j. 李".to_owned(), id: 42 };
    assert_eq!(cursor.to_string().parse(), Ok(cursor));
    for text in ["", "42", "x.name", ".name"] {
        assert_eq!(text.parse::<UserCursor>(), Err(()), "{text:?}");
    }
}
