#!/bin/sh
# GMime drops the rest of a subject after an encoded word that ends in padding.
#
# notmuch 0.37 (0.37-1+b1) with GMime 3.2.13 (3.2.13+dfsg-2), both of Debian 12,
# read a subject of two adjacent encoded words in the same charset, both B.
#
# Expected: RFC 2047 section 2 makes each encoded word complete by itself, and
# section 6.2 joins the decoded texts of neighbours. Where a word ends is the
# writer's choice (section 5 only forbids to cut a character), so base64 padding
# at the end of any of them is normal: the words "A雁" and "雁雁B" read "A雁雁雁B".
# Seen: the octets of neighbours are decoded as one run of base64, and what
# follows the first padding is lost: "A雁". Words of a multiple of three octets, or
# of B and Q in turn, come out whole.
# Output seen: the three lines that the script prints and compares.
#
# Why it matters to a sender: words are usually cut by the length of the line, so
# a long Chinese subject with some digits in it is cut off for these readers
# wherever the digits shift the octets. A sender can avoid it: let each word but the
# last hold a multiple of three octets, or put a short word in Q in between.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -q download notmuch=0.37-1+b1 libgmime-3.0-0=3.2.13+dfsg-2 libnotmuch5 libxapian30 libtalloc2 libglib2.0-0 libgpgme11 libassuan0 \
	libsexp1 libidn2-0 libunistring2 libffi8 libpcre2-8-0 libuuid1 >apt.log 2>&1 || { cat apt.log; exit 2; }
for deb in *.deb; do dpkg-deb -x "$deb" root; done
LD_LIBRARY_PATH=$(find "$PWD/root" -name '*.so.*' -exec dirname {} + | sort -u | paste -sd :)
export LD_LIBRARY_PATH LC_ALL=C.UTF-8 NOTMUCH_CONFIG="$PWD/config"
printf '[database]\npath=%s/mail\n[user]\nname=x\nprimary_email=x@example.org\n[new]\ntags=\n' "$PWD" >config
mkdir mail

word() { printf '=?UTF-8?B?%s?=' "$(printf %s "$1" | base64 -w 0)"; }
message() { # id, then the words
	{
		printf 'From: a@example.org\nTo: b@example.org\nDate: Tue, 1 Dec 2026 09:30:00 +0000\nMessage-ID: <%s@example.org>\nSubject: %s\n\nhi\n' "$1" "$2"
	} >"mail/$1"
}
message padded "$(word 'A雁') $(word '雁雁B')"
message even "$(word '雁雁') $(word '雁B')"
message mixed "$(word 'A雁') =?UTF-8?Q?=E9=9B=81=E9=9B=81B?="
root/usr/bin/notmuch new --quiet
for id in padded even mixed; do
	printf '%s: ' "$id"
	root/usr/bin/notmuch search --output=summary --format=json "id:$id@example.org" | sed 's/.*"subject": "\([^"]*\)".*/\1/'
done | tee seen
cat >want <<'WANT'
padded: A雁
even: 雁雁雁B
mixed: A雁雁雁B
WANT
cmp -s want seen || { echo "the behaviour has changed"; exit 1; }
