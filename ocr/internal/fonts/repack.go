package fonts

import (
	"encoding/binary"
	"slices"
)

// repacked turns one face of a collection into a font file of its own whose tables are aligned and within bounds, for the
// collections that the sfnt package refuses because their tables are not (those of WenQuanYi). It gives nil when the file
// is no collection or is damaged. Format: OpenType 1.9, "Font Collections" and "Table Directory".
func repacked(raw []byte, index int) []byte {
	u32 := func(at int) int {
		if at < 0 || at+4 > len(raw) {
			return -1
		}
		return int(binary.BigEndian.Uint32(raw[at:]))
	}
	if len(raw) < 16 || string(raw[:4]) != "ttcf" || index >= u32(8) {
		return nil
	}
	dir := u32(12 + 4*index)
	if dir < 0 || dir+12 > len(raw) {
		return nil
	}
	n := int(binary.BigEndian.Uint16(raw[dir+4:]))
	if dir+12+16*n > len(raw) {
		return nil
	}
	out := slices.Clone(raw[dir : dir+12+16*n])
	for i := range n {
		entry := 12 + 16*i
		off, length := u32(dir+entry+8), u32(dir+entry+12)
		if off < 0 || length < 0 || off+length > len(raw) {
			return nil
		}
		binary.BigEndian.PutUint32(out[entry+8:], uint32(len(out)))
		out = append(out, raw[off:off+length]...)
		for len(out)%4 != 0 {
			out = append(out, 0)
		}
	}
	return out
}
