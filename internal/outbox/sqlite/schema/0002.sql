-- Version 2: a clock that is wrong, or set, neither delays nor ends anything.

-- How due is to be read: 0 due now, whatever the clock shows; 1 after a pause; 2 a date
-- that the sender chose. firm: the sender chose the expiry.
ALTER TABLE delivery ADD COLUMN timing INTEGER NOT NULL DEFAULT 1;
ALTER TABLE delivery ADD COLUMN firm INTEGER NOT NULL DEFAULT 1;
UPDATE delivery SET firm = 0 WHERE EXISTS (SELECT 1 FROM message m WHERE m.id = delivery.id >> 17
  AND m.expires - max(m.created, m.not_before) = 432000000000);
UPDATE delivery SET timing = 0 WHERE state <> 'deferred' AND EXISTS (SELECT 1 FROM message m
  WHERE m.id = delivery.id >> 17 AND delivery.due = m.created);
UPDATE delivery SET timing = 2 WHERE state <> 'deferred' AND EXISTS (SELECT 1 FROM message m
  WHERE m.id = delivery.id >> 17 AND delivery.due = m.not_before AND m.not_before > m.created);

-- waits has three ranges, so that the index delivery_claim finds each in its order: below
-- 0 what is due now (due - 2^62), from 0 pauses (due), from 2^61 dates (due + 2^61).
UPDATE delivery SET waits = due - 4611686018427387904 WHERE waits IS NOT NULL AND timing = 0;
UPDATE delivery SET waits = due + 2305843009213693952 WHERE waits IS NOT NULL AND timing = 2;

-- Without an expiry of its own, only what was tried and put off may expire.
DROP INDEX delivery_expiry;
CREATE INDEX delivery_expiry ON delivery (expires) WHERE waits IS NOT NULL AND (firm = 1 OR state = 'deferred');

-- A lease by the uptime of the machine; until counts where boot is ''.
ALTER TABLE worker ADD COLUMN boot TEXT NOT NULL DEFAULT '';
ALTER TABLE worker ADD COLUMN ends INTEGER NOT NULL DEFAULT 0;

-- What the outbox knows about itself: 'pruned' is the clock of Prune; 'home' is where
-- it lives.
CREATE TABLE fact (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;
