package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	faultRow  = regexp.MustCompile(`(?m)^\| (R\d+|secrecy) \|.*$`)
	namedTest = regexp.MustCompile("`(Test[A-Za-z0-9]+)`")
	packages  = regexp.MustCompile(`\b(store/[a-z]+|cmd/kangma|registry|api|internal/leak)\b`)
)

// TestTheFaultTestsOfTheDocsExist keeps docs/fault-tests.md in step with the tests: every test that it names exists in a package that
// the row names before it, and every fault has a test and a mutant that is a test.
func TestTheFaultTestsOfTheDocsExist(t *testing.T) {
	root := filepath.Join("..", "..")
	text, err := os.ReadFile(filepath.Join(root, "docs", "fault-tests.md"))
	if err != nil {
		t.Fatal(err)
	}
	soak, err := os.ReadFile(filepath.Join(root, "scripts", "soak"))
	if err != nil {
		t.Fatal(err)
	}
	table, _, _ := strings.Cut(string(text), "## Last runs")
	rows := faultRow.FindAllString(table, -1)
	seen := map[string]bool{}
	for _, row := range rows {
		cells := strings.Split(strings.Trim(row, "|"), "|")
		if len(cells) != 5 {
			t.Errorf("a row of %d cells: %s", len(cells), row)
			continue
		}
		id := strings.TrimSpace(cells[0])
		seen[id] = true
		for what, cell := range map[string]string{"test": cells[2], "mutant": cells[4]} {
			names := namedTest.FindAllStringSubmatch(cell, -1)
			if len(names) == 0 {
				t.Errorf("%s has no %s", id, what)
			}
			for _, n := range names {
				if !exists(t, root, packages.FindAllString(cell, -1), n[1]) {
					t.Errorf("%s: there is no %s in %v", id, n[1], packages.FindAllString(cell, -1))
				}
			}
		}
		for part := range strings.FieldsFuncSeq(cells[3], func(r rune) bool { return r == ',' || r == ' ' }) {
			if !strings.Contains(string(soak), `"`+part+`:./`) {
				t.Errorf("%s: scripts/soak has no part %s", id, part)
			}
		}
	}
	for _, id := range []string{"R1", "R2", "R3", "R4", "R5", "R6", "R7", "R8", "R9", "R11", "R22", "R23", "R24", "R25", "R28", "secrecy"} {
		if !seen[id] {
			t.Errorf("%s is missing", id)
		}
	}
}

// exists looks for a test in any of some packages.
func exists(t *testing.T, root string, in []string, test string) bool {
	t.Helper()
	for _, p := range in {
		files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(p), "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(src), "func "+test+"(") {
				return true
			}
		}
	}
	return false
}
