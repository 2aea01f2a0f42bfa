#!/bin/sh
# Gets the programs of callers_test.go, and prints the folder under which they
# are:
#
#	fetch.sh FOLDER
#
# Debian's packages are never installed, because cron, at and sudo would then run
# on this machine, and several of them exclude each other. They are downloaded and
# unpacked into FOLDER/root, which is kept for the next time. The programs of npm
# and Go go into FOLDER/node and FOLDER/go, at the versions in package-lock.json
# and go.sum; the class of JavaMail's program into FOLDER/java.
#
# Exit status: 0 done; 3 they can't be had here, with the reason as the last line
# on standard error; anything else is a failure.
set -eu

packages="cron at anacron sudo logwatch smartmontools procmail vacation
bsd-mailx mailutils s-nail mutt neomutt nmh mime-construct git git-email
libauthen-sasl-perl libnet-smtp-ssl-perl libio-socket-ssl-perl
emacs-nox php8.2-cli libphp-phpmailer php-symfony-mailer php-mail php-net-smtp
ruby ruby-mail libemail-sender-perl libmime-lite-perl libmailtools-perl
python3 python3-django swaks msmtp curl libmail-java"
alone=mdadm # needs a part of systemd, but not for what is done here

say() { printf 'fetch.sh: %s\n' "$*" >&2; }
cannot() { say "$*"; exit 3; }

here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
folder=$(cd "$1" && pwd)

# download PACKAGE... and those that they need and the system does not have. The
# first are downloaded even if the system has them.
download() {
	mkdir -p "$folder/debs/partial"
	apt-get install --download-only -q -y --no-install-recommends \
		-o "Dir::Cache::archives=$folder/debs" -o Debug::NoLocking=true "$@" >&2 || return 1
	option=
	while [ "$1" = -o ]; do
		option="-o $2"
		shift 2
	done
	# shellcheck disable=SC2086 # two words, or none
	(cd "$folder/debs" && apt-get download -q $option "$@" $alone >&2)
}

# unpack leaves $folder/root complete or not there at all.
unpack() {
	new=$folder/unpacking
	rm -rf "$folder/root" "$new" "$folder/debs" && mkdir -p "$new" || return 1
	# shellcheck disable=SC2086 # a list of words
	if ! download $packages; then
		say "trying again with a fresh list of packages"
		lists="Dir::State::lists=$folder/lists"
		mkdir -p "$folder/lists/partial"
		# shellcheck disable=SC2086 # a list of words
		apt-get update -o "$lists" >&2 && download -o "$lists" $packages || return 1
	fi
	for deb in "$folder"/debs/*.deb; do
		dpkg -x "$deb" "$new" && dpkg-deb -W "$deb" >>"$new/versions" || return 1
	done
	# On a merged /usr, which Debian has, /lib is /usr/lib.
	for merged in lib bin sbin; do
		[ ! -d "$new/$merged" ] || { mkdir -p "$new/usr/$merged" && cp -a "$new/$merged/." "$new/usr/$merged/" && rm -rf "${new:?}/$merged"; } || return 1
	done
	rm -rf "$folder/debs" && echo $packages $alone >"$new/packages" && mv "$new" "$folder/root"
}

[ "$(id -u)" = 0 ] || cannot "only root can run cron, at and sudo in namespaces of their own"
command -v apt-get >/dev/null && command -v dpkg >/dev/null || cannot "no apt-get to get Debian's packages with"
[ "$(cat "$folder/root/packages" 2>/dev/null)" = "$(echo $packages $alone)" ] || unpack || cannot "could not download Debian's packages"
unshare --mount --pid --fork --kill-child -- /bin/sh -c \
	'mount -t overlay overlay -o "lowerdir=$0/usr:/usr" /usr' "$folder/root" >&2 ||
	cannot "no overlay mount here, so that the unpacked programs can't be run"

command -v node >/dev/null && command -v npm >/dev/null || cannot "no node and npm to run nodemailer with"
mkdir -p "$folder/node" "$folder/go" "$folder/java"
if ! cmp -s "$here/node/package-lock.json" "$folder/node/installed-lock.json"; then
	cp "$here/node/package.json" "$here/node/package-lock.json" "$folder/node/"
	(cd "$folder/node" && npm ci --ignore-scripts --no-audit --no-fund >&2) || cannot "could not install nodemailer with npm"
	cp "$here/node/package-lock.json" "$folder/node/installed-lock.json"
fi
(cd "$here/go" && GOWORK=off GOFLAGS= CGO_ENABLED=0 go build -o "$folder/go/client" .) >&2 || cannot "could not build the programs of Go"
if command -v javac >/dev/null; then
	javac -d "$folder/java" -cp "$folder/root/usr/share/java/javax.mail.jar" "$here/programs/Send.java" >&2 ||
		cannot "could not compile the program of JavaMail"
fi
echo "$folder"
