#!/bin/sh
# Gets the PostgreSQL server that the tests speak to.
#
#	postgres.sh
#
# prints one line on standard output, the folder where initdb and postgres are.
# Everything else is said on standard error.
#
#   - Installed already: nothing is done. The newest of several is taken.
#   - CI=true, as root: Debian's is installed with apt-get, without starting a
#     service and without making a database.
#
# Exit status: 0 done; 3 it can't be had here, with the reason as the last line on
# standard error; anything else is a failure.
set -eu

say() { printf 'postgres.sh: %s\n' "$*" >&2; }
cannot() { say "$*"; exit 3; }

# newest prints the folder of the newest server there is, or nothing.
newest() {
	best=0
	folder=
	for found in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql@*/bin; do
		[ -x "$found/initdb" ] && [ -x "$found/postgres" ] || continue
		version=$("$found/postgres" --version | sed 's/^[^0-9]*\([0-9]*\).*/\1/')
		if [ "$version" -gt "$best" ]; then
			best=$version
			folder=$found
		fi
	done
	[ -n "$folder" ] || ! command -v initdb >/dev/null || ! command -v postgres >/dev/null ||
		folder=$(dirname "$(command -v initdb)")
	echo "$folder"
}

install_quietly() {
	DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >&2
}

install_server() {
	# A package must not start its service, nor make the database of one.
	policy=/usr/sbin/policy-rc.d
	if [ ! -e "$policy" ]; then
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod 755 "$policy"
		trap 'rm -f "$policy"' EXIT
	fi
	clusters=/etc/postgresql-common/createcluster.conf
	if [ ! -e "$clusters" ]; then
		mkdir -p /etc/postgresql-common
		echo 'create_main_cluster = false' >"$clusters"
	fi
	say "installing postgresql"
	install_quietly postgresql || { apt-get update >&2 && install_quietly postgresql; }
}

folder=$(newest)
if [ -z "$folder" ]; then
	[ "${CI-}" = true ] || cannot "no PostgreSQL server is installed; the package postgresql has one"
	[ "$(id -u)" = 0 ] || cannot "no PostgreSQL server is installed, and only root can install one"
	command -v apt-get >/dev/null || cannot "no PostgreSQL server is installed, and no apt-get to install one with"
	install_server
	folder=$(newest)
	[ -n "$folder" ] || { say "the package is installed, but its programs are not where they should be"; exit 1; }
fi
echo "$folder"
