# Sourced by scripts/runSim, stopSim and crowdbeat, with $root set to the repository. POSIX sh; this must
# run before anything is installed, so it is no TypeScript.
#
#   prepare            packages as package-lock.json says, dist/ as the sources say, a Redis program
#   prepare_if_unbuilt the same, but content with any build: stopping must not wait for a compiler
#
# When nothing is to do it costs two or three short processes. Two terminals at once: one works, the
# other waits at the lock directory .crowdbeat/prepare.lock, which names its holder.

prepare_lock="$root/.crowdbeat/prepare.lock"
prepare_sources="server sim bench scripts"

prepare() {
  check_node
  check_descriptors
  if is_installed && is_built; then return 0; fi
  take_lock
  # The holder before us may have done it all; so look again.
  is_installed || install_packages
  if ! is_built; then
    build
    install_redis
  fi
  release_lock
}

prepare_if_unbuilt() {
  check_node
  if [ -e "$root/dist/.built" ] && [ -d "$root/node_modules" ]; then return 0; fi
  prepare
}

fail() {
  printf 'crowdbeat: %s\n' "$*" >&2
  exit 1
}

say() {
  printf 'crowdbeat: %s\n' "$*" >&2
}

check_node() {
  command -v node >/dev/null 2>&1 || fail 'Node.js is not on PATH; install Node.js >= 20.19 (https://nodejs.org)'
  node_version=$(node --version)
  node_major=${node_version#v}
  node_minor=${node_major#*.}
  node_major=${node_major%%.*}
  node_minor=${node_minor%%.*}
  if [ "$node_major" -gt 20 ] || { [ "$node_major" -eq 20 ] && [ "$node_minor" -ge 19 ]; }; then return 0; fi
  fail "Node.js >= 20.19 is needed, but $(command -v node) is $node_version; install a newer one (https://nodejs.org)"
}

# Node opens its modules many at a time: with 140 descriptors it fails while it loads ours, with 160 not (measured), in words
# that help nobody. What a crowd's connections need beyond that, the program says itself. The hard limit
# counts, as Node raises the soft one to it. A shell that can't tell is not asked twice.
check_descriptors() {
  descriptors=$(ulimit -H -n 2>/dev/null) || return 0
  case $descriptors in
    *[!0-9]* | '') return 0 ;;
  esac
  [ "$descriptors" -ge 256 ] && return 0
  remedy="type ulimit -n 4096 first; a crowd needs one more for each of its --connections"
  fail "a process may have only $descriptors file descriptors here (ulimit -n), fewer than 256: $remedy"
}

# npm writes node_modules/.package-lock.json last, so an installation that was cut short has none.
is_installed() {
  [ -e "$root/node_modules/.package-lock.json" ] &&
    [ -z "$(find "$root/package-lock.json" -newer "$root/node_modules/.package-lock.json")" ]
}

# Directories count too: a file that was removed or renamed is newer nowhere else.
is_built() {
  [ -e "$root/dist/.built" ] && [ -e "$root/dist/scripts/crowdbeat.js" ] && [ -z "$(changed_sources)" ]
}

changed_sources() {
  (
    cd "$root" || exit 1
    # Unquoted on purpose: several folders.
    # shellcheck disable=SC2086
    find package.json tsconfig.json tsconfig.build.json $prepare_sources -newer dist/.built \
      \( -type d -o -name '*.ts' -o -name '*.lua' -o -name '*.json' -o -name '*.mjs' \) | head -n 1
  )
}

install_packages() {
  command -v npm >/dev/null 2>&1 || fail 'npm is not on PATH; it comes with Node.js (https://nodejs.org)'
  if [ -e "$root/node_modules" ]; then
    say 'installing packages (package-lock.json has changed) …'
  else
    say 'installing packages (first run) …'
  fi
  # --include=dev: the compiler is a development package, also where NODE_ENV says production.
  run_quietly 'installing the packages failed' npm ci --include=dev --no-audit --no-fund --loglevel=error
}

build() {
  say 'building …'
  # What is changed while the build runs is newer than this, and is built next time.
  : >"$prepare_lock/build-started"
  run_quietly 'the build failed' npm run --silent build
  touch -r "$prepare_lock/build-started" "$root/dist/.built"
}

# Only looks when something was built: whoever removes Redis later is told so by crowdbeat itself.
install_redis() {
  if [ -n "${REDIS_URL:-}" ]; then return 0; fi
  if command -v redis-server >/dev/null 2>&1 || command -v valkey-server >/dev/null 2>&1; then return 0; fi
  node "$root/dist/scripts/crowdbeat.js" setup >&2 || fail 'there is no Redis to start'
}

run_quietly() {
  failure=$1
  shift
  if (cd "$root" && "$@") >"$prepare_lock/output" 2>&1 </dev/null; then return 0; fi
  cat "$prepare_lock/output" >&2
  fail "$failure (in $root: $*)"
}

# A process that was killed leaves its lock. Only who has made the directory `breaking` inside a lock may
# remove it without being its holder, and looks again first: the lock may be a new one by then.
take_lock() {
  mkdir -p "$root/.crowdbeat" || fail "$root/.crowdbeat can't be made"
  waited=0
  until mkdir "$prepare_lock" 2>/dev/null; do
    if lock_is_dead && mkdir "$prepare_lock/breaking" 2>/dev/null; then
      if lock_is_dead; then
        mv "$prepare_lock" "$prepare_lock.dead.$$" && rm -rf "$prepare_lock.dead.$$"
      else
        rmdir "$prepare_lock/breaking" 2>/dev/null || :
      fi
      continue
    fi
    [ "$waited" -ne 1 ] || say "waiting for process $(lock_holder), which installs or builds …"
    [ "$waited" -lt 900 ] || fail "still locked after 15 minutes; if nothing builds, remove $prepare_lock"
    sleep 1
    waited=$((waited + 1))
  done
  trap release_lock EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  printf '%s\n%s\n' "$$" "$(start_time "$$")" >"$prepare_lock/holder"
}

release_lock() {
  trap - EXIT HUP INT TERM
  rm -rf "$prepare_lock"
}

lock_holder() {
  sed -n 1p "$prepare_lock/holder" 2>/dev/null
}

# Dead: the process is gone, or its id belongs to another by now. Without a holder: it was killed before
# it wrote its name, unless it takes that step right now, so that gets a moment.
lock_is_dead() {
  holder=$(lock_holder)
  if [ -z "$holder" ]; then
    sleep 1
    holder=$(lock_holder)
    [ -n "$holder" ] || return 0
  fi
  { kill -0 "$holder" || [ -d "/proc/$holder" ]; } 2>/dev/null || return 0
  [ "$(start_time "$holder")" != "$(sed -n 2p "$prepare_lock/holder" 2>/dev/null)" ]
}

# Empty where ps doesn't know lstart; then the process id has to do.
start_time() {
  LC_ALL=C TZ=UTC ps -o lstart= -p "$1" 2>/dev/null || :
}
