# The image of Sluice: sluiced, the command sluice, and the libraries that they load, on debian:bookworm-slim.
#
#   docker build -t sluice .                            (BuildKit: DOCKER_BUILDKIT=1 where it is not the default)
#   docker build --build-arg GRPC=release -t sluice .   gRPC of the same version rebuilt, see deploy/grpc
#   docker run --read-only --cap-drop ALL -p 127.0.0.1:7400:7400 -p 127.0.0.1:7401:7401 sluice
#
# The packages it has and their versions are in /usr/share/doc/sluice/packages.txt, sorted: two images are
# compared by   diff <(docker run --rm --entrypoint cat ONE PATH) <(docker run --rm --entrypoint cat OTHER PATH)
# and one of today's packages is built with --pull --no-cache. Licences: /usr/share/doc/*/copyright, of what is
# compiled in /usr/share/doc/sluice/compiled-in/*/copyright, Sluice's own /usr/share/doc/sluice/LICENSE.
#
# GRPC      debian: the library as Debian has it, with its debug checks. release: rebuilt from Debian's source
#           package without them, with the patches of deploy/grpc (an hour on two cores).
# REVISION  the commit, for the label.
ARG GRPC=debian

FROM debian:bookworm-slim AS tools
COPY deploy/packages.txt /
# The list that developers install, without the sections of tools and tests.
RUN awk '/^#/ { wanted = !/tools|test|clients/ } wanted && !/^#/ && NF' /packages.txt >/build-packages \
 && apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      ccache cmake g++ lld ninja-build protobuf-compiler $(cat /build-packages) \
 && rm -rf /var/lib/apt/lists/*
ENV CCACHE_DIR=/ccache

FROM tools AS grpc-debian
RUN mkdir -p /out/lib /out/share

FROM tools AS grpc-release
# Debian's image has its sources in either of two places.
RUN if [ -e /etc/apt/sources.list ]; then sed 's/^deb /deb-src /' /etc/apt/sources.list >/etc/apt/sources.list.d/source.list; fi \
 && if [ -e /etc/apt/sources.list.d/debian.sources ]; then sed -i 's/^Types: deb$/Types: deb deb-src/' /etc/apt/sources.list.d/debian.sources; fi \
 && apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      dpkg-dev libabsl-dev libbenchmark-dev libc-ares-dev libprotoc-dev libre2-dev libssl-dev patch zlib1g-dev
COPY deploy/grpc /grpc
# Where the loader looks before Debian's own libraries on every architecture: /etc/ld.so.conf.d is read by name,
# and aarch64-linux-gnu.conf comes before libc.conf, which has /usr/local/lib.
RUN --mount=type=cache,target=/ccache /grpc/build.sh /grpc-build "/out/lib/$(gcc -print-multiarch)" \
 && mkdir -p /out/share/doc/grpc \
 && cp /grpc-build/grpc-1.51.1/debian/copyright /grpc/*.patch /out/share/doc/grpc/

FROM grpc-${GRPC} AS grpc

FROM tools AS build
COPY --from=grpc /out/ /usr/local/
RUN ldconfig
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/ccache cmake --preset release -B /build -DBUILD_TESTING=OFF \
      -DCMAKE_CXX_FLAGS="-D_FORTIFY_SOURCE=2 -fcf-protection -ffile-prefix-map=/src=." \
      -DCMAKE_EXE_LINKER_FLAGS="-fuse-ld=lld -pie -Wl,-z,relro,-z,now" \
 && nice cmake --build /build --target sluiced sluice
RUN deploy/image/gather.sh /build /out $(cat /build-packages) \
 && /out/root/usr/bin/sluiced --version && /out/root/usr/bin/sluice --help >/out/help

FROM debian:bookworm-slim
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Sluice" \
      org.opencontainers.image.description="Queues, request/reply, topics and config keys over gRPC, with honest outcomes" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="docker.io/library/debian:bookworm-slim"
COPY --from=build /out/packages /tmp/packages
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $(cat /tmp/packages) \
 && rm -rf /tmp/packages /var/lib/apt/lists/* /var/cache/* /var/log/* \
 && mkdir -p /usr/share/doc/sluice \
 && dpkg-query -W -f '${binary:Package} ${Version}\n' | LC_ALL=C sort >/usr/share/doc/sluice/packages.txt
COPY --from=build /out/root/ /
RUN ["ldconfig"]
USER 65532:65532
# 7400: gRPC. 7401: HTTP, /metrics, /healthz, /readyz.
EXPOSE 7400 7401
# Whoever waits is told, consumers finish what they hold, within 8 s: docker stop waits 10.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s --retries=3 \
  CMD ["/usr/bin/sluice", "--timeout", "3", "healthcheck"]
ENTRYPOINT ["/usr/bin/sluiced"]
CMD ["--listen", "0.0.0.0:7400", "--http", "0.0.0.0:7401", "--insecure-bind"]
