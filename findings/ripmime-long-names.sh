#!/bin/sh
# ripMIME cuts a file name at 128 octets, within a character and before the
# extension.
#
# ripMIME 1.4.0.10 (1.4.0.10.debian.1-3+b1) of Debian 12 unpacks a message with one
# attachment whose name is in the sections of RFC 2231 section 3.
#
# Expected: a file of the name that was sent: 46 Chinese characters and ".txt" are
# 142 octets in UTF-8, and file systems take 255; or at least a name that is UTF-8
# and keeps its extension.
# Seen: the name ends at octet 128, in the middle of a character, without ".txt".
# One of 127 octets comes out whole.
# Output seen: the two lines that the script prints and compares.
#
# Why it matters to a sender: mail gateways unpack attachments with it to scan them
# or to keep them. 43 Chinese characters are an ordinary title of a document, and
# what arrives can't be opened by a click, nor named in a UTF-8 program. A sender
# can't encode around it, but can keep names short.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -q download ripmime=1.4.0.10.debian.1-3+b1 >apt.log 2>&1 || { cat apt.log; exit 2; }
for deb in *.deb; do dpkg-deb -x "$deb" root; done

unpack() { # how many characters the name has before ".txt"
	{
		printf 'From: a@example.org\r\nTo: b@example.org\r\nSubject: x\r\nMIME-Version: 1.0\r\n'
		printf 'Content-Type: multipart/mixed; boundary=q\r\n\r\n--q\r\nContent-Type: text/plain\r\n\r\nhi\r\n--q\r\n'
		printf 'Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment'
		section=0 prefix="UTF-8''"
		while [ "$section" -lt "$1" ]; do
			printf ';\r\n filename*%d*=%s%%E6%%8A%%A5' "$section" "$prefix"
			section=$((section + 1)) prefix=
		done
		printf ';\r\n filename*%d*=.txt\r\n\r\nAAEC\r\n--q--\r\n' "$section"
	} >"message$1"
	mkdir "out$1"
	root/usr/bin/ripmime -i "message$1" -d "out$1"
	name=$(ls "out$1" | grep -av '^textfile')
	printf '%d octets sent, %d written, ending in %s\n' $(($1 * 3 + 4)) "$(printf %s "$name" | wc -c)" "$(printf %s "$name" | tail -c 4 | od -An -tx1 | tr -d ' \n')"
}
{ unpack 41; unpack 46; } | tee seen
cat >want <<'WANT'
127 octets sent, 127 written, ending in 2e747874
142 octets sent, 128 written, ending in 8aa5e68a
WANT
cmp -s want seen || { echo "the behaviour has changed"; exit 1; }
