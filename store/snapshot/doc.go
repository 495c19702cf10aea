// Package snapshot writes and reads sealed copies of a whole state: what backups, moves between backends and the release
// of old journal segments rest on. It reads and fills stores through their contracts only, so a copy made from one mix of
// backends goes into any other.
//
// A copy is one file:
//
//	"KMSNAP1\n"            8 bytes
//	salt                   32 random bytes
//	check                  16 bytes, which tell a wrong key from a damaged file
//	frames                 length n (4 bytes, little-endian), then n sealed bytes
//
// The key of the frames is HKDF-SHA-256 of the secret and the salt; a frame is AES-256-GCM with its number as nonce and
// the 56 bytes before the frames as associated data, so none can be changed, moved, left out or put in twice. In a frame stand a
// type byte and its content; the last frame is the tail, and a file that ends without one is not whole. Contents:
//
//	head      JSON of Head
//	dossiers  each as length (uvarint) and wire form
//	records   the same
//	rows      node as length and text, then each as position (uvarint), length, wire form
//	tail      JSON of Summary
//
// A copy may be written while the node serves. The marks in its head are read first, so everything that the journals hold
// up to them is in it; of what came later some may be. Applying the journals again from the marks, which changes nothing
// that is there already, gives the state of their ends.
package snapshot
