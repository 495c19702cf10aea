// Package clickhouse keeps the Warehouse in ClickHouse: one server, or a cluster of shards that each hold the passages
// of some pseudonyms. It runs on 18.16 (Debian 12) and on current versions.
//
// ClickHouse promises little: an INSERT is atomic only within one partition of one server, an insert whose answer was
// lost may still happen later, and nothing is unique. So a Load, for each day and shard, asks which of its passages are
// there, inserts the missing ones as one INSERT of one partition, and looks again. When a second copy is possible (an
// insert whose outcome is not known, two nodes loading the same passage at once) the day is marked doubtful before
// anything else is tried, and questions that touch a doubtful day count by FINAL, which merges copies while reading.
// Settle clears the mark when the day has been counted and holds no copy.
package clickhouse
