package embedded

import (
	"database/sql/driver"
	"slices"
	"sync"

	"github.com/kangma/kangma"
)

// cell is one combination of what passages are counted by. Texts are the codes of their words.
type cell struct {
	gate, gateKind, district, colour, decision, reason, verified, direction int64
}

// told marks a colour that was told.
const told = 4

func (x cell) isTold() bool             { return x.colour&told != 0 }
func (x cell) theColour() kangma.Colour { return kangma.Colour(x.colour &^ told) }

// catalogue keeps words and cells in memory. Codes are given once and for ever, so what a reader holds stays true.
type catalogue struct {
	mu    sync.Mutex
	words []string // of code 1, 2, …
	cells []cell
}

// view is the catalogue as far as one reader's snapshot of the file knows it.
type view struct {
	words []string
	cells []cell
}

func (v view) word(code int64) (string, error) {
	if code < 1 || code > int64(len(v.words)) {
		return "", errDamaged
	}
	return v.words[code-1], nil
}

func (v view) cell(code int64) (cell, error) {
	if code < 1 || code > int64(len(v.cells)) {
		return cell{}, errDamaged
	}
	return v.cells[code-1], nil
}

// sync reads what is new in the file and gives the catalogue as c sees it or newer. Call it inside the transaction that
// reads what uses the codes.
func (k *catalogue) sync(c *conn) (view, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	err := c.each("SELECT code, text FROM word WHERE code > ? ORDER BY code", []driver.Value{int64(len(k.words))}, func(row []driver.Value) error {
		text, ok := row[1].([]byte)
		if row[0] != int64(len(k.words)+1) || !ok {
			return errDamaged
		}
		k.words = append(k.words, string(text))
		return nil
	})
	if err != nil {
		return view{}, err
	}
	const sql = `SELECT code, gate, gate_kind, district, colour, decision, reason, verified, direction FROM cell WHERE code > ? ORDER BY code`
	err = c.each(sql, []driver.Value{int64(len(k.cells))}, func(row []driver.Value) error {
		n := [9]int64{}
		for i, v := range row {
			n[i], _ = v.(int64)
		}
		if n[0] != int64(len(k.cells)+1) {
			return errDamaged
		}
		k.cells = append(k.cells, cell{n[1], n[2], n[3], n[4], n[5], n[6], n[7], n[8]})
		return nil
	})
	return view{k.words, k.cells}, err
}

// codes gives codes to words and cells while loading. It belongs to the writer goroutine; after a transaction that was
// undone it must be made anew, because the codes it gave are free again.
type codes struct {
	words map[string]int64
	cells map[cell]int64
	all   []cell // of code 1, 2, …
}

func loadCodes(c *conn, k *catalogue) (*codes, error) {
	v, err := k.sync(c)
	if err != nil {
		return nil, err
	}
	x := &codes{words: make(map[string]int64, len(v.words)), cells: make(map[cell]int64, len(v.cells))}
	for i, w := range v.words {
		x.words[w] = int64(i + 1)
	}
	for i, cell := range v.cells {
		x.cells[cell] = int64(i + 1)
	}
	x.all = slices.Clone(v.cells)
	return x, nil
}

func (x *codes) word(c *conn, text string) (int64, error) {
	code, ok := x.words[text]
	if ok {
		return code, nil
	}
	code = int64(len(x.words) + 1)
	if _, err := c.exec("INSERT INTO word (code, text) VALUES (?, ?)", code, []byte(text)); err != nil {
		return 0, err
	}
	x.words[text] = code
	return code, nil
}

func (x *codes) cell(c *conn, w cell) (int64, error) {
	code, ok := x.cells[w]
	if ok {
		return code, nil
	}
	code = int64(len(x.cells) + 1)
	_, err := c.exec("INSERT INTO cell (code, gate, gate_kind, district, colour, decision, reason, verified, direction) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
		code, w.gate, w.gateKind, w.district, w.colour, w.decision, w.reason, w.verified, w.direction)
	if err != nil {
		return 0, err
	}
	x.cells[w], x.all = code, append(x.all, w)
	return code, nil
}

// withoutGate gives the code of the same cell with any gate.
func (x *codes) withoutGate(c *conn, code int64) (int64, error) {
	w := x.all[code-1]
	w.gate = 0
	return x.cell(c, w)
}

// cellOf gives the cell of a passage.
func (x *codes) cellOf(c *conn, p *kangma.Passage) (code int64, w cell, err error) {
	w = cell{district: int64(p.District), colour: int64(p.Colour), decision: int64(p.Decision)}
	if p.Told {
		w.colour |= told
	}
	for _, t := range []struct {
		code *int64
		text string
	}{{&w.gate, p.Gate}, {&w.gateKind, p.GateKind}, {&w.reason, p.Reason}, {&w.verified, p.Verified}, {&w.direction, p.Direction}} {
		if *t.code, err = x.word(c, t.text); err != nil {
			return 0, w, err
		}
	}
	code, err = x.cell(c, w)
	return code, w, err
}
