-- The outbox, version 1. Times are microseconds since 1970 in UTC, 0 for none.
-- A recipient's id is that of its message shifted by 17 bits, and its place in
-- the envelope: one tree finds both.

CREATE TABLE account (
  id     INTEGER PRIMARY KEY,
  name   TEXT NOT NULL UNIQUE,
  full   INTEGER NOT NULL DEFAULT 0,  -- when the bucket of its pace is full again
  paused INTEGER NOT NULL DEFAULT 0,  -- until then
  answer TEXT NOT NULL DEFAULT ''     -- why
);

-- What stats would have to count, by state; of account 0, the numbers given out:
-- 'message', 'event', and 'wake', which moves when something may be due earlier.
CREATE TABLE tally (
  account INTEGER NOT NULL,
  word    TEXT NOT NULL,
  n       INTEGER NOT NULL,
  PRIMARY KEY (account, word)
) WITHOUT ROWID;

CREATE TABLE message (
  id          INTEGER PRIMARY KEY,
  account     INTEGER NOT NULL,
  key         TEXT NOT NULL,
  fingerprint BLOB,
  sender      TEXT NOT NULL,
  folded      TEXT,              -- sender in lower case, where that takes more than ASCII
  dsn         TEXT NOT NULL,
  message_id  TEXT NOT NULL,
  subject     TEXT NOT NULL,
  size        INTEGER NOT NULL,
  form        INTEGER NOT NULL,  -- 1 eight bit, 2 UTF-8, 4 binary
  created     INTEGER NOT NULL,
  not_before  INTEGER NOT NULL,
  expires     INTEGER NOT NULL,
  priority    INTEGER NOT NULL,
  tags        TEXT NOT NULL,
  report_on   INTEGER NOT NULL,
  recipients  INTEGER NOT NULL,
  body        INTEGER NOT NULL,  -- 0 gone, 1 in body, 2 in the file that spool names
  spool       BLOB,
  open        INTEGER NOT NULL,  -- recipients that are not final
  ended       INTEGER,           -- since when none is; NULL while one is
  stage       INTEGER NOT NULL,  -- of pruning: 1 the body's turn is to come, 2 it has been
  event       INTEGER NOT NULL   -- that it was enqueued
);
CREATE UNIQUE INDEX message_key ON message (account, key) WHERE key <> '';
CREATE INDEX message_account ON message (account);
CREATE INDEX message_ended ON message (stage, ended) WHERE ended IS NOT NULL;
CREATE INDEX message_spool ON message (spool) WHERE spool IS NOT NULL;

CREATE TABLE body (
  message INTEGER PRIMARY KEY,
  data    BLOB NOT NULL
);

-- waits is due exactly while a recipient waits, owner stands while a worker has it,
-- and unreported while somebody has to be told of its end.
CREATE TABLE delivery (
  id         INTEGER PRIMARY KEY,
  account    INTEGER NOT NULL,
  priority   INTEGER NOT NULL,
  state      TEXT NOT NULL,
  due        INTEGER NOT NULL,
  waits      INTEGER,
  expires    INTEGER NOT NULL,
  owner      INTEGER,
  token      INTEGER NOT NULL DEFAULT 0,
  attempts   INTEGER NOT NULL DEFAULT 0,
  doubted    INTEGER NOT NULL DEFAULT 0,
  unreported INTEGER,
  updated    INTEGER NOT NULL,
  address    TEXT NOT NULL,
  folded     TEXT,
  answer     TEXT NOT NULL DEFAULT ''
);
CREATE INDEX delivery_claim ON delivery (account, priority, waits) WHERE waits IS NOT NULL;
CREATE INDEX delivery_expiry ON delivery (expires) WHERE waits IS NOT NULL;
CREATE INDEX delivery_waiting ON delivery (id) WHERE waits IS NOT NULL;
CREATE INDEX delivery_owner ON delivery (owner) WHERE owner IS NOT NULL;
CREATE INDEX delivery_unreported ON delivery (id) WHERE unreported IS NOT NULL;
CREATE INDEX delivery_state ON delivery (state) WHERE state NOT IN ('queued', 'leased', 'sending');

CREATE TABLE event (
  id      INTEGER PRIMARY KEY,
  message INTEGER NOT NULL,
  n       INTEGER NOT NULL,  -- -1: of the message
  account INTEGER NOT NULL,
  kind    TEXT NOT NULL,
  state   TEXT NOT NULL,
  at      INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  due     INTEGER NOT NULL,
  answer  TEXT NOT NULL
);
-- The first event of a message is found by message.event: most messages have one
-- more, and an enqueue is spared a page.
CREATE INDEX event_message ON event (message) WHERE kind <> 'enqueued';

CREATE TABLE worker (
  id     INTEGER PRIMARY KEY,
  owner  TEXT NOT NULL UNIQUE,
  host   TEXT NOT NULL,
  pid    INTEGER NOT NULL,
  since  INTEGER NOT NULL,
  until  INTEGER NOT NULL,  -- when its lease ends
  gone   INTEGER NOT NULL DEFAULT 0  -- it left while something was being sent
);

CREATE TABLE slot (
  account INTEGER NOT NULL,
  worker  INTEGER NOT NULL,
  n       INTEGER NOT NULL,
  PRIMARY KEY (account, worker)
) WITHOUT ROWID;
