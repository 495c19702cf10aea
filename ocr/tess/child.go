// Package tess reads lines of text by Tesseract 5 in child processes. The child is this same binary, started again with
// an environment variable set; it has limits on memory and processor time, gains no privileges, writes no files and sees
// only 8-bit pictures that we made ourselves. A picture that breaks the engine breaks a child, never the server.
//
// A program that uses the package calls ChildMain first thing in main (and TestMain).
package tess

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/otiai10/gosseract/v2"
	"golang.org/x/sys/unix"
)

// childEnv is set in the environment of a child; its value is the language.
const childEnv = "KANGMA_OCR_CHILD"

// Limits of a child and of one request.
const (
	maxMemory  = 600 << 20 // address space beyond what the Go runtime has reserved; Tesseract with chi_sim maps about 250 MB
	maxCPU     = 120       // seconds of a child's whole life; a new child is started afterwards
	maxReply   = 1 << 18
	headerSize = 8
)

// reply is a child's answer to one picture.
type reply struct {
	Text string    `json:"text"`
	Conf []float32 `json:"conf"`
	Err  string    `json:"err,omitempty"`
}

// ChildMain turns this process into a reading child and never returns, if it was started as one; otherwise it returns at
// once.
func ChildMain() {
	lang := os.Getenv(childEnv)
	if lang == "" {
		return
	}
	if err := confine(); err != nil {
		os.Exit(3)
	}
	if err := serve(lang, os.Stdin, os.Stdout); err != nil {
		os.Exit(4)
	}
	os.Exit(0)
}

// confine sets the limits. It is called before the engine is loaded.
func confine() error {
	// the Go runtime reserves a gigabyte or more of addresses at start without using them; the limit counts from there
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return err
	}
	var mapped uint64
	if _, err := fmt.Sscan(string(b), &mapped); err != nil {
		return err
	}
	mapped *= uint64(os.Getpagesize())
	set := func(what int, n uint64) error { return unix.Setrlimit(what, &unix.Rlimit{Cur: n, Max: n}) }
	return errors.Join(
		unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
		unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0),
		set(unix.RLIMIT_AS, mapped+maxMemory), set(unix.RLIMIT_CPU, maxCPU), set(unix.RLIMIT_FSIZE, 0), set(unix.RLIMIT_CORE, 0))
}

func serve(lang string, in io.Reader, out io.Writer) error {
	c := gosseract.NewClient()
	defer c.Close()
	if err := c.SetLanguage(strings.Split(strings.TrimSuffix(lang, pageMark), "+")...); err != nil {
		return err
	}
	for k, v := range map[gosseract.SettableVariable]string{"load_system_dawg": "0", "load_freq_dawg": "0", "tessedit_do_invert": "0"} {
		if err := c.SetVariable(k, v); err != nil {
			return err
		}
	}
	if err := c.SetPageSegMode(segmentation(lang)); err != nil {
		return err
	}
	r, w := bufio.NewReader(in), bufio.NewWriter(out)
	for {
		m, err := readPicture(r, largest(lang))
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		b, err := json.Marshal(recognise(c, m))
		if err != nil {
			return err
		}
		if err := binary.Write(w, binary.BigEndian, uint32(len(b))); err != nil {
			return err
		}
		if _, err := w.Write(b); err != nil {
			return err
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
}

func readPicture(r io.Reader, maxPixels int) (*image.Gray, error) {
	var dim [2]uint32
	if err := binary.Read(r, binary.BigEndian, &dim); err != nil {
		return nil, err
	}
	if dim[0] == 0 || dim[1] == 0 || uint64(dim[0])*uint64(dim[1]) > uint64(maxPixels) {
		return nil, errors.New("tess: picture out of bounds")
	}
	m := image.NewGray(image.Rect(0, 0, int(dim[0]), int(dim[1])))
	_, err := io.ReadFull(r, m.Pix)
	return m, err
}

func recognise(c *gosseract.Client, m *image.Gray) reply {
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		return reply{Err: err.Error()}
	}
	if err := c.SetImageFromBytes(b.Bytes()); err != nil {
		return reply{Err: err.Error()}
	}
	boxes, err := c.GetBoundingBoxes(gosseract.RIL_SYMBOL)
	if err != nil {
		return reply{Err: err.Error()}
	}
	var rp reply
	for _, s := range boxes {
		word := strings.TrimSpace(s.Word)
		rp.Text += word
		for range utf8.RuneCountInString(word) {
			rp.Conf = append(rp.Conf, float32(s.Confidence/100))
		}
	}
	return rp
}
