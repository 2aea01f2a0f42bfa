#!/bin/sh
# Gets strace, with which the tests see what a process has the kernel write and sync.
#
#	strace.sh
#
# prints one line on standard output, its path. Everything else is said on standard
# error. It is Debian's package; with CI=true, as root, it is installed where it is
# missing.
#
# Exit status: 0 done; 3 it can't be had here, or must not trace, with the reason as
# the last line on standard error; anything else is a failure.
set -eu

say() { printf 'strace.sh: %s\n' "$*" >&2; }
cannot() { say "$*"; exit 3; }

[ "$(uname -s)" = Linux ] || cannot "system calls are traced on Linux only"
if ! command -v strace >/dev/null; then
	[ "${CI-}" = true ] || cannot "strace is not installed; the package strace has it"
	[ "$(id -u)" = 0 ] || cannot "strace is not installed, and only root can install it"
	command -v apt-get >/dev/null || cannot "strace is not installed, and no apt-get to install it with"
	say "installing strace"
	DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends strace >&2 ||
		{ apt-get update >&2 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends strace >&2; }
fi
strace -qq -o /dev/null true || cannot "strace must not trace here"
command -v strace
