//! Both engines have the same tables, columns and unique indexes, in the types that each is to use.

use std::collections::BTreeSet;

use crate::support::TestDb;

/// Table, column, kind, whether it may be NULL.
type Column = (String, String, String, bool);
/// Table, the columns in order, whether it holds for a part of the rows only.
type Unique = (String, String, bool);

const SQLITE_COLUMNS: &str = "SELECT t.name, c.name, c.type, c.\"notnull\" = 0
    FROM pragma_table_list t JOIN pragma_table_info(t.name) c
    WHERE t.schema = 'main' AND t.type = 'table' AND t.name NOT LIKE 'sqlite%' AND t.name NOT LIKE '\\_sqlx%' ESCAPE '\\'";

const POSTGRES_COLUMNS: &str =
    "SELECT table_name::text, column_name::text, data_type::text, is_nullable = 'YES'
    FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE '\\_sqlx%'";

const SQLITE_UNIQUES: &str = "SELECT t.name,
        COALESCE((SELECT group_concat(i.name, ',') FROM (SELECT name FROM pragma_index_info(l.name) ORDER BY seqno) i), ''), l.partial = 1
    FROM pragma_table_list t JOIN pragma_index_list(t.name) l
    WHERE t.schema = 'main' AND t.type = 'table' AND l.\"unique\" = 1 AND t.name NOT LIKE '\\_sqlx%' ESCAPE '\\'
    UNION
    SELECT t.name, group_concat(c.name, ','), 0 FROM pragma_table_list t JOIN pragma_table_info(t.name) c
    WHERE t.schema = 'main' AND t.type = 'table' AND c.pk > 0 AND t.name NOT LIKE 'sqlite%' AND t.name NOT LIKE '\\_sqlx%' ESCAPE '\\'
        AND NOT EXISTS (SELECT 1 FROM pragma_index_list(t.name) l WHERE l.origin = 'pk')
    GROUP BY t.name";

const POSTGRES_UNIQUES: &str = "SELECT t.relname::text,
        (SELECT string_agg(a.attname, ',' ORDER BY k.place) FROM unnest(i.indkey) WITH ORDINALITY k(number, place)
         JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.number), i.indpred IS NOT NULL
    FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace
    WHERE n.nspname = 'public' AND i.indisunique AND t.relname NOT LIKE '\\_sqlx%'";

#[tokio::test]
async fn both_engines_have_the_same_columns_of_the_kinds_agreed() {
    let (sqlite, postgres) = (TestDb::sqlite().await, TestDb::postgres().await);
    let ours: Vec<Column> =
        sqlx::query_as(SQLITE_COLUMNS).fetch_all(&mut sqlite.raw_sqlite().await).await.unwrap();
    let theirs: Vec<Column> =
        sqlx::query_as(POSTGRES_COLUMNS).fetch_all(&mut postgres.raw_postgres().await).await.unwrap();
    assert!(ours.len() > 100, "the catalogue was not read: {ours:?}");

    // A flag is an INTEGER in SQLite, held to 0 and 1 by a CHECK.
    let flags: BTreeSet<(String, String)> = theirs
        .iter()
        .filter(|(_, _, kind, _)| kind == "boolean")
        .map(|(table, column, ..)| (table.clone(), column.clone()))
        .collect();
    let as_postgres = |(table, column, kind, nullable): Column| {
        let kind = match kind.as_str() {
            "INTEGER" if flags.contains(&(table.clone(), column.clone())) => "boolean",
            "INTEGER" => "bigint",
            "TEXT" => "text",
            "BLOB" => "bytea",
            other => panic!("{table}.{column} has the kind {other}, which is not agreed"),
        };
        (table, column, kind.to_owned(), nullable)
    };
    let ours: BTreeSet<Column> = ours.into_iter().map(as_postgres).collect();
    let theirs: BTreeSet<Column> = theirs.into_iter().collect();
    assert_eq!(ours.difference(&theirs).collect::<Vec<_>>(), Vec::<&Column>::new(), "only in SQLite");
    assert_eq!(theirs.difference(&ours).collect::<Vec<_>>(), Vec::<&Column>::new(), "only in Postgres");
    sqlite.remove().await;
    postgres.remove().await;
}

#[tokio::test]
async fn both_engines_have_the_same_unique_indexes() {
    let (sqlite, postgres) = (TestDb::sqlite().await, TestDb::postgres().await);
    let ours: BTreeSet<Unique> = sqlx::query_as(SQLITE_UNIQUES)
        .fetch_all(&mut sqlite.raw_sqlite().await)
        .await
        .unwrap()
        .into_iter()
        .collect();
    let theirs: BTreeSet<Unique> = sqlx::query_as(POSTGRES_UNIQUES)
        .fetch_all(&mut postgres.raw_postgres().await)
        .await
        .unwrap()
        .into_iter()
        .collect();
    assert_eq!(ours, theirs);
    for (table, columns, partial) in [
        ("directory_services", "customer_id", true),
        ("managed_domains", "domain", true),
        ("users", "customer_id,source,external_id", true),
        ("user_addresses", "customer_id,address", false),
    ] {
        assert!(ours.contains(&(table.to_owned(), columns.to_owned(), partial)), "{table} ({columns})");
    }
    sqlite.remove().await;
    postgres.remove().await;
}

#[tokio::test]
async fn sqlite_tables_are_strict_and_postgres_text_is_compared_byte_by_byte() {
    let (sqlite, postgres) = (TestDb::sqlite().await, TestDb::postgres().await);
    let loose = "SELECT COUNT(*) FROM pragma_table_list
        WHERE schema = 'main' AND type = 'table' AND strict = 0 AND name NOT LIKE 'sqlite%' AND name NOT LIKE '\\_sqlx%' ESCAPE '\\'";
    assert_eq!(sqlite.number(loose).await, 0);
    let by_locale = "SELECT COUNT(*) FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name NOT LIKE '\\_sqlx%' AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C'";
    assert_eq!(postgres.number(by_locale).await, 0);
    // Or the collation would prove nothing.
    let locale_is_c = "SELECT COUNT(*) FROM pg_database WHERE datname = current_database()
        AND datlocprovider = 'c' AND datcollate IN ('C', 'POSIX', 'C.UTF-8')";
    assert_eq!(postgres.number(locale_is_c).await, 0, "the test cluster needs a locale other than C");
    sqlite.remove().await;
    postgres.remove().await;
}

#[tokio::test]
async fn every_row_of_a_customer_goes_with_the_customer() {
    let (sqlite, postgres) = (TestDb::sqlite().await, TestDb::postgres().await);
    let kept = "SELECT COUNT(*) FROM pragma_table_list t JOIN pragma_table_info(t.name) c
        WHERE t.schema = 'main' AND c.name = 'customer_id' AND NOT EXISTS (
            SELECT 1 FROM pragma_foreign_key_list(t.name) f
            WHERE f.\"table\" = 'customers' AND f.\"from\" = 'customer_id' AND f.on_delete = 'CASCADE')";
    assert_eq!(sqlite.number(kept).await, 0);
    let kept = "SELECT COUNT(*) FROM information_schema.columns c
        WHERE c.table_schema = 'public' AND c.column_name = 'customer_id' AND NOT EXISTS (
            SELECT 1 FROM pg_constraint f WHERE f.contype = 'f' AND f.confrelid = 'customers'::regclass
                AND f.conrelid = c.table_name::regclass AND f.confdeltype = 'c')";
    assert_eq!(postgres.number(kept).await, 0);
    sqlite.remove().await;
    postgres.remove().await;
}
