//go:build race

package codegen_test

// raceOn makes the long loops shorter: under the race detector each turn costs several times as much.
const raceOn = true
