// Package bench measures the reader on synthetic photos with published seeds: how often each field is right at each level
// of difficulty, how often something wrong was accepted, and how long it took.
package bench

import (
	"context"
	"runtime"
	"sort"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/ocr"
	"github.com/kangma/kangma/ocr/synth"
)

// Config says what to measure.
type Config struct {
	Reader  *ocr.Reader // must take Workers pictures at once
	Seed    uint64      // photo i of a level has seed Seed+i
	N       int         // cards a level
	Forged  int         // cards a level with one digit changed
	Others  int         // photos a level that show no front of a card
	Numbers int         // further cards a level of which only the number is read
	Levels  []synth.Level
	Layout  string // standard, varied, foreign, unseen (foreign in faces never learnt from), or "" for a third of the first three each
	Workers int    // 0: one a core
	Done    func() // called after every photo; may be nil

	Naive  PageReader // read by this too, for comparison; may be nil
	NaiveN int        // the first so many cards a level
}

// Total is how many photos a run reads.
func (c Config) Total() int { return len(c.Levels) * (c.N + c.Forged + c.Others + c.Numbers) }

// Cell is what was counted at one level.
type Cell struct {
	Level                                     synth.Level
	N, Right, Wrong, Unread, ChecksumFailed   int // numbers: accepted and right, accepted and wrong, …
	Name, NameSure, NameWrongSure             int // sure: right and not unsure
	Sex, Nation, Birth                        int
	AddressExact, AddressChars, AddressLength int
	Forged, ForgedAccepted, ForgedTold        int // told: checksum_failed with the digits as printed
	Others, OthersAccepted                    int
	Numbers, NumbersRight, NumbersWrong       int // of the cards of which only the number was read
	BackTold, Back                            int
	Errors                                    map[string]int
	Millis                                    []float64 // wall time per card, sorted
	CPU, NumberCPU, OtherCPU                  []float64 // processor milliseconds a card, its number alone, and what is no card; one worker only
	Naive                                     Naive
}

// Report is a finished run.
type Report struct {
	Config Config
	Cells  []Cell
}

type job struct {
	level synth.Level
	kind  int // 0 card, 1 forged, 2 other, 3 its number alone
	i     int
}

// Run makes and reads all photos. Photos are made one at a time by each worker; only reading is timed.
func Run(ctx context.Context, c Config) (Report, error) {
	if c.Workers <= 0 {
		c.Workers = runtime.GOMAXPROCS(0)
	}
	if len(c.Levels) == 0 {
		for l := range synth.Levels {
			c.Levels = append(c.Levels, synth.Level(l))
		}
	}
	rep := Report{Config: c}
	for _, l := range c.Levels {
		rep.Cells = append(rep.Cells, Cell{Level: l, Errors: map[string]int{}})
	}
	jobs := make(chan job)
	var mu sync.Mutex
	var failed error
	var wg sync.WaitGroup
	for range c.Workers {
		wg.Go(func() {
			for j := range jobs {
				err := c.one(ctx, j, &mu, rep.cell(j.level))
				if err != nil {
					mu.Lock()
					failed = err
					mu.Unlock()
				}
				if c.Done != nil {
					c.Done()
				}
			}
		})
	}
	c.feed(ctx, jobs)
	wg.Wait()
	for i := range rep.Cells {
		k := &rep.Cells[i]
		for _, v := range [][]float64{k.Millis, k.CPU, k.NumberCPU, k.OtherCPU, k.Naive.Millis} {
			sort.Float64s(v)
		}
	}
	if failed == nil {
		failed = ctx.Err()
	}
	return rep, failed
}

func (c Config) feed(ctx context.Context, jobs chan<- job) {
	defer close(jobs)
	for _, l := range c.Levels {
		for kind, n := range []int{c.N, c.Forged, c.Others, c.Numbers} {
			for i := range n {
				select {
				case jobs <- job{l, kind, i}:
				case <-ctx.Done():
					return
				}
			}
		}
	}
}

func (r *Report) cell(l synth.Level) *Cell {
	for i := range r.Cells {
		if r.Cells[i].Level == l {
			return &r.Cells[i]
		}
	}
	return nil
}

// numberAlone says that every so many-th card is read once more for the time that its number takes.
const numberAlone = 5

// photo makes photo j of the run; what says what it shows when it is no card.
func (c Config) photo(j job) (p synth.Photo, what string, err error) {
	if j.kind == 3 { // not the photos that were read whole
		j.i += c.N
	}
	seed := c.Seed + uint64(j.i)
	if j.kind == 2 {
		return synth.Negative(seed, j.level)
	}
	layout := c.Layout
	if layout == "" {
		layout = [...]string{"standard", "varied", "foreign"}[j.i%3]
	}
	p, err = synth.IDCard(seed, j.level, synth.Options{Forged: j.kind == 1, Varied: layout == "varied", Foreign: layout == "foreign", Unseen: layout == "unseen"})
	return p, "", err
}

func (c Config) one(ctx context.Context, j job, mu *sync.Mutex, cell *Cell) error {
	p, what, err := c.photo(j)
	if err != nil {
		return err
	}
	read := c.Reader.IDCard
	if j.kind == 1 || j.kind == 3 { // a number is accepted before any other field is read
		read = c.Reader.Number
	}
	t, cpu := time.Now(), processor()
	d, err := read(ctx, p.JPEG)
	ms, used := millis(time.Since(t)), millis(processor()-cpu)
	var number float64
	if c.Workers == 1 && j.kind == 0 && j.i%numberAlone == 0 {
		cpu = processor()
		_, _ = c.Reader.Number(ctx, p.JPEG) // read before: only the time is of interest
		number = millis(processor() - cpu)
	}
	mu.Lock()
	defer mu.Unlock()
	if d == nil {
		d = &ocr.Draft{}
	}
	switch j.kind {
	case 0:
		cell.Millis = append(cell.Millis, ms)
		if c.Workers == 1 {
			cell.CPU = append(cell.CPU, used)
		}
		if number > 0 {
			cell.NumberCPU = append(cell.NumberCPU, number)
		}
		cell.card(d, err, p.Truth.Person)
		if c.Naive != nil && j.i < c.NaiveN {
			return cell.Naive.read(ctx, c.Naive, p)
		}
	case 1:
		cell.forged(d, p.Truth.Person)
	case 3:
		cell.number(d, p.Truth.Person)
	default:
		if c.Workers == 1 {
			cell.OtherCPU = append(cell.OtherCPU, used)
		}
		cell.other(d, what)
	}
	return nil
}

func (c *Cell) card(d *ocr.Draft, err error, p synth.Person) {
	c.N++
	switch {
	case err != nil:
		c.Errors[kangma.CodeOf(err)]++
	case d.NumberAccepted && d.Number.Value == p.Number:
		c.Right++
	case d.NumberAccepted:
		c.Wrong++
	case d.Problem == "checksum_failed":
		c.ChecksumFailed++
	default:
		c.Unread++
	}
	count := func(n *int, ok bool) {
		if ok {
			*n++
		}
	}
	count(&c.Name, d.Name.Value == p.Name)
	count(&c.NameSure, d.Name.Value == p.Name && !d.Name.Unsure)
	count(&c.NameWrongSure, d.Name.Value != p.Name && d.Name.Value != "" && !d.Name.Unsure)
	count(&c.Sex, d.Sex.Value == p.Sex)
	count(&c.Nation, d.Nation.Value == p.Nation)
	count(&c.Birth, d.Birth.Value == p.Birth)
	count(&c.AddressExact, d.Address.Value == p.Address)
	want := []rune(p.Address)
	c.AddressLength += len(want)
	c.AddressChars += max(len(want)-distance([]rune(d.Address.Value), want), 0)
}

func (c *Cell) forged(d *ocr.Draft, p synth.Person) {
	c.Forged++
	if d.NumberAccepted {
		c.ForgedAccepted++
	}
	if d.Problem == "checksum_failed" && d.Number.Value == p.Number {
		c.ForgedTold++
	}
}

func (c *Cell) number(d *ocr.Draft, p synth.Person) {
	c.Numbers++
	switch {
	case d.NumberAccepted && d.Number.Value == p.Number:
		c.NumbersRight++
	case d.NumberAccepted:
		c.NumbersWrong++
	}
}

func (c *Cell) other(d *ocr.Draft, what string) {
	c.Others++
	if d.NumberAccepted {
		c.OthersAccepted++
	}
	if what == "back" {
		c.Back++
		if d.Kind == ocr.IDCardBack {
			c.BackTold++
		}
	}
}

// distance is Levenshtein's, over characters.
func distance(a, b []rune) int {
	prev := make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := range a {
		cur := make([]int, len(b)+1)
		cur[0] = i + 1
		for j := range b {
			sub := prev[j]
			if a[i] != b[j] {
				sub++
			}
			cur[j+1] = min(sub, prev[j+1]+1, cur[j]+1)
		}
		prev = cur
	}
	return prev[len(b)]
}

// quantile of sorted values; q is 0..1.
func quantile(v []float64, q float64) float64 {
	if len(v) == 0 {
		return 0
	}
	return v[min(int(q*float64(len(v))), len(v)-1)]
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// processor is the processor time that this process has used.
func processor() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// codes lists the errors of a cell in a stable order.
func (c *Cell) codes() string { return codesOf(c.Errors) }

func codesOf(errors map[string]int) string {
	var out []string
	for k := range errors {
		out = append(out, k)
	}
	sort.Strings(out)
	return strings.Join(out, " ")
}
