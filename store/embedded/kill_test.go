package embedded_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/internal/soak"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/embedded"
	"github.com/kangma/kangma/store/storetest"
)

// TestMain lets the test binary be the process that is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("KANGMA_TEST_VICTIM"); dir != "" {
		if err := victim(dir); err != nil {
			fmt.Println("failed", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

const victims = 20 // people the victim writes

func victimPerson(i int) kangma.PersonID { return kangma.PersonID{byte(i), 1} }

// victim goes on from what it finds: everybody one version on with the mark, and a batch of passages; it prints a round
// after it was acknowledged. It ends when it is killed.
func victim(dir string) error {
	ctx := context.Background()
	db, err := embedded.Open(filepath.Join(dir, "state.db"), embedded.Options{})
	if err != nil {
		return err
	}
	w, err := embedded.OpenWarehouse(filepath.Join(dir, "warehouse.db"), embedded.Options{})
	if err != nil {
		return err
	}
	loaded, err := w.Loaded(ctx, "n")
	if err != nil {
		return err
	}
	d, err := db.Dossiers().Get(ctx, victimPerson(0))
	if err != nil && kangma.KindOf(err) != kangma.NotFound {
		return err
	}
	for v := d.Version + 1; ; v++ {
		var people []kangma.Dossier
		for i := range victims {
			people = append(people, victimDossier(i, v))
		}
		if err := db.Dossiers().Update(ctx, store.Mark{Node: "n", Applied: store.Position(v)}, people...); err != nil {
			return err
		}
		fmt.Println("state", v)
		// Sometimes what is already there is loaded again, as ship does when it cannot be sure.
		from := loaded - min(loaded, store.Position(10*(v%3)))
		if err := w.Load(ctx, storetest.BatchOf("n", from, victimPassages(from, 30)...)); err != nil {
			return err
		}
		loaded = max(loaded, from+30)
		fmt.Println("loaded", uint64(loaded))
	}
}

func victimDossier(i int, v uint64) kangma.Dossier {
	d := storetest.RandomDossier(rand.New(rand.NewPCG(v, uint64(i))), victimPerson(i), int(v%5))
	d.Version = v
	return d
}

// victimPassages gives the passages of the positions after from, the same ones every time.
func victimPassages(from store.Position, n int) (all []kangma.Passage) {
	for i := range n {
		all = append(all, storetest.NewTown(rand.New(rand.NewPCG(uint64(from)+uint64(i)+1, 9))).Passage())
	}
	return all
}

func TestKillNineLosesNothingAcknowledgedAndCountsOnce(t *testing.T) {
	rounds := 0
	r := source(t, 71)
	dir := t.TempDir()
	acked := map[string]uint64{}
	for range soak.Rounds(t, 6, 100) {
		rounds++
		killOnce(t, dir, time.Duration(30+r.IntN(250))*time.Millisecond, acked)
		afterKill(t, dir, acked)
	}
	t.Logf("%d kills; acknowledged last: version %d of %d people, %d passages", rounds, acked["state"], victims, acked["loaded"])
	if acked["state"] < 10 || acked["loaded"] < 100 {
		t.Error("the victim did too little to test anything")
	}
}

// killOnce runs a victim and kills it a while after its first acknowledgements.
func killOnce(t *testing.T, dir string, life time.Duration, acked map[string]uint64) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "KANGMA_TEST_VICTIM="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines, told := bufio.NewScanner(out), 0
	for lines.Scan() {
		what, number, _ := strings.Cut(lines.Text(), " ")
		n, err := strconv.ParseUint(number, 10, 64)
		if err != nil {
			t.Fatalf("the victim says %q", lines.Text())
		}
		acked[what] = n
		if told++; told == 20 { // however slow a busy machine is
			time.AfterFunc(life, func() { cmd.Process.Kill() })
		}
	}
	cmd.Wait() // killed
}

func afterKill(t *testing.T, dir string, acked map[string]uint64) {
	t.Helper()
	db, err := embedded.Open(filepath.Join(dir, "state.db"), embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Verify(t.Context(), nil); err != nil {
		t.Error(err)
	}
	rec, err := db.Records().Get(t.Context(), "applied", "n")
	mark, _ := strconv.ParseUint(string(rec.Data), 10, 64)
	if err != nil || mark < acked["state"] || mark > acked["state"]+1 {
		t.Errorf("mark %d, %v, acknowledged %d", mark, err, acked["state"])
	}
	for i := range victims {
		d, err := db.Dossiers().Get(t.Context(), victimPerson(i))
		if want := victimDossier(i, mark); err != nil || digestOf(d) != digestOf(want) {
			t.Errorf("person %d: version %d, %v, is not what version %d was written as", i, d.Version, err, mark)
		}
	}
	w, err := embedded.OpenWarehouse(filepath.Join(dir, "warehouse.db"), embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	loaded, err := w.Loaded(t.Context(), "n")
	if err != nil || uint64(loaded) < acked["loaded"] {
		t.Errorf("loaded %d, %v, acknowledged %d", loaded, err, acked["loaded"])
	}
	q := store.Query{Measures: []store.Measure{store.Count, store.People}, Dimensions: []store.Dimension{store.ByGate, store.ByDay},
		Since: time.Date(2022, 7, 1, 0, 0, 0, 0, time.UTC), Until: time.Date(2022, 8, 1, 0, 0, 0, 0, time.UTC)}
	got, err := w.Query(t.Context(), q)
	want := storetest.Evaluate(victimPassages(0, int(loaded)), q)
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("after loading to %d: got %v, %v\nwant %v", loaded, got, err, want)
	}
}
