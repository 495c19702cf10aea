-- +goose Up
-- One row a person. data is the wire form and a checksum, found_by the blind indexes one after the other. It has row
-- ids because a row of such a table may have 4 kB in its page; without them 1 kB, and then takes a page of its own.
CREATE TABLE dossier (
	person   BLOB NOT NULL UNIQUE,
	version  INTEGER NOT NULL,
	found_by BLOB NOT NULL,
	data     BLOB NOT NULL
);

CREATE TABLE blind_index (
	value  BLOB PRIMARY KEY,
	person BLOB NOT NULL
) WITHOUT ROWID;

-- One row a record, tombstones too. Ids and index values are blobs so that they compare by bytes and may hold anything.
CREATE TABLE record (
	kind    TEXT NOT NULL,
	id      BLOB NOT NULL,
	version INTEGER NOT NULL,
	deleted INTEGER NOT NULL,
	data    BLOB NOT NULL,
	PRIMARY KEY (kind, id)
);

CREATE TABLE record_index (
	kind  TEXT NOT NULL,
	name  TEXT NOT NULL,
	value BLOB NOT NULL,
	id    BLOB NOT NULL,
	PRIMARY KEY (kind, name, value, id)
) WITHOUT ROWID;

CREATE INDEX record_index_of ON record_index (kind, id);
