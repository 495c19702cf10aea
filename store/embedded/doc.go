// Package embedded keeps dossiers, records and the warehouse in SQLite files of this process: the default, which needs
// no server. One writer goroutine joins waiting writes into one transaction (group commit); readers have connections of
// their own and never wait for it (write-ahead log). Every stored dossier and record carries a checksum, because SQLite
// has none: a flipped bit is an error, never a wrong answer.
//
// What it may lose: nothing that Update, Put or Load returned from (fsync before returning), as far as the disk keeps
// its word. What is lost or damaged with the disk is rebuilt from the journal or from a backup.
package embedded
