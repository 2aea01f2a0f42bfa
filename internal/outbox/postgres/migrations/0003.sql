-- Whether another message has the same Message-ID is asked before a copy in the Sent
-- folder ends a doubt.
create index message_message_id on yan.message (message_id);
