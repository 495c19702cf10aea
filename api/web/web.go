// Package web holds the built front end: static files only, made from src by `npm run build` and committed so that
// building Kangma needs no Node. It refuses HTTP: package api serves the files and sets their headers.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Files gives the root of the built pages: index.html, resident.html, gate.html, vehicle.html and office.html, and under
// assets/ files whose names carry a hash of their content, so that they may be cached for ever.
func Files() fs.FS {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // the name is a constant and the directory is embedded
	}
	return sub
}
