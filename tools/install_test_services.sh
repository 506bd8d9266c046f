#!/bin/sh
# Installs what only the tests need and Debian has: Chromium, and a PostgreSQL server. Does nothing where they are there.
set -e
missing=
command -v chromium > /dev/null || missing="chromium chromium-driver"
ls /usr/lib/postgresql/*/bin/initdb > /dev/null 2>&1 || command -v initdb > /dev/null || missing="$missing postgresql"
[ -n "$missing" ] || exit 0
if [ "$(id -u)" = 0 ]; then as_root=; else as_root="sudo -n"; fi
echo "installing $missing"
$as_root apt-get update -qq
# shellcheck disable=SC2086  # several packages
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq $missing > /dev/null
