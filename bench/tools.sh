#!/bin/sh
# Finds or downloads the programs that the benchmark compares Yan with and can't
# build itself: Postfix's smtp-source and smtp-sink, curl, msmtp, openssl,
# nullmailer, and nodemailer with Node.js. Mailpit takes part if it is there.
#
#	tools.sh fetch FOLDER
#
# prints one line for each of them, tab-separated: its name, its path, and its
# version; or its name, nothing, and the reason why it is missing. Other messages
# go to standard error.
#
#   - An installed program is used as it is.
#   - On Debian, a missing package is downloaded and unpacked into FOLDER, which
#     is kept for the next run. Nothing is installed, and root is not needed. The
#     libraries are in FOLDER/root/usr/lib.
#   - nodemailer is downloaded from npm into FOLDER/nodemailer, in the version of
#     package-lock.json. Node.js itself is not downloaded: nodemailer needs a newer
#     one than many systems have.
#
# Exit status: 0, even if programs are missing; anything else is a failure.
set -eu

say() { printf 'tools.sh: %s\n' "$*" >&2; }
have() { printf '%s\t%s\t%s\n' "$1" "$2" "$3"; }
lack() { printf '%s\t\t%s\n' "$1" "$2"; }

[ "${1-}" = fetch ] && [ -n "${2-}" ] || { say "usage: tools.sh fetch FOLDER"; exit 64; }
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$2"
folder=$(cd "$2" && pwd)

# where finds a program, installed or unpacked. Some system programs are not in
# every user's PATH.
where() {
	for place in $(command -v "$1" || true) "/usr/sbin/$1" "/usr/lib/postfix/sbin/$1" \
		"$folder/root/usr/bin/$1" "$folder/root/usr/sbin/$1"; do
		if [ -x "$place" ]; then
			echo "$place"
			return
		fi
	done
}

download() {
	apt-get install --download-only -q -y --no-install-recommends \
		-o "Dir::Cache::archives=$folder/debs" -o Debug::NoLocking=true "$@" >&2
}

# unpack lays a package and what it depends on into FOLDER/root. It is called as
# a condition, where "set -e" does not hold.
unpack() {
	command -v apt-get >/dev/null && command -v dpkg >/dev/null || return 1
	say "downloading $1 into $folder"
	mkdir -p "$folder/debs/partial" "$folder/lists/partial" "$folder/root" || return 1
	if ! download "$1"; then
		say "trying again with a fresh list of packages"
		lists="Dir::State::lists=$folder/lists"
		apt-get update -o "$lists" -o Debug::NoLocking=true >&2 && download -o "$lists" "$1" || return 1
	fi
	for deb in "$folder"/debs/*.deb; do
		[ -e "$deb" ] && dpkg -x "$deb" "$folder/root" && rm "$deb" || return 1
	done
}

# tool NAME PACKAGE
tool() {
	path=$(where "$1")
	if [ -z "$path" ] && unpack "$2"; then
		path=$(where "$1")
	fi
	if [ -z "$path" ]; then
		lack "$1" "not installed, and Debian's package $2 can't be had"
		return
	fi
	LD_LIBRARY_PATH=
	case $path in
	"$folder"/*) LD_LIBRARY_PATH=$(echo "$folder"/root/usr/lib/postfix "$folder"/root/usr/lib/*-linux-gnu* "$folder"/root/lib/*-linux-gnu* | tr ' ' ':') ;;
	esac
	export LD_LIBRARY_PATH
	case $1 in
	# Postfix's test programs don't tell their version, but hold it.
	smtp-source | smtp-sink) version=$(grep -a -o -m 1 'mail_version=[0-9][0-9.]*' "$path" | head -n 1 | cut -d = -f 2) ;;
	openssl) version=$("$path" version | cut -d ' ' -f 2) ;;
	curl) version=$("$path" --version | head -n 1 | cut -d ' ' -f 2) ;;
	msmtp) version=$("$path" --version | head -n 1 | cut -d ' ' -f 3) ;;
	esac
	unset LD_LIBRARY_PATH
	if [ -z "$version" ]; then
		lack "$1" "it does not run"
		return
	fi
	have "$1" "$path" "$version"
}

# Nullmailer is always unpacked, into a folder of its own: installed it replaces the
# machine's sendmail. Its queue program is setuid, which the benchmark does not need.
nullmailer() {
	path="$folder/nullmailer/usr/sbin/sendmail"
	if [ ! -x "$path" ]; then
		say "downloading nullmailer into $folder"
		mkdir -p "$folder/debs" "$folder/nullmailer"
		if ! (cd "$folder/debs" && apt-get download -q nullmailer >&2 && dpkg -x nullmailer_*.deb "$folder/nullmailer" &&
			dpkg-deb -f nullmailer_*.deb Version >"$folder/nullmailer/version" && rm nullmailer_*.deb) ||
			! chmod u-s "$folder/nullmailer/usr/sbin/nullmailer-queue"; then
			lack nullmailer "Debian's package nullmailer can't be had"
			return
		fi
	fi
	have nullmailer "$path" "$(sed 's/^[0-9]*://; s/-.*//' "$folder/nullmailer/version")"
}

nodemailer() {
	node=$(command -v node || true)
	if [ -z "$node" ] || ! command -v npm >/dev/null; then
		lack nodemailer "Node.js and npm are not installed"
		return
	fi
	if ! "$node" -e 'process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)'; then
		lack nodemailer "Node.js is $("$node" --version), and nodemailer needs 20"
		return
	fi
	if ! cmp -s "$here/package-lock.json" "$folder/nodemailer/package-lock.json" || [ ! -d "$folder/nodemailer/node_modules" ]; then
		mkdir -p "$folder/nodemailer"
		cp "$here/package.json" "$folder/nodemailer/"
		cp "$here/package-lock.json" "$folder/nodemailer/package-lock.new"
		say "downloading nodemailer into $folder/nodemailer"
		rm -f "$folder/nodemailer/package-lock.json"
		# The lock file is laid down last: what it says is then there.
		if ! (cd "$folder/nodemailer" && cp package-lock.new package-lock.json && npm ci --no-audit --no-fund >&2); then
			rm -f "$folder/nodemailer/package-lock.json"
			lack nodemailer "npm can't fetch it"
			return
		fi
	fi
	have nodemailer "$folder/nodemailer/node_modules/nodemailer" \
		"$("$node" -p 'require(process.argv[1]).version' "$folder/nodemailer/node_modules/nodemailer/package.json")"
	have node "$node" "$("$node" -p process.versions.node)"
}

mailpit() {
	for place in $(command -v mailpit || true) "$folder/mailpit/mailpit"; do
		if [ -x "$place" ]; then
			have mailpit "$place" "$("$place" version --no-release-check 2>/dev/null | head -n 1 | cut -d ' ' -f 2)"
			return
		fi
	done
	lack mailpit "not installed; GOBIN=$folder/mailpit go install github.com/axllent/mailpit@v1.33.1 builds it"
}

tool smtp-source postfix
tool smtp-sink postfix
tool curl curl
tool msmtp msmtp
tool openssl openssl
nullmailer
nodemailer
mailpit
