package load

import (
	"net/netip"

	"golang.org/x/sys/unix"
)

type connState uint8

const (
	idle connState = iota
	connecting
	busy
)

// conn is one connection of one client.
type conn struct {
	fd         int
	state      connState
	used       bool // it has had an answer before
	t          ticket
	out        []byte
	written    int
	in         []byte
	res        response
	prev, next *conn // in flight, oldest first
}

// dial begins a connection; it may be made at once or later.
func dial(addr netip.AddrPort) (fd int, err error) {
	family := unix.AF_INET6
	if addr.Addr().Is4() {
		family = unix.AF_INET
	}
	fd, err = unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	var sa unix.Sockaddr = &unix.SockaddrInet6{Port: int(addr.Port()), Addr: addr.Addr().As16()}
	if family == unix.AF_INET {
		sa = &unix.SockaddrInet4{Port: int(addr.Port()), Addr: addr.Addr().As4()}
	}
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		unix.Close(fd)
		return -1, err
	}
	if err = unix.Connect(fd, sa); err != nil && err != unix.EINPROGRESS {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// hangUp closes at once (RST), so that many short connections do not use up the ports.
func hangUp(fd int) {
	_ = unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}) // without it the close is only slower
	unix.Close(fd)
}

// flight is the list of connections with a request under way, oldest first.
type flight struct{ oldest, newest *conn }

func (f *flight) add(c *conn) {
	c.prev, c.next = f.newest, nil
	if f.newest != nil {
		f.newest.next = c
	} else {
		f.oldest = c
	}
	f.newest = c
}

func (f *flight) remove(c *conn) {
	if c.prev != nil {
		c.prev.next = c.next
	} else {
		f.oldest = c.next
	}
	if c.next != nil {
		c.next.prev = c.prev
	} else {
		f.newest = c.prev
	}
	c.prev, c.next = nil, nil
}
