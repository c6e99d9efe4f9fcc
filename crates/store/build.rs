//! Builds anew when a migration was added: the macro that embeds them only notices changes of those that it knows.

fn main() {
    println!("cargo::rerun-if-changed=../../migrations");
}
