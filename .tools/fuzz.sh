#!/usr/bin/env bash
# Usage: fuzz.sh 60s
# Runs every fuzz target of the module for that long, one after the other, and
# says how many inputs each has tried. Fails if one of them found a fault. Making an
# input smaller is bounded: by default it may take a minute, all the time there is.
set -uo pipefail
time=${1:?how long, as in 60s}
status=0
go test -list '^Fuzz' ./... | awk '/^Fuzz/ { names[n++] = $1 } /^ok/ { for (i = 0; i < n; i++) print $2, names[i]; n = 0 }' |
  {
    while read -r package target; do
      if out=$(go test -run '^$' -fuzz "^${target}\$" -fuzztime "$time" -fuzzminimizetime 10x "$package" </dev/null 2>&1); then
        executions=$(grep -o 'execs: [0-9]*' <<<"$out" | tail -1)
        printf '%-40s %-32s ok    %s executions\n' "$package" "$target" "${executions:+${executions#execs: }}"
      else
        status=1
        printf '%-40s %-32s FAIL\n%s\n' "$package" "$target" "$out"
      fi
    done
    exit $status
  }
