//! Microsoft's Graph client for node reads users and groups and follows two delta rounds, over https.

use entra_sim::{Options, Size};

use crate::node::{run, script, tls};
use crate::support::Bench;

#[tokio::test]
async fn the_graph_client_reads_all_users_and_groups_and_follows_their_changes() {
    let dir = tempfile::tempdir().unwrap();
    let size = Size { users: 450, groups: 12, members_per_group: 20, seed: 1 };
    let options = Options { size, tls: Some(tls(dir.path())), ..Options::default() };
    let bench = Bench::with(options).await;
    let out = run(&mut script("graph-client.mjs", &bench, dir.path()).await).await;
    let lines: Vec<&str> = out.lines().collect();
    let expected = [
        "450 users on 5 pages",
        "12 groups on 1 page",
        "users/delta: 450 users, all known",
        "groups/delta: 12 groups, the largest in several parts, members as listed",
        "users/delta after the changes: renamed, added, removed (changed), removed (deleted)",
        "groups/delta after the changes: one joined, one left",
        "batch: 200, 404",
        "throttled once, then 449 users counted",
        "unknown user: 404 Request_ResourceNotFound",
    ];
    assert_eq!(lines, expected);
}
