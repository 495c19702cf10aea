// Package compare puts the journal beside a well-known write-ahead log, github.com/tidwall/wal, and the bare disk. It is
// a module of its own so that nothing of it reaches the product: cd store/journal/compare && go test -bench .
package compare
