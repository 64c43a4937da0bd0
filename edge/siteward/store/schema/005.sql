-- The order of a session, so that a start of one that was charged before is refused without reading every record.
ALTER TABLE sessions ADD COLUMN order_id TEXT;

UPDATE sessions SET order_id = json_extract(record, '$.order') WHERE json_valid(record);

CREATE INDEX sessions_by_order ON sessions (order_id) WHERE order_id IS NOT NULL;
