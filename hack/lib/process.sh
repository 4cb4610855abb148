# Sourced by the scripts of hack/: processes that a script starts, remembers in a file, and ends again.
# A process is known by its pid and its start time, since pids are used again.
# shellcheck shell=bash

# start_ticks PID: the start time of a living process, in clock ticks since boot; fails when there is none.
start_ticks() {
  local stat state
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  stat=${stat##*) } # the name before it may hold blanks and parentheses
  state=${stat%% *}
  [ "$state" != Z ] || return 1
  printf '%s\n' "$stat" | cut -d' ' -f20
}

# remember FILE PID: notes the process in FILE.
remember() {
  printf '%s %s\n' "$2" "$(start_ticks "$2")" >"$1.new"
  mv "$1.new" "$1"
}

# recall FILE: prints the pid noted in FILE if that very process still runs; fails otherwise.
recall() {
  local pid ticks
  [ -s "$1" ] || return 1
  read -r pid ticks <"$1"
  [ "$pid" -gt 1 ] && [ -n "$ticks" ] || return 1
  [ "$(start_ticks "$pid")" = "$ticks" ] || return 1
  printf '%s\n' "$pid"
}

# end FILE [SECONDS]: ends the process noted in FILE, first kindly, then for sure, and removes FILE.
end() {
  local pid i
  if pid=$(recall "$1"); then
    kill -TERM "$pid" 2>/dev/null || true
    for ((i = 0; i < ${2:-20} * 10; i++)); do
      recall "$1" >/dev/null || break
      sleep 0.1
    done
    if pid=$(recall "$1"); then kill -KILL "$pid" 2>/dev/null || true; fi
  fi
  rm -f "$1"
}
