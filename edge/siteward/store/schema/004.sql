-- Where each tariff stands in the journal, and what it says; after a salvage only the latter is known.
CREATE TABLE tariffs (
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    valid_from_ms INTEGER NOT NULL,
    seq INTEGER,
    record TEXT NOT NULL,
    PRIMARY KEY (id, version)
) STRICT, WITHOUT ROWID;

-- Where a session begins in the journal, so that its events are found without reading all of it.
ALTER TABLE sessions ADD COLUMN created_seq INTEGER;
