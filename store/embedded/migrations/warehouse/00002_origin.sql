-- +goose Up
-- Where the journal has a passage: the node (a word) and the position there, for exports and for the repair of a journal.
-- Rows of before this have neither.
ALTER TABLE passage ADD COLUMN node INTEGER;
ALTER TABLE passage ADD COLUMN position INTEGER;
