#!/bin/sh
# Checks that need not run the program. Called by make lint.
set -eu
cd "$(dirname "$0")/.."

say() { printf 'lint: %s\n' "$*"; }
tool() { go tool -modfile="$top/tools/go.mod" "$@"; }
top=$PWD

say "shell scripts"
find . -name '*.sh' -not -path './.cache/*' | while read -r script; do
	sh -n "$script"
done
for script in .ci/run packaging/deb/*.p* packaging/rpm/*; do
	sh -n "$script"
done

say "gofmt"
unformatted=$(find . -name '*.go' -not -path './.cache/*' -exec gofmt -l {} +)
if [ -n "$unformatted" ]; then
	printf 'not formatted:\n%s\n' "$unformatted" >&2
	exit 1
fi

# The interop tests exist only on Linux, where no file is excluded.
say "go vet for linux, and of the interop tests"
GOOS=linux go vet -tags interop ./...
for system in windows darwin; do
	say "go vet for $system"
	CGO_ENABLED=0 GOOS=$system go vet ./...
done

say "staticcheck"
tool staticcheck -tags interop ./...
say "staticcheck of bench and of the tools"
(cd bench && tool staticcheck ./...)
(cd tools && tool staticcheck ./words ./indoubt ./walk)
(cd tools/recording && tool staticcheck ./...)

say "the English of comments, documents and sentences"
(cd tools && go vet ./... && go test -count=1 ./words && go run ./words)

# govulncheck needs a database of known vulnerabilities, from the network or from
# GOVULNDB ("file:///path"). If neither is available, the script reports this
# and continues.
say "govulncheck"
report=$(mktemp)
trap 'rm -f "$report"' EXIT
status=0
tool govulncheck ${GOVULNDB:+-db "$GOVULNDB"} ./... >"$report" 2>&1 || status=$?
cat "$report"
if [ "$status" -ne 0 ]; then
	grep -q '^govulncheck: fetching vulnerabilities' "$report" || exit "$status"
	say "GOVULNCHECK WAS NOT RUN: its database can't be reached from here"
fi
say "done"
