#!/bin/sh
# A mail delivery agent: the message on standard input becomes a file in $1.
set -eu
file=$(mktemp "$1/tmp.XXXXXX")
cat >"$file"
mv "$file" "$1/message.${file##*.}"
