#!/bin/sh
# Builds the packages yan and yan-mta for Debian (.deb) and for systems with RPM
# (.rpm), for amd64 and arm64. Called by make packages.
#
#	packages.sh [FOLDER]         builds them into FOLDER (dist)
#	packages.sh version VERSION  prints VERSION of Go as both systems write it
#
# Their version and date are those that Go has written into the program, so that
# two builds of one commit give the same octets. Variable, for tests: ARCHS, the
# machines (amd64 arm64).
set -eu
umask 022
cd "$(dirname "$0")/.."
export LC_ALL=C TZ=UTC

say() { printf 'packages: %s\n' "$*"; }

# package_version prints v1.2.3-rc.1 as 1.2.3~rc.1: both systems sort "~" before the
# end of a version, as Go sorts "-". Neither takes "-" in the rest.
package_version() { printf '%s\n' "$1" | sed -e 's/^v//' -e 's/-/~/' -e 's/-/./g'; }

# fact FILE KEY prints a value of what Go has written into a program.
fact() { go version -m "$1" | awk -v key="$2" '$1 == "mod" && key == "version" { print $3 } $1 == "build" && index($2, key "=") == 1 { print substr($2, length(key) + 2) }'; }

if [ "${1-}" = version ]; then
	package_version "$2"
	exit 0
fi

out=${1:-dist}
mkdir -p "$out"
STAGE=$(cd "$out" && pwd)/packages
rm -rf "$STAGE"
mkdir -p "$STAGE/man" "$STAGE/doc"

for machine in ${ARCHS:=amd64 arm64}; do
	say "yan for $machine"
	mkdir "$STAGE/$machine"
	CGO_ENABLED=0 GOOS=linux GOARCH=$machine go build -trimpath -ldflags='-s -w' -o "$STAGE/$machine/yan" ./cmd/yan
done
# The one that runs here writes the manual pages.
if [ "$(go env GOHOSTOS)" = linux ] && [ -x "$STAGE/$(go env GOHOSTARCH)/yan" ]; then
	cp "$STAGE/$(go env GOHOSTARCH)/yan" "$STAGE/yan"
else
	CGO_ENABLED=0 go build -trimpath -o "$STAGE/yan" ./cmd/yan
fi
go_version=$(fact "$STAGE/yan" version)
MTIME=$(fact "$STAGE/yan" vcs.time)
case $go_version in
v*) ;;
*)
	say "the program has no version ($go_version): build in a clone of the repository, with git" >&2
	exit 1
	;;
esac
[ -n "$MTIME" ] || { say "the program has no date: build in a clone of the repository, with git" >&2; exit 1; }
VERSION=$(package_version "$go_version")
say "version $VERSION of $MTIME"

# Nothing of this user gets into the manual pages.
yan() { env -i HOME=/nonexistent "$STAGE/yan" "$@"; }
for language in en zh; do
	yan --lang "$language" man --dir "$STAGE/man/$language"
	gzip -9n "$STAGE/man/$language"/*.1
done
for shell in bash fish zsh; do
	yan --lang en completion "$shell" >"$STAGE/completion.$shell"
done
cp README.md README.zh-CN.md CHANGELOG.md CHANGELOG.zh-CN.md docs/*.md "$STAGE/doc/"
cp -R packaging/copyright packaging/deb packaging/rpm LICENSE "$STAGE"
cp internal/cli/notices/notices.txt "$STAGE/NOTICES.txt"
# The comment at its top says how to install it by hand.
sed -e '1,/^\[Unit\]/{/^\[Unit\]/!d;}' -e 's|/usr/local/bin/yan|/usr/bin/yan|' docs/systemd/yan.service >"$STAGE/yan.service"
for name in yan yan-mta; do
	{
		printf '%s (%s) unstable; urgency=medium\n\n  * The changes are in /usr/share/doc/yan/CHANGELOG.md.\n\n' "$name" "$VERSION"
		printf ' -- %s  %s\n' "$(sed -n 's/^maintainer: //p' packaging/yan.yaml)" "$(date -R -d "$MTIME")"
	} | gzip -9n >"$STAGE/changelog-$name.gz"
done

SOURCE_DATE_EPOCH=$(date -d "$MTIME" +%s) # of every file in the packages
export VERSION SOURCE_DATE_EPOCH
top=$PWD
nfpm=$(go tool -modfile=tools/go.mod -n nfpm)
package() { # package NAME MACHINE
	for system in deb rpm; do
		(cd "$STAGE" && ARCH=$2 "$nfpm" package --config "$top/packaging/$1.yaml" --packager "$system" --target .. >log) || {
			cat "$STAGE/log" >&2
			return 1
		}
	done
}
rm -f "$out"/*.deb "$out"/*.rpm
for machine in $ARCHS; do
	mv "$STAGE/$machine/yan" "$STAGE/yan"
	package yan "$machine"
done
package yan-mta all
rm -rf "$STAGE"
ls "$out"/*.deb "$out"/*.rpm
