#!/bin/sh
# Gets one of the mail servers of peers_test.go, and prints the folder under
# which it stands:
#
#	fetch.sh NAME FOLDER
#
# Debian's servers exclude each other, so that they are never installed:
# their packages are downloaded and unpacked into a folder inside FOLDER, which
# is kept for the next time. Those of npm are installed into one, in the
# versions of peers/NAME/package-lock.json.
#
# Exit status: 0 done; 3 it can't be had here, with the reason as the last line
# on standard error; anything else is a failure.
set -eu

say() { printf 'fetch.sh: %s\n' "$*" >&2; }
cannot() { say "$*"; exit 3; }

here=$(cd "$(dirname "$0")" && pwd)
name=$1
mkdir -p "$2/$name"
folder=$(cd "$2/$name" && pwd)

case $name in
exim) packages="exim4-base exim4-daemon-light" ;;
opensmtpd) packages=opensmtpd ;;
courier) packages="courier-mta courier-base courier-authlib courier-authdaemon" ;;
sendmail) packages="sendmail-bin sendmail-cf" ;;
chasquid) packages=chasquid ;;
haraka | smtp-server) packages= ;;
*) say "no server is called $name"; exit 64 ;;
esac

# download PACKAGE... and those that they need and the system does not have. The
# first are downloaded even if the system has them.
download() {
	mkdir -p "$folder/debs/partial"
	apt-get install --download-only -q -y --no-install-recommends \
		-o "Dir::Cache::archives=$folder/debs" -o Debug::NoLocking=true "$@" >&2 || return 1
	while [ "$1" = -o ]; do
		option="-o $2"
		shift 2
	done
	# shellcheck disable=SC2086 # two words, or none
	(cd "$folder/debs" && apt-get download -q ${option-} "$@" >&2)
}

# unpack leaves $folder/root complete or not there at all.
unpack() {
	new=$folder/unpacking
	rm -rf "$new" && mkdir -p "$new" || return 1
	say "downloading $packages"
	# shellcheck disable=SC2086 # a list of words
	if ! download $packages; then
		say "trying again with a fresh list of packages"
		lists="Dir::State::lists=$folder/lists"
		mkdir -p "$folder/lists/partial"
		# shellcheck disable=SC2086 # a list of words
		apt-get update -o "$lists" >&2 && download -o "$lists" $packages || return 1
	fi
	for deb in "$folder"/debs/*.deb; do
		dpkg -x "$deb" "$new" || return 1
	done
	# On a merged /usr, which Debian has, /lib is /usr/lib.
	for merged in lib bin sbin; do
		[ ! -d "$new/$merged" ] || { mkdir -p "$new/usr/$merged" && cp -a "$new/$merged/." "$new/usr/$merged/"; } || return 1
	done
	mv "$new" "$folder/root"
}

if [ -n "$packages" ]; then
	[ "$(id -u)" = 0 ] || cannot "only root can run a mail server's parts under their own accounts"
	command -v apt-get >/dev/null && command -v dpkg >/dev/null || cannot "no apt-get to get Debian's $name with"
	[ -d "$folder/root" ] || unpack || cannot "could not download Debian's $name"
	unshare --mount --pid --fork --kill-child -- /bin/sh -c \
		'mount -t overlay overlay -o "lowerdir=$0/usr:/usr" /usr' "$folder/root" >&2 ||
		cannot "no overlay mount here, so that the unpacked $name can't be run"
	echo "$folder/root"
	exit 0
fi

command -v node >/dev/null && command -v npm >/dev/null || cannot "no node and npm to run $name with"
if ! cmp -s "$here/$name/package-lock.json" "$folder/installed-lock.json"; then
	cp "$here/$name/package.json" "$here/$name/package-lock.json" "$folder/"
	(cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund >&2) || cannot "could not install $name with npm"
	cp "$here/$name/package-lock.json" "$folder/installed-lock.json"
fi
echo "$folder"
