// Package arch holds the architecture as a test: which room may import which.
package arch

import (
	"encoding/json"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/kangma/kangma"

type pkg struct {
	ImportPath string
	Standard   bool
	Imports    []string
}

func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Standard,Imports", "./...")
	cmd.Dir = "../.."
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); dec.More(); {
		var p pkg
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) < 10 {
		t.Fatalf("go list found %d packages only", len(all))
	}
	return all
}

// room gives the first part of a package's path inside the module; the root is ".".
func room(importPath string) string {
	rest := strings.TrimPrefix(strings.TrimPrefix(importPath, module), "/")
	if rest == "" {
		return "."
	}
	return strings.SplitN(rest, "/", 2)[0]
}

// allowed says which other rooms a room may import: kangma <- {risk, codegen, ocr, store} <- {registry, backends} <-
// {checkpoint, issuance, portal} <- api <- cmd.
var allowed = map[string][]string{
	".":          {},
	"risk":       {"."},
	"codegen":    {"."},
	"ocr":        {"."},
	"store":      {".", "internal"}, // internal/breaker
	"keystore":   {".", "codegen"},
	"registry":   {".", "risk", "codegen", "store"},
	"checkpoint": {".", "risk", "codegen", "store", "registry"},
	"interop":    {"."},
	"issuance":   {".", "codegen", "store", "registry"},
	"portal":     {".", "risk", "codegen", "store", "registry"},
	"api":        {".", "risk", "codegen", "ocr", "store", "registry", "checkpoint", "issuance", "interop", "portal"},
	"cmd":        nil, // everything
	"internal":   nil, // tests and tools
}

func TestImportsGoOneWay(t *testing.T) {
	for _, p := range packages(t) {
		from := room(p.ImportPath)
		may, known := allowed[from]
		if !known {
			t.Errorf("%s: a new room; say in this test what it may import", p.ImportPath)
			continue
		}
		if may == nil {
			continue
		}
		for _, imp := range p.Imports {
			to := room(imp)
			if strings.HasPrefix(imp, module) && to != from && !slices.Contains(may, to) {
				t.Errorf("%s imports %s", p.ImportPath, imp)
			}
		}
	}
}

func TestTheRootImportsTheStandardLibraryOnly(t *testing.T) {
	for _, p := range packages(t) {
		if p.ImportPath != module {
			continue
		}
		for _, imp := range p.Imports {
			if strings.Contains(strings.SplitN(imp, "/", 2)[0], ".") {
				t.Errorf("the root imports %s", imp)
			}
		}
	}
}

// only says which packages alone may import what talks to the outside.
var only = map[string][]string{
	"github.com/labstack/echo":    {"api"},
	"github.com/mattn/go-sqlite3": {"store/embedded"},
	"database/sql":                {"store/embedded", "store/clickhouse"},
	"github.com/redis/go-redis":   {"store/redis"},
	"github.com/ClickHouse":       {"store/clickhouse"},
	"github.com/otiai10":          {"ocr/tess"},
	"net/http":                    {"api", "cmd/kangma"},
}

func TestOutsideTechnologyStaysInItsRoom(t *testing.T) {
	for _, p := range packages(t) {
		rest := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		if strings.HasPrefix(rest, "internal/") {
			continue
		}
		for _, imp := range p.Imports {
			for tech, rooms := range only {
				in := slices.ContainsFunc(rooms, func(r string) bool { return rest == r || strings.HasPrefix(rest, r+"/") })
				if strings.HasPrefix(imp, tech) && !in {
					t.Errorf("%s imports %s, which belongs to %v", p.ImportPath, imp, rooms)
				}
			}
		}
	}
}

func TestBackendsDoNotKnowEachOther(t *testing.T) {
	backends := []string{"store/journal", "store/embedded", "store/redis", "store/clickhouse"}
	for _, p := range packages(t) {
		rest := strings.TrimPrefix(p.ImportPath, module+"/")
		if !slices.Contains(backends, rest) {
			continue
		}
		for _, imp := range p.Imports {
			other := strings.TrimPrefix(imp, module+"/")
			if slices.Contains(backends, other) && other != rest {
				t.Errorf("%s imports %s", rest, path.Base(imp))
			}
		}
	}
}

// TestPureRoomsKnowNoClock keeps time an argument: no time.Now in the pure rooms.
func TestPureRoomsKnowNoClock(t *testing.T) {
	out, err := exec.Command("grep", "-rnE", `time\.(Now|Since|Until)\(`, "--include=*.go", "../../risk", "../../codegen", "../../checkpoint", "../../registry").Output()
	if err != nil && len(out) == 0 {
		return // nothing found
	}
	for line := range strings.SplitSeq(strings.TrimSpace(string(out)), "\n") {
		file, _, _ := strings.Cut(line, ":")
		if strings.HasSuffix(file, "_test.go") || strings.Contains(file, "/gen/") {
			continue
		}
		t.Errorf("asks the clock: %s", line)
	}
}
