package realserver

import (
	"bufio"
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Redis is one running redis-server.
type Redis struct {
	*Process
	Addr     string // host:port
	Password string
	Dir      string // where its data lie
}

// RedisDurable are the options for a server that keeps its data as we advise: append-only file, fsync every second, the
// people of a bucket in one piece of memory.
var RedisDurable = []string{"--appendonly", "yes", "--appendfsync", "everysec", "--hash-max-listpack-value", "1024"}

// RedisSurvivesKill are the options for a server that has written a command to its file before it answers, so that
// SIGKILL (not a power cut) loses nothing. With everysec Redis answers without having written while an fsync is still
// running, and SIGKILL then loses acknowledged commands: 3 of 150 kills on a busy machine.
var RedisSurvivesKill = []string{"--appendonly", "yes", "--appendfsync", "no"}

// StartRedis starts one redis-server with a password. Extra arguments are its own options, e.g. RedisDurable.
func StartRedis(tb testing.TB, options ...string) *Redis {
	tb.Helper()
	return startRedis(tb, tb.TempDir(), rand.Text(), options)
}

func startRedis(tb testing.TB, dir, password string, options []string) *Redis {
	tb.Helper()
	path := find(tb, "redis-server", "redis-server")
	port := freePort(tb)
	conf := fmt.Sprintf("bind 127.0.0.1\nport %d\ndir %s\nrequirepass %s\nmasterauth %s\nsave \"\"\ndaemonize no\n", port, dir, password, password)
	file := filepath.Join(dir, "redis.conf")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		tb.Fatal(err)
	}
	r := &Redis{Addr: fmt.Sprintf("127.0.0.1:%d", port), Password: password, Dir: dir}
	r.Process = &Process{
		tb: tb, name: "redis-server " + r.Addr, path: path, args: append([]string{file}, options...),
		log: filepath.Join(dir, "redis.log"),
		ping: func() error {
			_, err := r.Do("PING")
			return err
		},
	}
	r.start()
	return r
}

// Do sends one command over a connection of its own and gives the reply as text (bulk and simple strings, integers; an
// array gives its length). It exists to arrange faults from outside, past the client under test.
func (r *Redis) Do(args ...string) (string, error) {
	conn, err := net.DialTimeout("tcp", r.Addr, time.Second)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	rd := bufio.NewReader(conn)
	if _, err := command(conn, rd, "AUTH", r.Password); err != nil {
		return "", err
	}
	return command(conn, rd, args...)
}

// Must is Do that fails the test on an error.
func (r *Redis) Must(args ...string) string {
	r.tb.Helper()
	out, err := r.Do(args...)
	if err != nil {
		r.tb.Fatalf("redis %s: %v", args[0], err)
	}
	return out
}

func command(conn net.Conn, rd *bufio.Reader, args ...string) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(args))
	for _, a := range args {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(a), a)
	}
	if _, err := conn.Write([]byte(b.String())); err != nil {
		return "", err
	}
	line, err := rd.ReadString('\n')
	if err != nil {
		return "", err
	}
	line = strings.TrimRight(line, "\r\n")
	switch body := line[1:]; line[0] {
	case '-':
		return "", fmt.Errorf("redis says: %s", body)
	case '$':
		n, err := strconv.Atoi(body)
		if err != nil || n < 0 {
			return "", err
		}
		buf := make([]byte, n+2)
		for got := 0; got < len(buf); {
			k, err := rd.Read(buf[got:])
			if err != nil {
				return "", err
			}
			got += k
		}
		return string(buf[:n]), nil
	default:
		return body, nil
	}
}
