package api

import (
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/kangma/kangma"
)

// These append the JSON of the hot answers, as encoding/json would write it by the types' tags; a test compares the two.

func appendCodeView(b []byte, v *codeView) []byte {
	b = append(b, '{')
	if v.Code != "" {
		b = append(appendString(append(b, `"code":`...), v.Code), ',')
	}
	b = strconv.AppendBool(append(b, `"told":`...), v.Told)
	b = appendOptional(b, "cannot_tell", string(v.CannotTell))
	if v.Colour != nil {
		b = appendOptional(b, "colour", v.Colour.String())
	}
	b = appendOptional(b, "label", v.Label)
	b = appendString(append(b, `,"reason":`...), v.Reason)
	b = appendReasons(append(b, `,"reasons":`...), v.Reasons)
	if len(v.Duties) > 0 {
		b = appendReasons(append(b, `,"duties":`...), v.Duties)
	}
	b = appendTime(append(b, `,"issued_at":`...), v.Issued)
	b = appendTime(append(b, `,"expires_at":`...), v.Expires)
	b = appendTime(append(b, `,"refresh_at":`...), v.Refresh)
	if !v.NextChange.IsZero() {
		b = appendTime(append(b, `,"next_change":`...), v.NextChange)
	}
	b = appendString(append(b, `,"masked_name":`...), v.MaskedName)
	b = appendString(append(b, `,"rules":{"id":`...), v.Rules.ID)
	b = appendString(append(b, `,"version":`...), v.Rules.Version)
	b = append(appendString(append(b, `,"digest":`...), v.Rules.Digest), '}')
	if !v.AsOf.IsZero() {
		b = appendTime(append(b, `,"as_of":`...), v.AsOf)
	}
	return append(b, '}')
}

func appendReasons(b []byte, reasons []reasonView) []byte {
	b = append(b, '[')
	for i := range reasons {
		r := &reasons[i]
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(append(b, `{"rule":`...), r.Rule)
		if r.Colour != nil {
			b = appendOptional(b, "colour", r.Colour.String())
		}
		b = appendText(append(b, `,"why":`...), r.Why)
		b = appendText(append(b, `,"guidance":`...), r.Guidance)
		b = appendText(append(b, `,"clears":`...), r.Clears)
		b = appendTime(append(b, `,"since":`...), r.Since)
		b = appendTime(append(b, `,"until":`...), r.Until)
		if r.Progress != nil {
			if raw, err := json.Marshal(r.Progress); err == nil { // numbers, times and texts: it cannot fail
				b = append(append(b, `,"progress":`...), raw...)
			}
		}
		b = append(b, '}')
	}
	return append(b, ']')
}

func appendVerdictView(b []byte, v *verdictView) []byte {
	b = appendString(append(b, `{"event":`...), v.Event.String())
	if !v.At.IsZero() {
		b = appendTime(append(b, `,"at":`...), v.At)
	}
	b = appendString(append(b, `,"decision":`...), v.Decision.String())
	b = strconv.AppendBool(append(b, `,"told":`...), v.Told)
	if v.Colour != nil {
		b = appendOptional(b, "colour", v.Colour.String())
	}
	b = appendOptional(b, "wire", v.Wire)
	b = appendOptional(b, "cannot_tell", string(v.CannotTell))
	b = appendString(append(b, `,"reason":`...), v.Reason)
	if v.Why != (kangma.Text{}) {
		b = appendText(append(b, `,"why":`...), v.Why)
	}
	if v.Guidance != (kangma.Text{}) {
		b = appendText(append(b, `,"guidance":`...), v.Guidance)
	}
	b = appendOptional(b, "masked_name", v.MaskedName)
	b = appendOptional(b, "id_tail", v.IDTail)
	if len(v.Flags) > 0 {
		b = append(b, `,"flags":[`...)
		for i, f := range v.Flags {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendString(b, f)
		}
		b = append(b, ']')
	}
	if !v.AsOf.IsZero() {
		b = appendTime(append(b, `,"as_of":`...), v.AsOf)
	}
	return append(b, '}')
}

// appendOptional appends a member, with the comma before it, unless it is empty.
func appendOptional(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	b = append(append(b, `,"`...), name...)
	return appendString(append(b, `":`...), value)
}

func appendText(b []byte, t kangma.Text) []byte {
	b = appendString(append(b, `{"zh":`...), t.Zh)
	return append(appendString(append(b, `,"en":`...), t.En), '}')
}

func appendTime(b []byte, t time.Time) []byte {
	return append(t.AppendFormat(append(b, '"'), time.RFC3339Nano), '"')
}

const hexDigits = "0123456789abcdef"

// appendString appends a JSON string; what is not UTF-8 becomes U+FFFD, as in encoding/json.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r != utf8.RuneError || n != 1 {
				i += n
				continue
			}
			b = append(append(b, s[from:i]...), `\ufffd`...)
		} else {
			b = append(b, s[from:i]...)
			switch c {
			case '"', '\\':
				b = append(b, '\\', c)
			default:
				b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			}
		}
		i++
		from = i
	}
	return append(append(b, s[from:]...), '"')
}
