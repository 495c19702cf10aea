// Package codegen issues, draws and verifies health codes (QR codes, not Go source). It is pure: no store, no HTTP, no
// clock, no files; time and keys are arguments. Everything a gate must trust without a network is in here.
//
// A code is the text "KM1:" and the Base45 form (RFC 9285) of a COSE_Sign1 message (RFC 9052, tag 18, ES256) over a CWT
// (RFC 8392) of integer claims. docs/code-format.md describes it with CDDL and test vectors. Three readers exist:
//
//   - Opener, for the issuer: opens the sealed subject, needs no ECDSA, knows the person;
//   - Keyring, for a gate without a network: verifies the signature, does not learn the person;
//   - Inspect, for people: explains any code and trusts nothing.
//
// A refusal is a verdict (kangma.CannotTell), never an error.
package codegen
