package main

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/internal/leak"
	"github.com/kangma/kangma/internal/realserver"
)

// known is somebody whose name, number and phone are searched for. Some are never registered and are only sent in.
type known struct{ name, number, phone string }

// drawKnown draws people with names of four characters at random, which chance does not write anywhere: three are six bytes in GBK, and in the
// 425 MB of a run with 10,000 people, nearly all of it encrypted, one of them stood by chance (expected 0.02 times a run; four: 3 in ten million).
func drawKnown(rnd *rand.Rand, n int, s *leak.Search) []known {
	han := func() string { return string(rune(0x4e00 + rnd.IntN(0x5000))) }
	all := make([]known, n)
	for i := range all {
		first := fmt.Sprintf("4415%02d%04d%02d%02d%03d", 2+rnd.IntN(20), 1930+rnd.IntN(75), 1+rnd.IntN(12), 1+rnd.IntN(28), rnd.IntN(1000))
		p := known{han() + han() + han() + han(), first + string(kangma.IDCheckChar(first)), fmt.Sprintf("1%d%04d%05d", 3+rnd.IntN(7), rnd.IntN(10000), i)}
		s.Add("name", p.name)
		s.Add("number", p.number)
		s.Add("phone", p.phone)
		all[i] = p
	}
	return all
}

// TestNothingOnDiskNamesAnybodyAfterAFullRun lets people register, show, pass, drive in with others, check in, be reported, be mistyped
// and be photographed, with everything a node and its servers write in one folder: journal, state, warehouse, the node's copy, Redis'
// AOF and RDB, ClickHouse's parts and logs, the node's log, snapshots, backup and export. KANGMA_KNOWN (150) says how many people.
func TestNothingOnDiskNamesAnybodyAfterAFullRun(t *testing.T) {
	t.Run("embedded", func(t *testing.T) { fullRun(t, nil, func() []string { return nil }) })
	t.Run("Redis and ClickHouse", func(t *testing.T) {
		redis, ch := realserver.StartRedis(t), realserver.StartClickHouse(t)
		flags := []string{"--redis", redis.Addr, "--redis-password", redis.Password, "--clickhouse", ch.Addr, "--clickhouse-user", ch.User, "--clickhouse-password", ch.Password}
		fullRun(t, flags, func() []string {
			redis.Must("SAVE")
			return []string{redis.Dir, ch.Dir}
		})
	})
}

func fullRun(t *testing.T, flags []string, theirs func() []string) {
	n, _ := strconv.Atoi(os.Getenv("KANGMA_KNOWN"))
	n = max(n, 150)
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	var secrets leak.Search
	rnd := rand.New(rand.NewPCG(404, uint64(n)))
	t.Logf("seed 404, %d people", n)
	people := drawKnown(rnd, n+n/10, &secrets) // a tenth is never registered
	first := flags
	if len(flags) > 0 {
		first = append([]string{"--redis-new", "--copy-rate", "50000"}, flags...)
	}
	s := startServer(t, data, append(first, "--snapshot-every", "1s")...)
	defer func() { s.kill() }()
	r := &fullDay{t: t, s: s, secrets: &secrets, people: people[:n], strangers: people[n:]}
	r.client.Transport = &http.Transport{MaxIdleConnsPerHost: dayWorkers}
	r.everything()
	r.copies(dir, data, flags)
	s.kill() // what a crash leaves: no tidy end
	if err := os.WriteFile(filepath.Join(dir, "node.log"), []byte(s.output()), 0o600); err != nil {
		t.Fatal(err)
	}
	files, size := 0, int64(0)
	for _, d := range append(theirs(), dir) {
		hits, f, b, err := secrets.Folder(d)
		if err != nil {
			t.Fatal(err)
		}
		files, size = files+f, size+b
		for _, h := range hits[:min(len(hits), 10)] {
			t.Error(h)
		}
	}
	t.Logf("searched %d files, %d bytes, for %d values; %d refusals waited out; answers: %v", files, size, secrets.Values(), r.waited, r.answers)
	if !t.Failed() {
		findPlanted(t, &secrets, dir, people[n/2])
	}
	if size < int64(n)*1000 {
		t.Errorf("%d bytes are too few: this run proves nothing", size)
	}
	if len(flags) > 0 {
		if !r.copied(data, flags) {
			t.Error("the node's copy is not there or nearly empty")
		}
	}
}

// findPlanted proves that the search can fail: what is written at the end of the largest file is found, and nothing else.
func findPlanted(t *testing.T, secrets *leak.Search, dir string, p known) {
	t.Helper()
	var largest string
	var size int64
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if info, err := os.Stat(path); err == nil && !e.IsDir() && info.Size() > size {
			largest, size = path, info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(largest, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = fmt.Fprintf(f, "\x00%s\x00%s\x00%s\x00", p.name, p.number, p.phone)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	hits, _, _, err := secrets.Folder(dir)
	if err != nil || len(hits) != 3 {
		t.Errorf("three values planted in %s: got %v, %v", largest, hits, err)
	}
	t.Logf("control: planted in %s, found: %v", filepath.Base(largest), hits)
}

// copies waits until everything is everywhere and makes what an operator makes.
func (r *fullDay) copies(dir, data string, flags []string) {
	within(r.t, "all is shipped and a snapshot is there", func() bool {
		res, err := http.Get(r.s.url + "/metrics")
		if err != nil {
			return false
		}
		defer res.Body.Close()
		var b bytes.Buffer
		if _, err := b.ReadFrom(res.Body); err != nil {
			return false
		}
		snapshots, _ := filepath.Glob(filepath.Join(data, "snapshots", "*"))
		return strings.Contains(b.String(), "kangma_ship_lag_entries 0\n") && len(snapshots) > 0 && r.copied(data, flags)
	})
	for _, args := range [][]string{{"export", filepath.Join(dir, "town.kms")}, {"backup", filepath.Join(dir, "backup")}} {
		cmd := exec.Command(testCommand(r.t), append(append(args, "--data", data), flags...)...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			r.t.Errorf("%v: %v %s", args, err, out)
		}
		if err := os.WriteFile(filepath.Join(dir, args[0]+".out"), out, 0o600); err != nil {
			r.t.Fatal(err)
		}
		r.t.Logf("%s", bytes.TrimSpace(out))
	}
}

// copied says whether the node's own copy of a shared state has grown to hold everybody.
func (r *fullDay) copied(data string, flags []string) bool {
	if len(flags) == 0 {
		return true
	}
	var size int64
	files, _ := filepath.Glob(filepath.Join(data, "replica.db*"))
	for _, f := range files {
		if info, err := os.Stat(f); err == nil {
			size += info.Size()
		}
	}
	return size > int64(len(r.people))*300
}
