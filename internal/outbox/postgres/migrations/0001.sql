-- The outbox of Yan. What the tables hold is told by package outbox; here is why
-- they are as they are.
--
-- A foreign key costs a lock on the row that it names. There are only those that keep
-- something from being forgotten that is still wanted.

create sequence yan.message_id;

-- A large body in pieces. Messages with the same content share it.
create table yan.blob (
	id   bigint generated always as identity primary key,
	sha  bytea not null unique, -- SHA-256 of the content
	size bigint not null
);

create table yan.chunk (
	blob bigint not null, -- the number is drawn before the row of blob is there
	n    int not null,
	data bytea not null,
	primary key (blob, n)
);
alter table yan.chunk alter data set storage external; -- mail is base64: it does not compress well

create table yan.message (
	id         bigint primary key,
	account    text collate "C" not null,
	key        text collate "C" not null,
	print      bytea not null,
	sender     text not null,
	folded     text, -- sender in lower case, where that is something else
	dsn        json, -- null: nothing is asked
	message_id text not null,
	subject    text not null,
	size       bigint not null,
	eight      boolean not null,
	utf8       boolean not null,
	"binary"   boolean not null,
	has_body   boolean not null,
	blob       bigint references yan.blob, -- null: in body
	created    timestamptz not null,
	not_before timestamptz,
	expires    timestamptz not null,
	priority   smallint not null,
	tags       text[],
	report_on  bigint not null,
	recipients int not null
);
create unique index message_key on yan.message (account, key) where key <> '';
create index message_blob on yan.message (blob) where blob is not null;

-- A small body, apart from its message: lists do not read it.
create table yan.body (
	message bigint primary key,
	data    bytea not null
);
alter table yan.body alter data set storage external;

-- One row a recipient. What claims and sweeps look for stands here, so that they
-- read no other table.
create table yan.delivery (
	message  bigint not null,
	n        int not null,
	account  text collate "C" not null,
	priority smallint not null,
	address  text not null,
	folded   text, -- address in lower case, where that is something else
	state    text collate "C" not null,
	attempts int not null default 0,
	due      timestamptz not null,
	expires  timestamptz not null, -- that of the message
	owner    text collate "C",     -- the worker that has it
	token    bigint not null default 0,
	doubted  boolean not null default false,
	reported boolean not null default false,
	updated  timestamptz not null,
	answer   json, -- null: none yet
	primary key (message, n)
) with (fillfactor = 80);
create index delivery_due on yan.delivery (account, priority, due, message, n) where state in ('queued', 'deferred');
create index delivery_waiting on yan.delivery (message) where state in ('queued', 'deferred');
create index delivery_expires on yan.delivery (expires) where state in ('queued', 'deferred');
create index delivery_owner on yan.delivery (owner) where state in ('leased', 'sending');
create index delivery_look on yan.delivery (state, message) where state in ('deferred', 'in_doubt', 'held', 'failed', 'expired', 'cancelled');
create index delivery_unreported on yan.delivery (message) where state in ('failed', 'expired') and not reported;

-- What happened, only ever added to. xid comes first, because columns get their
-- values in this order: a transaction has its number before it draws an id, and so an
-- event of a transaction that began later has the larger id (see events.go).
create table yan.event (
	xid     xid8 not null default pg_current_xact_id(),
	id      bigint generated always as identity,
	message bigint not null,
	n       int not null,
	account text not null,
	kind    text not null,
	state   text not null,
	at      timestamptz not null,
	attempt int not null default 0,
	due     timestamptz,
	answer  json,
	primary key (id)
);
create index event_xid on yan.event (xid);
create index event_message on yan.event (message);

-- How many recipients of an account are in a state: the sum of n. Whoever changes
-- some adds a row, and waits for nobody; Sweep makes one of many.
create table yan.tally (
	account text collate "C" not null,
	state   text collate "C" not null,
	n       bigint not null
);

create table yan.account (
	account text collate "C" primary key,
	"full"  timestamptz, -- when the bucket of Pace is full again
	paused  timestamptz, -- until then
	answer  json
);

create table yan.worker (
	owner text collate "C" primary key,
	host  text not null,
	pid   bigint not null,
	since timestamptz not null,
	until timestamptz not null
);

create table yan.slot (
	account text collate "C" not null,
	owner   text collate "C" not null references yan.worker on delete cascade,
	n       int not null,
	primary key (account, owner)
);
create index slot_owner on yan.slot (owner);

-- Every commit leaves a note, by which its author finds out whether it came to
-- be when the connection was lost (see commit.go). Sweep throws old ones away.
create table yan.note (
	note uuid not null,
	at   timestamptz not null default clock_timestamp()
);
