#!/bin/sh
# Runs one of the mail servers of peers_test.go in the foreground, until
# standard input ends:
#
#	run.sh NAME ROOT FOLDER PORT
#
# ROOT is the folder that fetch.sh printed, FOLDER everything that the server
# writes, PORT the port on 127.0.0.1. The server runs in namespaces of its own:
# its packages lie over /usr, /etc and /var there, with a scratch layer above,
# and no other process sees that. When this script ends, the kernel ends every
# process of the server.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
if [ "$1" != inside ]; then
	exec unshare --mount --pid --fork --kill-child --mount-proc -- /bin/sh "$here/run.sh" inside "$@"
fi
# Mounts that were made outside would be everybody's.
[ $$ = 1 ] || { echo "run.sh: not in a namespace of its own" >&2; exit 70; }
name=$2 root=$3 DIR=$4 PORT=$5
export DIR PORT

# lay LAYER... puts the package's folders over the system's.
scratch=$DIR/scratch
mkdir -p "$scratch"
mount -t tmpfs -o mode=755 scratch "$scratch"
lay() {
	for folder; do
		lower=/$folder
		[ -d "$root/$folder" ] && lower=$root/$folder:/$folder
		mkdir -p "$scratch/$folder" "$scratch/work-$folder"
		mount -t overlay overlay -o "lowerdir=$lower,upperdir=$scratch/$folder,workdir=$scratch/work-$folder" "/$folder"
	done
}
if [ -d "$root/usr" ]; then
	lay usr etc var
	mount -t tmpfs -o mode=755 run /run
	printf '127.0.0.1 localhost peer.example.test\n' >/etc/hosts
	printf 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n' >/etc/resolv.conf # answers "no" at once
	printf 'hosts: files\npasswd: files\ngroup: files\n' >/etc/nsswitch.conf
	printf 'peer.example.test\n' >/etc/mailname
fi

# account NAME ID makes an account like the package's own script does.
account() {
	grep -q "^$1:" /etc/group || printf '%s:x:%s:\n' "$1" "$2" >>/etc/group
	grep -q "^$1:" /etc/passwd || printf '%s:x:%s:%s::%s:/usr/sbin/nologin\n' "$1" "$2" "$2" "${3:-/nonexistent}" >>/etc/passwd
}

exec 3<&0
cat <&3 >/dev/null &
reader=$!
{
	(
		exec 3<&-
		# shellcheck source=/dev/null # sets up the server and runs it
		. "$here/$name.sh"
	) </dev/null || :
	kill "$reader"
} &
exec 3<&-
wait "$reader" || : # until standard input ends, or the server does
