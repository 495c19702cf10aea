// Package seal encrypts what identifies a person, so that a stolen store names nobody (promise 5). Each person has a
// data key, wrapped under a key-encryption key that no store holds; fields are AES-256-GCM under the data key; look-up
// goes by keyed HMACs; analytics gets pseudonyms that change every 14 days. It is pure: keys come in, nothing is kept.
//
// Associated data bind every ciphertext to its table, person, field and revision: moved to another place it cannot be
// opened. Destroying the data key (Erase) makes the fields unreadable; destroying the key-encryption key makes all
// people's unreadable at once, in backups too.
package seal
