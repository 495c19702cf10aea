package api

import (
	"bytes"
	"errors"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/kangma/kangma/api/web"
)

// pages serves the embedded front end: one HTML page for each of its entries, and its assets, whose names carry a hash of
// their content and may be cached for ever.
func (s *Server) pages() error {
	files := web.Files()
	for route, file := range map[string]string{
		"/": "index.html", "/resident": "resident.html", "/gate": "gate.html", "/vehicle": "vehicle.html", "/office": "office.html",
	} {
		if _, err := fs.Stat(files, file); err != nil {
			return err
		}
		s.echo.GET(route, func(c echo.Context) error { return sendFile(c, files, file, "no-cache") })
	}
	for _, file := range rootFiles {
		if _, err := fs.Stat(files, file); err != nil {
			return err
		}
		s.echo.GET("/"+file, func(c echo.Context) error { return sendFile(c, files, file, "no-cache") })
	}
	s.echo.GET("/assets/*", func(c echo.Context) error {
		return sendFile(c, files, path.Join("assets", path.Clean("/"+c.Param("*"))), "public, max-age=31536000, immutable")
	})
	return nil
}

// rootFiles have fixed names: a service worker rules over what lies beside and below it, so it lies at the top, and a phone
// knows an installed page by its manifest's address. They are asked for anew each time, as the pages are.
var rootFiles = []string{"sw.js", "resident.webmanifest", "gate.webmanifest", "icon-192.png", "icon-512.png"}

func sendFile(c echo.Context, files fs.FS, name, cache string) error {
	raw, err := fs.ReadFile(files, strings.TrimPrefix(name, "/"))
	if errors.Is(err, fs.ErrNotExist) || err != nil {
		return echo.NewHTTPError(http.StatusNotFound)
	}
	c.Response().Header().Set("Cache-Control", cache)
	if ct := mime.TypeByExtension(path.Ext(name)); path.Ext(name) == ".webmanifest" {
		c.Response().Header().Set("Content-Type", "application/manifest+json")
	} else if ct != "" {
		c.Response().Header().Set("Content-Type", ct)
	}
	http.ServeContent(c.Response(), c.Request(), "", modified, bytes.NewReader(raw))
	return nil
}

// modified is left zero: what is embedded has no time of its own, and caching goes by name.
var modified = time.Time{}
