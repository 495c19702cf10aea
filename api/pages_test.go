package api_test

import (
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/kangma/kangma/api"
)

// The headers of static files, as browsers, service workers and caches need them.
func TestPagesAreServedWithTheirHeaders(t *testing.T) {
	w := newTown(t)
	policy := "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; img-src 'self' data: blob:; " +
		"connect-src 'self'; media-src 'self' blob:; manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
	asset := ""
	for _, part := range strings.Split(ask(w.server, http.MethodGet, "/resident", "", "", nil).Body.String(), `"`) {
		if strings.HasPrefix(part, "/assets/resident-") && strings.HasSuffix(part, ".js") {
			asset = part
		}
	}
	for path, want := range map[string][2]string{
		"/resident":             {"text/html; charset=utf-8", "no-cache"},
		"/gate":                 {"text/html; charset=utf-8", "no-cache"},
		"/sw.js":                {"text/javascript; charset=utf-8", "no-cache"}, // a worker that is cached is a page that is never mended
		"/resident.webmanifest": {"application/manifest+json", "no-cache"},
		"/gate.webmanifest":     {"application/manifest+json", "no-cache"},
		"/icon-192.png":         {"image/png", "no-cache"},
		"/icon-512.png":         {"image/png", "no-cache"},
		asset:                   {"text/javascript; charset=utf-8", "public, max-age=31536000, immutable"},
	} {
		t.Run(path, func(t *testing.T) {
			got := ask(w.server, http.MethodGet, path, "", "", nil)
			h := got.Header()
			if got.Code != 200 || got.Body.Len() == 0 || h.Get("Content-Type") != want[0] || h.Get("Cache-Control") != want[1] {
				t.Errorf("%d, %d bytes, %q, %q", got.Code, got.Body.Len(), h.Get("Content-Type"), h.Get("Cache-Control"))
			}
			if h.Get("Content-Security-Policy") != policy || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cross-Origin-Resource-Policy") != "same-origin" {
				t.Errorf("security headers: %v", h)
			}
		})
	}
	for _, path := range []string{"/sw.mjs", "/assets/", "/assets/../sw.js", "/icon.png"} {
		if got := ask(w.server, http.MethodGet, path, "", "", nil); got.Code != 404 {
			t.Errorf("%s: %d", path, got.Code)
		}
	}
}

// What the API answers is kept by nobody.
func TestABundleNamesTheKeyThatSignedItAndIsNotCached(t *testing.T) {
	w := newTown(t)
	got := ask(w.server, http.MethodGet, "/v1/gates/metro-1/bundle", w.staff(api.GateStaff), "", nil)
	spki, err := base64.StdEncoding.DecodeString(got.Header().Get("Kangma-List-Key"))
	if err != nil || got.Code != 200 || got.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %v, %v", got.Code, got.Header(), err)
	}
	if key, err := x509.ParsePKIXPublicKey(spki); err != nil || !w.lists.key.PublicKey.Equal(key) {
		t.Errorf("%v, %v", key, err)
	}
}
