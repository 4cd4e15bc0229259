#!/usr/bin/env bash
# Installs Chromium and the font that its pictures are made with, where they are missing.
# Fails when there is none and it can't be installed, and says why.
set -uo pipefail
chromium=${CHROMIUM:-/usr/bin/chromium}
if [ ! -x "$chromium" ] || [ ! -d /usr/share/fonts/opentype/inter ]; then
  command -v apt-get >/dev/null && apt-get update -q && apt-get install -y -q --no-install-recommends chromium fonts-inter
fi
[ -x "$chromium" ] || { echo "there is no Chromium at $chromium, and apt could not install it: say where one is in CHROMIUM" >&2; exit 1; }
