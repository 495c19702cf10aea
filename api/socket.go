package api

import (
	"net"
	"os"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// socket is a connection that loops read and write without waiting, and that Go's own poller knows nothing of. Only who has the turn
// (polled) uses it; Close may come from anybody. It becomes an ordinary connection for who must wait or hands it over.
type socket struct {
	fd   int
	poll int // the poller of the loops
	peer net.Addr

	mu   sync.Mutex // of what follows, and of closing the file beneath who shuts it down
	open bool
	tcp  net.Conn // what it has become
}

// read and write do not wait; they are system calls of a few microseconds that the scheduler need not know of.
func (s *socket) read(b []byte) (int, syscall.Errno) {
	n, _, errno := unix.RawSyscall(unix.SYS_READ, uintptr(s.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
	return int(n), errno
}

func (s *socket) write(b []byte) (int, syscall.Errno) {
	n, _, errno := unix.RawSyscall(unix.SYS_WRITE, uintptr(s.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
	return int(n), errno
}

// asked reports whether something has come.
func (s *socket) asked() bool {
	n, err := unix.IoctlGetInt(s.fd, unix.SIOCINQ)
	return err == nil && n > 0
}

// silent is for how long nothing has come.
func (s *socket) silent() time.Duration {
	info, err := unix.GetsockoptTCPInfo(s.fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return 0
	}
	return time.Duration(info.Last_data_recv) * time.Millisecond
}

// ordinary takes it from the loops' poller and makes it a connection of Go's.
func (s *socket) ordinary() error {
	if s.tcp != nil {
		return nil
	}
	_ = unix.EpollCtl(s.poll, unix.EPOLL_CTL_DEL, s.fd, nil) // fails where it never was there
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = false
	f := os.NewFile(uintptr(s.fd), "connection")
	defer f.Close() // what follows has a copy of the file
	c, err := net.FileConn(f)
	if err == nil {
		s.tcp = c
	}
	return err
}

// release closes it, for who has the turn.
func (s *socket) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tcp != nil {
		s.tcp.Close()
	}
	if s.open {
		unix.Close(s.fd)
		s.open = false
	}
}

// Close ends the connection, for anybody: who has the turn, or gets it by this, then closes the file.
func (s *socket) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.tcp != nil:
		return s.tcp.Close()
	case s.open:
		return unix.Shutdown(s.fd, unix.SHUT_RDWR)
	}
	return nil
}

// Write waits where it has to, as an ordinary connection.
func (s *socket) Write(b []byte) (n int, err error) {
	for s.tcp == nil && n < len(b) {
		switch m, errno := s.write(b[n:]); errno {
		case 0:
			n += m
		case unix.EINTR:
		case unix.EAGAIN:
			if err := s.ordinary(); err != nil {
				return n, err
			}
			_ = s.tcp.SetWriteDeadline(time.Now().Add(writeTime)) // fails only when it is closed, and then so does the write
		default:
			return n, errno
		}
	}
	if n == len(b) {
		return n, nil
	}
	m, err := s.tcp.Write(b[n:])
	return n + m, err
}

// Read reads from the connection that it has become.
func (s *socket) Read(b []byte) (int, error) {
	if s.tcp == nil {
		return 0, net.ErrClosed
	}
	return s.tcp.Read(b)
}

// RemoteAddr is the client's; nil where the system does not know it any more.
func (s *socket) RemoteAddr() net.Addr {
	if s.tcp != nil {
		return s.tcp.RemoteAddr()
	}
	if s.peer == nil {
		switch a, _ := unix.Getpeername(s.fd); a := a.(type) {
		case *unix.SockaddrInet4:
			s.peer = &net.TCPAddr{IP: a.Addr[:], Port: a.Port}
		case *unix.SockaddrInet6:
			s.peer = &net.TCPAddr{IP: a.Addr[:], Port: a.Port}
		}
	}
	return s.peer
}

// LocalAddr is ours, once it is an ordinary connection.
func (s *socket) LocalAddr() net.Addr {
	if s.tcp != nil {
		return s.tcp.LocalAddr()
	}
	return nil
}

// SetDeadline, SetReadDeadline and SetWriteDeadline are for what it has become: in the loops nothing waits.
func (s *socket) SetDeadline(t time.Time) error {
	if s.tcp == nil {
		return nil
	}
	return s.tcp.SetDeadline(t)
}

// SetReadDeadline is as SetDeadline.
func (s *socket) SetReadDeadline(t time.Time) error {
	if s.tcp == nil {
		return nil
	}
	return s.tcp.SetReadDeadline(t)
}

// SetWriteDeadline is as SetDeadline.
func (s *socket) SetWriteDeadline(t time.Time) error {
	if s.tcp == nil {
		return nil
	}
	return s.tcp.SetWriteDeadline(t)
}
