// Package rules holds the rule language of Kangma: it reads rule files, checks them against the types of the facts,
// compiles them, and evaluates a dossier to an assessment that explains itself.
//
// A rule file is YAML; its conditions are CEL (cel.dev/cel-go parses and type-checks them), compiled once into a tree of
// Go closures over typed facts, because a colour is computed each time it is read. The same expressions run under
// cel-go's own interpreter in a property test that holds both to one meaning. docs/rules.md explains the language.
//
// The package is pure: no I/O, no clock, no state but the compiled sets. Evaluate is total: whatever the evidence, it
// answers, and it never answers green while a red assignment is in force.
package rules
