package slab_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"runtime"
	"testing"

	"github.com/kangma/kangma/store/slab"
)

type key [16]byte

func keyOf(n int) (k key) {
	k[3], k[14], k[15] = byte(n>>16), byte(n>>8), byte(n)
	return k
}

// TestATableIsAMapThatForgets plays random changes into a table and a map side by side.
func TestATableIsAMapThatForgets(t *testing.T) {
	for _, block := range []int{16, 48, 128} {
		for _, most := range []int64{600, 20_000, 1 << 40} {
			t.Run(fmt.Sprintf("blocks of %d in %d", block, most), func(t *testing.T) { playMap(t, block, most) })
		}
	}
}

func playMap(t *testing.T, block int, most int64) {
	r := rand.New(rand.NewPCG(uint64(block), uint64(most)))
	table, want := slab.New[key](block, most), map[key][]byte{}
	for step := range 3000 {
		k := keyOf(r.IntN(200))
		switch r.IntN(5) {
		case 0:
			table.Delete(k)
			delete(want, k)
			if table.Has(k) {
				t.Fatalf("step %d: there after it was deleted", step)
			}
		case 1:
			table.Evict()
		case 2, 3:
			v := make([]byte, r.IntN(500))
			for i := range v {
				v[i] = byte(r.Uint32())
			}
			fits := table.Has(k) || table.Fits(len(v))
			before := table.Len()
			table.Put(k, v)
			if want[k] = v; fits && !table.Has(k) && most > 1000 {
				t.Fatalf("step %d: a value that fits is not kept beside %d", step, before)
			}
		}
		got, ok := table.Append([]byte("before"), k)
		if ok && !bytes.Equal(got, append([]byte("before"), want[k]...)) || ok && want[k] == nil || !ok && string(got) != "before" {
			t.Fatalf("step %d: got %x, %v, want %x or none", step, got, ok, want[k])
		}
		if most == 1<<40 && step%5 > 1 && ok != table.Has(k) {
			t.Fatalf("step %d: Has and Append disagree", step)
		}
		if table.Bytes() > most {
			t.Fatalf("step %d: %d bytes where %d are allowed", step, table.Bytes(), most)
		}
	}
	for table.Len() > 0 {
		table.Evict()
	}
	if table.Bytes() != 0 {
		t.Errorf("%d bytes taken by nothing", table.Bytes())
	}
}

func TestWhatIsLetGoOfIsUsedAgain(t *testing.T) {
	const people, most = 2000, 2000 * (4*128 + 32)
	table := slab.New[key](128, most)
	fill := func(size int) {
		for i := range people {
			table.Put(keyOf(i), bytes.Repeat([]byte{byte(i)}, size))
		}
	}
	fill(400)
	if table.Len() != people {
		t.Fatalf("%d people kept of %d that fit", table.Len(), people)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for round := range 8 {
		fill(100 + round*17)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > most/4 {
		t.Errorf("%d bytes more after everybody was replaced eight times", grown)
	}
	runtime.KeepAlive(table)
}

func TestAValueLargerThanTheTableIsNotKept(t *testing.T) {
	table := slab.New[key](64, 1000)
	table.Put(keyOf(1), make([]byte, 100))
	table.Put(keyOf(1), make([]byte, 5000))
	if table.Has(keyOf(1)) {
		t.Error("it is, or what was there before it is")
	}
}

// TestNothingOfAValueIsLeftBehind looks for a value in the table's memory after it was let go of.
func TestNothingOfAValueIsLeftBehind(t *testing.T) {
	table := slab.New[key](32, 1<<20)
	secret := bytes.Repeat([]byte("secret"), 100)
	table.Put(keyOf(1), secret)
	table.Put(keyOf(2), []byte("other"))
	held := func() bool {
		chunks := reflect.ValueOf(table).Elem().FieldByName("chunks")
		for i := range chunks.Len() {
			if bytes.Contains(chunks.Index(i).Bytes(), []byte("secret")) {
				return true
			}
		}
		return false
	}
	if !held() {
		t.Fatal("the test does not see the memory")
	}
	table.Put(keyOf(1), []byte("short"))
	if held() {
		t.Error("it is still in memory")
	}
}

// BenchmarkCollector tells what one run of the collector costs beside a million values, in a table and as objects of a map.
func BenchmarkCollector(b *testing.B) {
	const people = 1_000_000
	value := make([]byte, 400)
	b.Run("objects", func(b *testing.B) {
		m := map[key][]byte{}
		for i := range people {
			m[keyOf(i)] = bytes.Clone(value)
		}
		for b.Loop() {
			runtime.GC()
		}
		runtime.KeepAlive(m)
	})
	b.Run("table", func(b *testing.B) {
		t := slab.New[key](128, 1<<40)
		for i := range people {
			t.Put(keyOf(i), value)
		}
		for b.Loop() {
			runtime.GC()
		}
		runtime.KeepAlive(t)
	})
}

func BenchmarkAppend(b *testing.B) {
	const people = 1_000_000
	t := slab.New[key](128, 1<<40)
	for i := range people {
		t.Put(keyOf(i), make([]byte, 400))
	}
	var room []byte
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		i = (i + 7919) % people
		room, _ = t.Append(room[:0], keyOf(i))
	}
}

// BenchmarkGet reads one of a million values, any, as a node does: from 64 tables.
func BenchmarkGet(b *testing.B) {
	const people = 1_000_000
	r := rand.New(rand.NewPCG(1, 2))
	tables := make([]*slab.Table[key], 64)
	for i := range tables {
		tables[i] = slab.New[key](128, 1<<40)
	}
	keys := make([]key, people)
	for i := range keys {
		for j := range keys[i] {
			keys[i][j] = byte(r.Uint32())
		}
		tables[keys[i][15]%64].Put(keys[i], make([]byte, 400))
	}
	r.Shuffle(people, func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	var room []byte
	i := 0
	for b.Loop() {
		if i++; i == people {
			i = 0
		}
		room, _ = tables[keys[i][15]%64].Append(room[:0], keys[i])
	}
}
