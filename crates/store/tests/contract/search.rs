//! Search, filters and orders of the list of users, compared with a list that is searched in the plainest way.

use domain::{
    conflict::{Conflict, Reason},
    service::{Source, Status},
};
use store::{CustomerStore, Search, UserFilter, UserList, UserOrder, UserPage, UserWrite};

use crate::support::{NOW, TestDb, address, in_one_write, new_user, on_both_engines, write};

async fn found(customer: &CustomerStore, typed: &str) -> Vec<String> {
    let filter = UserFilter { search: Search::new(typed), ..UserFilter::default() };
    let list = customer.users(UserPage { filter, limit: 100, ..UserPage::default() }).await.unwrap();
    assert_eq!(list.total, i64::try_from(list.rows.len()).ok(), "{typed}");
    list.rows.into_iter().map(|row| row.display_name).collect()
}

async fn fill(customer: &CustomerStore) -> Vec<i64> {
    let users = [
        new_user("Ada Lovelace", "ada@contoso.com", &["countess@contoso.com"]),
        new_user("Grace \"Amazing\" Hopper", "grace.hopper@contoso.com", &[]),
        new_user("100% sure_thing", "sure@contoso.com", &[]),
        new_user("李雷 (Lei)", "lei@bücher.example", &["李@contoso.com"]),
        new_user("O'Brien; DROP TABLE users", "obrien@contoso.com", &["o!b@contoso.com"]),
    ];
    write(customer, &users).await
}

/// 1,300 users with names and addresses of a few letters, of which very many share the beginning.
fn crowd() -> Vec<UserWrite> {
    let letters = ["am", "an", "be", "zo"];
    (0..1_300_usize)
        .map(|number| {
            let name =
                format!("{}{} {}", letters[number % 4], letters[number / 4 % 4], number * 7919 % 1_300);
            let alias = format!("{}x{number}@contoso.com", letters[number / 16 % 4]);
            let mut user =
                new_user(&name, &format!("{}{number}@contoso.com", letters[number % 3]), &[&alias]);
            if number % 5 == 0 {
                (user.source, user.external_id) = (Source::Manual, None);
            }
            user.service_on = number % 7 != 0;
            if number % 11 == 0 && number % 5 != 0 {
                user.conflict = Some(Conflict::opened(Reason::NotInDirectory, NOW));
            }
            user.now = NOW.plus(i64::try_from(number * 31 % 97).unwrap());
            user
        })
        .collect()
}

/// What a page shows, in the plainest way.
fn expected(crowd: &[UserWrite], page: &UserPage) -> Vec<String> {
    let search = page.filter.search.as_str();
    let status = |user: &UserWrite| match (user.service_on, &user.conflict) {
        (false, _) => Status::Inactive,
        (true, Some(_)) => Status::Conflict,
        (true, None) => Status::Active,
    };
    let texts = |user: &UserWrite| {
        let mut texts = vec![user.display_name.to_lowercase(), user.primary.to_string()];
        texts.extend(user.aliases.iter().map(ToString::to_string));
        texts
    };
    let hit = |text: &String| if search.len() < 3 { text.starts_with(search) } else { text.contains(search) };
    let mut users: Vec<(usize, &UserWrite)> = crowd
        .iter()
        .enumerate()
        .filter(|(_, user)| page.filter.source.is_none_or(|source| source == user.source))
        .filter(|(_, user)| page.filter.status.is_none_or(|of| of == status(user)))
        .filter(|(_, user)| texts(user).iter().any(hit))
        .collect();
    users.sort_by_key(|(number, user)| match page.order {
        UserOrder::Name => (user.display_name.to_lowercase(), *number),
        UserOrder::Address => (user.primary.to_string(), *number),
        UserOrder::Changed => (format!("{:020}", user.now.0), *number),
    });
    if page.descending {
        users.reverse();
    }
    users.into_iter().map(|(_, user)| user.primary.to_string()).collect()
}

/// Every page forward to the end and back again.
async fn walked(customer: &CustomerStore, page: &UserPage) -> (Vec<String>, UserList) {
    let mut seen = Vec::new();
    let mut list = customer.users(page.clone()).await.unwrap();
    let (first, mut pages) = (list.clone(), 1);
    loop {
        seen.extend(list.rows.iter().map(|row| row.primary_address.clone()));
        let Some(last) = list.rows.last().filter(|_| list.has_next) else { break };
        let after = Some(last.cursor(page.order));
        list = customer.users(UserPage { after, ..page.clone() }).await.unwrap();
        pages += 1;
    }
    let mut back = list;
    for _ in 1..pages {
        let before = back.rows.first().map(|row| row.cursor(page.order));
        back = customer.users(UserPage { before, ..page.clone() }).await.unwrap();
    }
    let keys = |list: &UserList| list.rows.iter().map(|row| row.id).collect::<Vec<_>>();
    assert_eq!(keys(&back), keys(&first), "back to the first page of {page:?}");
    assert!(!back.has_previous || pages == 1, "{page:?}");
    (seen, first)
}

on_both_engines! {
    async fn a_user_is_found_by_any_part_of_the_name_and_of_every_address(db: &TestDb) {
        let customer = db.customer().await;
        fill(&customer).await;
        for (typed, expected) in [
            ("love", vec!["Ada Lovelace"]),
            ("LACE", vec!["Ada Lovelace"]),
            ("ountess@con", vec!["Ada Lovelace"]),
            ("grace.hop", vec!["Grace \"Amazing\" Hopper"]),
            ("Lei@BÜCHER.example", vec!["李雷 (Lei)"]),
            ("(lei", vec!["李雷 (Lei)"]),
            ("lovelace ada", vec![]),
            // Not across the end of a name into the address behind it.
            ("lovelace\nada", vec![]),
        ] {
            assert_eq!(found(&customer, typed).await, expected, "{typed:?}");
        }
    }

    async fn one_or_two_letters_are_looked_for_at_the_beginning(db: &TestDb) {
        let customer = db.customer().await;
        fill(&customer).await;
        for (typed, expected) in [
            ("a", vec!["Ada Lovelace"]),
            ("co", vec!["Ada Lovelace"]),
            ("o", vec!["O'Brien; DROP TABLE users"]),
            ("李", vec!["李雷 (Lei)"]),
            ("lo", vec![]),
        ] {
            assert_eq!(found(&customer, typed).await, expected, "{typed:?}");
        }
    }

    async fn a_hostile_search_is_only_letters(db: &TestDb) {
        let customer = db.customer().await;
        fill(&customer).await;
        for (typed, expected) in [
            ("%", vec![]),
            ("%%%", vec![]),
            ("___", vec![]),
            ("0%", vec![]),
            ("00%", vec!["100% sure_thing"]),
            ("sure_t", vec!["100% sure_thing"]),
            ("sure%t", vec![]),
            ("\"amazing\"", vec!["Grace \"Amazing\" Hopper"]),
            ("\"\"\"", vec![]),
            ("' OR 1=1 --", vec![]),
            ("o'brien;", vec!["O'Brien; DROP TABLE users"]),
            ("o!b@", vec!["O'Brien; DROP TABLE users"]),
            ("NEAR(ada, 2)", vec![]),
            ("ada* OR grace", vec![]),
            ("text:ada", vec![]),
            ("\\\\\\", vec![]),
        ] {
            assert_eq!(found(&customer, typed).await, expected, "{typed:?}");
        }
    }

    async fn what_is_found_follows_every_change_and_stays_within_the_customer(db: &TestDb) {
        let customer = db.customer().await;
        let ids = fill(&customer).await;
        let other = db.other_customer().await;
        write(&other, &[new_user("Ada Other", "ada@contoso.com", &[])]).await;
        assert_eq!(found(&customer, "ada").await, ["Ada Lovelace"]);
        assert_eq!(found(&other, "ada").await, ["Ada Other"]);

        let renamed = UserWrite { id: Some(ids[0]), ..new_user("Augusta King", "ada@contoso.com", &["king@contoso.com"]) };
        write(&customer, &[renamed]).await;
        assert_eq!(found(&customer, "lovelace").await, Vec::<String>::new());
        assert_eq!(found(&customer, "countess").await, Vec::<String>::new());
        assert_eq!(found(&customer, "king@").await, ["Augusta King"]);

        in_one_write!(customer, |write| {
            write.release_addresses(&[(ids[0], address("king@contoso.com"))]).await.unwrap()
        });
        assert_eq!(found(&customer, "king@").await, Vec::<String>::new());

        in_one_write!(customer, |write| {
            let gone = store::Deletion { user_id: ids[0], reason: String::new() };
            write.delete_users(&[gone], "test", NOW).await.unwrap()
        });
        assert_eq!(found(&customer, "augusta").await, Vec::<String>::new());
    }

    async fn every_order_filter_and_search_shows_who_fits_once_and_in_order(db: &TestDb) {
        let customer = db.customer().await;
        let crowd = crowd();
        write(&customer, &crowd).await;
        let kinds = [
            (None, None),
            (Some(Source::Manual), None),
            (None, Some(Status::Conflict)),
            (Some(Source::Azure), Some(Status::Active)),
        ];
        for order in [UserOrder::Name, UserOrder::Address, UserOrder::Changed] {
            for (round, typed) in ["", "contoso", "zo", "a", "amx", "777", "beam 1", "nobody"].iter().enumerate() {
                for (source, status) in kinds {
                    let filter = UserFilter { search: Search::new(typed), source, status };
                    let page = UserPage { filter, order, descending: round % 2 == 1, limit: 170, ..UserPage::default() };
                    let expected = expected(&crowd, &page);
                    let (seen, first) = walked(&customer, &page).await;
                    if first.narrowed {
                        assert!(seen.len() < expected.len() && expected.len() > 1_000, "{page:?}");
                        continue;
                    }
                    assert_eq!(seen, expected, "{page:?}");
                    let counted = first.total.unwrap_or(1_001);
                    let all = i64::try_from(expected.len()).unwrap();
                    assert_eq!(counted, if page.filter.search.is_empty() { all } else { all.min(1_001) }, "{page:?}");
                }
            }
        }
    }

    async fn many_who_all_stand_at_the_other_end_of_a_long_list_are_found_as_well(db: &TestDb) {
        let customer = db.customer().await;
        let users: Vec<UserWrite> = (0..7_000_usize)
            .map(|number| {
                let name = if number % 5 == 0 { format!("zzz {number:05}") } else { format!("aaa {number:05}") };
                let mut user = new_user(&name, &format!("u{number}@contoso.com"), &[]);
                user.service_on = number % 5 != 0;
                user
            })
            .collect();
        for chunk in users.chunks(1_000) {
            write(&customer, chunk).await;
        }
        let expected: Vec<String> =
            (0..7_000).filter(|number| number % 5 == 0).map(|number| format!("u{number}@contoso.com")).collect();
        for filter in [
            UserFilter { search: Search::new("zzz"), ..UserFilter::default() },
            UserFilter { status: Some(Status::Inactive), ..UserFilter::default() },
        ] {
            let page = UserPage { filter, limit: 400, ..UserPage::default() };
            assert_eq!(walked(&customer, &page).await.0, expected, "{page:?}");
            let down = UserPage { descending: true, ..page };
            assert!(walked(&customer, &down).await.0.iter().rev().eq(&expected), "{down:?}");
        }
    }
}
