// Package areas holds the bitemporal risk-area table: which area had which risk level in which interval, and from when
// that was public. It reads the list format of the State Council's risk-area service, resolves its rows to divisions of
// GB/T 2260, and answers for a place and an interval. It is pure: no I/O beyond the reader it is given, no clock.
//
// docs/areas.md says how rows are resolved and how a stay known only by county is judged.
package areas
