// Package leak searches every byte that a town leaves on disk for what identifies people (promise 5, threat T6). Only tests use it: its
// own looks at the embedded stores, that of cmd/kangma at whole nodes after a full run.
package leak
