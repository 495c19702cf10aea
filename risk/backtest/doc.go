// Package backtest asks what a change would do before it is made: it replays a new rule set, area table or batch of evidence
// against the old one over many people and days, and counts who would change colour, where and why. It holds the
// blast-radius breaker, which decides from such a count whether a change waits for two people, and a seeded generator of
// synthetic people who move as the real area history suggests.
//
// It is pure: no store, no clock. People come from a Source; only counts leave, none below k people.
package backtest
