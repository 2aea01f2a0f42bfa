#!/bin/sh
# Gets the mail servers that the interop tests speak to: Debian's Postfix and
# Dovecot.
#
#	servers.sh fetch FOLDER
#
# prints one line on standard output, the root folder under which their
# programs stand: "/" when they are installed, else a folder inside FOLDER.
# Everything else is said on standard error.
#
#   - Installed already: nothing is done.
#   - CI=true, as root: installed with apt-get, without starting a service.
#   - As root on a Debian otherwise: downloaded and unpacked into FOLDER, which
#     is kept for the next time. The system is not touched. The programs look
#     for their parts under /usr, so whoever starts them lays FOLDER's usr over
#     it in a mount namespace of their own; that this works is tried here.
#
# Exit status: 0 done; 3 they can't be had here, with the reason as the last
# line on standard error; anything else is a failure.
set -eu

packages="postfix dovecot-core dovecot-lmtpd dovecot-imapd dovecot-submissiond"

say() { printf 'servers.sh: %s\n' "$*" >&2; }
cannot() { say "$*"; exit 3; }

installed() {
	[ -x /usr/lib/postfix/sbin/master ] && [ -x /usr/sbin/dovecot ] &&
		[ -x /usr/lib/dovecot/lmtp ] && [ -x /usr/lib/dovecot/imap ] && [ -x /usr/lib/dovecot/submission ]
}

install_packages() {
	# A package must not start its service: nothing of this listens but on the
	# loopback ports that a test chooses.
	policy=/usr/sbin/policy-rc.d
	if [ ! -e "$policy" ]; then
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod 755 "$policy"
		trap 'rm -f "$policy"' EXIT
	fi
	echo 'postfix postfix/main_mailer_type select No configuration' | debconf-set-selections >&2
	wanted=$packages
	[ -x /usr/bin/python3 ] || wanted="$wanted python3"
	say "installing $wanted"
	# shellcheck disable=SC2086 # a list of words
	install_quietly $wanted || { apt-get update >&2 && install_quietly $wanted; }
}

install_quietly() {
	DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >&2
}

# unpack leaves FOLDER/root complete or not there at all. It is called as a
# condition, where "set -e" does not hold: each step says what its failure means.
unpack() {
	folder=$1
	new=$folder/unpacking
	rm -rf "$new" && mkdir -p "$new" "$folder/debs/partial" "$folder/lists/partial" || return 1
	say "downloading $packages into $folder"
	# shellcheck disable=SC2086 # a list of words
	if ! download $packages; then
		say "trying again with a fresh list of packages"
		lists="Dir::State::lists=$folder/lists"
		apt-get update -o "$lists" >&2 && download -o "$lists" $packages || return 1
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
	apt-get install --download-only -q -y --no-install-recommends \
		-o "Dir::Cache::archives=$folder/debs" -o Debug::NoLocking=true "$@" >&2
}

overlay_works() {
	# shellcheck disable=SC2016 # expanded by the inner shell
	unshare --mount -- /bin/sh -c \
		'mount -t overlay overlay -o "lowerdir=$0/usr:/usr" /usr && [ -x /usr/lib/dovecot/lmtp ] && [ -x /usr/lib/dovecot/imap ] && [ -x /usr/lib/dovecot/submission ]' "$1" >&2
}

[ "${1-}" = fetch ] && [ -n "${2-}" ] || { say "usage: servers.sh fetch FOLDER"; exit 64; }

[ "$(id -u)" = 0 ] || cannot "Postfix runs its parts under several accounts, which only root can do"
if ! installed; then
	command -v apt-get >/dev/null && command -v dpkg >/dev/null ||
		cannot "no Postfix and Dovecot installed, and no apt-get to get Debian's with"
	if [ "${CI-}" = true ]; then
		install_packages
		installed || { say "the packages are installed, but their programs are not where they should be"; exit 1; }
	else
		mkdir -p "$2"
		folder=$(cd "$2" && pwd)
		# One that was kept from before may lack a package that is wanted by now.
		if [ -d "$folder/root" ] && ! overlay_works "$folder/root"; then
			rm -rf "$folder/root"
		fi
		[ -d "$folder/root" ] || unpack "$folder" ||
			cannot "could not download Debian's Postfix and Dovecot"
		overlay_works "$folder/root" ||
			cannot "no overlay mount here, so the unpacked programs can't be run; install $packages to run these tests"
		echo "$folder/root"
		exit 0
	fi
fi
echo /
