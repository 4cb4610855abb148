# Sourced by the scripts of hack/: where the repository is, how to speak to people, which Node to use.
# shellcheck shell=bash

REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# step TEXT: says what begins now.
step() {
  if [ -t 1 ]; then printf '\033[1m==> %s\033[0m\n' "$*"; else printf '==> %s\n' "$*"; fi
}

# die TEXT: says what went wrong, and ends with status 1.
die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# misused TEXT: says what was wrong with the command line, and ends with status 2.
misused() {
  printf '%s: %s (see --help)\n' "${0##*/}" "$*" >&2
  exit 2
}

# need_root: namespaces, mounts and packages need it.
need_root() {
  [ "$(id -u)" = 0 ] || die 'please run this as root: it makes namespaces, mounts and network interfaces'
}

# print_help: the comment at the top of the running script, without the first line.
print_help() {
  sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
}

# use_our_node: puts Node 24, as hack/install brought it, before every other.
use_our_node() {
  PATH="$REPO/node_modules/node/bin:$PATH"
  export PATH
}
