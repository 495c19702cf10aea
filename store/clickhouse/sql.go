package clickhouse

import (
	"strconv"
	"strings"
	"time"
)

// quote writes a string literal. ClickHouse 18.16 has no parameters, so every value that reaches SQL goes through here
// or through a number. Everything outside plain ASCII letters, digits and a few signs is written as \xNN, so there is
// nothing to be clever about.
func quote(s string) string {
	var b strings.Builder
	b.Grow(len(s) + 2)
	b.WriteByte('\'')
	const hexDigits = "0123456789ABCDEF"
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == ':', c == '.', c == ' ':
			b.WriteByte(c)
		default:
			b.WriteString(`\x`)
			b.WriteByte(hexDigits[c>>4])
			b.WriteByte(hexDigits[c&15])
		}
	}
	b.WriteByte('\'')
	return b.String()
}

// list writes a list of literals in parentheses.
func list[T any](values []T, literal func(T) string) string {
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = literal(v)
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// dayOf gives the UTC date of a moment as yyyymmdd.
func dayOf(t time.Time) int64 {
	y, m, d := t.UTC().Date()
	return int64(y)*10000 + int64(m)*100 + int64(d)
}
