-- +goose Up
-- One row a person. data is the wire form and a checksum, found_by the blind indexes one after the other.
CREATE TABLE dossier (
	person   BLOB PRIMARY KEY,
	version  INTEGER NOT NULL,
	found_by BLOB NOT NULL,
	data     BLOB NOT NULL
) WITHOUT ROWID;

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
