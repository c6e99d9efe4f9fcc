//! Every SQL statement of the crate is on the list, and each is one on both engines.

use std::{collections::BTreeSet, fs, path::Path};

use sqlx::{Executor as _, SqlSafeStr as _};

use crate::support::TestDb;

#[tokio::test]
async fn sqlite_prepares_every_statement() {
    let db = TestDb::sqlite().await;
    let mut connection = db.raw_sqlite().await;
    for statement in store::statements() {
        let prepared = connection.prepare(statement.sqlite.into_sql_str()).await;
        assert!(prepared.is_ok(), "{}: {}\n{}", statement.name, prepared.err().unwrap(), statement.sqlite);
    }
    db.remove().await;
}

#[tokio::test]
async fn postgres_prepares_every_statement() {
    let db = TestDb::postgres().await;
    let mut connection = db.raw_postgres().await;
    for statement in store::statements() {
        let prepared = connection.prepare(statement.postgres.into_sql_str()).await;
        assert!(prepared.is_ok(), "{}: {}\n{}", statement.name, prepared.err().unwrap(), statement.postgres);
    }
    db.remove().await;
}

/// Those that are meant to read all of a customer's rows, or a table that stays small. A plan for the table of customers also shows how
/// SQLite would find what refers to one.
const READS_ALL: &[&str] = &[
    "::customers::",
    "::administrators::ALL",
    "::administrators::COUNT",
    "::administrators::HOLD_FULL",
    "::conflict_lists::COUNT",
    "::conflicts::DUE_COUNT",
    "::conflicts::END_IGNORES",
    "::conflicts::SHIFT",
    // They read what they themselves found on the way from group to group, and as many members as are counted.
    "::group_lists::",
    "::conflicts::PUT_OFF_IGNORES",
    "PROMISE",
    "::deletion_days::DAYS",
    "::former_users::",
    "::mirror::LOST",
    "::mirror_groups::LOST",
    "::services::DISABLE_OTHERS",
    "::services::DOMAINS",
    "::services::REMOVE_DOMAINS",
    "::sessions::PRUNE_",
    "::take_overs::ALL",
    "::take_overs::SETTLE",
    "::topics::ALL",
    "::user_counts::ALL",
    "::user_counts::IN_CONFLICT",
];

#[tokio::test]
async fn no_statement_searches_all_rows_of_a_customer_for_the_few_that_it_needs() {
    let db = TestDb::sqlite().await;
    let mut connection = db.raw_sqlite().await;
    let (mut searches, mut offenders) = (0, Vec::new());
    for statement in store::statements() {
        if READS_ALL.iter().any(|name| statement.name.contains(name)) {
            continue;
        }
        let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", statement.sqlite));
        let plan: Vec<(i64, i64, i64, String)> =
            sqlx::query_as(explain).fetch_all(&mut connection).await.unwrap();
        for (.., step) in plan {
            let scans = step.starts_with("SCAN ")
                && !step.contains("json_each")
                && !step.contains("CONSTANT ROW")
                // FTS5 calls a look-up so; the number behind it says by what.
                && !step.contains("VIRTUAL TABLE INDEX 0:M")
                // What a statement itself has just found, at most as many as it is to count.
                && step != "SCAN found";
            let by_customer_alone = step.ends_with("(customer_id=?)");
            if scans || by_customer_alone {
                offenders.push(format!("{}: {step}", statement.name));
            }
            searches += usize::from(step.starts_with("SEARCH "));
        }
    }
    assert_eq!(offenders, Vec::<String>::new());
    assert!(searches > 50, "the plans were not read");
    db.remove().await;
}

/// The sources of the crate, by file name.
fn sources() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sources = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        assert!(path.is_file(), "{path:?}: this test reads one folder; teach it the new one");
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        sources.push((name, fs::read_to_string(&path).unwrap()));
    }
    sources
}

#[test]
fn no_sql_goes_past_the_list() {
    let mut seen_in_sql_rs = 0;
    for (name, text) in sources() {
        // Whatever sqlx runs is made by one of these; only sql.rs may, from a `Statement`.
        for way in [
            "query(",
            "query_as",
            "query_with",
            "query_scalar",
            "raw_sql",
            "QueryBuilder",
            ".prepare(",
            "Statement {",
        ] {
            let found = text
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"))
                .filter(|line| line.contains(way))
                .count();
            if name == "sql.rs" {
                seen_in_sql_rs += found;
            } else {
                assert_eq!(found, 0, "{name} uses {way}: write a statement in `statements!` instead");
            }
        }
    }
    assert!(seen_in_sql_rs > 0, "sql.rs runs statements in another way now: this test has to learn it");
}

#[test]
fn every_family_with_statements_is_on_the_list() {
    let families: BTreeSet<String> = sources()
        .into_iter()
        .filter(|(name, text)| name != "sql.rs" && text.contains("statements! {"))
        .map(|(name, _)| name.trim_end_matches(".rs").to_owned())
        .collect();
    let listed: BTreeSet<String> =
        store::statements().map(|s| s.name.split("::").nth(1).unwrap().to_owned()).collect();
    assert_eq!(families, listed);
    assert!(store::statements().count() > 80);
}

#[test]
fn the_two_texts_of_a_statement_differ_in_the_given_rows_and_in_a_shared_lock_only() {
    // Cuts the piece out that begins with one of these and ends with the first of those behind it.
    let without = |text: &str, pieces: &[(&str, &str)]| {
        for (begins, ends) in pieces.iter().copied() {
            let Some(start) = text.find(begins) else { continue };
            let end = start + text[start..].find(ends).unwrap() + ends.len();
            let columns = if text[end..].starts_with('(') { text[end..].find(')').unwrap() + 1 } else { 0 };
            return format!("{}…{}", &text[..start], &text[end + columns..]);
        }
        text.to_owned()
    };
    let mut twins = 0;
    for statement in store::statements() {
        assert_eq!(
            without(
                statement.sqlite,
                &[
                    ("IN (SELECT value FROM", "))"),
                    ("(SELECT value AS", " AS given"),
                    ("(SELECT value->>0 AS", " AS given"),
                    ("user_search_index i", "MATCH $2")
                ]
            ),
            without(
                statement.postgres.strip_suffix(" FOR SHARE").unwrap_or(statement.postgres),
                &[
                    ("= ANY(CAST(", "))"),
                    ("UNNEST(", " AS given"),
                    ("user_search s JOIN", "CAST($2 AS TEXT) <> ''")
                ]
            ),
            "{}",
            statement.name
        );
        twins += usize::from(statement.sqlite != statement.postgres);
    }
    assert!(twins > 5);
}

#[test]
fn every_statement_about_a_customers_rows_carries_the_customer() {
    // Tables of the portal itself, and the cross-customer look-up by slug.
    let portal = ["administrators", "customers", "password_links", "sessions"];
    // A customer's own row, and the time after which nobody's rows are kept.
    let without =
        ["user_counts::LOCK", "recycle_bin::PURGE", "second_approvals::SETTING", "second_approvals::SET"];
    for statement in store::statements() {
        let family = statement.name.split("::").nth(1).unwrap();
        if !portal.contains(&family) && !without.iter().any(|name| statement.name.ends_with(name)) {
            assert!(statement.sqlite.contains("customer_id"), "{}", statement.name);
        }
    }
}
