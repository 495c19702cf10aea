package embedded_test

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"testing"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/embedded"
	"github.com/kangma/kangma/store/storetest"
	"github.com/kangma/kangma/store/wire"
)

func digestOf(d kangma.Dossier) [32]byte { return sha256.Sum256(wire.EncodeDossier(d)) }

// TestADamagedFileNeverAnswersWrongly flips bits all over a file. Whatever SQLite makes of it, a dossier is the right
// one or an error; and where somebody is missing, opening or Verify reports damage.
func TestADamagedFileNeverAnswersWrongly(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "good.db")
	db := openDB(t, good, embedded.Options{})
	r := source(t, 81)
	var people []kangma.Dossier
	for range 200 {
		people = append(people, storetest.RandomDossier(r, storetest.RandomPerson(r, -1), 6))
	}
	if err := db.Dossiers().Update(t.Context(), store.Mark{Node: "n", Applied: 5}, people...); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil { // checkpoints the log into the file
		t.Fatal(err)
	}
	file, err := os.ReadFile(good)
	if err != nil || len(file) < 100_000 {
		t.Fatalf("got %d bytes, %v", len(file), err)
	}
	var atOpen, atGet, atVerify, harmless int
	for range 80 {
		at, bit := r.IntN(len(file)), byte(1)<<r.IntN(8)
		file[at] ^= bit
		path := filepath.Join(dir, "bad.db")
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		file[at] ^= bit
		switch damage(t, path, people) {
		case "open":
			atOpen++
		case "get":
			atGet++
		case "verify":
			atVerify++
		default:
			harmless++
		}
		for _, end := range []string{"", "-wal", "-shm"} {
			os.Remove(path + end)
		}
		if t.Failed() {
			t.Fatalf("byte %d of %d, bit %#x", at, len(file), bit)
		}
	}
	t.Logf("of 80 flipped bits %d were found at opening, %d when read, %d by Verify only, %d lay in unused bytes", atOpen, atGet, atVerify, harmless)
	if atOpen == 0 || atGet == 0 {
		t.Error("the flips did not reach what they should test")
	}
}

// damage opens a file and says what found its damage first.
func damage(t *testing.T, path string, people []kangma.Dossier) string {
	t.Helper()
	db, err := embedded.Open(path, embedded.Options{})
	if err != nil {
		if code := kangma.CodeOf(err); code != "store_damaged" {
			t.Logf("opening says %v", err)
		}
		return "open"
	}
	defer db.Close()
	missing, found := 0, ""
	for _, p := range people {
		d, err := db.Dossiers().Get(t.Context(), p.Person)
		switch {
		case err == nil && digestOf(d) != digestOf(p):
			t.Errorf("a wrong dossier was read")
		case kangma.KindOf(err) == kangma.NotFound:
			missing++
		case err != nil:
			found = "get"
		}
	}
	report, err := db.Verify(t.Context(), nil)
	if found == "" && err != nil {
		found = "verify"
	}
	if missing > 0 && err == nil {
		t.Errorf("%d people are missing and Verify finds nothing (%+v)", missing, report)
	}
	return found
}

func TestWhatIsNoDatabaseIsNotOpened(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{"text": "hello, this is certainly not a database file, is it?", "cut": "SQLite format 3\x00"} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := embedded.Open(path, embedded.Options{}); kangma.CodeOf(err) != "store_damaged" {
			t.Errorf("%s: got %v, want store_damaged", name, err)
		}
		if b, err := os.ReadFile(path); err != nil || string(b) != content {
			t.Errorf("%s was changed", name)
		}
	}
	if _, err := embedded.Open(filepath.Join(dir, "no", "such", "folder"), embedded.Options{}); kangma.KindOf(err) != kangma.Unavailable {
		t.Errorf("no folder: got %v", err)
	}
}
