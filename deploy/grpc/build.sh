#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds gRPC from Debian's source package as Debian does, but with NDEBUG and the patches beside this
# script, and puts the five shared libraries that a server loads, with Debian's sonames, into OUT.
# Usage: build.sh WORK OUT    (WORK: what was unpacked there is used again; needs deb-src in apt's sources)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$1 out=$2
version=1.51.1-3
mkdir -p "$work" "$out"
cd "$work"
if [ ! -e grpc-1.51.1/.patched ]; then
  rm -rf grpc-1.51.1
  apt-get source -q "grpc=$version"
  for patch in "$here"/*.patch; do patch -d grpc-1.51.1 -p1 <"$patch"; done
  touch grpc-1.51.1/.patched
fi

# Debian's compiler flags (-O2, hardening) without debug information; assertions off is all that differs.
export DEB_CFLAGS_MAINT_STRIP=-g DEB_CXXFLAGS_MAINT_STRIP=-g
set -- -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_FLAGS_RELEASE=-DNDEBUG -DCMAKE_CXX_FLAGS_RELEASE=-DNDEBUG \
  -DCMAKE_C_FLAGS="$(dpkg-buildflags --get CFLAGS) $(dpkg-buildflags --get CPPFLAGS)" \
  -DCMAKE_CXX_FLAGS="$(dpkg-buildflags --get CXXFLAGS) $(dpkg-buildflags --get CPPFLAGS)" \
  -DCMAKE_SHARED_LINKER_FLAGS="$(dpkg-buildflags --get LDFLAGS)" \
  -DCMAKE_SKIP_RPATH=ON -DBUILD_SHARED_LIBS=ON -DgRPC_BUILD_TESTS=OFF -DgRPC_BUILD_CODEGEN=OFF \
  -DgRPC_BUILD_CSHARP_EXT=OFF -DgRPC_BACKWARDS_COMPATIBILITY_MODE=OFF -DgRPC_INSTALL=OFF
for provider in ABSL BENCHMARK CARES PROTOBUF RE2 SSL ZLIB; do
  set -- "$@" "-DgRPC_${provider}_PROVIDER=package"
done
if command -v ccache >/dev/null; then
  set -- "$@" -DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache
fi
cmake -S grpc-1.51.1 -B build -G Ninja "$@"
nice -n 19 cmake --build build --parallel "${GRPC_JOBS:-2}" --target grpc++ grpc gpr upb address_sorting
for library in libgrpc++.so.1.51 libgrpc.so.29 libgpr.so.29 libupb.so.29 libaddress_sorting.so.29; do
  strip --strip-unneeded -o "$out/$library" "build/$library"
  chmod 644 "$out/$library"
done
