// Package feeds turns what data providers send (NDJSON or CSV, with a signed manifest) into evidence and people, and
// says of every line whether it can stand: closed sets, bounds, divisions that exist, times that can be. It is pure: it
// reads what it is given, stores nothing and has no clock.
//
// Three clocks are kept apart: Observed is the provider's word for when it happened, Reported for when they passed it on,
// Received is ours and never read from a line.
package feeds
