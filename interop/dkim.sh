#!/bin/sh
# Gets a DKIM verifier that other people wrote: Debian's python3-dkim with what
# it needs for Ed25519.
#
#	dkim.sh fetch FOLDER
#
# prints one line on standard output, the folder under which usr/ with the
# packages stands: "/" when they are installed, else a folder inside FOLDER,
# which is kept for the next time. The system is changed with CI=true alone,
# where the packages are installed. Everything else is said on standard error.
#
# Exit status: 0 done; 3 they can't be had here, with the reason as the last
# line on standard error; anything else is a failure.
set -eu

packages="python3-dkim python3-nacl"

say() { printf 'dkim.sh: %s\n' "$*" >&2; }
cannot() { say "$*"; exit 3; }

installed() { /usr/bin/python3 -I -c 'import dkim, nacl.signing' 2>/dev/null; }

# unpack leaves FOLDER/root complete or not there at all. It is called as a
# condition, where "set -e" does not hold: each step says what its failure means.
unpack() {
	folder=$1
	new=$folder/unpacking
	rm -rf "$new" && mkdir -p "$new" "$folder/debs/partial" "$folder/lists/partial" || return 1
	say "downloading $packages into $folder"
	if ! download; then
		say "trying again with a fresh list of packages"
		lists="Dir::State::lists=$folder/lists"
		apt-get update -o "$lists" >&2 && download -o "$lists" || return 1
	fi
	for deb in "$folder"/debs/*.deb; do
		dpkg -x "$deb" "$new" || return 1
	done
	mv "$new" "$folder/root"
}

download() {
	# shellcheck disable=SC2086 # a list of words
	apt-get install --download-only -q -y --no-install-recommends \
		-o "Dir::Cache::archives=$folder/debs" -o Debug::NoLocking=true "$@" $packages >&2
}

[ "${1-}" = fetch ] && [ -n "${2-}" ] || { say "usage: dkim.sh fetch FOLDER"; exit 64; }

[ -x /usr/bin/python3 ] || [ "${CI-}" = true ] || cannot "no Python 3"
if ! installed; then
	command -v apt-get >/dev/null && command -v dpkg >/dev/null ||
		cannot "no python3-dkim installed, and no apt-get to get Debian's with"
	if [ "${CI-}" = true ] && [ "$(id -u)" = 0 ]; then
		say "installing $packages"
		# shellcheck disable=SC2086 # a list of words
		DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends python3 $packages >&2 ||
			{ apt-get update >&2 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends python3 $packages >&2; }
		installed || { say "the packages are installed, but Python does not find them"; exit 1; }
	else
		mkdir -p "$2"
		folder=$(cd "$2" && pwd)
		[ -d "$folder/root" ] || unpack "$folder" || cannot "could not download Debian's $packages"
		echo "$folder/root"
		exit 0
	fi
fi
echo /
