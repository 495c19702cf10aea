// Package redis keeps Dossiers and Records in Redis or Redis Cluster, for installations of many nodes. It is derived
// state: what Redis loses is filled in again from the journals and the last snapshot (Rebuild).
//
// Nothing in Redis can be read without the key given to Open: names of keys and fields are HMACs, values are sealed
// (AES-256-GCM, which is also their MAC) and bound to the place they stand at, so that a value that was changed, cut or
// moved is an error with code "damaged" and never a value. Only the ids of records are in the clear, because lists must
// be in their order.
//
// Layout. Everything of one partition carries the hash tag {PREFIX:xx}, xx being 00 to ff, so that Redis Cluster keeps a
// partition in one slot and a script may touch all of it:
//
//	{km:3f}s        hash   e: epoch, absent when the partition lost its data; n: number of writes, never goes back
//	{km:3f}b        bitmap which of the 1024 buckets hold somebody
//	{km:3f}dNNN     hash   dossiers of the people whose id lies in bucket NNN; field: HMAC of the person id
//	{km:3f}xNNN     hash   blind indexes; field: HMAC of the index, value: sealed list of owners, newest first
//	{km:30}r…       hash   one record (b: sealed, i: its index keys); records use 16 of the 256 tags
//	{km:30}k… i…    zset   ids of a kind; ids of a kind whose index has a value (both HMACs)
//
// A dossier and the owner of its indexes may live on two servers. An index entry is therefore a claim, written before
// the dossier and believed only while the dossier it names carries the index at the claimed version or later; a crash
// between the two leaves a claim that nobody believes. See index.go.
package redis
