# Sourced by the scripts of hack/: a davit on roots of its own, with a network of its own, and how to take
# all of it away again. Needs common.sh and process.sh.
# shellcheck shell=bash

# place NAME: says where everything of the davit called NAME is; makes nothing.
place() {
  ROOT=/var/lib/davit-$1
  RUN=/run/davit-$1
  SOCKET=$RUN/davit.sock
  CONFIG=$ROOT/davit.toml
  LOG=$ROOT/davit.log
  PID_FILE=$RUN/davit.pid
  BRIDGE=davit-${1:0:9}
  CGROUP=davit-$1
}

# free_subnet: prints the first of some private networks that this machine has no route to.
free_subnet() {
  local n
  for n in {214..229}; do
    if ! ip -4 route show match "10.$n.0.1" | grep -qv '^default' && [ -z "$(ip -4 route show root "10.$n.0.0/16")" ]; then
      printf '10.%s.0.0/24\n' "$n"
      return
    fi
  done
  die 'every network from 10.214.0.0/24 to 10.229.0.0/24 is in use on this machine'
}

# write_config [TEXT]: the configuration of the daemon, with TEXT after it, and that of its network.
write_config() {
  mkdir -p "$ROOT/cni" "$RUN"
  chmod 700 "$ROOT"
  cat >"$CONFIG" <<EOT
# Written by hack/${0##*/}. What each option means: bin/davit config default
root = "$ROOT/data"
run = "$RUN/state"
socket = "$SOCKET"

[cgroup]
driver = "cgroupfs"
parent = "/$CGROUP"

[cni]
conf_dir = "$ROOT/cni"
${1:-}
EOT
  [ -s "$ROOT/cni/10-bridge.conflist" ] && return
  # what is the node's already is left as it is when everything is taken away
  cat /proc/sys/net/ipv4/ip_forward >"$ROOT/ip_forward"
  if iptables -t nat -n -L CNI-HOSTPORT-DNAT >/dev/null 2>&1; then touch "$ROOT/had-hostport-chains"; fi
  local subnet
  subnet=$(free_subnet)
  cat >"$ROOT/cni/10-bridge.conflist" <<EOT
{
  "cniVersion": "1.0.0",
  "name": "$CGROUP",
  "plugins": [
    {
      "type": "bridge",
      "bridge": "$BRIDGE",
      "isGateway": true,
      "ipMasq": true,
      "hairpinMode": true,
      "ipam": {
        "type": "host-local",
        "dataDir": "$RUN/ipam",
        "ranges": [[{ "subnet": "$subnet" }]],
        "routes": [{ "dst": "0.0.0.0/0" }]
      }
    },
    { "type": "portmap", "capabilities": { "portMappings": true }, "snat": true }
  ]
}
EOT
}

# start_daemon: starts it if it does not run, and waits until it answers.
start_daemon() {
  local i
  if recall "$PID_FILE" >/dev/null; then return; fi
  mkdir -p "$RUN"
  setsid "$REPO/bin/davit" --config "$CONFIG" >>"$LOG" 2>&1 </dev/null &
  remember "$PID_FILE" $!
  for ((i = 0; i < 300; i++)); do
    if DAVIT_SOCKET=$SOCKET "$REPO/bin/davitctl" version >/dev/null 2>&1; then return; fi
    recall "$PID_FILE" >/dev/null || break
    sleep 0.1
  done
  tail -n 15 "$LOG" >&2
  die "the daemon did not start; the end of its log ($LOG) is above"
}

# remove_everything: pods, daemon, mounts, files, cgroups, network. May be repeated, at any point.
remove_everything() {
  remove_pods || end_containers
  end "$PID_FILE"
  remove_mounts
  rm -rf --one-file-system "$RUN"
  remove_cgroups
  remove_network
  rm -rf --one-file-system "$ROOT"
}

# A daemon that was killed is started once more: it knows what is there.
remove_pods() {
  [ -s "$CONFIG" ] || return 0
  (start_daemon) && DAVIT_SOCKET=$SOCKET "$REPO/bin/davitctl" rmp --force --all >/dev/null
}

# For when the daemon cannot do it: ends what is in the pods' own cgroup.
end_containers() {
  local pid
  { find /sys/fs/cgroup -path "*/$CGROUP/*" -name cgroup.procs -exec cat {} + 2>/dev/null || true; } | sort -u |
    while read -r pid; do
      if [ "$pid" -gt 1 ]; then kill -KILL "$pid" 2>/dev/null || true; fi
    done
}

remove_mounts() {
  local target
  cut -d' ' -f5 /proc/self/mountinfo | { grep -E "^($ROOT|$RUN)/" || true; } | sort -r |
    while read -r target; do umount --lazy "$target" || true; done
}

remove_cgroups() {
  local i
  for ((i = 0; i < 50; i++)); do
    find /sys/fs/cgroup -depth -type d -path "*/$CGROUP*" -regex ".*/$CGROUP\(/.*\)?" -exec rmdir {} + 2>/dev/null || true
    [ -n "$(find /sys/fs/cgroup -maxdepth 2 -name "$CGROUP" -print -quit)" ] || return 0
    sleep 0.1 # processes that were killed leave a little later
  done
}

remove_network() {
  if [ -e "/sys/class/net/$BRIDGE" ]; then ip link delete "$BRIDGE"; fi
  [ -e "$ROOT/ip_forward" ] || return 0
  if [ ! -e "$ROOT/had-hostport-chains" ]; then remove_hostport_chains; fi
  # the bridge plugin turned forwarding on; without a bridge nobody needs it
  if ! compgen -G '/sys/class/net/*/bridge' >/dev/null; then cat "$ROOT/ip_forward" >/proc/sys/net/ipv4/ip_forward; fi
}

# The chains that the portmap plugin makes once and keeps, if nobody uses them any more.
remove_hostport_chains() {
  local table chain number
  for table in iptables ip6tables; do
    if $table -w -t nat -S CNI-HOSTPORT-DNAT 2>/dev/null | grep -q '^-A'; then continue; fi
    for chain in PREROUTING OUTPUT POSTROUTING; do
      { $table -w -t nat -n -L $chain --line-numbers 2>/dev/null || true; } |
        { grep -E '^[0-9]+ +CNI-HOSTPORT-' || true; } | sort -rn |
        while read -r number _; do $table -w -t nat -D $chain "$number"; done
    done
    for chain in CNI-HOSTPORT-DNAT CNI-HOSTPORT-SETMARK CNI-HOSTPORT-MASQ; do
      if $table -w -t nat -F $chain 2>/dev/null; then $table -w -t nat -X $chain; fi
    done
  done
}
