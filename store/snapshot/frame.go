package snapshot

import (
	"bufio"
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/kangma/kangma"
)

// Key is the secret that copies are sealed with.
type Key [32]byte

const (
	magic     = "KMSNAP1\n"
	saltSize  = 32
	checkSize = 16
	openSize  = len(magic) + saltSize + checkSize
	fullFrame = 256 << 10 // a frame with this much is sent
	maxFrame  = 40 << 20  // one record may have 16 MiB
)

// Types of frames.
const (
	typeHead = iota + 1
	typeDossiers
	typeRecords
	typeRows
	typeTail
)

var (
	errFormat = kangma.E(kangma.Invalid, "snapshot_format", "this is no snapshot of this program")
	errKey    = kangma.E(kangma.Invalid, "snapshot_key", "this snapshot was sealed with other keys; give the folder of the keys it was made with")
	errCut    = kangma.E(kangma.Internal, "snapshot_cut", "the snapshot is not whole; take another one")
	errBroken = kangma.E(kangma.Internal, "snapshot_damaged", "the snapshot is damaged; take another one")
)

// frames seals and opens frames in their order.
type frames struct {
	aead cipher.AEAD
	open []byte // what stands before the frames
	n    uint64
}

func newFrames(key Key, salt []byte) (*frames, error) {
	raw, err := hkdf.Key(sha256.New, key[:], salt, "kangma snapshot frames 1", 32)
	if err != nil {
		return nil, err
	}
	check, err := hkdf.Key(sha256.New, key[:], salt, "kangma snapshot check 1", checkSize)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(raw)
	if err != nil {
		return nil, err
	}
	f := &frames{open: append(append([]byte(magic), salt...), check...)}
	f.aead, err = cipher.NewGCM(block)
	return f, err
}

// nonce gives the next number; the key is of this file only, so no number seals twice.
func (f *frames) nonce() []byte {
	var b [12]byte
	binary.BigEndian.PutUint64(b[4:], f.n)
	f.n++
	return b[:]
}

// writer writes the opening and frames.
type writer struct {
	*frames
	w    *bufio.Writer
	size int64
}

func newWriter(w io.Writer, key Key) (*writer, error) {
	salt := make([]byte, saltSize)
	rand.Read(salt)
	f, err := newFrames(key, salt)
	if err != nil {
		return nil, err
	}
	out := &writer{frames: f, w: bufio.NewWriterSize(w, 1<<20), size: int64(openSize)}
	_, err = out.w.Write(f.open)
	return out, err
}

func (w *writer) frame(kind byte, content []byte) error {
	plain := append([]byte{kind}, content...)
	sealed := w.aead.Seal(nil, w.nonce(), plain, w.frames.open)
	var n [4]byte
	binary.LittleEndian.PutUint32(n[:], uint32(len(sealed)))
	_, err1 := w.w.Write(n[:])
	_, err2 := w.w.Write(sealed)
	w.size += int64(4 + len(sealed))
	return errors.Join(err1, err2)
}

// reader reads what writer wrote.
type reader struct {
	*frames
	r    *bufio.Reader
	size int64
}

func newReader(r io.Reader, key Key) (*reader, error) {
	in := &reader{r: bufio.NewReaderSize(r, 1<<20), size: int64(openSize)}
	got := make([]byte, openSize)
	if _, err := io.ReadFull(in.r, got); err != nil || string(got[:len(magic)]) != magic {
		return nil, errFormat
	}
	f, err := newFrames(key, got[len(magic):len(magic)+saltSize])
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(got, f.open) {
		return nil, errKey
	}
	in.frames = f
	return in, nil
}

// next opens the next frame. io.EOF: there is none.
func (r *reader) next() (kind byte, content []byte, err error) {
	var n [4]byte
	switch _, err := io.ReadFull(r.r, n[:]); {
	case errors.Is(err, io.EOF):
		return 0, nil, io.EOF
	case err != nil:
		return 0, nil, errCut.Because(err)
	}
	size := binary.LittleEndian.Uint32(n[:])
	if size < uint32(1+r.aead.Overhead()) || size > maxFrame {
		return 0, nil, errBroken.Because(fmt.Errorf("frame %d of %d bytes", r.n, size))
	}
	var sealed bytes.Buffer // grows with what is there, not with what the length says
	if got, err := io.CopyN(&sealed, r.r, int64(size)); err != nil {
		return 0, nil, errCut.Because(fmt.Errorf("frame %d: %d of %d bytes: %w", r.n, got, size, err))
	}
	plain, err := r.aead.Open(sealed.Bytes()[:0], r.nonce(), sealed.Bytes(), r.frames.open)
	if err != nil {
		return 0, nil, errBroken.Because(fmt.Errorf("frame %d", r.n-1))
	}
	r.size += int64(4 + size)
	return plain[0], plain[1:], nil
}
