// Package presign makes ECDSA signatures on P-256 whose costly half was done before. In a signature (FIPS 186-5, 6.4.1)
//
//	r = x(k·G) mod n        s = k⁻¹·(z + r·d) mod n
//
// only s knows the message z and the key d. A Stock holds pairs (r, k⁻¹) that were drawn ahead, which that standard allows;
// what is left for the moment of signing is two multiplications modulo n: about a microsecond instead of forty.
//
// A nonce that signs two messages gives the private key to everybody who sees both. So a pair is taken once and erased in
// the same step, it exists in memory only (never in a file, a core dump or a child process), and a stock is forgotten when the
// clock of the machine jumps, as it does when a suspended or snapshotted machine goes on. What a program cannot see is that
// the machine it runs in was copied with its memory: whoever does that must do without a stock. docs/adr/0019
package presign
