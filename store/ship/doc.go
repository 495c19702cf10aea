// Package ship carries what the journal holds to what is derived from it: passages to the warehouse (Shipper), any event
// to whoever applies it (Replay, Follow), and it proves that both sides agree (Reconcile).
//
// It may be stopped, killed or run twice at any moment: progress is what the receiver says it has, every batch is cut at
// fixed places and loaded again as it was until the receiver confirms it, and receivers count an event once by its id. It
// refuses to skip an entry silently, and never makes a gate wait.
package ship
