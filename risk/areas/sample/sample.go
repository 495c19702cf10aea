// Package sample holds a few risk-area lists in the official format that the project wrote itself: real divisions around
// 汕尾市, invented estates. Tests and the demo use them; nobody may take them for news.
package sample

import (
	"bytes"
	"embed"
	"io/fs"
	"time"

	"github.com/kangma/kangma/risk/areas"
)

// Files are the lists, one file an hour, in the folder lists (the same files as testdata/risk-areas).
//
//go:embed lists/*.json
var Files embed.FS

// Lists gives the lists in order of time, moved together by whole hours so that the newest is of the hour of newest. A
// zero newest leaves them in August 2022.
func Lists(newest time.Time) ([]*areas.List, error) {
	names, err := fs.Glob(Files, "lists/*.json")
	if err != nil {
		return nil, err
	}
	var out []*areas.List
	for _, name := range names {
		raw, err := Files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		l, err := areas.ParseList(bytes.NewReader(raw))
		if err != nil {
			return nil, err
		}
		out = append(out, l)
	}
	if newest.IsZero() {
		return out, nil
	}
	shift := newest.Truncate(time.Hour).Sub(out[len(out)-1].At)
	for _, l := range out {
		l.At, l.Published = l.At.Add(shift), l.Published.Add(shift)
	}
	return out, nil
}
