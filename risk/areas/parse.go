package areas

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/kangma/kangma"
)

// Bounds of one list. The largest real one (2022-12-05) has 1.9 MB, 2,439 rows and 35,597 communities.
const (
	maxListBytes   = 64 << 20
	maxRows        = 100_000
	maxCommunities = 2_000_000
	maxText        = 16 << 10
)

// ParseList reads one list in the service's format, plain JSON or gzip (told by its first bytes): either the whole
// answer {"data":{…},"code":0,"msg":…} or its data alone. It is strict: a truncated file, trailing bytes, a counter that
// does not match its rows, an unreadable end_update_time or a list of an unknown name is an error of Kind Invalid that
// says what to do; over a bound it is TooLarge.
func ParseList(r io.Reader) (*List, error) {
	raw, err := readBounded(r)
	if err != nil {
		return nil, err
	}
	if !utf8.Valid(raw) {
		return nil, badList("area_list_utf8", "the list is not UTF-8; convert it or fetch it again")
	}
	body, err := unwrap(raw)
	if err != nil {
		return nil, err
	}
	return decode(body)
}

func badList(code, public string) *kangma.Error { return kangma.E(kangma.Invalid, code, public) }

// readBounded reads everything, through gzip if the first two bytes say so.
func readBounded(r io.Reader) ([]byte, error) {
	br := bufio.NewReader(r)
	head, err := br.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, kangma.E(kangma.Unavailable, "area_list_read", "the list could not be read").Because(err)
	}
	var src io.Reader = br
	if len(head) == 2 && head[0] == 0x1f && head[1] == 0x8b {
		z, err := gzip.NewReader(br)
		if err != nil {
			return nil, badList("area_list_gzip", "the file begins like gzip but cannot be opened; fetch it again").Because(err)
		}
		src = z
	}
	raw, err := io.ReadAll(io.LimitReader(src, maxListBytes+1))
	switch {
	case err != nil:
		return nil, badList("area_list_truncated", "the file breaks off; fetch it again").Because(err)
	case len(raw) > maxListBytes:
		return nil, kangma.E(kangma.TooLarge, "area_list_size", "the list is over 64 MiB; it cannot be a risk-area list")
	}
	return bytes.TrimPrefix(raw, []byte("\ufeff")), nil
}

// unwrap takes the data out of the service's answer.
func unwrap(raw []byte) (json.RawMessage, error) {
	var top map[string]json.RawMessage
	if err := json.Unmarshal(raw, &top); err != nil {
		return nil, jsonFault(raw, err)
	}
	data, ok := top["data"]
	if !ok {
		return raw, nil // the data alone
	}
	if code, ok := top["code"]; ok {
		if n, err := number(code); err != nil || (n != 0 && n != 200) {
			return nil, badList("area_list_answer", "the service answered an error instead of a list; ask it again")
		}
	}
	return data, nil
}

// jsonFault tells a file that breaks off from one that never was JSON.
func jsonFault(raw []byte, err error) error {
	var syntax *json.SyntaxError
	if len(bytes.TrimSpace(raw)) == 0 {
		return badList("area_list_empty", "the file is empty; fetch it again")
	}
	if errors.As(err, &syntax) && syntax.Offset >= int64(len(raw)) {
		return badList("area_list_truncated", "the file breaks off; fetch it again").Because(err)
	}
	return badList("area_list_json", "the file is not the JSON of a risk-area list; give the service's own answer").Because(err)
}

// wireRow is a row as the service writes it, with its own spelling.
type wireRow struct {
	Type        json.RawMessage `json:"type"`
	Province    string          `json:"province"`
	City        string          `json:"city"`
	County      string          `json:"county"`
	AreaName    string          `json:"area_name"`
	Communities []string        `json:"communitys"`
}

// parts are the three lists of the format: the list's field, its counter and its level.
var parts = []struct {
	list, counter string
	level         kangma.Level
}{
	{"highlist", "hcount", kangma.HighLevel},
	{"middlelist", "mcount", kangma.MidLevel},
	{"lowlist", "lcount", kangma.LowLevel},
}

func decode(body json.RawMessage) (*List, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil {
		return nil, jsonFault(body, err)
	}
	at, badTime := updateTime(fields["end_update_time"])
	l := &List{At: at, Published: at}
	var faults []kangma.Fault
	known := map[string]bool{"end_update_time": true}
	for _, p := range parts {
		known[p.list], known[p.counter] = true, true
		rows, fs := decodePart(p.list, fields[p.list], p.level)
		faults = append(faults, fs...)
		if len(fs) == 0 {
			faults = append(faults, checkCount(p.counter, fields[p.counter], rows, fields[p.list] != nil)...)
		}
		l.Rows = append(l.Rows, rows...)
	}
	if fields["highlist"] == nil && fields["hcount"] == nil {
		faults = append(faults, kangma.Fault{Where: "highlist", Code: "missing", What: "a risk-area list has highlist and hcount"})
	}
	for name, v := range fields { // a list we do not know would be areas silently dropped; a new scalar is harmless
		if !known[name] && len(v) > 0 && (v[0] == '[' || v[0] == '{') {
			faults = append(faults, kangma.Fault{Where: "data", Code: "unknown_list", What: "the list has a part of an unknown name; this version cannot say what level it means"})
		}
	}
	if err := checkBounds(l); err != nil {
		return nil, err
	}
	if badTime != nil {
		badTime.Faults = faults // what else is wrong is told at once
		return nil, badTime
	}
	if len(faults) > 0 {
		e := badList("area_list_content", "the list contradicts itself or lacks parts; fetch it again")
		e.Faults = faults
		return nil, e
	}
	return l, nil
}

func decodePart(name string, raw json.RawMessage, level kangma.Level) ([]Row, []kangma.Fault) {
	var wire []wireRow
	if raw == nil {
		return nil, nil
	}
	if err := json.Unmarshal(raw, &wire); err != nil {
		return nil, []kangma.Fault{{Where: name, Code: "shape", What: "an array of {type, province, city, county, area_name, communitys} was expected"}}
	}
	rows := make([]Row, len(wire))
	for i, w := range wire {
		kind, err := textOrNumber(w.Type)
		if err != nil {
			return nil, []kangma.Fault{{Where: name, Code: "shape", What: "the type of a row is a text"}}
		}
		rows[i] = Row{Level: level, Type: kind, Province: w.Province, City: w.City, County: w.County, Communities: w.Communities}
	}
	return rows, nil
}

// textOrNumber reads a JSON text, a whole number as text, or nothing.
func textOrNumber(raw json.RawMessage) (s string, err error) {
	if len(raw) > 0 && raw[0] >= '0' && raw[0] <= '9' {
		return string(raw), nil
	}
	if raw == nil {
		return "", nil
	}
	err = json.Unmarshal(raw, &s)
	return s, err
}

// checkCount compares a counter with its rows. The service counts communities; whether a row without any counts as one
// is not written anywhere, so both are taken.
func checkCount(name string, raw json.RawMessage, rows []Row, present bool) []kangma.Fault {
	if raw == nil {
		if !present || len(rows) == 0 {
			return nil
		}
		return []kangma.Fault{{Where: name, Code: "missing", What: "the counter of a list that is present is missing"}}
	}
	n, err := number(raw)
	if err != nil {
		return []kangma.Fault{{Where: name, Code: "number", What: "a whole number was expected"}}
	}
	texts, atLeastOne := 0, 0
	for _, r := range rows {
		texts += len(r.Communities)
		atLeastOne += max(1, len(r.Communities))
	}
	if n != texts && n != atLeastOne {
		return []kangma.Fault{{Where: name, Code: "count", What: fmt.Sprintf("the counter says %d, the rows hold %d communities", n, texts)}}
	}
	return nil
}

func checkBounds(l *List) error {
	texts := 0
	for _, r := range l.Rows {
		texts += len(r.Communities)
		longest := max(len(r.Province), len(r.City), len(r.County), len(r.Type))
		for _, c := range r.Communities {
			longest = max(longest, len(c))
		}
		if longest > maxText {
			return kangma.E(kangma.TooLarge, "area_list_text", "a name in the list is over 16 KiB; it cannot be a risk-area list")
		}
	}
	if len(l.Rows) > maxRows || texts > maxCommunities {
		return kangma.E(kangma.TooLarge, "area_list_rows", "the list is over 100,000 rows or 2,000,000 communities")
	}
	return nil
}

// number reads a whole number, also inside quotes.
func number(raw json.RawMessage) (int, error) { return strconv.Atoi(string(bytes.Trim(raw, `"`))) }

var updateTimePattern = regexp.MustCompile(`^(\d{4})-(\d{1,2})-(\d{1,2}) ?(\d{1,2})时$`)

// updateTime reads "2022-04-15 11时": an hour in Asia/Shanghai; 24时 is the midnight that ends the day.
func updateTime(raw json.RawMessage) (time.Time, *kangma.Error) {
	bad := badList("area_list_time", `the list has no readable end_update_time; it looks like "2022-04-15 11时"`)
	var s string
	if raw == nil || json.Unmarshal(raw, &s) != nil {
		return time.Time{}, bad
	}
	m := updateTimePattern.FindStringSubmatch(s)
	if m == nil {
		return time.Time{}, bad
	}
	var n [4]int
	for i := range n {
		n[i], _ = strconv.Atoi(m[i+1]) // only digits, at most four
	}
	t := time.Date(n[0], time.Month(n[1]), n[2], n[3], 0, 0, 0, shanghai)
	day := time.Date(n[0], time.Month(n[1]), n[2], 0, 0, 0, 0, shanghai)
	if day.Day() != n[2] || int(day.Month()) != n[1] || n[3] > 24 || n[0] < 2020 {
		return time.Time{}, bad
	}
	return t, nil
}
