package load

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// epoll_pwait2 (Linux 5.11) waits shorter than a millisecond; without it the loop waits whole ones.
const sysEpollPwait2 = 441

type poller struct {
	fd     int
	events [512]unix.EpollEvent
	coarse bool
}

func newPoller() (*poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	return &poller{fd: fd}, err
}

func (p *poller) add(fd int) error {
	return unix.EpollCtl(p.fd, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{
		Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET&0xffffffff, Fd: int32(fd),
	})
}

// wait gives the sockets that became ready, after at most d.
func (p *poller) wait(d time.Duration) ([]unix.EpollEvent, error) {
	if !p.coarse {
		ts := unix.NsecToTimespec(int64(max(0, d)))
		n, _, errno := unix.Syscall6(sysEpollPwait2, uintptr(p.fd), uintptr(unsafe.Pointer(&p.events[0])), uintptr(len(p.events)),
			uintptr(unsafe.Pointer(&ts)), 0, 0)
		if errno == 0 {
			return p.events[:n], nil
		}
		if errno == unix.EINTR {
			return nil, nil
		}
		p.coarse = true
	}
	n, err := unix.EpollWait(p.fd, p.events[:], int((d+time.Millisecond-1)/time.Millisecond))
	if err == unix.EINTR {
		return nil, nil
	}
	return p.events[:max(0, n)], err
}

func (p *poller) close() { unix.Close(p.fd) }
