package feeds

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"github.com/kangma/kangma"
)

// MaxLine bounds one line in bytes; MaxLines the lines of one file.
const (
	MaxLine  = 64 << 10
	MaxLines = 10_000_000
)

// lines reads a file line by line in bounded memory. A line that is too long is given as its beginning, with long set,
// and reading goes on after it.
type lines struct {
	r      *bufio.Reader
	number int // of the current line, from 1; blank lines count
	line   []byte
	long   bool
	err    error
}

func newLines(r io.Reader) *lines { return &lines{r: bufio.NewReaderSize(r, MaxLine+2)} }

// next goes to the next line that is not blank. A byte order mark before the first and a carriage return at the end of
// each line are dropped.
func (l *lines) next() bool {
	for {
		line, long, ok := l.read()
		if !ok {
			return false
		}
		l.number++
		if l.number == 1 {
			line = bytes.TrimPrefix(line, []byte("\ufeff"))
		}
		if l.number > MaxLines {
			l.err = kangma.E(kangma.TooLarge, "feed_lines", "a file has at most 10,000,000 lines; split it")
			return false
		}
		line = bytes.TrimSuffix(line, []byte("\r"))
		if !long && len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		l.line, l.long = line, long
		return true
	}
}

// read gives the bytes up to the next newline; of a line over MaxLine only the beginning, and then it skips the rest.
func (l *lines) read() (line []byte, long, ok bool) {
	if l.err != nil {
		return nil, false, false
	}
	line, err := l.r.ReadSlice('\n')
	switch {
	case err == nil:
		line = line[:len(line)-1]
		return line[:min(len(line), MaxLine)], len(line) > MaxLine, true
	case errors.Is(err, io.EOF):
		return line[:min(len(line), MaxLine)], len(line) > MaxLine, len(line) > 0
	case !errors.Is(err, bufio.ErrBufferFull):
		l.err = kangma.E(kangma.Unavailable, "feed_read", "the file could not be read to its end").Because(err)
		return nil, false, false
	}
	line = bytes.Clone(line[:MaxLine])
	for errors.Is(err, bufio.ErrBufferFull) {
		_, err = l.r.ReadSlice('\n')
	}
	if err != nil && !errors.Is(err, io.EOF) {
		l.err = kangma.E(kangma.Unavailable, "feed_read", "the file could not be read to its end").Because(err)
		return nil, false, false
	}
	return line, true, true
}
