package realserver

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
)

var (
	portsMu sync.Mutex
	taken   = map[int]bool{} // given out by this test binary
)

// freePort picks a loopback port that is free now. It stays below the range the kernel gives to outgoing connections,
// so that no client takes it between now and the start (and while a killed server is down).
func freePort(tb testing.TB) int {
	tb.Helper()
	portsMu.Lock()
	defer portsMu.Unlock()
	for range 1000 {
		port := 12000 + rand.IntN(20000)
		if taken[port] {
			continue
		}
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		l.Close()
		taken[port] = true
		return port
	}
	tb.Fatal("no free port between 12000 and 32000")
	return 0
}
