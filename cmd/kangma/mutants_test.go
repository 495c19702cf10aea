package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTheMutantsOfTheDocsExist keeps the table of mutants in docs/stores.md in step with the tests.
func TestTheMutantsOfTheDocsExist(t *testing.T) {
	root := filepath.Join("..", "..")
	text, err := os.ReadFile(filepath.Join(root, "docs", "stores.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), "### Mutants\n")
	if !found {
		t.Fatal("docs/stores.md has no table of mutants")
	}
	table, _, _ = strings.Cut(table, "\n### ")
	named := regexp.MustCompile("(store/[a-z/]+|cmd/[a-z/]+) `(Test[A-Za-z0-9]+)`").FindAllStringSubmatch(table, -1)
	if len(named) < 8 {
		t.Errorf("the table names %d tests", len(named))
	}
	for _, n := range named {
		files, err := filepath.Glob(filepath.Join(root, n[1], "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		there := false
		for _, file := range files {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			there = there || strings.Contains(string(src), "func "+n[2]+"(")
		}
		if !there {
			t.Errorf("%s has no %s", n[1], n[2])
		}
	}
}
