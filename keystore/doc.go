// Package keystore keeps the secrets of one Kangma installation outside its databases: signing keys by region and week,
// and named 32-byte secrets for sealing, indexing and sessions. Private keys live behind a Provider: files of mode 0600
// in a folder of mode 0700, or a PKCS#11 token that never lets them out.
//
// There is no default key. What is missing at the first start is drawn at random and reported; what should be there and
// is not stops the start, because a new secret in its place would make stored data unreadable for good.
package keystore
