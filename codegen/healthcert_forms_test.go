package codegen_test

import (
	"bytes"
	"compress/zlib"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
)

// euIssuer signs what the arguments say in any outer form: each of those below is in use, or in the official cases of what
// must be refused.
type euIssuer struct {
	t    *testing.T
	sign func([]byte) []byte
	kid  []byte
}

func (e *euIssuer) message(payload []byte, tags ...uint64) []byte {
	var m any = []any{e.protected(), map[int]any{}, payload, e.signature(payload)}
	for _, n := range slices.Backward(tags) {
		m = cbor.Tag{Number: n, Content: m}
	}
	return e.enc(m)
}

func (e *euIssuer) signature(payload []byte) []byte {
	return e.sign(sha256Of(e.enc([]any{"Signature1", e.protected(), []byte{}, payload})))
}

// protected has the key id before the algorithm, as some issuers write it.
func (e *euIssuer) protected() []byte {
	return append(append([]byte{0xa2, 0x04}, e.enc(e.kid)...), 0x01, 0x26)
}

func (e *euIssuer) enc(v any) []byte {
	b, err := cbor.Marshal(v)
	if err != nil {
		e.t.Fatal(err)
	}
	return b
}

// cert is a content that follows the schema, with changes.
func cert(change ...any) map[string]any {
	c := map[string]any{"ver": "1.3.0", "nam": map[string]any{"fn": "Muñoz", "fnt": "MUNOZ"}, "dob": "1998-02-26", "t": []any{map[string]any{
		"tg": "840539006", "tt": "LP6464-4", "sc": "2022-11-04T08:00:00Z", "tr": "260415000", "co": "XX", "is": "us", "ci": "URN:UVCI:01:XX:1"}}}
	for i := 0; i+1 < len(change); i += 2 {
		if c[change[i].(string)] = change[i+1]; change[i+1] == nil {
			delete(c, change[i].(string))
		}
	}
	return c
}

func packAt(level int, cose []byte) string {
	var b bytes.Buffer
	w, _ := zlib.NewWriterLevel(&b, level)
	w.Write(cose)
	w.Close()
	return codegen.HealthCertPrefix + string(codegen.AppendBase45(nil, b.Bytes()))
}

func TestHealthCertificatesInEveryOuterForm(t *testing.T) {
	key, kid := newKey(t), codegen.HealthCertKeyID("signer 9")
	keys, err := codegen.NewHealthCertKeys([]codegen.HealthCertKey{{ID: kid, Public: &key.PublicKey}}, 0)
	if err != nil {
		t.Fatal(err)
	}
	e := &euIssuer{t, func(d []byte) []byte { return rawSign(t, key, d) }, []byte(kid)}
	cwt := func(exp, iat any, content any) []byte {
		c := map[any]any{1: "XX", -260: map[int]any{1: content}}
		if exp != nil {
			c[4] = exp
		}
		if iat != nil {
			c[6] = iat
		}
		return e.enc(c)
	}
	exp, iat := now.Add(time.Hour).Unix(), now.Add(-time.Hour).Unix()
	good := cwt(exp, iat, cert())
	plain := packAt(zlib.BestCompression, e.message(good, 18))
	for name, tc := range map[string]struct {
		text string
		want kangma.CannotTell
	}{
		"tag 18":                        {plain, ""},
		"no tag":                        {packAt(6, e.message(good)), ""},
		"tags 61 and 18":                {packAt(6, e.message(good, 61, 18)), ""},
		"tag 61 alone":                  {packAt(6, e.message(good, 61)), ""},
		"COSE_Sign, tag 98":             {packAt(6, e.message(good, 98)), kangma.TellMalformed},
		"tags in the wrong order":       {packAt(6, e.message(good, 18, 61)), kangma.TellMalformed},
		"stored, not compressed":        {packAt(zlib.NoCompression, e.message(good, 18)), ""},
		"fastest":                       {packAt(zlib.BestSpeed, e.message(good, 18)), ""},
		"Huffman only":                  {packAt(zlib.HuffmanOnly, e.message(good, 18)), ""},
		"no zlib at all":                {codegen.HealthCertPrefix + string(codegen.AppendBase45(nil, e.message(good, 18))), kangma.TellMalformed},
		"a broken checksum":             {codegen.HealthCertPrefix + string(codegen.AppendBase45(nil, corrupt(t, plain))), kangma.TellMalformed},
		"times as floats":               {packAt(6, e.message(cwt(float64(exp)+0.25, float64(iat)+0.25, cert()), 18)), ""},
		"times under tag 1":             {packAt(6, e.message(cwt(cbor.Tag{Number: 1, Content: exp}, cbor.Tag{Number: 1, Content: iat}, cert()), 18)), ""},
		"no time of issue":              {packAt(6, e.message(cwt(exp, nil, cert()), 18)), ""},
		"no expiry":                     {packAt(6, e.message(cwt(nil, iat, cert()), 18)), kangma.TellExpired},
		"a clock before the issue":      {packAt(6, e.message(cwt(exp, now.Add(time.Minute).Unix(), cert()), 18)), kangma.TellNotYetValid},
		"unknown fields":                {packAt(6, e.message(cwt(exp, iat, cert("gdpr", []any{1, nil, "x"}, "zz", map[string]any{"a": 1})), 18)), ""},
		"the content without a CWT":     {packAt(6, e.message(e.enc(cert()), 18)), kangma.TellMalformed},
		"the content in a byte string":  {packAt(6, e.message(e.enc(e.enc(cert())), 18)), kangma.TellMalformed},
		"an empty content":              {packAt(6, e.message(cwt(exp, iat, map[string]any{"ver": "1.0.0", "nam": map[string]any{}}), 18)), kangma.TellMalformed},
		"no prefix":                     {strings.TrimPrefix(plain, "HC1:"), kangma.TellNotOurs},
		"a prefix of another version":   {"HC2:" + plain[4:], kangma.TellNotOurs},
		"the prefix of a light version": {"LT1:" + plain[4:], kangma.TellNotOurs},
		"a prefix in lower case":        {"hc1:" + plain[4:], kangma.TellNotOurs},
		"Base45 with = at its end":      {plain + "=====", kangma.TellMalformed},
		"Base45 in lower case":          {"HC1:" + strings.ToLower(plain[4:]), kangma.TellMalformed},
		"a space behind":                {plain + " ", kangma.TellMalformed},
		"the prefix twice":              {"HC1:" + plain, kangma.TellMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			if got, tell := keys.Verify(tc.text, now); tell != tc.want || tell == "" && len(got.Flaws) > 0 {
				t.Errorf("verdict %q, want %q; flaws %q", tell, tc.want, got.Flaws)
			}
			codegen.Inspect(tc.text)
		})
	}
}

// corrupt changes the last byte of the packed form: the checksum of zlib.
func corrupt(t *testing.T, text string) []byte {
	raw, err := codegen.DecodeBase45(nil, text[4:])
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)-1] ^= 1
	return raw
}

// What does not follow the schema is genuine and says so; what only looks unusual has no flaw.
func TestContentsThatDoNotFollowTheSchema(t *testing.T) {
	key, kid := newKey(t), codegen.HealthCertKeyID("s")
	keys, err := codegen.NewHealthCertKeys([]codegen.HealthCertKey{{ID: kid, Public: &key.PublicKey}}, 0)
	if err != nil {
		t.Fatal(err)
	}
	e := &euIssuer{t, func(d []byte) []byte { return rawSign(t, key, d) }, []byte(kid)}
	entry := func(change ...any) []any {
		m := map[string]any{"tg": "840539006", "co": "XX", "is": "us", "ci": "URN:1", "mp": "EU/1/20/1528", "dt": "2021-02-18", "dn": 1, "sd": 2, "fr": "2021-02-18", "df": "2021-03-01", "du": "2021-08-01"}
		for i := 0; i+1 < len(change); i += 2 {
			m[change[i].(string)] = change[i+1]
		}
		return []any{m}
	}
	for name, tc := range map[string]struct {
		content map[string]any
		flaw    string
	}{
		"a test":                             {cert(), ""},
		"a vaccination":                      {cert("t", nil, "v", entry()), ""},
		"a recovery":                         {cert("t", nil, "r", entry()), ""},
		"doses as floats":                    {cert("t", nil, "v", entry("dn", 1.0, "sd", 2.0)), ""},
		"a date with a time":                 {cert("t", nil, "v", entry("dt", "2021-02-18T00:00:00")), ""},
		"a date in milliseconds":             {cert("t", nil, "v", entry("dt", 1613824496000)), ""},
		"born in a year":                     {cert("dob", "1950"), ""},
		"born in a month":                    {cert("dob", "1950-06"), ""},
		"born on an unknown day":             {cert("dob", ""), ""},
		"a name without a first name":        {cert("nam", map[string]any{"fnt": "X"}), ""},
		"two sorts at once":                  {cert("v", entry()), "more than one sort"},
		"two vaccinations":                   {cert("t", nil, "v", append(entry(), entry()...)), "more than one entry"},
		"no name":                            {cert("nam", map[string]any{}), "nam"},
		"no version":                         {cert("ver", nil), "ver"},
		"born on a day that cannot be":       {cert("dob", "26.02.1998"), "dob"},
		"no certificate id":                  {cert("t", nil, "v", entry("ci", "")), "ci is missing"},
		"no result":                          {cert("t", entry("tt", "LP6464-4", "sc", "2021-02-18T00:00:00Z")), "tr is missing"},
		"no dose":                            {cert("t", nil, "v", entry("dn", nil)), "dn, sd"},
		"a recovery that is valid from when": {cert("t", nil, "r", entry("df", "soon")), "a date"},
	} {
		t.Run(name, func(t *testing.T) {
			payload := e.enc(map[any]any{1: "XX", 4: now.Add(time.Hour).Unix(), -260: map[int]any{1: tc.content}})
			got, tell := keys.Verify(packAt(6, e.message(payload, 18)), now)
			if tell != "" || (len(got.Flaws) > 0) != (tc.flaw != "") || !strings.Contains(strings.Join(got.Flaws, ";"), tc.flaw) {
				t.Errorf("verdict %q, flaws %q, want %q", tell, got.Flaws, tc.flaw)
			}
		})
	}
}
