package journal

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"

	"github.com/kangma/kangma/store"
)

// checkpoint is what the journal knows about itself outside its segments: enough to notice on the next start that
// something acknowledged is gone. It is written in the background, so it may lag; it never runs ahead.
type checkpoint struct {
	Seq      uint64
	Journal  [16]byte
	Durable  store.Position // everything up to here was fsynced
	Released store.Position // everything up to here has reached all consumers
	Oldest   store.Position // segments that end before it may be gone
}

const (
	checkpointName = "checkpoint"
	slotSize       = 512 // one sector, so that a torn write spoils one slot at most
	slotUsed       = 68
)

var checkpointMagic = []byte("KMJCKP1\n")

func (c checkpoint) encode() []byte {
	b := make([]byte, 0, slotSize)
	b = append(b, checkpointMagic...)
	b = binary.LittleEndian.AppendUint64(b, c.Seq)
	b = append(b, c.Journal[:]...)
	b = binary.LittleEndian.AppendUint64(b, uint64(c.Durable))
	b = binary.LittleEndian.AppendUint64(b, uint64(c.Released))
	b = binary.LittleEndian.AppendUint64(b, uint64(c.Oldest))
	b = append(b, make([]byte, slotUsed-4-len(b))...)
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
	return b[:slotSize]
}

func decodeCheckpoint(b []byte) (c checkpoint, ok bool) {
	if len(b) != slotSize || !bytes.HasPrefix(b, checkpointMagic) ||
		binary.LittleEndian.Uint32(b[slotUsed-4:]) != crc32.Checksum(b[:slotUsed-4], castagnoli) {
		return checkpoint{}, false
	}
	c.Seq = binary.LittleEndian.Uint64(b[8:])
	copy(c.Journal[:], b[16:])
	c.Durable = store.Position(binary.LittleEndian.Uint64(b[32:]))
	c.Released = store.Position(binary.LittleEndian.Uint64(b[40:]))
	c.Oldest = store.Position(binary.LittleEndian.Uint64(b[48:]))
	return c, true
}

// readCheckpoint gives the newer of the two slots. found says that there is a file at all, ok that a slot is good.
func readCheckpoint(fs FS, dir string) (c checkpoint, found, ok bool, err error) {
	f, err := fs.OpenFile(filepath.Join(dir, checkpointName), os.O_RDONLY, 0)
	if os.IsNotExist(err) {
		return c, false, false, nil
	}
	if err != nil {
		return c, false, false, err
	}
	defer f.Close()
	for i := range int64(2) {
		slot := make([]byte, slotSize)
		if n, _ := f.ReadAt(slot, i*slotSize); n < slotSize {
			continue
		}
		if s, good := decodeCheckpoint(slot); good && (!ok || s.Seq > c.Seq) {
			c, ok = s, true
		}
	}
	return c, true, ok, nil
}

// createCheckpoint makes the file whole or not at all.
func createCheckpoint(fs FS, dir string, c checkpoint) error {
	tmp := filepath.Join(dir, checkpointName+".tmp")
	f, err := fs.OpenFile(tmp, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	slot := c.encode()
	if _, err := f.WriteAt(append(slot[:slotSize:slotSize], slot...), 0); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := fs.Rename(tmp, filepath.Join(dir, checkpointName)); err != nil {
		return err
	}
	return fs.SyncDir(dir)
}

// writeCheckpoint overwrites the older slot and waits until it is durable.
func writeCheckpoint(f File, c checkpoint) error {
	if _, err := f.WriteAt(c.encode(), int64(c.Seq%2)*slotSize); err != nil {
		return err
	}
	return f.Sync()
}
