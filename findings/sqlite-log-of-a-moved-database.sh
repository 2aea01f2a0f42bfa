#!/bin/sh
# SQLite 3.40.1 (Debian 12: libsqlite3-0 3.40.1-2+deb12u2, used by Debian's python3 through its sqlite3 module)
#
# A queue in a SQLite database with a write-ahead log is renamed while a program has it open, say to rotate it or to restore an
# older one. Then another program opens the old name, which makes a new, empty database there.
#
# One would expect: an error, or that both go on side by side, or at least that a check finds the damage.
# What happens: the second program deletes the log of the first one without a word, because its own database is empty. The first
# goes on committing into the log that has no name any more, each commit returns success, and it reads all of it back. When it
# has closed, everything that had not been copied into the database file is gone, what was committed before the rename, too.
# "PRAGMA integrity_check" says "ok" for both files.
#
# Why it matters to a mail sender: messages that were acknowledged are lost, and no check tells. A queue like this has
# to compare the names with the open files after each commit, and must not make a new database beside a log.
#
# Seen:
#   first commit kept, second commit kept, first program reads: 2
#   the log is there after the second program came: False
#   after all have closed: rows in the renamed file: no such table, check: ok
set -eu
want=3.40.1-2+deb12u2
export DEBIAN_FRONTEND=noninteractive
has() { dpkg-query -W -f '${Version}' libsqlite3-0 2>/dev/null || true; }
if [ "$(has)" != "$want" ] || ! python3 -c 'import sqlite3' 2>/dev/null; then
	apt-get update -q >&2
	apt-get install -q -y --no-install-recommends "libsqlite3-0=$want" python3 >&2
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > look.py <<'PY'
import os, sqlite3, sys

print("SQLite", sqlite3.sqlite_version)
first = sqlite3.connect("queue.db")
first.execute("PRAGMA journal_mode = WAL")
first.execute("PRAGMA synchronous = FULL")
first.execute("CREATE TABLE mail (text TEXT)")
first.execute("INSERT INTO mail VALUES ('one')")
first.commit()

os.rename("queue.db", "renamed.db")
second = sqlite3.connect("queue.db")
second.execute("SELECT name FROM sqlite_master").fetchall()
log = os.path.exists("queue.db-wal")

first.execute("INSERT INTO mail VALUES ('two')")
first.commit()
reads = first.execute("SELECT count(*) FROM mail").fetchone()[0]
print("first commit kept, second commit kept, first program reads:", reads)
print("the log is there after the second program came:", log)
second.close()
first.close()

after = sqlite3.connect("renamed.db")
check = after.execute("PRAGMA integrity_check").fetchone()[0]
try:
    rows = str(after.execute("SELECT count(*) FROM mail").fetchone()[0])
except sqlite3.OperationalError as e:
    rows = "no such table" if "no such table" in str(e) else str(e)
print("after all have closed: rows in the renamed file: %s, check: %s" % (rows, check))
if (reads, log, rows, check) != (2, False, "no such table", "ok"):
    print("the behaviour has changed")
    sys.exit(1)
PY
python3 look.py
