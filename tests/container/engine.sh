# SPDX-License-Identifier: Apache-2.0
# Sourced by check.sh: a container engine and its base images, where no engine runs and no image can be
# pulled. The engine is Debian's docker.io, started for the length of a run and changing nothing of the
# machine's network; the base images are made by debootstrap from the archive that this machine's apt
# uses. Where an engine answers already, that one is used, and pulls what it is asked for.
#
# Takes CC_DIR (data of the engine and base images, kept for the next run), BASES and FOREIGN;
# sets DK (the client) and OWN (1: the engine is ours).

CODENAME=bookworm
ENGINE_PID='' UPDATED='' OWN=''

need() {  # command, package
  if [ -x "$1" ] || command -v "$1" >/dev/null; then return; fi
  if [ -z "$UPDATED" ]; then
    apt-get -o DPkg::Lock::Timeout=300 -qq update || impossible "apt-get update failed"
    UPDATED=1
  fi
  say "installing $2"
  DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -qq -y --no-install-recommends \
    install "$2" >"$CC_DIR/apt-$2.log" 2>&1 && return
  tail -5 "$CC_DIR/apt-$2.log"
  impossible "apt-get install $2 failed"
}

wait_for_end() {  # pid
  local _
  for _ in $(seq 80); do
    kill -0 "$1" 2>/dev/null || return 0
    sleep 0.25
  done
  return 1
}

drop_cgroups() {  # the empty ones that our engine made; rmdir leaves any that is in use
  local folder
  for folder in /sys/fs/cgroup/docker /sys/fs/cgroup/*/docker; do
    [ -d "$folder" ] && [[ $CGROUPS_BEFORE != *" $folder "* ]] &&
      find "$folder" -depth -type d -exec rmdir {} + 2>/dev/null
  done
  return 0
}

stop_engine() {
  [ -n "$ENGINE_PID" ] && kill "$ENGINE_PID" 2>/dev/null || return 0
  wait_for_end "$ENGINE_PID" || { kill -9 "$ENGINE_PID" && say "the engine needed SIGKILL"; }
  wait "$ENGINE_PID" 2>/dev/null
  drop_cgroups
}

# The engine in a mount namespace of its own. Where /sys/fs/cgroup is the old layout, it gets a fresh one
# there with every v1 controller but memory: containers stay in the memory cgroup of the caller, and
# --memory is ignored with a warning. Shadowed mounts confuse runc, so the old ones are unmounted in that
# namespace, not covered. No iptables, no forwarding, no docker0: builds use --network=host, -p works
# through docker-proxy, names resolve on user-defined networks.
launch_engine() {  # storage driver
  # shellcheck disable=SC2016  # the inner bash expands
  unshare -m bash -c '
    mount --make-rprivate / || exit 90
    if [ "$(stat -fc %T /sys/fs/cgroup 2>/dev/null)" != cgroup2fs ]; then
      umount -R -l /sys/fs/cgroup 2>/dev/null
      mount -t tmpfs -o mode=755 cgroup /sys/fs/cgroup || exit 91
      for controller in $(awk "!/^#/ && \$4 == 1 { print \$1 }" /proc/cgroups); do
        case $controller in memory | hugetlb) continue ;; esac
        mkdir -p "/sys/fs/cgroup/$controller"
        mount -t cgroup -o "$controller" cgroup "/sys/fs/cgroup/$controller" 2>/dev/null ||
          rmdir "/sys/fs/cgroup/$controller"
      done
      if [ ! -d /sys/fs/cgroup/devices ]; then  # no v1 to be had: v2
        umount -R /sys/fs/cgroup
        mount -t cgroup2 cgroup2 /sys/fs/cgroup || exit 92
      fi
    fi
    exec nice -n 5 /usr/sbin/dockerd -H "$DOCKER_HOST" --data-root "$0/data-$1" --exec-root "$CC_RUN/exec" \
      -p "$CC_RUN/docker.pid" --storage-driver="$1" --iptables=false --ip6tables=false --ip-forward=false \
      --bridge=none
  ' "$CC_DIR" "$1" >"$CC_DIR/dockerd.log" 2>&1 9>&- &
  ENGINE_PID=$!
  local _
  for _ in $(seq 240); do
    if timeout 5 "$DK" info >/dev/null 2>&1; then return 0; fi
    kill -0 "$ENGINE_PID" 2>/dev/null || return 1
    sleep 0.25
  done
  return 1
}

end_engine_of_killed_run() {
  local pid
  pid=$(cat "$CC_RUN/docker.pid" 2>/dev/null) || return 0
  if tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF "dockerd -H $DOCKER_HOST "; then
    say "ending the engine that a killed run left behind (pid $pid)"
    kill "$pid"
    wait_for_end "$pid"
    CGROUPS_BEFORE='' drop_cgroups
  fi
}

start_engine() {
  unset DOCKER_CONTEXT
  if command -v docker >/dev/null && timeout 10 docker info >/dev/null 2>&1; then
    DK=docker
    say "using the engine that already runs"
    return
  fi
  OWN=1
  [ "$(id -u)" = 0 ] || impossible "no engine runs, and only root can start one"
  command -v apt-get >/dev/null || impossible "no engine runs, and there is no apt-get to install one"
  [ ${#FOREIGN[@]} = 0 ] || impossible "no image can be pulled, and ${FOREIGN[*]} cannot be made from packages"
  need /usr/sbin/dockerd docker.io
  need debootstrap debootstrap
  need ip iproute2
  DK=/usr/bin/docker  # the packaged client, of the engine's own version
  unshare -m true 2>/dev/null || impossible "mount namespaces are refused (unshare -m)"
  local storage=vfs
  if grep -qw overlay /proc/filesystems; then storage=overlay2; fi
  export CC_RUN=$CC_DIR/run DOCKER_HOST=unix://$CC_DIR/run/docker.sock
  end_engine_of_killed_run
  rm -rf "$CC_RUN"
  mkdir -p "$CC_RUN"
  CGROUPS_BEFORE=" $(ls -d /sys/fs/cgroup/docker /sys/fs/cgroup/*/docker 2>/dev/null | tr '\n' ' ') "
  if ! launch_engine "$storage"; then
    say "the engine did not start with $storage"
    stop_engine
    launch_engine vfs || {
      grep -vE 'level=(info|debug)' "$CC_DIR/dockerd.log" | tail -5
      impossible "dockerd does not start (log above, whole in $CC_DIR/dockerd.log)"
    }
    storage=vfs
  fi
  # Of a killed run; the engine is ours alone.
  "$DK" ps -aq | xargs -r "$DK" rm -f >/dev/null 2>&1
  "$DK" network prune -f >/dev/null 2>&1
  ok "engine $("$DK" version -f '{{.Server.Version}}'), $storage, cgroup v$("$DK" info -f '{{.CgroupVersion}}' 2>/dev/null)"
}

archives() {  # of this machine's apt: site, suite, component
  apt-get indextargets --format '$(SITE) $(RELEASE) $(COMPONENT) $(ORIGIN) $(CREATED_BY)' |
    awk '$4 == "Debian" && $5 == "Packages" { print $1, $2, $3 }' | sort -u
}

# A root file system as the published slim image has it. What this machine's apt needs to reach its
# archive goes into it, so that no Dockerfile has to name it.
make_base() {
  local root=$CC_DIR/rootfs lines site
  lines=$(archives)
  if [ -z "$lines" ]; then
    apt-get -qq update
    lines=$(archives)
  fi
  site=$(awk -v suite="$CODENAME" '$2 == suite { print $1; exit }' <<<"$lines")
  [ -n "$site" ] || impossible "this machine's apt lists no Debian archive for $CODENAME"
  rm -rf --one-file-system "$root"
  debootstrap --variant=minbase "$CODENAME" "$root" "$site" >"$CC_DIR/debootstrap.log" 2>&1 || {
    tail -5 "$CC_DIR/debootstrap.log"
    impossible "debootstrap failed"
  }
  awk '{ suites[$1 " " $2] = suites[$1 " " $2] " " $3 } END { for (s in suites) print "deb " s suites[s] }' \
    <<<"$lines" | sort >"$root/etc/apt/sources.list"
  {
    apt-config dump | grep -E '^Acquire::(Check-|(http|https|ftp)::|Retries)' | grep -v '""'
    echo 'APT::Update::Error-Mode "any";'
  } >"$root/etc/apt/apt.conf.d/99host"
  if grep -q 'https://' "$root/etc/apt/sources.list" "$root/etc/apt/apt.conf.d/99host"; then
    mkdir -p "$root/etc/ssl/certs"
    cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
  fi
  printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
  chmod 755 "$root/usr/sbin/policy-rc.d"
  {
    printf 'path-exclude /usr/share/%s/*\n' doc man info locale groff linda lintian
    printf 'path-include /usr/share/doc/*/copyright\n'
  } >"$root/etc/dpkg/dpkg.cfg.d/docker"
  printf '%s;\n' 'Acquire::Languages "none"' 'Acquire::GzipIndexes "true"' \
    'Apt::AutoRemove::SuggestsImportant "false"' 'Dir::Cache::pkgcache ""' 'Dir::Cache::srcpkgcache ""' \
    'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb || true"; }' \
    >"$root/etc/apt/apt.conf.d/docker-slim"
  find "$root/usr/share/doc" -type f ! -name copyright -delete
  rm -rf "$root"/usr/share/{man,info,locale,groff,lintian}/* "$root"/var/cache/apt/* \
    "$root"/var/lib/apt/lists/* "$root"/var/log/{apt,*.log}
  : >"$root/etc/resolv.conf"
  : >"$root/etc/hostname"
  tar -C "$root" --numeric-owner --one-file-system --exclude='./dev/*' -cf "$CC_DIR/base.tar.part" .
  mv "$CC_DIR/base.tar.part" "$CC_DIR/base.tar"
  rm -rf --one-file-system "$root"
}

make_bases() {
  local base
  [ -n "$OWN" ] || return 0
  for base in "${BASES[@]}"; do
    "$DK" image inspect "$base" >/dev/null 2>&1 && continue
    if [ ! -f "$CC_DIR/base.tar" ]; then
      say "making the base image with debootstrap"
      make_base
    fi
    "$DK" import -c 'CMD ["bash"]' \
      -c 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
      "$CC_DIR/base.tar" "$base" >/dev/null || impossible "docker import failed"
    ok "imported as $base"
  done
}
