// Package replica keeps a copy of a shared state (store.Dossiers and store.Records of many nodes) on the node itself, for
// the time when the shared one does not answer. Everything goes to the shared state as if there were no copy; the copy is
// asked only through Last, by callers that say how old what they got is.
//
// The copy is made partition by partition in the background, at a bounded rate, and again where something changed; what
// this node writes itself is put in at once. Of every person it tells a time of which it is at least as new: that is when
// the copying of their partition last began.
package replica
