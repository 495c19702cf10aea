// Package mrz reads the machine readable zone of travel documents (ICAO Doc 9303: TD1 three lines of 30, TD2 two of 36,
// TD3 two of 44). The characters come from the same comb decoder as the ID number; per-position alphabets and the check
// digits choose among what was seen, by near ties only.
package mrz

import "strings"

// Alphabet is what a zone may hold, in the order of the net's classes.
const Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ<"

// Format is one of the layouts of Doc 9303.
type Format struct {
	Name    string
	Lines   int
	Columns int
	first   string // what may stand in the very first place
	second  string // the same of the second, or "" for any letter
	fields  []span // with check digits: document, birth, expiry and, on permits, renewals
	letters []span // only A-Z and <
	digits  []span // only 0-9 and, where a date may be unknown, <
	fillers []span // only <
	permit  bool   // of the Chinese exit and entry administration, not of Doc 9303
}

// span is columns from..to (exclusive) of a line; check is the column of its check digit, or -1.
type span struct{ line, from, to, check int }

// Formats of Doc 9303 parts 4, 5 and 6. The composite check digits are handled by composite.
var Formats = []Format{
	{Name: "TD3", Lines: 2, Columns: 44, first: "P",
		fields:  []span{{1, 0, 9, 9}, {1, 13, 19, 19}, {1, 21, 27, 27}},
		letters: []span{{0, 0, 44, -1}, {1, 10, 13, -1}, {1, 20, 21, -1}},
		digits:  []span{{1, 9, 10, -1}, {1, 13, 20, -1}, {1, 21, 28, -1}, {1, 42, 44, -1}}},
	{Name: "TD2", Lines: 2, Columns: 36, first: "IACP",
		fields:  []span{{1, 0, 9, 9}, {1, 13, 19, 19}, {1, 21, 27, 27}},
		letters: []span{{0, 0, 36, -1}, {1, 10, 13, -1}, {1, 20, 21, -1}},
		digits:  []span{{1, 9, 10, -1}, {1, 13, 20, -1}, {1, 21, 28, -1}, {1, 35, 36, -1}}},
	{Name: "TD1", Lines: 3, Columns: 30, first: "IAC",
		fields:  []span{{0, 5, 14, 14}, {1, 0, 6, 6}, {1, 8, 14, 14}},
		letters: []span{{0, 0, 5, -1}, {1, 7, 8, -1}, {1, 15, 18, -1}, {2, 0, 30, -1}},
		digits:  []span{{1, 0, 7, -1}, {1, 8, 15, -1}, {1, 29, 30, -1}}},
	// Permits, as their published specimens show them: one line on those of mainland residents (CS to Hong Kong and Macao, CD to
	// Taiwan; overall check digit over the three fields with theirs), three on those of residents of Hong Kong and Macao (CR,
	// CF) and of Taiwan (CT), whose overall check digit is not known to us and therefore not tested.
	{Name: "EEP", Lines: 1, Columns: 30, first: "C", second: "SD", permit: true,
		fields:  []span{{0, 2, 11, 11}, {0, 21, 27, 27}, {0, 13, 19, 19}},
		letters: []span{{0, 0, 2, -1}},
		digits:  []span{{0, 11, 12, -1}, {0, 13, 20, -1}, {0, 21, 28, -1}, {0, 29, 30, -1}},
		fillers: []span{{0, 12, 13, -1}, {0, 20, 21, -1}, {0, 28, 29, -1}}},
	{Name: "permit", Lines: 3, Columns: 30, first: "C", second: "RFT", permit: true,
		fields:  []span{{0, 2, 11, 11}, {0, 23, 29, 29}, {0, 15, 21, 21}, {0, 12, 14, 14}},
		letters: []span{{0, 22, 23, -1}, {1, 0, 19, -1}, {2, 0, 26, -1}},
		digits:  []span{{0, 11, 22, -1}, {0, 23, 30, -1}, {1, 29, 30, -1}}},
}

// Allowed says whether a character may stand at a place.
func (f *Format) Allowed(line, col int, ch byte) bool {
	if line == 0 && col == 0 {
		return strings.IndexByte(f.first, ch) >= 0
	}
	if line == 0 && col == 1 && f.second != "" {
		return strings.IndexByte(f.second, ch) >= 0
	}
	for _, s := range f.fillers {
		if s.line == line && s.from == col {
			return ch == '<'
		}
	}
	if tens, ok := f.tens(line, col); ok {
		return strings.IndexByte(tens, ch) >= 0
	}
	for _, s := range f.letters {
		if s.line == line && col >= s.from && col < s.to {
			return ch == '<' || ch >= 'A' && ch <= 'Z'
		}
	}
	for _, s := range f.digits {
		if s.line == line && col >= s.from && col < s.to {
			return ch >= '0' && ch <= '9' || ch == '<'
		}
	}
	return true
}

// tens gives what may stand in the tens of a month or a day; the check digit and every other number may be anything.
func (f *Format) tens(line, col int) (string, bool) {
	for _, s := range f.fields[1:3] { // the dates
		switch {
		case line != s.line:
		case col == s.from+2:
			return "01<", true
		case col == s.from+4:
			return "0123<", true
		case col == s.check:
			return "0123456789", true
		}
	}
	return "", false
}

// name is where the holder's name stands; nowhere on a permit of one line.
func (f *Format) name() span {
	switch {
	case f.Lines == 1:
		return span{}
	case f.permit:
		return span{2, 0, 26, -1}
	case f.Lines == 3:
		return span{2, 0, f.Columns, -1}
	}
	return span{0, 5, f.Columns, -1}
}

// CheckDigit is the check digit of Doc 9303 part 3, section 4.9: weights 7, 3, 1; < counts nothing, A is 10.
func CheckDigit(s string) byte {
	sum := 0
	for i := 0; i < len(s); i++ {
		v := 0
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			v = int(c - '0')
		case c >= 'A' && c <= 'Z':
			v = int(c-'A') + 10
		}
		sum += v * [3]int{7, 3, 1}[i%3]
	}
	return byte('0' + sum%10)
}

// composite gives the text under the overall check digit and its place; "" where there is none that we know.
func (f *Format) composite(lines []string) (text string, line, col int) {
	switch f.Name {
	case "EEP":
		l := lines[0]
		return l[2:12] + l[13:20] + l[21:28], 0, 29
	case "permit":
		return "", 0, 0
	case "TD3":
		l := lines[1]
		return l[0:10] + l[13:20] + l[21:43], 1, 43
	case "TD2":
		l := lines[1]
		return l[0:10] + l[13:20] + l[21:35], 1, 35
	default:
		return lines[0][5:30] + lines[1][0:7] + lines[1][8:15] + lines[1][18:29], 1, 29
	}
}

// covered says whether a check digit covers a place or is it.
func (f *Format) covered(line, col int) bool {
	in := func(from, to int) bool { return col >= from && col < to }
	switch {
	case f.Lines == 1:
		return col >= 2
	case f.permit:
		return line == 0 && (in(2, 22) || in(23, 30))
	case f.Lines == 2:
		return line == 1 && (in(0, 10) || in(13, 20) || in(21, f.Columns))
	case line == 0:
		return in(5, 30)
	}
	return line == 1 && (in(0, 7) || in(8, 15) || in(18, 30))
}

// checkedField is a field with its own check digit; an optional one may have < there when it is empty.
type checkedField struct {
	span
	optional bool
}

func (f *Format) checked() []checkedField {
	var out []checkedField
	for _, s := range f.fields {
		out = append(out, checkedField{s, false})
	}
	if f.Name == "TD3" {
		out = append(out, checkedField{span{1, 28, 42, 42}, true})
	}
	return out
}

// Failures lists which check digits do not fit: document, birth, expiry, personal, composite. An empty list is a good zone.
func (f *Format) Failures(lines []string) []string {
	names := []string{"document", "birth", "expiry", "renewals"}
	var out []string
	for i, s := range f.fields {
		l := lines[s.line]
		if CheckDigit(l[s.from:s.to]) != l[s.check] {
			out = append(out, names[i])
		}
	}
	if f.Name == "TD3" {
		// an empty personal number may have 0 or < as its check digit
		l := lines[1]
		if c := CheckDigit(l[28:42]); c != l[42] && !(l[42] == '<' && strings.Trim(l[28:42], "<") == "") {
			out = append(out, "personal")
		}
	}
	text, line, col := f.composite(lines)
	if text != "" && CheckDigit(text) != lines[line][col] {
		out = append(out, "composite")
	}
	return out
}
