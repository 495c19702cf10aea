package api

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
)

// The two routes that broke other systems, GET /v1/me/code and POST /v1/scans, are answered beside Echo and huma: the
// same rules and the same document, without reflection (docs/performance.md). What is unusual about a request
// (parameters, media types, faults in the body) is left to the general way, so that there is one place that says no.

// hot answers a request of a hot route; false: it is for the general way, with the body as it was.
func (s *Server) hot(w http.ResponseWriter, r *http.Request) bool {
	switch {
	case s.cfg.NoHotPath:
		return false
	case r.URL.Path == "/v1/me/code" && r.Method == http.MethodGet && r.URL.RawQuery == "":
		s.hotCode(w, r)
		return true
	case r.URL.Path == "/v1/scans" && r.Method == http.MethodPost && (r.URL.RawQuery == "" || r.URL.RawQuery == "brief=true"):
		return s.hotScan(w, r)
	}
	return false
}

var (
	residentOnly = []Role{Resident}
	gateOnly     = []Role{GateStaff}
)

func (s *Server) hotCode(w http.ResponseWriter, r *http.Request) {
	id := hotHeaders(w.Header())
	defer s.hotRecover(w, r, id)
	p, err := s.principalOf(r.Context(), r.Header.Get, residentOnly)
	if err != nil {
		s.hotRefuse(w, r, id, err)
		return
	}
	v, err := s.issueFor(r.Context(), p.Person, 0)
	if err != nil {
		s.hotRefuse(w, r, id, err)
		return
	}
	b := buffers.Get().(*[]byte)
	*b = appendCodeView((*b)[:0], &v)
	hotSend(w, b)
}

func (s *Server) hotScan(w http.ResponseWriter, r *http.Request) bool {
	if r.ContentLength < 0 || r.ContentLength > maxBody || r.Header.Get("Content-Type") != "application/json" || r.Header.Get("Content-Encoding") != "" {
		return false
	}
	body := buffers.Get().(*[]byte)
	defer buffers.Put(body)
	*body = slices.Grow((*body)[:0], int(r.ContentLength))[:r.ContentLength]
	n, err := io.ReadFull(r.Body, *body)
	in := scanIn{Key: r.Header.Get("Idempotency-Key"), Brief: r.URL.RawQuery != ""}
	if err != nil || !readScan((*body)[:n], &in) {
		r.Body = &replayed{Reader: io.MultiReader(bytes.NewReader(bytes.Clone((*body)[:n])), r.Body), Closer: r.Body}
		return false
	}
	id := hotHeaders(w.Header())
	defer s.hotRecover(w, r, id)
	v, err := s.scanAs(r.Context(), r.Header.Get, &in)
	if err != nil {
		s.hotRefuse(w, r, id, err)
		return true
	}
	b := buffers.Get().(*[]byte)
	*b = appendVerdictView((*b)[:0], &v)
	hotSend(w, b)
	return true
}

// replayed is a body of which the beginning was read already.
type replayed struct {
	io.Reader
	io.Closer
}

func (s *Server) principalOf(ctx context.Context, header func(string) string, roles []Role) (Principal, error) {
	p, err := s.auth.principal(ctx, tokenOf(header, roles))
	if err == nil && !slices.Contains(roles, p.Role) {
		err = errWrongRole
	}
	return p, err
}

// scanAs answers a scan by whom the headers name.
func (s *Server) scanAs(ctx context.Context, header func(string) string, in *scanIn) (verdictView, error) {
	token := tokenOf(header, gateOnly)
	hint := ""
	if s.cfg.Registry.Moments() != nil {
		hint = accountOf(token)
	}
	return s.scanBy(ctx, in, login{hint, func(ctx context.Context) (Principal, error) {
		p, err := s.auth.principal(ctx, token)
		if err == nil && p.Role != GateStaff {
			err = errWrongRole
		}
		return p, err
	}})
}

var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 4096); return &b }}

type header struct {
	name   string
	values []string
}

// fixedHeaders are shared by all answers: their values are never changed, only replaced.
var fixedHeaders = func() (all []header) {
	for name, value := range securityHeaderValues {
		all = append(all, header{name, []string{value}})
	}
	return all
}()

var jsonType = []string{"application/json"}

// hotHeaders sets what every answer carries and gives the request id.
func hotHeaders(h http.Header) string {
	for _, f := range fixedHeaders {
		h[f.name] = f.values
	}
	id := newRequestID()
	h["X-Request-Id"] = []string{id}
	return id
}

func newRequestID() string {
	var raw [16]byte
	var text [32]byte
	rand.Read(raw[:])
	hex.Encode(text[:], raw[:])
	return string(text[:])
}

// hotSend writes an answer and gives its buffer back.
func hotSend(w http.ResponseWriter, b *[]byte) {
	h := w.Header()
	h["Content-Type"] = jsonType
	h["Content-Length"] = []string{strconv.Itoa(len(*b))}
	_, _ = w.Write(*b) // the client is gone: nobody to tell
	buffers.Put(b)
}

// hotRefuse writes a problem as the general way does.
func (s *Server) hotRefuse(w http.ResponseWriter, r *http.Request, id string, err error) {
	p := asProblem(err)
	logServerFault(context.WithValue(r.Context(), requestIDKey{}, id), s.log, p, err)
	writeProblem(w, r.Header.Get("Accept-Language"), p, id)
}

// writeProblem finishes and sends a problem.
func writeProblem(w http.ResponseWriter, language string, p *Problem, id string) {
	p.finish(language, id)
	h := w.Header()
	if p.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(p.retryAfter))
	}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="kangma"`)
	}
	h.Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the client is gone: nobody to tell
}

// hotRecover turns a panic into the problem "internal".
func (s *Server) hotRecover(w http.ResponseWriter, r *http.Request, id string) {
	if v := recover(); v != nil {
		if v == http.ErrAbortHandler {
			panic(v)
		}
		s.hotRefuse(w, r, id, fmt.Errorf("panic: %v", v))
	}
}
