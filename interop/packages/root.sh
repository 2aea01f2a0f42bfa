#!/bin/sh
# Makes a Debian to install packages into, like the machine's own but small:
#
#	root.sh FOLDER
#
# prints its root folder, which is inside FOLDER and kept for the next time. The
# machine's own system is not changed. Nothing is printed on standard output but
# that. The folder debs of the root has the package of nullmailer.
#
# Exit status: 0 done; 3 it can't be made here, with the reason as the last line on
# standard error; anything else is a failure.
set -eu

# Callers of sendmail, one mail-transport-agent, and the programs that check
# packages.
packages="nullmailer cron bsd-mailx logwatch procps systemd rpm lintian"

say() { printf 'root.sh: %s\n' "$*" >&2; }
cannot() { say "$*"; exit 3; }

# make leaves FOLDER/root complete or not there at all. It is called as a condition,
# where "set -e" does not hold: each step says what its failure means.
make() {
	folder=$1
	new=$folder/making
	rm -rf "$new" "$folder/tool" && mkdir -p "$folder/tool" "$folder/lists/partial" || return 1
	cd "$folder/tool" || return 1
	lists="Dir::State::lists=$folder/lists"
	apt-get download -q mmdebstrap nullmailer >&2 ||
		{ apt-get update -o "$lists" >&2 && apt-get download -q -o "$lists" mmdebstrap nullmailer >&2; } || return 1
	dpkg -x mmdebstrap_*.deb . || return 1
	# How the machine reaches Debian's archive.
	apt-config dump --format '%F "%v";%n' Acquire >acquire.conf || return 1
	sources=
	for file in /etc/apt/sources.list /etc/apt/sources.list.d/debian.sources; do
		[ ! -s "$file" ] || sources="$sources $file"
	done
	say "installing $packages into $new"
	# shellcheck disable=SC2086 # a list of files
	usr/bin/mmdebstrap --quiet --variant=minbase --include="$(echo $packages | tr ' ' ,)" --format=directory \
		--aptopt="$PWD/acquire.conf" --aptopt='APT::Install-Recommends "false"' --dpkgopt=force-unsafe-io \
		"$VERSION_CODENAME" "$new" $sources >&2 || return 1
	mkdir "$new/debs" && mv nullmailer_*.deb "$new/debs/" && echo "$packages" >"$new/debs/packages" || return 1
	cd / && rm -rf "$folder/tool" "$folder/lists" && mv "$new" "$folder/root"
}

[ "$(id -u)" = 0 ] || cannot "only root can install packages into another root folder"
ID=
VERSION_CODENAME=
[ ! -r /etc/os-release ] || . /etc/os-release
[ "$ID" = debian ] || cannot "this is no Debian"
command -v perl >/dev/null || cannot "mmdebstrap needs perl"
mkdir -p "$1"
folder=$(cd "$1" && pwd)
[ "$(cat "$folder/root/debs/packages" 2>/dev/null)" = "$packages" ] || rm -rf "$folder/root"
[ -d "$folder/root" ] || make "$folder" || cannot "could not install Debian's packages"
# shellcheck disable=SC2016 # expanded by the inner shell
unshare --mount -- /bin/sh -c 'mount -t tmpfs tmpfs /mnt && mkdir /mnt/up /mnt/work /mnt/root && mount -t overlay overlay -o "lowerdir=$0,upperdir=/mnt/up,workdir=/mnt/work" /mnt/root && chroot /mnt/root rpm --version' "$folder/root" >&2 ||
	cannot "no overlay mount here"
echo "$folder/root"
