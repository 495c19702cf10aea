package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/kangma/kangma"
)

// await waits for servers that hold the state and are not there yet, answering on ln meanwhile that nothing can be decided: a node
// that comes up before its Redis, or while it is filled again, heals alone. What is not "not now" is for the caller to find out.
func (c *serveCmd) await(w *world, ln net.Listener, log *slog.Logger) error {
	if len(w.Redis) == 0 {
		return nil
	}
	err := w.probe()
	if err == nil || kangma.KindOf(err) != kangma.Unavailable {
		return nil
	}
	if w.hasCopy() {
		return nil // what this node last knew of it does for a while
	}
	log.Warn("the state store is not there; waiting for it", "err", err)
	meanwhile := &http.Server{Handler: http.HandlerFunc(notYet), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second, MaxHeaderBytes: 8 << 10}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = meanwhile.Serve(lent{ln}) // ends by Shutdown below
	}()
	for err != nil && kangma.KindOf(err) == kangma.Unavailable && w.ctx.Err() == nil {
		select {
		case <-w.ctx.Done():
		case <-time.After(time.Second):
			err = w.probe()
		}
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(w.ctx), 5*time.Second)
	defer cancel()
	err = meanwhile.Shutdown(grace)
	<-done
	if l, ok := ln.(deadliner); ok {
		err = errors.Join(err, l.SetDeadline(time.Time{}))
	}
	return errors.Join(err, w.ctx.Err())
}

// probe asks the state store for something.
func (w *world) probe() error {
	s, c := &stack{}, *w.cli
	err := s.openKeys(w.cli)
	if err == nil {
		err = s.openState(w.ctx, &c, slog.New(slog.DiscardHandler))
	}
	if err == nil {
		_, err = s.records.Get(w.ctx, "active", "rules")
	}
	if errors.Is(err, kangma.NotFound) {
		err = nil
	}
	if closing := s.Close(); err == nil {
		err = closing
	}
	return err
}

// notYet is the answer while the state store is not there.
func notYet(rw http.ResponseWriter, r *http.Request) {
	h := rw.Header()
	h.Set("Retry-After", "2")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	status, kind, body := http.StatusServiceUnavailable, "application/problem+json", any(map[string]any{
		"status": 503, "title": "Service Unavailable", "code": "state_absent", "detail": "状态库还没有就绪，请稍后再试。 The state store is not there yet; try again in a moment."})
	switch r.URL.Path {
	case "/healthz":
		status, kind, body = http.StatusOK, "application/json", map[string]string{"status": "ok"}
	case "/readyz":
		kind, body = "application/json", map[string]any{"status": "unavailable", "parts": map[string]string{"state": "not answering; the node waits for it"}}
	}
	h.Set("Content-Type", kind)
	rw.WriteHeader(status)
	_ = json.NewEncoder(rw).Encode(body) // the client left
}

type deadliner interface{ SetDeadline(time.Time) error }

// lent is a listener that its borrower stops using without closing it.
type lent struct{ net.Listener }

// Close makes Accept return.
func (l lent) Close() error {
	if d, ok := l.Listener.(deadliner); ok {
		return d.SetDeadline(time.Now())
	}
	return nil
}
