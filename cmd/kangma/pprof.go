package main

import (
	"context"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"time"

	"github.com/kangma/kangma"
)

// servePprof answers profiles at a loopback address until ctx ends; "" does nothing. A profile shows what the process
// does, so it is for those who are on the machine.
func servePprof(ctx context.Context, address string) error {
	if address == "" {
		return nil
	}
	addr, err := netip.ParseAddrPort(address)
	if err != nil || !addr.Addr().IsLoopback() {
		return kangma.E(kangma.Invalid, "pprof", "profiles are served at a loopback address only, such as 127.0.0.1:6060")
	}
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	context.AfterFunc(ctx, func() { server.Close() })
	go func() { _ = server.Serve(ln) }() // it ends when the context does
	return nil
}
