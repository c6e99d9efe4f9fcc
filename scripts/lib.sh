# shellcheck shell=bash
# What all scripts share: where things are, and how they speak. Sourced, never run.
#
# The build folder and the tools live outside the checkout, so that a fresh checkout (a CI run, a second
# working copy) starts warm. What a build yields is copied into target/dist of the checkout it came from.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

cache=${XDG_CACHE_HOME:-$HOME/.cache}/rollcall
tools=$cache/tools
dist=$root/target/dist

export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$cache/target}
# Ours first: cargo-leptos takes wasm-bindgen and wasm-opt from PATH, and their versions matter.
export PATH=$tools/bin:$tools/node/bin:$root/scripts/tools/node_modules/.bin:${CARGO_HOME:-$HOME/.cargo}/bin:$PATH

say() { printf '%s\n' "$*"; }
heading() { printf '\n== %s\n' "$*"; }
fail() {
  printf '\n%s\n' "$*" >&2
  exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

# Seconds as a person says them.
spoken() { if (($1 < 60)); then printf '%d s' "$1"; else printf '%d min %02d s' $(($1 / 60)) $(($1 % 60)); fi; }

# The browser for the tests: the one named by CHROMIUM, else an installed one, else nothing (Playwright's own).
browser() {
  local name
  if [[ -n ${CHROMIUM:-} ]]; then printf '%s\n' "$CHROMIUM"; return; fi
  for name in chromium google-chrome google-chrome-stable; do
    if have "$name"; then command -v "$name"; return; fi
  done
}
