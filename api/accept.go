package api

import (
	"errors"
	"net"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// acceptMost is how many connections are accepted before others have their turn.
const acceptMost = 64

// startLoops lets loops read the connections of a TCP listener, where shows wait for nobody; otherwise each has a goroutine.
func (f *front) startLoops(ln net.Listener) (run func(), err error) {
	t, ok := ln.(*net.TCPListener)
	if !ok || !f.s.cfg.FromMemory {
		return f.run, nil
	}
	if f.same, err = t.File(); err != nil { // a listener of Go's does not let anybody else accept
		return nil, err
	}
	raw, err := f.same.SyscallConn()
	if err == nil {
		err = inherited(raw)
	}
	if err != nil {
		return nil, err
	}
	if f.loops, err = newLoops(f, f.s.doors.limit+spareFiles); err != nil {
		return nil, err
	}
	f.crew = &crew{front: f}
	f.loops.start()
	return func() { f.end(f.accept(raw)) }, nil
}

// inherited sets on the listener what its connections are to have: small answers are sent at once, and who is gone without a word is noticed.
// They are accepted when their first bytes are there (a second later, if none come), so that most are read without being waited for.
func inherited(ln syscall.RawConn) error {
	var set error
	err := ln.Control(func(fd uintptr) {
		set = unix.SetNonblock(int(fd), true)
		for _, o := range [][3]int{
			{unix.IPPROTO_TCP, unix.TCP_NODELAY, 1}, {unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1}, {unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 15},
			{unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, 15}, {unix.IPPROTO_TCP, unix.TCP_KEEPCNT, 9}, {unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, 1},
		} {
			set = errors.Join(set, unix.SetsockoptInt(int(fd), o[0], o[1], o[2]))
		}
	})
	return errors.Join(err, set)
}

// accept takes connections from a listener until it is closed.
func (f *front) accept(ln syscall.RawConn) error {
	wait, keeper := time.Duration(0), newDoorkeeper(f.same, f.s.doors)
	for {
		keeper.keep()
		var failed error
		err := ln.Read(func(fd uintptr) bool {
			for i := range acceptMost {
				c, _, errno := unix.RawSyscall6(unix.SYS_ACCEPT4, fd, 0, 0, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0, 0)
				switch errno {
				case 0:
					f.welcome(keeper, int(c))
				case unix.EAGAIN:
					return i > 0
				case unix.EINTR, unix.ECONNABORTED:
				default:
					failed = errno
					return true
				}
			}
			return true
		})
		var errno syscall.Errno
		switch {
		case err != nil:
			return net.ErrClosed
		case failed == nil:
			wait = 0
			runtime.Gosched()
		case errors.As(failed, &errno) && errno.Temporary() || failed == unix.ENOBUFS || failed == unix.ENOMEM: // no file is free for a moment
			wait = min(max(2*wait, 5*time.Millisecond), time.Second)
			time.Sleep(wait)
		default:
			return failed
		}
	}
}

// newPolled makes a connection whose turn the caller has until the poller knows it: whoever stops the loops must not close it beneath them.
func (f *front) newPolled(fd int) *polled {
	p := &polled{front: f, sock: socket{fd: fd, poll: f.loops.poll, open: true}}
	p.conn.Conn = &p.sock
	p.turn.Store(turnTaken)
	return p
}

// welcome lets a connection in, or tells it to come later.
func (f *front) welcome(keeper *doorkeeper, fd int) {
	p, d := f.newPolled(fd), f.s.doors
	if d.crowded() || !d.place(&p.conn) {
		keeper.turnAway(fd)
		return
	}
	f.served.Add(1)
	if p.sock.asked() { // who says nothing waits for nobody
		p.conn.unseen()
	}
	p.due.Store(nanos() + int64(headerTime))
	switch {
	case !f.loops.add(p):
		p.conn.leave()
		f.served.Done()
		keeper.turnAway(fd)
	case !p.turn.CompareAndSwap(turnTaken, turnFree): // something has come, and a loop was quick
		f.crew.readAll(p)
	case f.stopping.Load() && p.claim():
		p.over()
	}
}
