-- Version 3: whether another message has the same Message-ID is asked before a copy in
-- the Sent folder ends a doubt.
CREATE INDEX message_message_id ON message (message_id);
