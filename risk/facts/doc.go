// Package facts turns the evidence of one dossier into the typed facts that rules ask about: stays with their risk level,
// tests in the order they were sampled, schedules kept or missed, runs of normal check-ins, measures in force.
//
// It decides first which evidence counts at all (what was known, what was corrected, withdrawn or sent twice), so that
// everything after it depends on the set of evidence only and never on its order. It is pure: no I/O, no clock, no
// package-level state. Times inside are microseconds since 1970, which makes a comparison one instruction.
package facts
