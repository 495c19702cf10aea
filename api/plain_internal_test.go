package api

import (
	"encoding/json"
	"net/http"
	"strings"
)

// Plain answers the two hot routes in the ordinary way of Go, net/http and encoding/json and nothing else: the same login, rules,
// signature and journal, but no front, no throttle, no problems and no headers of ours. Ours are measured beside it.
func Plain(s *Server) http.Handler {
	mux := http.NewServeMux()
	send := func(w http.ResponseWriter, v any, err error) {
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v)
	}
	mux.HandleFunc("GET /v1/me/code", func(w http.ResponseWriter, r *http.Request) {
		p, err := s.auth.principal(r.Context(), strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
		if err != nil || p.Role != Resident {
			http.Error(w, "who is this?", http.StatusUnauthorized)
			return
		}
		v, err := s.issueFor(r.Context(), p.Person, 0)
		send(w, v, err)
	})
	mux.HandleFunc("POST /v1/scans", func(w http.ResponseWriter, r *http.Request) {
		in := scanIn{Key: r.Header.Get("Idempotency-Key"), Brief: r.URL.Query().Get("brief") == "true"}
		d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
		d.DisallowUnknownFields()
		if err := d.Decode(&in.Body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		v, err := s.scanAs(r.Context(), r.Header.Get, &in)
		send(w, v, err)
	})
	return mux
}
