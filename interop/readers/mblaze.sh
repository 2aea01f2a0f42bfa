#!/bin/sh
# Reads messages with mblaze: for each FILE, which is an absolute path, a line
# with its subject, then one for each attachment: type, octets in hexadecimal and
# name.
#
# usage: mblaze.sh FILE...
set -eu
MBLAZE=$(mktemp -d)
export MBLAZE
trap 'rm -rf "$MBLAZE"' EXIT
for file in "$@"; do
	printf 'file %s\n' "$file"
	printf 'subject %s\n' "$(mhdr -d -h subject "$file")"
	mshow -t "$file" 2>/dev/null | sed -n 's/^ *\([0-9][0-9]*\): \([^ ]*\).* name="\(.*\)"$/\1 \2 \3/p' |
		while read -r number type name; do
			printf 'part %s %s %s\n' "$type" "$(mshow -O "$file" "$number" | od -An -v -tx1 | tr -d ' \n')" "$name"
		done
done
