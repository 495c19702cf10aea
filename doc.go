// Package kangma holds the words of Kangma (康码), a health-code and checkpoint registration engine: Person, Colour,
// Evidence, Dossier, Assessment, Passage, Decision, Event and Error. Every other room speaks in these words.
//
// It holds shapes and pure predicates only. It refuses I/O, clocks (time is always an argument) and everything outside
// the standard library. Zero values deny: the zero Colour is Red, the zero Decision is Refer, the zero Assessment could
// not tell.
package kangma
