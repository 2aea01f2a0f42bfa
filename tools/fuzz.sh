#!/bin/sh
# Runs every fuzz target of the project for a while, two at a time on one core
# each. Called by make fuzz.
#
#	fuzz.sh TIME	for each target, like 20s
#
# An input that fails is left under testdata/fuzz of its package, where the
# ordinary tests will try it from then on.
set -eu
cd "$(dirname "$0")/.."

if [ "${1-}" = one ]; then
	# fuzz.sh one TIME LOGS FOLDER:TARGET, from below
	folder=${4%:*} target=${4#*:}
	log=$3/$(printf '%s' "$4" | tr -c 'A-Za-z0-9' _).log
	if go test -run '^$' -fuzz "^$target\$" -fuzztime "$2" -fuzzminimizetime 10x -parallel 1 "$folder" >"$log" 2>&1; then
		printf 'fuzz: %s %s: %s\n' "$folder" "$target" "$(grep -o 'execs: [0-9]*' "$log" | tail -n 1)"
		exit 0
	fi
	# When the time is over while an input is being tried, go test at times
	# takes the end of its own clock for a failure. Then the log says just that:
	# no input was found, nothing panicked, nothing hung.
	if grep -q '^    context deadline exceeded$' "$log" &&
		! grep -q -e 'Failing input' -e 'panic:' -e 'hung or terminated' -e '_test\.go:' "$log"; then
		printf 'fuzz: %s %s: %s (stopped in the middle of one)\n' "$folder" "$target" "$(grep -o 'execs: [0-9]*' "$log" | tail -n 1)"
		exit 0
	fi
	printf 'fuzz: %s %s FAILED\n' "$folder" "$target"
	cat "$log"
	exit 1
fi

[ $# = 1 ] || { echo 'usage: fuzz.sh TIME' >&2; exit 64; }
targets=$(find . -name '*_test.go' -not -path './.cache/*' -exec grep -H '^func Fuzz' {} + |
	sed -n 's|^\(.*\)/[^/]*_test\.go:func \(Fuzz[A-Za-z0-9_]*\)(.*|\1:\2|p' | sort)
[ -n "$targets" ] || { echo 'fuzz: no target found' >&2; exit 1; }
printf 'fuzz: %s targets, %s each\n' "$(printf '%s\n' "$targets" | wc -l | tr -d ' ')" "$1"
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
printf '%s\n' "$targets" | xargs -n 1 -P 2 sh tools/fuzz.sh one "$1" "$logs"
