package api

import (
	"net"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// While the server is full, newcomers are refused with four system calls each (accept, read, write, close) and nothing of Go's network
// library. What refusing may take of the processor is bounded: beyond that nobody is accepted, the kernel's queue is made short, and what
// it does not hold is dropped there, at next to no cost; such a client's system tries again by itself after a second. Refusing everybody
// would leave no time to answer anybody: at ten times what a server carries it is all it could do.

const (
	refusalShare = 0.15                  // of the processor time that this process gets
	refusalSaved = 20 * time.Millisecond // of it may have been saved up
	refusalLeast = 0.005                 // of all the time there is, also while the process waits for something else
	refuseAtOnce = 32
	doorRest     = time.Millisecond
	shortTime    = 30 * time.Millisecond // of work is what the kernel holds while not everybody is refused
	shortQueue   = 32                    // connections, or as many
	longQueue    = 1 << 16
	queueCalm    = time.Second // after which it is long again
)

// doorkeeper refuses newcomers at one listener. It belongs to the goroutine that accepts.
type doorkeeper struct {
	doors *doors
	raw   syscall.RawConn // nil: not a socket; refusals go the ordinary way

	budget time.Duration // of processor time that refusing may still take
	filled time.Time
	used   time.Duration // by this process until then
	shut   time.Time     // when nobody was accepted last; zero: the kernel's queue is long
	again  []byte        // the answer that was written last, for retryAfter
	after  int
}

// newDoorkeeper makes that of ln, a listener or the file of one.
func newDoorkeeper(ln any, d *doors) *doorkeeper {
	k := &doorkeeper{doors: d, budget: refusalSaved, filled: time.Now(), used: cpuTime(unix.CLOCK_PROCESS_CPUTIME_ID)}
	if c, ok := ln.(syscall.Conn); ok {
		if raw, err := c.SyscallConn(); err == nil {
			k.raw = raw
		}
	}
	return k
}

// keep refuses whoever comes while the server is full. It returns when somebody may be accepted.
func (k *doorkeeper) keep() {
	for k.raw != nil && k.doors.crowded() {
		n, err := 0, error(nil)
		if k.affords(time.Now()) {
			if e := k.raw.Control(func(fd uintptr) { n, err = k.refuse(int(fd)) }); e != nil || err != nil {
				break // Accept finds out what is wrong
			}
		}
		if n < refuseAtOnce { // nobody waits now, or refusing took enough: others have the processor
			time.Sleep(doorRest)
		}
	}
	if !k.shut.IsZero() && time.Since(k.shut) > queueCalm {
		k.queue(longQueue)
		k.shut = time.Time{}
	}
}

// affords fills the budget and reports whether anything of it is left.
func (k *doorkeeper) affords(now time.Time) bool {
	used := cpuTime(unix.CLOCK_PROCESS_CPUTIME_ID)
	k.budget += time.Duration(refusalShare*float64(used-k.used) + refusalLeast*float64(now.Sub(k.filled)))
	k.budget = min(refusalSaved, k.budget)
	k.filled, k.used = now, used
	if k.budget > 0 {
		return true
	}
	if k.shut.IsZero() {
		k.queue(max(shortQueue, k.doors.throttle.within(shortTime)))
	}
	k.shut = now
	k.doors.shut.Add(1)
	return false
}

// queue sets how many connections the kernel holds for us.
func (k *doorkeeper) queue(n int) {
	_ = k.raw.Control(func(fd uintptr) { _ = unix.Listen(int(fd), n) }) // it stays as it was
}

// refuse refuses some of those who wait, without waiting for any, and says how many.
func (k *doorkeeper) refuse(listener int) (n int, err error) {
	runtime.LockOSThread() // it is this thread's time that is read
	defer runtime.UnlockOSThread()
	began := cpuTime(unix.CLOCK_THREAD_CPUTIME_ID)
	defer func() { k.budget -= max(0, cpuTime(unix.CLOCK_THREAD_CPUTIME_ID)-began) }()
	for n < refuseAtOnce {
		fd, _, err := unix.Accept4(listener, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		switch err {
		case nil:
			k.turnAway(fd)
			n++
		case unix.EAGAIN:
			return n, nil
		case unix.ECONNABORTED, unix.EINTR:
		default: // no file is free, or the listener is closed
			return n, err
		}
	}
	return n, nil
}

func cpuTime(clock int32) time.Duration {
	var t unix.Timespec
	if unix.ClockGettime(clock, &t) != nil {
		return 0
	}
	return time.Duration(t.Nano())
}

// turnAway answers one whose request is there, and leaves others to be waited with.
func (k *doorkeeper) turnAway(fd int) {
	after := k.doors.throttle.turnedAway()
	if got, over := drain(fd); got == 0 && !over {
		if c := connOf(fd); c != nil {
			k.doors.turnAway(c, after)
		}
		return
	}
	k.doors.mu.Lock()
	k.doors.away++
	k.doors.mu.Unlock()
	if k.again == nil || after != k.after {
		k.again, k.after = appendCanned(k.again[:0], after), after
	}
	// MSG_MORE keeps it for the close, so that answer and end are one packet. A fresh socket takes it whole; if the client is gone there
	// is nobody to tell.
	_ = unix.Sendto(fd, k.again, unix.MSG_MORE|unix.MSG_NOSIGNAL, nil)
	_ = unix.Close(fd)
}

// drain takes what has come of a request; over: the client has hung up, or is gone.
func drain(fd int) (got int, over bool) {
	var ignored [2 << 10]byte
	for got < headMost {
		n, err := unix.Read(fd, ignored[:])
		got += max(n, 0)
		if n < len(ignored) {
			return got, n == 0 || err != nil && err != unix.EAGAIN
		}
	}
	return got, false
}

// connOf makes a connection of a socket; nil: it cannot, and the socket is closed.
func connOf(fd int) net.Conn {
	f := os.NewFile(uintptr(fd), "newcomer")
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		return nil
	}
	return c
}

// appendCanned appends the one answer.
func appendCanned(b []byte, retryAfter int) []byte {
	b = strconv.AppendInt(append(b, cannedHead...), int64(retryAfter), 10)
	return append(append(b, "\r\n\r\n"...), cannedBody...)
}

// crowded reports whether a newcomer would be refused.
func (d *doors) crowded() bool { return d.unheard() || d.throttle.crammedFull() }

// unheard reports whether too many were accepted whom nobody has looked at.
func (d *doors) unheard() bool {
	n := d.waiting.Load()
	return n > unheardLeast && (n > d.most || n > int64(d.throttle.within(unheardTime)))
}
