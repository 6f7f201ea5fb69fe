#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the Debian package from a build folder, looks into it, and starts the daemon from it.
# Usage: package.sh [BUILD]   (default build/release, which is configured); the package is BUILD/package/*.deb
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
build=$(realpath "${1:-build/release}")

cmake --build "$build" --target package_files
rm -rf "$build/package"
(cd "$build" && cpack -G DEB -B "$build/package" >package.log 2>&1) ||
  { cat "$build/package.log" >&2; exit 1; }
rm -rf "$build/package/_CPack_Packages"
/usr/bin/python3 -B tests/deploy/package_check.py "$build"/package/*.deb
