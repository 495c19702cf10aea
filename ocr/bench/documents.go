package bench

import (
	"context"
	"runtime"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/ocr"
	"github.com/kangma/kangma/ocr/synth"
)

// Documents says what to measure of plates ("plate") or machine readable zones ("mrz"). Every second photo is drawn in faces
// and a layout that nothing was trained or tuned on; those are counted apart, and so are zones that are not printed in
// OCR-B, against Doc 9303.
type Documents struct {
	Reader  *ocr.Reader
	Kind    string
	Seed    uint64 // photo i of a level has seed Seed+i
	N       int    // documents a level
	Others  int    // photos a level that show no such document
	Levels  []synth.Level
	Workers int    // 0: one a core
	Done    func() // called after every photo; may be nil
}

// Total is how many photos a run reads.
func (c Documents) Total() int { return len(c.Levels) * (c.N + c.Others) }

// DocumentCell is what was counted for one group of documents at one level.
type DocumentCell struct {
	Level             synth.Level        `json:"level"`
	Group             string             `json:"group"` // known (faces and layouts of the trainer's kind), held-out, typewriter
	N                 int                `json:"n"`
	Exact             int                `json:"exact"`      // plate, or all lines of the zone
	Sure              int                `json:"sure"`       // exact and sure
	WrongSure         int                `json:"wrong_sure"` // must not happen
	ProvinceWrongSure int                `json:"province_wrong_sure"`
	Province          int                `json:"province"` // plates: first character right
	Lines             int                `json:"lines"`    // zones
	LinesExact        int                `json:"lines_exact"`
	Colour            int                `json:"colour"`      // plates: colour right
	Others            int                `json:"others"`      // photos without such a document
	OthersSure        int                `json:"others_sure"` // must not happen
	Errors            map[string]int     `json:"errors"`
	CPU               []float64          `json:"cpu_ms,omitempty"`
	Kinds             map[string]*[2]int `json:"kinds"` // by kind of plate or format of zone: exact, all
}

// Miss is a document that was not read exactly: synthetic, so it may be shown.
type Miss struct {
	Level synth.Level `json:"level"`
	Seed  uint64      `json:"seed"`
	Group string      `json:"group"`
	Kind  string      `json:"kind"`
	Want  string      `json:"want"`
	Got   string      `json:"got"`
	Sure  bool        `json:"sure"`
	Error string      `json:"error,omitempty"`
}

// DocumentReport is a finished run.
type DocumentReport struct {
	Kind   string         `json:"kind"`
	Seed   uint64         `json:"seed"`
	N      int            `json:"n"`
	Cells  []DocumentCell `json:"levels"`
	Misses []Miss         `json:"misses"`
}

// groups of documents, in the order of the table.
var groups = [...]string{"known", "held-out", "typewriter"}

// document is one drawn photo and the truth.
type document struct {
	synth.Photo
	kind, colour, group string
}

// RunDocuments makes and reads all photos.
func RunDocuments(ctx context.Context, c Documents) (DocumentReport, error) {
	if c.Workers <= 0 {
		c.Workers = runtime.GOMAXPROCS(0)
	}
	rep := DocumentReport{Kind: c.Kind, Seed: c.Seed, N: c.N}
	for _, l := range c.Levels {
		for _, g := range groups {
			rep.Cells = append(rep.Cells, DocumentCell{Level: l, Group: g, Errors: map[string]int{}, Kinds: map[string]*[2]int{}})
		}
	}
	jobs := make(chan job)
	var mu sync.Mutex
	var failed error
	var wg sync.WaitGroup
	for range c.Workers {
		wg.Go(func() {
			for j := range jobs {
				if err := c.one(ctx, j, &mu, &rep); err != nil {
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
	(Config{N: c.N, Others: c.Others, Levels: c.Levels}).feed(ctx, jobs)
	wg.Wait()
	rep.Cells = slices.DeleteFunc(rep.Cells, func(c DocumentCell) bool { return c.N+c.Others == 0 })
	for i := range rep.Cells {
		sort.Float64s(rep.Cells[i].CPU)
	}
	slices.SortFunc(rep.Misses, func(a, b Miss) int {
		if a.Level != b.Level {
			return int(a.Level - b.Level)
		}
		return int(a.Seed) - int(b.Seed)
	})
	if failed == nil {
		failed = ctx.Err()
	}
	return rep, failed
}

// zoneFormats are drawn in turn; passports come twice.
var zoneFormats = [...]string{"TD3", "TD1", "TD2", "TD3"}

// draw makes photo j of the run. The group changes with every photo, the rest by the seed.
func (c Documents) draw(j job) (d document, err error) {
	seed, held := c.Seed+uint64(j.i), j.i%2 == 1
	d.group = groups[j.i%2]
	switch {
	case j.kind == 2:
		d.Photo, d.kind, err = synth.Negative(seed, j.level)
	case c.Kind == "mrz":
		d.kind = zoneFormats[j.i/2%len(zoneFormats)]
		d.Photo, err = synth.MRZWith(seed, j.level, synth.MRZOptions{Format: d.kind, HeldOut: held})
		if d.Face != "ocr-b" {
			d.group = groups[2]
		}
	default:
		d.Photo, d.kind, d.colour, err = synth.PlateKindWith(seed, j.level, synth.PlateOptions{HeldOut: held, Cropped: j.i/2%3 == 0})
	}
	return d, err
}

func (c Documents) one(ctx context.Context, j job, mu *sync.Mutex, rep *DocumentReport) error {
	doc, err := c.draw(j)
	if err != nil {
		return err
	}
	read := c.Reader.Plate
	if c.Kind == "mrz" {
		read = c.Reader.MRZ
	}
	cpu := processor()
	d, err := read(ctx, doc.JPEG)
	used := millis(processor() - cpu)
	if ctx.Err() != nil {
		return ctx.Err() // interrupted while it was read: it does not count
	}
	if d == nil {
		d = &ocr.Draft{}
	}
	mu.Lock()
	defer mu.Unlock()
	cell := rep.cell(j.level, doc.group)
	if j.kind == 2 {
		cell.other(d)
		return nil
	}
	if c.Workers == 1 {
		cell.CPU = append(cell.CPU, used)
	}
	m := Miss{Level: j.level, Seed: doc.Seed, Group: doc.group, Kind: doc.kind, Error: kangma.CodeOf(err)}
	if err == nil {
		m.Error = ""
	}
	if !cell.document(d, &doc, &m) {
		rep.Misses = append(rep.Misses, m)
	}
	return nil
}

func (r *DocumentReport) cell(l synth.Level, group string) *DocumentCell {
	for i := range r.Cells {
		if r.Cells[i].Level == l && r.Cells[i].Group == group {
			return &r.Cells[i]
		}
	}
	return nil
}

// document counts one document and says whether it was read exactly.
func (c *DocumentCell) document(d *ocr.Draft, doc *document, m *Miss) bool {
	c.N++
	if m.Error != "" {
		c.Errors[m.Error]++
	}
	if c.Kinds[doc.kind] == nil {
		c.Kinds[doc.kind] = new([2]int)
	}
	c.Kinds[doc.kind][1]++
	m.Want, m.Got = doc.Truth.Plate, d.Plate.Value
	if doc.Truth.MRZ != nil {
		m.Want, m.Got = strings.Join(doc.Truth.MRZ, " "), strings.Join(d.Summary().MRZ, " ")
		c.lines(d, doc)
	}
	m.Sure = d.Kind != "" && len(d.Unsure()) == 0
	exact := m.Want == m.Got
	count := func(n *int, ok bool) {
		if ok {
			*n++
		}
	}
	first := exact || doc.Truth.MRZ == nil && m.Got != "" && []rune(m.Got)[0] == []rune(m.Want)[0]
	count(&c.Exact, exact)
	count(&c.Kinds[doc.kind][0], exact)
	count(&c.Sure, exact && m.Sure)
	count(&c.WrongSure, !exact && m.Sure)
	count(&c.Province, first)
	count(&c.ProvinceWrongSure, !first && m.Sure && doc.Truth.MRZ == nil)
	count(&c.Colour, d.PlateColour == doc.colour)
	return exact
}

func (c *DocumentCell) lines(d *ocr.Draft, doc *document) {
	c.Lines += len(doc.Truth.MRZ)
	for i, l := range doc.Truth.MRZ {
		if i < len(d.MRZ) && d.MRZ[i].Value == l {
			c.LinesExact++
		}
	}
}

func (c *DocumentCell) other(d *ocr.Draft) {
	c.Others++
	if d.Kind != "" && len(d.Unsure()) == 0 {
		c.OthersSure++
	}
}
