package codegen_test

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"runtime"
	"testing"
	"time"
)

// BenchmarkMutant is the cost of refusing bad codes; see TestNoMutantIsAccepted for that they are refused. After each mutant
// it times one bare verification by crypto/ecdsa in the same thread, so that the noise of the machine is in both: p99-ratio
// is the p99 of refusing by that of the bare verification.
func BenchmarkMutant(b *testing.B) {
	d := newDesk(b, shenzhen)
	m := newMutator(b, 1, d.issue(b, dynamic()).Text, d.issue(b, paper()).Text, d.shown(b, 0))
	mutants := make([]string, 4096)
	for i := range mutants {
		mutants[i] = m.next()
	}
	digest := sha256.Sum256([]byte(mutants[0]))
	der, err := ecdsa.SignASN1(rand.Reader, d.key, digest[:])
	if err != nil {
		b.Fatal(err)
	}
	for name, read := range map[string]func(string){
		"offline": func(s string) { d.keyring.Verify(s, now) }, "online": func(s string) { d.opener.Open(s, now) },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			times, bare := make([]time.Duration, 0, 1<<18), make([]time.Duration, 0, 1<<18)
			i := 0
			for b.Loop() {
				start := threadTime()
				read(mutants[i%len(mutants)])
				between := threadTime()
				ecdsa.VerifyASN1(&d.key.PublicKey, digest[:], der)
				if len(times) < cap(times) {
					times, bare = append(times, between-start), append(bare, threadTime()-between)
				}
				i++
			}
			p99, bare99 := quantile(times, 0.99), quantile(bare, 0.99)
			b.ReportMetric(micros(quantile(times, 0.5)), "p50-cpu-µs")
			b.ReportMetric(micros(p99), "p99-cpu-µs")
			b.ReportMetric(micros(quantile(bare, 0.5)), "bare-p50-cpu-µs")
			b.ReportMetric(micros(bare99), "bare-p99-cpu-µs")
			b.ReportMetric(float64(p99)/float64(bare99), "p99-ratio")
		})
	}
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }
