package web_test

import (
	"bytes"
	"compress/gzip"
	"io/fs"
	"regexp"
	"strings"
	"testing"

	"github.com/kangma/kangma/api/web"
)

var pages = []string{"index.html", "resident.html", "gate.html", "vehicle.html", "office.html"}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := fs.ReadFile(web.Files(), name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// The content security policy allows files of our own only, so that anything else would be a broken page.
func TestPagesNeedOnlyTheirOwnFiles(t *testing.T) {
	reference := regexp.MustCompile(`(?:src|href)="([^"]*)"`)
	inline := regexp.MustCompile(`(?i)<style|\sstyle=|\son[a-z]+=|<script[^>]*>[^<]`)
	for _, page := range pages {
		t.Run(page, func(t *testing.T) {
			html := read(t, page)
			if m := inline.FindString(html); m != "" {
				t.Errorf("inline script or style: %q", m)
			}
			refs := reference.FindAllStringSubmatch(html, -1)
			if len(refs) < 3 {
				t.Fatalf("only %d references: is this a built page?", len(refs))
			}
			for _, m := range refs {
				name, ours := strings.CutPrefix(m[1], "/")
				if !ours || strings.HasPrefix(name, "/") {
					t.Errorf("%q is not a file of ours", m[1])
					continue
				}
				read(t, name)
			}
		})
	}
}

func TestAssetNamesCarryAHash(t *testing.T) {
	hashed := regexp.MustCompile(`^[A-Za-z0-9_.]+-[A-Za-z0-9_-]{8}\.(js|css|wasm|txt|svg|png)$`)
	entries, err := fs.ReadDir(web.Files(), "assets")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !hashed.MatchString(e.Name()) {
			t.Errorf("%s may not be cached for ever: its name has no hash", e.Name())
		}
	}
}

// A phone on a slow network shows the code after at most 60 kB, compressed: the page, its scripts and its styles.
func TestResidentPageIsSmall(t *testing.T) {
	const budget = 60_000
	var total int
	reference := regexp.MustCompile(`(?:src|href)="/([^"]*)"`)
	html := read(t, "resident.html")
	for _, text := range append([]string{html}, filesOf(t, reference, html)...) {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		if _, err := z.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		total += b.Len()
	}
	t.Logf("%d bytes, compressed", total)
	if total > budget {
		t.Errorf("%d bytes, compressed: over the budget of %d", total, budget)
	}
}

func filesOf(t *testing.T, reference *regexp.Regexp, html string) (texts []string) {
	t.Helper()
	for _, m := range reference.FindAllStringSubmatch(html, -1) {
		texts = append(texts, read(t, m[1]))
	}
	return texts
}

// The service worker keeps what the pages of residents and gates need, all of it and nothing else. What the API answers is
// personal and is none of it.
func TestTheServiceWorkerKeepsWholePagesAndNothingOfTheAPI(t *testing.T) {
	worker := read(t, "sw.js")
	if strings.Contains(worker, "/v1") || strings.Contains(worker, "%") {
		t.Error("the worker knows the API, or was not filled in")
	}
	kept := map[string]bool{}
	for _, m := range regexp.MustCompile(`"/([^"]+\.[a-z0-9]+)"`).FindAllStringSubmatch(worker, -1) {
		read(t, m[1])
		kept["/"+m[1]] = true
	}
	for _, page := range []string{"index.html", "resident.html", "gate.html"} {
		for _, m := range regexp.MustCompile(`(?:src|href)="(/[^"]+\.[a-z0-9]+)"`).FindAllStringSubmatch(read(t, page), -1) {
			if !kept[m[1]] {
				t.Errorf("%s needs %s, which is not kept", page, m[1])
			}
		}
	}
	if !strings.Contains(worker, "zxing_reader-") || !strings.Contains(worker, "scan.worker-") {
		t.Error("a gate without a network has no scanner")
	}
}
