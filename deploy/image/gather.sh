#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What the image takes from the stage that built it, for the Dockerfile: OUT/root, files that go to /, and
# OUT/packages, the names of the Debian packages whose libraries the binaries load.
# Usage: gather.sh BUILD OUT DEV-PACKAGE...   (DEV-PACKAGE: headers that are compiled in)
set -eu
build=$1 out=$2
shift 2
doc=$out/root/usr/share/doc/sluice
mkdir -p "$out/root/usr/bin" "$doc"
for binary in server/sluiced client/sluice; do
  strip -o "$out/root/usr/bin/${binary##*/}" "$build/$binary"
done
cp LICENSE "$doc/LICENSE"

# The licences of what is compiled in, under the name of the package that has it.
for package; do
  case $package in *-dev) ;; *) continue ;; esac
  mkdir -p "$doc/compiled-in/$package"
  cp -L "/usr/share/doc/$package/copyright" "$doc/compiled-in/$package/"
done

ldd "$out/root/usr/bin/sluiced" "$out/root/usr/bin/sluice" >"$out/ldd"
if grep 'not found' "$out/ldd"; then exit 1; fi
awk '$2 == "=>" && $3 ~ "^/" { print $3 }' "$out/ldd" | sort -u >"$out/libraries"
# A library that was rebuilt and is not the one that is loaded: the loader looks for Debian's first.
find /usr/local/lib -name 'libgrpc*.so.*' | sort >"$out/rebuilt"
if grep -vxFf "$out/libraries" "$out/rebuilt"; then
  echo "rebuilt, and not what the daemon loads:"
  grep grpc "$out/ldd"
  exit 1
fi >&2
grep '^/usr/local/lib/' "$out/libraries" | xargs -r cp --parents -t "$out/root"
# Which of the two names dpkg knows a library by depends on whether its package has moved to /usr yet.
grep -v '^/usr/local/lib/' "$out/libraries" | sed 'p; s|^|/usr|' | xargs dpkg-query -S 2>/dev/null >"$out/owners" || :
awk 'NR == FNR { owned[$2]; next }
  !($0 in owned) && !("/usr" $0 in owned) && !/^\/usr\/local\/lib\// { print "no package has " $0; bad = 1 }
  END { exit bad }' "$out/owners" "$out/libraries"
sed 's/:.*//' "$out/owners" | sort -u >"$out/packages"
if [ -d /usr/local/share/doc/grpc ]; then cp -r /usr/local/share/doc/grpc "$doc/compiled-in/grpc"; fi
