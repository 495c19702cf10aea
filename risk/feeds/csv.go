package feeds

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kangma/kangma"
)

// csvTable is a mapping bound to the header of one file.
type csvTable struct {
	m       *Mapping
	header  []string
	columns []*Column // by position; nil: ignored
	ids     []int     // positions of the columns that name the event
}

// open binds the mapping to a header line. Every mapped column must be there, and every column must be mapped or ignored:
// a provider that changed its file says so before anything of it is read wrongly.
func (m *Mapping) open(line []byte, long bool) (*csvTable, error) {
	header, ok := m.split(line)
	if long || !ok {
		return nil, kangma.E(kangma.Invalid, "csv_header", "the first line is not a CSV header")
	}
	t := &csvTable{m: m, header: header}
	var faults []kangma.Fault
	for i, name := range header {
		name = strings.TrimSpace(name)
		header[i] = name
		col, mapped := m.Columns[name]
		switch {
		case slices.Contains(header[:i], name):
			faults = append(faults, kangma.Fault{Where: "column " + strconv.Itoa(i+1), Code: Same, What: "two columns have one name"})
		case mapped:
			t.columns = append(t.columns, &col)
			continue
		case !slices.Contains(m.Ignore, name):
			faults = append(faults, kangma.Fault{Where: "column " + strconv.Itoa(i+1), Code: Unexpected, What: "the mapping does not know this column; map or ignore it"})
		}
		t.columns = append(t.columns, nil)
	}
	for _, name := range sortedNames(m.Columns) {
		if !slices.Contains(header, name) {
			faults = append(faults, kangma.Fault{Where: name, Code: Required, What: "the file lacks a column of the mapping"})
		}
	}
	for _, name := range m.ID {
		i := slices.Index(header, name)
		if i < 0 {
			faults = append(faults, kangma.Fault{Where: name, Code: Required, What: "the file lacks a column that names the event"})
		}
		t.ids = append(t.ids, i)
	}
	if len(faults) > 0 {
		e := kangma.E(kangma.Invalid, "csv_header", "the columns of the file are not those of the mapping")
		e.Faults = faults
		return nil, e
	}
	return t, nil
}

func sortedNames(m map[string]Column) []string { return slices.Sorted(maps.Keys(m)) }

// split reads one line of CSV (RFC 4180). A record is one line: a quoted line break is not taken, so that line numbers
// are those an editor shows.
func (m *Mapping) split(line []byte) ([]string, bool) {
	if !utf8.Valid(line) {
		return nil, false
	}
	r := csv.NewReader(bytes.NewReader(line))
	r.Comma, _ = utf8.DecodeRuneInString(m.Delimiter)
	r.FieldsPerRecord = -1
	cells, err := r.Read()
	if err != nil || r.InputOffset() < int64(len(line)) {
		return nil, false
	}
	return cells, true
}

// json turns one line into the JSON of the line format.
func (t *csvTable) json(line []byte, o *Options) ([]byte, []kangma.Fault) {
	cells, ok := t.m.split(line)
	if !ok || len(cells) != len(t.columns) {
		return nil, []kangma.Fault{{Where: "line", Code: Malformed, What: "the line is not a CSV record with as many columns as the header"}}
	}
	doc := map[string]any{}
	var faults []kangma.Fault
	for field, v := range t.m.Constants {
		put(doc, field, v)
	}
	for i, col := range t.columns {
		if col == nil {
			continue
		}
		cell := strings.TrimSpace(cells[i])
		if cell == "" {
			if col.Required {
				faults = append(faults, kangma.Fault{Where: t.header[i], Code: Required, What: "the cell is empty"})
			}
			continue
		}
		v, ok := col.value(cell, t.m.zone)
		if !ok {
			faults = append(faults, kangma.Fault{Where: t.header[i], Code: UnknownValue, What: "the cell does not hold what the mapping says"})
			continue
		}
		if !put(doc, col.Field, v) {
			faults = append(faults, kangma.Fault{Where: t.header[i], Code: Same, What: "two columns or a constant set one field"})
		}
	}
	if len(faults) > 0 {
		return nil, faults
	}
	if len(t.ids) > 0 {
		doc["id"] = t.eventID(cells, doc, o).String()
	}
	raw, err := json.Marshal(doc)
	if err != nil {
		return nil, []kangma.Fault{{Where: "line", Code: Malformed, What: "the line cannot be read"}}
	}
	return raw, nil
}

// value reads one cell that is not empty.
func (c *Column) value(cell string, zone *time.Location) (any, bool) {
	if c.Values != nil && c.As != "list" {
		v, ok := c.Values[cell]
		if !ok {
			return nil, false
		}
		cell = v
	}
	switch c.As {
	case "int":
		n, err := strconv.Atoi(cell)
		return n, err == nil
	case "tenths":
		f, err := strconv.ParseFloat(cell, 64)
		n := math.Round(f * 10)
		return int(n), err == nil && n >= 0 && n < 10_000
	case "bool":
		b, err := strconv.ParseBool(cell)
		return b, err == nil
	case "time":
		layout := c.Layout
		if layout == "" {
			layout = time.RFC3339
		}
		t, err := time.ParseInLocation(layout, cell, zone)
		return t.UTC(), err == nil && t.Year() > 1900 && t.Year() < 2200
	case "list":
		return c.list(cell)
	}
	return cell, true
}

func (c *Column) list(cell string) (any, bool) {
	sep := c.Split
	if sep == "" {
		sep = ";"
	}
	out := []string{}
	for _, part := range strings.Split(cell, sep) {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		if c.Values != nil {
			v, ok := c.Values[part]
			if !ok {
				return nil, false
			}
			part = v
		}
		out = append(out, part)
	}
	return out, true
}

// eventID makes the id of an event that its provider knows by some columns: a UUID version 7 with the time of the event
// and, for its random part, SHA-256 over the provider and those cells. The same row sent again is the same event, in
// whatever batch; a mended row keeps its id as long as those cells and the time do.
func (t *csvTable) eventID(cells []string, doc map[string]any, o *Options) (id kangma.EventID) {
	h := sha256.New()
	part := func(s string) {
		h.Write(strconv.AppendInt(nil, int64(len(s)), 10))
		h.Write([]byte{':'})
		h.Write([]byte(s))
	}
	part("kangma feed event")
	part(o.Provider)
	for _, i := range t.ids {
		part(strings.TrimSpace(cells[i]))
	}
	copy(id[6:], h.Sum(nil))
	if at, ok := doc["observed_at"].(time.Time); ok && at.UnixMilli() > 0 {
		ms := at.UnixMilli()
		for i := range 6 {
			id[i] = byte(ms >> (40 - 8*i))
		}
	}
	id[6], id[8] = id[6]&0x0f|0x70, id[8]&0x3f|0x80
	return id
}
