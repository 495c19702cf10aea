package api

import (
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// How long a request has waited before it is heard. The queue of a full server is not where the server sees it: the requests lie
// unread in the sockets of thousands of phones, or in the proxy that has a few kept connections for all of them. Answering in
// their order answers everybody too late; who is refused at once comes again when told, and the others are answered in time.
//
// A proxy says since when it has a request by the header X-Request-Start ("t=" and seconds or milliseconds since 1970; nginx:
// proxy_set_header X-Request-Start "t=${msec}"). It is believed where its clock is ours: from this machine, or where the
// operator says so. Who sends a time that is too early is refused sooner; who sends one that is too late is not refused by age and keeps the
// connection, so where all peers are believed only proxies may reach the port.

const (
	showWait   = 150 * time.Millisecond // the queue is no shorter for those who wait longer: everybody behind them is only later
	gateWait   = 300 * time.Millisecond // somebody stands at the barrier, and the gate can decide from its bundle
	oldestWait = time.Minute            // older is no queue but a wrong clock
)

// patience is how long a request may have waited unheard; 0: for ever.
func (c class) patience() time.Duration {
	switch c {
	case forGates:
		return gateWait
	case forResidents:
		return showWait
	}
	return 0
}

// requestStart reads the header's value; zero: it is none.
func requestStart[T string | []byte](v T) (at time.Time) {
	if len(v) > 2 && v[0] == 't' && v[1] == '=' {
		v = v[2:]
	}
	var whole, digits, millis, scale int64 = 0, 0, 0, -1
	for i := range len(v) {
		c := v[i]
		switch {
		case c == '.' && scale < 0 && i > 0:
			scale = 100
		case c < '0' || c > '9' || digits > 13:
			return time.Time{}
		case scale < 0:
			whole, digits = whole*10+int64(c-'0'), digits+1
		default: // of a second; what is smaller than a millisecond does not matter
			millis, scale = millis+int64(c-'0')*scale, scale/10
		}
	}
	switch {
	case digits == 10:
		return time.UnixMilli(whole*1000 + millis)
	case digits == 13:
		return time.UnixMilli(whole)
	}
	return time.Time{}
}

// late reports whether a request of a class that waited since at has waited too long by now.
func (c class) late(at, now time.Time) bool {
	waited := now.Sub(at)
	return !at.IsZero() && c.tooLong(waited) && waited < oldestWait
}

// tooLong reports whether a request of a class that has waited so long is refused.
func (c class) tooLong(waited time.Duration) bool { return c.patience() > 0 && waited > c.patience() }

// believes reports whether a peer's X-Request-Start is by our clock.
func (s *Server) believes(peer net.Addr) bool {
	if s.cfg.TrustRequestStart {
		return true
	}
	a, ok := peer.(*net.TCPAddr)
	return ok && a.IP.IsLoopback()
}

// proxied reports whether net/http's request comes from a proxy that is believed, and since when that has it.
func (s *Server) proxied(r *http.Request) (since time.Time, ok bool) {
	v := r.Header.Get("X-Request-Start")
	if v == "" {
		return since, false
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !s.believes(net.TCPAddrFromAddrPort(peer)) {
		return since, false
	}
	return requestStart(v), true
}

// unheard asks the system how long ago the last byte of a request came, be it on a kept connection or on one that had not even been
// accepted then. It takes a microsecond, so it is asked only while the processor is known to be full.
func (h *hotConn) unheard() time.Duration {
	c := h.conn.Conn
	if s, ok := c.(*socket); ok {
		if c = s.tcp; c == nil {
			return s.silent()
		}
	}
	if h.raw == nil {
		t, ok := c.(syscall.Conn)
		if !ok {
			return 0
		}
		raw, err := t.SyscallConn()
		if err != nil {
			return 0
		}
		h.raw = raw
		h.ask = func(fd uintptr) {
			h.silent = 0
			if info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO); err == nil {
				h.silent = time.Duration(info.Last_data_recv) * time.Millisecond
			}
		}
	}
	if h.raw.Control(h.ask) != nil {
		return 0
	}
	return h.silent
}

// waited is how long the request that next found has waited unheard, where that can be known; else 0.
func (h *hotConn) waited(now time.Time) time.Duration {
	switch {
	case h.proxied():
		if at := requestStart(h.head.start); !at.IsZero() && now.Sub(at) < oldestWait {
			return max(0, now.Sub(at))
		}
	case h.front.s.throttle.cramped():
		return h.unheard()
	}
	return 0
}

// enter lets the request that next found in unless it has waited too long: before it was heard, or again while others were heard
// first. (Both together would be refused only after the cost of letting it in, when most who come have waited almost too long.)
func (h *hotConn) enter(c class) (retryAfter int, ok bool) {
	t := h.front.s.throttle
	if retryAfter, ok = t.enterUnless(c.tooLong(h.waited(time.Now())), c); !ok {
		return retryAfter, false
	}
	began := time.Now()
	t.hear()
	if c.tooLong(time.Since(began)) {
		return t.withdraw(c), false
	}
	return 0, true
}

// proxied reports whether a proxy that is believed says since when it has the request. Its connection is not the client's.
func (h *hotConn) proxied() bool {
	return h.head.start != nil && h.front.s.believes(h.conn.RemoteAddr())
}
