package realserver_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma/internal/realserver"
)

func TestRedisKeepsItsDataOverKillAndRestart(t *testing.T) {
	r := realserver.StartRedis(t, realserver.RedisDurable...)
	r.Must("SET", "k", "v")
	r.Kill()
	if r.Running() {
		t.Fatal("still running after Kill")
	}
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	if got := r.Must("GET", "k"); got != "v" {
		t.Errorf("after the restart: got %q, want v", got)
	}
}

func TestRedisFreezesAndThaws(t *testing.T) {
	r := realserver.StartRedis(t)
	r.Freeze()
	answered := make(chan error, 1)
	go func() {
		_, err := r.Do("PING")
		answered <- err
	}()
	select {
	case err := <-answered:
		t.Fatalf("a frozen server answered (%v)", err)
	case <-time.After(200 * time.Millisecond):
	}
	r.Thaw()
	if err := <-answered; err != nil {
		t.Errorf("after Thaw: %v", err)
	}
}

func TestRedisThatRefusesToStartSaysWhy(t *testing.T) {
	r := realserver.StartRedis(t, realserver.RedisDurable...)
	r.Kill()
	if err := os.WriteFile(r.Dir+"/appendonlydir/appendonly.aof.manifest", []byte("nonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := r.Start()
	if err == nil || !strings.Contains(err.Error(), "AOF") {
		t.Errorf("got %v, want an error with Redis' words about its AOF", err)
	}
}

func TestRedisClusterSpreadsSlotsOverThreeMasters(t *testing.T) {
	c := realserver.StartRedisCluster(t)
	moved := 0
	for i := range 30 {
		if _, err := c.Nodes[0].Do("SET", fmt.Sprint("key", i), "v"); err != nil && strings.Contains(err.Error(), "MOVED") {
			moved++
		}
	}
	if moved < 10 || moved > 28 {
		t.Errorf("%d of 30 keys live elsewhere, want about 20", moved)
	}
}

func TestRedisClusterFailsOver(t *testing.T) {
	c := realserver.StartRedisClusterReplicated(t)
	c.Nodes[0].Kill()
	c.Replicas[0].AwaitRole("master")
}

func TestClickHouseKeepsItsDataOverKillAndRestart(t *testing.T) {
	c := realserver.StartClickHouse(t)
	c.Must("CREATE TABLE t (x UInt64) ENGINE = MergeTree() ORDER BY x")
	c.Must("INSERT INTO t SELECT number FROM system.numbers LIMIT 1000")
	c.Kill()
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if c.CPU() <= 0 {
		t.Error("a server that started used no processor time")
	}
	if got := c.Must("SELECT count() FROM t"); got != "1000" {
		t.Errorf("after the restart: got %s rows, want 1000", got)
	}
}

func TestClickHouseClusterReadsBothShards(t *testing.T) {
	c := realserver.StartClickHouseCluster(t)
	for i, s := range c.Shards {
		s.Must("CREATE TABLE l (x UInt64) ENGINE = MergeTree() ORDER BY x")
		s.Must("CREATE TABLE d AS l ENGINE = Distributed(kangma, default, l)")
		s.Must(fmt.Sprintf("INSERT INTO l SELECT number + %d FROM system.numbers LIMIT 10", 100*i))
	}
	for _, s := range c.Shards {
		if got := s.Must("SELECT count(), max(x) FROM d"); got != "20\t109" {
			t.Errorf("got %q, want both shards' rows", got)
		}
	}
}

// TestChildrenDieWithTheTest runs itself as a child that starts a server and is killed, and looks for the server.
func TestChildrenDieWithTheTest(t *testing.T) {
	if os.Getenv("REALSERVER_CHILD") != "" {
		r := realserver.StartRedis(t)
		fmt.Printf("PID=%s\n", r.Must("INFO", "server"))
		select {} // until killed
	}
	realserver.StartRedis(t) // skips here, loudly, where there is none
	cmd := exec.Command(os.Args[0], "-test.run=^TestChildrenDieWithTheTest$")
	cmd.Env = append(os.Environ(), "REALSERVER_CHILD=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := ""
	for buf, seen := make([]byte, 4096), ""; pid == ""; {
		n, err := out.Read(buf)
		if err != nil {
			t.Fatalf("the child ended: %v %s", err, seen)
		}
		seen += string(buf[:n])
		if _, rest, ok := strings.Cut(seen, "process_id:"); ok {
			if line, _, ok := strings.Cut(rest, "\r\n"); ok {
				pid = line
			}
		}
	}
	cmd.Process.Kill()
	cmd.Wait()
	for range 500 {
		if _, err := os.Stat("/proc/" + pid); os.IsNotExist(err) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("redis-server %s outlives the test that started it", pid)
}
