#!/bin/sh
# Runs every fuzz target of the project for the given time, one per core. Called by
# make fuzz.
#
#	fuzz.sh TIME	for each target, like 20s
#
# A package is compiled once for all its targets; linking it for each took as long as
# a third of the fuzzing. A failing input is saved under testdata/fuzz of its package,
# where the ordinary tests try it from then on.
set -eu
cd "$(dirname "$0")/.."

binary() { printf '%s/%s.test' "$1" "$(printf '%s' "$2" | tr -c 'A-Za-z0-9' _)"; }

case ${1-} in
compile)
	# fuzz.sh compile FOLDER-OF-BINARIES FOLDER, from below; make lint vets it
	exec go test -vet=off -c -fuzz=. -o "$(binary "$2" "$3")" "$3"
	;;
one)
	# fuzz.sh one TIME FOLDER-OF-BINARIES CACHE FOLDER:TARGET, from below
	folder=${5%:*} target=${5#*:}
	binary=$(binary "$3" "$folder") log=$3/$(printf '%s' "$5" | tr -c 'A-Za-z0-9' _).log
	# Interesting inputs are kept in the cache of go test -fuzz.
	if (cd "$folder" && "$binary" -test.run '^$' -test.fuzz "^$target\$" -test.fuzztime "$2" -test.fuzzminimizetime 10x \
		-test.parallel 1 -test.fuzzcachedir "$4/$(go list .)") >"$log" 2>&1; then
		printf 'fuzz: %s %s: %s\n' "$folder" "$target" "$(grep -o 'execs: [0-9]*' "$log" | tail -n 1)"
		exit 0
	fi
	# If the time ends while an input is being tried, the fuzzer sometimes reports its
	# own deadline as a failure. The log then names no input, no panic and no hang.
	if grep -q '^    context deadline exceeded$' "$log" &&
		! grep -q -e 'Failing input' -e 'panic:' -e 'hung or terminated' -e '_test\.go:' "$log"; then
		printf 'fuzz: %s %s: %s (stopped in the middle of one)\n' "$folder" "$target" "$(grep -o 'execs: [0-9]*' "$log" | tail -n 1)"
		exit 0
	fi
	printf 'fuzz: %s %s FAILED\n' "$folder" "$target"
	cat "$log"
	exit 1
	;;
esac

[ $# = 1 ] || { echo 'usage: fuzz.sh TIME' >&2; exit 64; }
targets=$(find . -name '*_test.go' -not -path './.cache/*' -exec grep -H '^func Fuzz' {} + |
	sed -n 's|^\(.*\)/[^/]*_test\.go:func \(Fuzz[A-Za-z0-9_]*\)(.*|\1:\2|p' | sort)
[ -n "$targets" ] || { echo 'fuzz: no target found' >&2; exit 1; }
printf 'fuzz: %s targets, %s each\n' "$(printf '%s\n' "$targets" | wc -l | tr -d ' ')" "$1"
cores=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf '%s\n' "$targets" | sed 's/:.*//' | uniq | xargs -n 1 -P "$cores" sh tools/fuzz.sh compile "$work"
printf '%s\n' "$targets" | xargs -n 1 -P "$cores" sh tools/fuzz.sh one "$1" "$work" "$(go env GOCACHE)/fuzz"
