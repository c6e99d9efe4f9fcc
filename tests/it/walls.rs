//! The walls inside the portal's own crate. Cargo keeps those between the crates; these are the ones within `src/`.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Rust files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
    found
}

/// The lines of the files that belong to one of `rooms` (a file or folder of `src/`) and contain one of `words`.
fn lines_with(rooms: &[&str], words: &[&str]) -> Vec<String> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let all = files(&src);
    let inside = |path: &Path| {
        let local = path.strip_prefix(&src).unwrap();
        rooms.iter().any(|room| local.starts_with(room) || local == Path::new(&format!("{room}.rs")))
    };
    let chosen: Vec<_> = all.iter().filter(|path| inside(path)).collect();
    assert!(!chosen.is_empty(), "no file in {rooms:?}: the wall would stand around nothing");
    let mut hits = Vec::new();
    for path in chosen {
        for (number, line) in fs::read_to_string(path).unwrap().lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if words.iter().any(|word| code.contains(word)) {
                hits.push(format!("{}:{}: {}", path.display(), number + 1, line.trim()));
            }
        }
    }
    hits
}

#[test]
fn components_know_neither_pages_nor_access_nor_the_server() {
    assert_eq!(
        lines_with(&["components"], &["crate::pages", "crate::access", "crate::server", "store::", "sync::"]),
        Vec::<String>::new()
    );
}

#[test]
fn access_knows_neither_pages_nor_the_server() {
    assert_eq!(lines_with(&["access"], &["crate::pages", "crate::server"]), Vec::<String>::new());
}

#[test]
fn pages_do_not_know_the_server() {
    assert_eq!(lines_with(&["pages"], &["crate::server"]), Vec::<String>::new());
}

#[test]
fn only_access_and_the_server_name_axum() {
    assert_eq!(
        lines_with(&["pages", "components", "error"], &["axum::", "leptos_axum::"]),
        Vec::<String>::new()
    );
}

#[test]
fn the_portal_speaks_to_the_database_and_the_directory_through_their_rooms() {
    let rooms = ["pages", "components", "access", "server", "main", "commands"];
    assert_eq!(lines_with(&rooms, &["sqlx::", "reqwest::", "ldap3::"]), Vec::<String>::new());
}
