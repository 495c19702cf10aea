package web_test

import (
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
