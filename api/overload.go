package api

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/kangma/kangma"
)

// overloaded is the answer to who cannot be let in now. Its text is Public, so it is in the catalogue.
func overloaded(retryAfter int) error {
	e := kangma.E(kangma.Unavailable, "overloaded", "too many people at once; your place is kept: try again after Retry-After")
	e.RetryAfter = retryAfter
	return e
}

// classOf says how urgent a request is. Health checks and metrics are always let in: free is true.
func classOf(r *http.Request) (c class, free bool) {
	path := r.URL.Path
	switch {
	case path == "/v1/me/code":
		return forResidents, false
	case strings.HasPrefix(path, "/v1/scans"), strings.HasPrefix(path, "/v1/gates/") && strings.HasSuffix(path, "/bundle"),
		strings.HasSuffix(path, "/inspection"), path == "/v1/vehicle-entries/find":
		return forGates, false
	case path == "/healthz", path == "/readyz", path == "/metrics":
		return forGates, true
	case path == "/v1/me", strings.HasPrefix(path, "/v1/me/"), strings.HasPrefix(path, "/v1/session"), path == "/v1/residents",
		path == "/v1/trust-list", strings.HasPrefix(path, "/v1/status-list"), path == "/.well-known/jwks.json", !strings.HasPrefix(path, "/v1/"):
		return forResidents, false
	case path == "/v1/evidence":
		return forResults, false // a larger body waits with the feeds
	case path == "/v1/risk-areas" && r.Method == http.MethodPut:
		return forFeeds, false
	}
	return forOffices, false
}

// smallBody is read before a request is let in, so that who sends it slowly keeps nobody out. A larger body is read by its
// handler, in the share of those who can wait.
const smallBody = 8 << 10

// guard lets requests in by their class.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, free := classOf(r)
		if free {
			next.ServeHTTP(w, r)
			return
		}
		switch n := r.ContentLength; {
		case n > 0 && n <= smallBody:
			body := buffers.Get().(*[]byte)
			defer buffers.Put(body)
			if !readSmall(r, body) {
				id := hotHeaders(w.Header())
				w.Header().Set("Connection", "close")
				writeProblem(w, r.Header.Get("Accept-Language"), newHumaError(http.StatusRequestTimeout, "the request did not come in time").(*Problem), id)
				return
			}
		case n != 0:
			c = max(c, forFeeds)
			if n > maxBody || n < 0 {
				_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(largeBodyTime)) // a connection without deadlines has none to move
			}
		}
		since, proxied := s.proxied(r)
		kept := s.doors.keeps(c, proxied)
		if c.late(since, time.Now()) {
			retryAfter, _ := s.throttle.enterUnless(true, c)
			s.turnAway(w, r, kept, retryAfter)
			return
		}
		retryAfter, ok := s.throttle.enter(r.Context(), c)
		if !ok {
			if retryAfter > 0 {
				s.turnAway(w, r, kept, retryAfter)
			}
			return
		}
		defer s.throttle.leave()
		if !kept && s.throttle.pressed() {
			w.Header().Set("Connection", "close") // a phone comes once; its socket is wanted by others
		}
		s.throttle.hear()
		next.ServeHTTP(w, r)
	})
}

// readSmall reads a small body into a buffer; false: it did not come in time.
func readSmall(r *http.Request, body *[]byte) bool {
	n := int(r.ContentLength)
	if cap(*body) < n {
		*body = make([]byte, n)
	}
	*body = (*body)[:n]
	if _, err := io.ReadFull(r.Body, *body); err != nil {
		return false
	}
	r.Body = struct {
		io.Reader
		io.Closer
	}{bytes.NewReader(*body), r.Body}
	return true
}

// turnAway refuses with the place in the virtual queue, and hangs up unless the connection is to be kept.
func (s *Server) turnAway(w http.ResponseWriter, r *http.Request, kept bool, retryAfter int) {
	id := hotHeaders(w.Header())
	if !kept {
		w.Header().Set("Connection", "close")
	}
	writeProblem(w, r.Header.Get("Accept-Language"), asProblem(overloaded(retryAfter)), id)
}

// Load is how busy the surface is.
type Load struct {
	Running, Waiting int
	Refused          map[string]uint64 // since the start, by class
	Connections      int
	TurnedAway       uint64 // connections refused before anything was read
	DoorShut         uint64 // times that nobody was accepted, since refusing took its share
}

// Load tells how busy the surface is.
func (s *Server) Load() Load {
	t := s.throttle
	t.mu.Lock()
	defer t.mu.Unlock()
	l := Load{Running: t.running + t.parked, Refused: map[string]uint64{}}
	for c, name := range []string{"gates", "residents", "results", "feeds", "offices"} {
		l.Waiting += t.queues[c].Len()
		l.Refused[name] = t.refused[c]
	}
	l.Connections, l.TurnedAway = s.doors.count()
	l.DoorShut = uint64(s.doors.shut.Load())
	return l
}
