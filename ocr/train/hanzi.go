package main

import (
	"bufio"
	"compress/bzip2"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// makeHanzi writes the 8,105 characters of the standard table in its order, from Debian's package unicode-data.
func makeHanzi() error {
	files, err := filepath.Glob("/usr/share/unicode/Unihan_*.txt.bz2")
	if err != nil || len(files) == 0 {
		return fmt.Errorf("install the Debian package unicode-data")
	}
	table := make([]rune, 8106)
	n := 0
	for _, name := range files {
		k, err := readTGH(name, table)
		if err != nil {
			return err
		}
		n += k
	}
	if n != 8105 {
		return fmt.Errorf("%d characters have kTGH, want 8105", n)
	}
	return os.WriteFile("ocr/internal/hanzi/hanzi.txt", []byte(string(table[1:])), 0o644)
}

// readTGH reads lines like "U+3447<tab>kTGH<tab>2013:6634".
func readTGH(name string, table []rune) (int, error) {
	f, err := os.Open(name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	n := 0
	sc := bufio.NewScanner(bzip2.NewReader(f))
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		p := strings.Split(sc.Text(), "\t")
		if len(p) != 3 || p[1] != "kTGH" {
			continue
		}
		r, err1 := strconv.ParseUint(strings.TrimPrefix(p[0], "U+"), 16, 32)
		i, err2 := strconv.Atoi(strings.TrimPrefix(p[2], "2013:"))
		if err1 != nil || err2 != nil || i < 1 || i > 8105 {
			return n, fmt.Errorf("%s: cannot read %q", name, sc.Text())
		}
		table[i] = rune(r)
		n++
	}
	return n, sc.Err()
}
