// Package leak holds no code: its test searches every byte that the embedded stores leave on disk for what identifies
// people (promise 5, threat T6).
package leak
