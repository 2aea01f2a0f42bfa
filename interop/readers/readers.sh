#!/bin/sh
# Gets the programs that the interop tests read messages with.
#
#	readers.sh fetch FOLDER
#
# Debian's are installed when CI=true and this is root; otherwise they have to be
# there. Those of npm and Go go into FOLDER, at the versions in package-lock.json
# and enmime/go.sum. Exit status: 0 done; 3 they can't be had here, with the reason
# as the last line on standard error; anything else is a failure.
set -eu

[ "${1:-}" = fetch ] && [ -n "${2:-}" ] || { sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 64; }
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$2"
folder=$(cd "$2" && pwd)

cannot() { printf 'readers.sh: %s\n' "$*" >&2; exit 3; }
there() { command -v python3 && command -v mshow && command -v ripmime && command -v formail && command -v notmuch && perl -MEmail::MIME -e 1; } >/dev/null 2>&1

if ! there; then
	[ "${CI:-}" = true ] && [ "$(id -u)" = 0 ] || cannot "install python3 libemail-mime-perl mblaze ripmime notmuch procmail"
	install='apt-get install -y --no-install-recommends python3 libemail-mime-perl mblaze ripmime notmuch procmail'
	export DEBIAN_FRONTEND=noninteractive
	$install >&2 || { apt-get update >&2 && $install >&2; }
fi
command -v npm >/dev/null || cannot "there is no npm"
if ! cmp -s "$here/package-lock.json" "$folder/package-lock.json" || [ ! -d "$folder/node_modules" ]; then
	cp "$here/package.json" "$folder/"
	(cp "$here/package-lock.json" "$folder/package-lock.new" && cp "$folder/package-lock.new" "$folder/package-lock.json" &&
		cd "$folder" && npm ci --no-audit --no-fund --ignore-scripts >&2) || { rm -f "$folder/package-lock.json"; exit 1; }
fi
cp "$here/node.mjs" "$folder/"
(cd "$here/enmime" && go build -o "$folder/enmime" .) >&2
