-- A clock that is wrong, or set, neither delays nor ends anything.
--
-- timing says how due is to be read: 0 due now, whatever the clock shows; 1 after a
-- pause; 2 a date that the sender chose. firm: the sender chose the expiry.
alter table yan.delivery add column timing smallint not null default 1, add column firm boolean not null default true;
update yan.delivery d set firm = m.expires <> greatest(m.created, m.not_before) + interval '120 hours',
	timing = case when d.state = 'deferred' then 1 when d.due = m.created then 0 when d.due = m.not_before then 2 else 1 end
	from yan.message m where m.id = d.message;

-- Claims look along each timing.
drop index yan.delivery_due;
create index delivery_due on yan.delivery (account, priority, timing, due, message, n) where state in ('queued', 'deferred');

-- Without an expiry of its own, only what was tried and put off may expire.
drop index yan.delivery_expires;
create index delivery_expires on yan.delivery (expires) where state in ('queued', 'deferred') and (firm or state = 'deferred');

-- What the outbox knows about itself: 'pruned' is the clock of Prune; 'home' is where
-- it lives.
create table yan.fact (
	name  text primary key,
	value text not null
);
