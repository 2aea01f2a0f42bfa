#!/bin/sh
# Gets a Secret Service that other people wrote: Debian's GNOME Keyring.
#
#	keyring.sh fetch FOLDER
#
# prints one line on standard output, the root folder under which its programs
# stand: "/" when they are installed, else a folder inside FOLDER, which is kept
# for the next time, and whose usr is to be laid over /usr in a mount namespace,
# as root (servers.sh says more). The system is changed with CI=true alone, where
# the packages are installed. Everything else is said on standard error.
#
# Exit status: 0 done; 3 they can't be had here, with the reason as the last
# line on standard error; anything else is a failure.
set -eu

packages="gnome-keyring dbus"

say() { printf 'keyring.sh: %s\n' "$*" >&2; }
cannot() { say "$*"; exit 3; }

installed() { [ -x /usr/bin/gnome-keyring-daemon ] && [ -x /usr/bin/dbus-daemon ]; }

install_quietly() {
	# shellcheck disable=SC2086 # a list of words
	DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $packages >&2
}

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
	# On a merged /usr, which Debian has, /lib is /usr/lib.
	if [ -d "$new/lib" ]; then
		cp -a "$new/lib/." "$new/usr/lib/" || return 1
	fi
	mv "$new" "$folder/root"
}

download() {
	# shellcheck disable=SC2086 # a list of words
	apt-get install --download-only -q -y --no-install-recommends \
		-o "Dir::Cache::archives=$folder/debs" -o Debug::NoLocking=true "$@" $packages >&2
}

overlay_works() {
	# shellcheck disable=SC2016 # expanded by the inner shell
	unshare --mount -- /bin/sh -c \
		'mount -t overlay overlay -o "lowerdir=$0/usr:/usr" /usr && [ -x /usr/bin/dbus-daemon ] && gnome-keyring-daemon --version' "$1" >&2
}

[ "${1-}" = fetch ] && [ -n "${2-}" ] || { say "usage: keyring.sh fetch FOLDER"; exit 64; }

if ! installed; then
	command -v apt-get >/dev/null && command -v dpkg >/dev/null ||
		cannot "no GNOME Keyring installed, and no apt-get to get Debian's with"
	[ "$(id -u)" = 0 ] || cannot "no GNOME Keyring installed, and only root can install or mount it"
	if [ "${CI-}" = true ]; then
		say "installing $packages"
		install_quietly || { apt-get update >&2 && install_quietly; }
		installed || { say "the packages are installed, but their programs are not where they should be"; exit 1; }
	else
		mkdir -p "$2"
		folder=$(cd "$2" && pwd)
		[ -d "$folder/root" ] || unpack "$folder" || cannot "could not download Debian's $packages"
		overlay_works "$folder/root" ||
			cannot "no overlay mount here, so the unpacked programs can't be run; install $packages to run these tests"
		echo "$folder/root"
		exit 0
	fi
fi
echo /
