//! What holds for any input. `ROLLCALL_SOAK=n` multiplies the number of cases.

use odata_filter::{ast::Expr, parse};
use proptest::{collection::vec, prelude::*, sample::select};

use crate::{
    exercise::{exercise, exercise_ldap},
    generate,
};

pub fn soak() -> u32 {
    std::env::var("ROLLCALL_SOAK").ok().and_then(|factor| factor.parse().ok()).unwrap_or(1)
}

/// Pieces of filters, so that random texts get past the first token.
fn pieces() -> impl Strategy<Value = String> {
    let words = select(vec![
        "(",
        ")",
        ",",
        "/",
        ":",
        "'",
        "''",
        "\"",
        "-",
        ".",
        " ",
        " eq ",
        " ne ",
        " in ",
        " and ",
        " or ",
        "not ",
        " has ",
        "displayName",
        "accountEnabled",
        "assignedLicenses",
        "/any(",
        "/all(",
        "x:",
        "x",
        "x/skuId",
        "/$count",
        "true",
        "null",
        "'a'",
        "5",
        "-5",
        "2024-01-31",
        "T00:00:00Z",
        "c42b9cae-ea4f-4ab7-9717-81576235ccac",
        "startsWith(",
        "contains(",
        " add ",
        "ä",
        "😀",
        "“",
        "&&",
        "=",
        "!",
        "*",
        "\\",
        "\\2a",
        "(&",
        "(|",
        "(!",
        "cn=",
        ":=",
        "[",
        "{",
        "@",
        "duration'",
        "signInActivity/",
        "extension_",
        "\u{0}",
        "\t",
        "INF",
        "1e",
        "0x",
    ]);
    vec(words, 0..40).prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000 * soak(), ..ProptestConfig::default() })]

    #[test]
    fn what_is_printed_reads_back_the_same(tree in generate::any_tree()) {
        let text = tree.to_string();
        let again: Result<Expr, _> = parse(&text);
        prop_assert_eq!(again.as_ref(), Ok(&tree), "{}", text);
    }

    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        exercise(&text);
        exercise_ldap(&text);
    }

    #[test]
    fn no_heap_of_pieces_makes_it_panic(text in pieces()) {
        exercise(&text);
        exercise_ldap(&text);
    }

    #[test]
    fn no_damaged_filter_makes_it_panic(
        tree in generate::filter(),
        cut in any::<prop::sample::Index>(),
        length in 0..4_usize,
        insert in ".{0,3}",
    ) {
        let text = tree.to_string();
        let characters: Vec<char> = text.chars().collect();
        let at = cut.index(characters.len() + 1);
        let (start, rest) = characters.split_at(at);
        let damaged: String =
            start.iter().copied().chain(insert.chars()).chain(rest.iter().skip(length).copied()).collect();
        exercise(&damaged);
    }
}

#[test]
fn texts_that_once_had_a_place_outside_of_them() {
    exercise_ldap(" \u{b}");
    let long = "ä".repeat(64 * 1024);
    exercise(&long);
    exercise_ldap(&long);
}

#[test]
fn deep_nesting_is_refused_and_not_overflowed() {
    let deep = 50_000;
    for text in [
        "(".repeat(deep),
        "not ".repeat(deep / 2),
        "-".repeat(deep),
        "f(".repeat(deep / 2),
        "a.b(".repeat(deep / 4),
        "a/any(x:".repeat(5_000),
        format!("{}true{}", "(".repeat(20_000), ")".repeat(20_000)),
        format!("a{}", " eq a".repeat(deep / 10)),
        format!("a{}", " add a".repeat(deep / 10)),
        format!("a{}", " in (1)".repeat(deep / 10)),
        "(!".repeat(deep / 2),
        "(&".repeat(deep / 2),
    ] {
        exercise(&text);
        exercise_ldap(&text);
        assert!(parse(&text).is_err(), "{}…", &text[..8]);
    }
}

#[test]
fn the_deepest_filter_that_is_read_can_be_used_in_a_small_stack() {
    let nested = format!("{}accountEnabled eq true{}", "not(".repeat(32), ")".repeat(32));
    let chained = format!("{}accountEnabled eq true", "accountEnabled eq true and ".repeat(2_000));
    let work = move || {
        exercise(&nested);
        exercise(&chained);
        assert!(parse(&nested).is_ok() && parse(&chained).is_ok());
    };
    // A browser gives WASM 1 MB; debug builds use several times what a release build does.
    std::thread::Builder::new().stack_size(1 << 20).spawn(work).unwrap().join().unwrap();
}
