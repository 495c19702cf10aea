package leak_test

import (
	"encoding/base64"
	"encoding/hex"
	"testing"

	"github.com/kangma/kangma/internal/leak"
)

func TestEveryFormIsFound(t *testing.T) {
	var s leak.Search
	s.Add("name", "欧阳甡")
	s.Add("number", "44150219900307882X")
	s.Add("phone", "13812345678")
	pad := func(b string) string { return "xx\x00\xff" + b + "\n7" }
	for what, text := range map[string]string{
		"UTF-8 name": "欧阳甡", "name in GBK": "\xc5\xb7\xd1\xf4\xae\x60", "name in UTF-16LE": "\x27\x6b\x33\x96\x21\x75", "name in UTF-16BE": "\x6b\x27\x96\x33\x75\x21",
		"name in percent": "%E6%AC%A7%E9%98%B3%E7%94%A1", `name in \u`: `\u6b27\u9633\u7521`, "name in hex": hex.EncodeToString([]byte("欧阳甡")),
		"number": "44150219900307882X", "number, small x": "4415 0219 9003 0788 2x", "number, hyphens": "441502-19900307-882X", "number in UTF-16": "4\x004\x001\x005\x000\x002\x001\x009\x009\x000\x000\x003\x000\x007\x008\x008\x002\x00X\x00",
		"phone": "13812345678", "phone, country": "+86 138-1234-5678", "phone in hex": hex.EncodeToString([]byte("13812345678")), "phone as integer": "\x00\x00\x00\x03\x37\x47\xab\x4e",
		"base64 at 0": base64.StdEncoding.EncodeToString([]byte("13812345678")), "base64 at 1": base64.StdEncoding.EncodeToString([]byte(".13812345678..")),
		"base64 at 2": base64.URLEncoding.EncodeToString([]byte("..44150219900307882X")), "name in base64": base64.StdEncoding.EncodeToString([]byte(`{"n":"欧阳甡"}`)),
	} {
		if hits := s.Bytes([]byte(pad(text))); len(hits) == 0 {
			t.Errorf("%s: not found", what)
		}
	}
	for _, text := range []string{"", "1381234567", "138123456790", "1381234a5678", "欧阳", "44150219900307882", "138 1234 567        8"} {
		if hits := s.Bytes([]byte(pad(text))); len(hits) > 0 {
			t.Errorf("%q: %v", text, hits)
		}
	}
}

func TestATimeOfDayIsNobodysPhone(t *testing.T) {
	var s leak.Search
	s.Add("phone", "13800138000")
	for text, want := range map[string]int{
		`{"at":"2026-11-22T12:28:13.800138000+08:00"}`:             0,
		`{"at":"2026-11-22T12:13:80.013800012Z"}`:                  0,
		`{"at":"2026-11-22T12:28:01.123456789", 138-0013-8000}`:    1,
		`138 0013 8000 at 2026-11-22T12:28:01.123456789`:           1,
		`{"d":"2026-11-22 12:28:01.1234567","p":"(138) 0013-8000"`: 1,
		`12:28:13,800138000`:                                       1,
	} {
		if got := s.Bytes([]byte(text)); len(got) != want {
			t.Errorf("%s: got %q, want %d", text, got, want)
		}
	}
}
