-- Where the change that an event tells of was in a trace: a traceparent, null where nobody traced.
ALTER TABLE events ADD COLUMN trace TEXT;
