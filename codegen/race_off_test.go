//go:build !race

package codegen_test

const raceOn = false
