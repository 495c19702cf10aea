package areas_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/areas"
)

const goodList = `{"data":{"end_update_time":"2022-08-05 9时","hcount":1,"mcount":0,"lcount":1,
"highlist":[{"type":"2","province":"广东省","city":"汕尾市","county":"陆丰市","area_name":"广东省 汕尾市 陆丰市","communitys":["东海街道望海小区"]}],
"middlelist":[],
"lowlist":[{"type":"1","province":"广东省","city":"汕尾市","county":"海丰县","area_name":"广东省 汕尾市 海丰县","communitys":[]}]},"code":0,"msg":"查询成功"}`

func packed(s string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte(s))
	z.Close()
	return b.String()
}

func TestAListIsReadPlainPackedWrappedAndBare(t *testing.T) {
	bare := goodList[len(`{"data":`):strings.LastIndex(goodList, `,"code"`)]
	for name, in := range map[string]string{
		"plain": goodList, "gzip": packed(goodList), "bare": bare, "with a byte order mark": "\ufeff" + goodList,
		"counters as text":       strings.Replace(goodList, `"hcount":1`, `"hcount":"1"`, 1),
		"empty rows not counted": strings.Replace(goodList, `"lcount":1`, `"lcount":0`, 1),
		"a new scalar field":     strings.Replace(goodList, `"hcount"`, `"edition":3,"hcount"`, 1),
	} {
		l, err := areas.ParseList(strings.NewReader(in))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := time.Date(2022, 8, 5, 9, 0, 0, 0, cst)
		h, m, lo := l.Areas()
		if !l.At.Equal(want) || !l.Published.Equal(want) || h != 1 || m != 0 || lo != 1 {
			t.Errorf("%s: at %v, %d %d %d", name, l.At, h, m, lo)
		}
	}
}

func TestABadListIsRefusedWithARemedy(t *testing.T) {
	replace := func(old, with string) string {
		if !strings.Contains(goodList, old) {
			t.Fatalf("the sample has no %s", old)
		}
		return strings.Replace(goodList, old, with, 1)
	}
	long := strings.Repeat("长", 16<<10)
	for _, c := range []struct{ name, in, code string }{
		{"an empty file", "", "area_list_empty"},
		{"a truncated file", goodList[:len(goodList)-40], "area_list_truncated"},
		{"truncated gzip", packed(goodList)[:80], "area_list_truncated"},
		{"two bytes of gzip", "\x1f\x8b", "area_list_gzip"},
		{"a web page", "<html>", "area_list_json"},
		{"an array", "[]", "area_list_json"},
		{"bytes after the end", goodList + "{}", "area_list_json"},
		{"not UTF-8", replace("望海", "\xff\xfe"), "area_list_utf8"},
		{"an error answer", replace(`"code":0`, `"code":500`), "area_list_answer"},
		{"no time", replace(`"end_update_time":"2022-08-05 9时",`, ""), "area_list_time"},
		{"a time of another form", replace("2022-08-05 9时", "2022-08-05T09"), "area_list_time"},
		{"the 31st of June", replace("2022-08-05", "2022-06-31"), "area_list_time"},
		{"25 o'clock", replace("9时", "25时"), "area_list_time"},
		{"a year before the epidemic", replace("2022-08-05", "2002-08-05"), "area_list_time"},
		{"a counter that does not match", replace(`"hcount":1`, `"hcount":2`), "area_list_content"},
		{"a counter that is no number", replace(`"hcount":1`, `"hcount":"one"`), "area_list_content"},
		{"rows without a counter", replace(`"hcount":1,`, ""), "area_list_content"},
		{"a counter without rows", replace(`"middlelist":[],`, "") + "", ""},
		{"a list of an unknown name", replace(`"middlelist":[]`, `"middlelist":[],"locklist":[{}]`), "area_list_content"},
		{"rows of another shape", replace(`"middlelist":[]`, `"middlelist":{}`), "area_list_content"},
		{"a text over its bound", replace("东海街道望海小区", long), "area_list_text"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := areas.ParseList(strings.NewReader(c.in))
			if c.code == "" {
				if err != nil {
					t.Errorf("got %v, want no error", err)
				}
				return
			}
			if kangma.CodeOf(err) != c.code {
				t.Fatalf("got %v, want code %s", err, c.code)
			}
			var e *kangma.Error
			if errors.As(err, &e); e.Public == "" {
				t.Error("the error has no remedy")
			}
		})
	}
}

func TestAListForAnotherDayOrFromTheFutureIsRefused(t *testing.T) {
	l := list(hour(5, 9))
	for _, c := range []struct {
		name     string
		day, now time.Time
		code     string
	}{
		{"its own day", hour(5, 0), hour(5, 10), ""},
		{"any day", time.Time{}, hour(5, 10), ""},
		{"the day before", hour(4, 23), hour(5, 10), "area_list_day"},
		{"two hours ahead of now", time.Time{}, hour(5, 7), "area_list_future"},
	} {
		err := l.CheckAt(c.day, c.now)
		if (c.code == "") != (err == nil) || err != nil && kangma.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %q", c.name, err, c.code)
		}
	}
}

func TestAListWrittenByUsIsReadAsTheSame(t *testing.T) {
	l, err := areas.ParseList(strings.NewReader(goodList))
	if err != nil {
		t.Fatal(err)
	}
	again, err := areas.ParseList(bytes.NewReader(l.AppendJSON(nil)))
	if err != nil || again.Digest() != l.Digest() {
		t.Errorf("%v, digests %s and %s", err, l.Digest(), again.Digest())
	}
}

func TestRealListsAreReadAsTheyCount(t *testing.T) {
	for _, f := range sharedLists(t) {
		l := readList(t, f)
		again, err := areas.ParseList(bytes.NewReader(l.AppendJSON(nil)))
		if err != nil || again.Digest() != l.Digest() {
			t.Errorf("%s: written and read again: %v", f, err)
		}
	}
}

func FuzzParseList(f *testing.F) {
	f.Add([]byte(goodList))
	f.Add([]byte(packed(goodList)))
	for _, name := range []string{"2022080109", "2022080309"} {
		raw, err := os.ReadFile("sample/lists/" + name + ".json")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		l, err := areas.ParseList(bytes.NewReader(raw))
		if err != nil {
			if k := kangma.KindOf(err); k != kangma.Invalid && k != kangma.TooLarge {
				t.Errorf("kind %v: %v", k, err)
			}
			return
		}
		again, err := areas.ParseList(bytes.NewReader(l.AppendJSON(nil)))
		if err != nil || again.Digest() != l.Digest() {
			t.Errorf("a list we wrote is not read as the same: %v", err)
		}
		table, err := areas.Build(l)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range l.Rows { // nothing of a list is dropped
			a := areas.Resolve(r.Province, r.City, r.County)
			if a.Division == 0 {
				continue
			}
			text := ""
			if len(r.Communities) > 0 {
				text = r.Communities[0]
			}
			h := table.LevelAt(kangma.Place{Division: a.Division, Zone: a.Zone, Community: text}, l.At, time.Time{}, time.Time{})
			if h.Level < r.Level {
				t.Errorf("%+v is at %v by its own name", r, h)
			}
		}
	})
}
