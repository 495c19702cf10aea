package codegen

import "math/bits"

// riceWriter writes Golomb-Rice codes: the high part in unary, the low k bits plain (S. W. Golomb, 1966; R. F. Rice, 1979).
type riceWriter struct {
	out  []byte
	free uint // bits free in the last byte
}

func (w *riceWriter) bit(b uint64) {
	if w.free == 0 {
		w.out, w.free = append(w.out, 0), 8
	}
	w.free--
	w.out[len(w.out)-1] |= byte(b) << w.free
}

func (w *riceWriter) put(n uint64, k uint) {
	for range n >> k {
		w.bit(1)
	}
	w.bit(0)
	for i := int(k) - 1; i >= 0; i-- {
		w.bit(n >> i & 1)
	}
}

// riceReader reads them back. After the end bad stays true.
type riceReader struct {
	in  []byte
	pos uint // in bits
	bad bool
}

func (r *riceReader) bit() uint64 {
	if r.bad || r.pos>>3 >= uint(len(r.in)) {
		r.bad = true
		return 0
	}
	b := r.in[r.pos>>3] >> (7 - r.pos&7) & 1
	r.pos++
	return uint64(b)
}

func (r *riceReader) get(k uint) (n uint64) {
	for r.bit() == 1 {
		n++
	}
	for range k {
		n = n<<1 | r.bit()
	}
	return n
}

// riceParameter gives k for the gaps of n values below 2^width: log2 of the mean gap.
func riceParameter(n int, width uint) uint {
	if n == 0 {
		return 0
	}
	spare := int(width) - bits.Len(uint(n))
	return uint(max(0, spare))
}

// packSorted packs rising, distinct values below 2^width.
func packSorted(values []uint64, width uint) []byte {
	k := riceParameter(len(values), width)
	w := riceWriter{}
	last := ^uint64(0)
	for _, v := range values {
		w.put(v-last-1, k) // distinct, so a gap is at least 1
		last = v
	}
	return w.out
}

// unpackSorted unpacks n values; only what packSorted wrote is accepted.
func unpackSorted(packed []byte, n int, width uint) ([]uint64, bool) {
	if uint64(n) > uint64(len(packed))*8 { // each value takes at least one bit: bounds the allocation
		return nil, false
	}
	k := riceParameter(n, width)
	r := riceReader{in: packed}
	values := make([]uint64, n)
	last := ^uint64(0)
	for i := range values {
		gap := r.get(k)
		v := last + 1 + gap
		if r.bad || gap >= 1<<width || v >= 1<<width || i > 0 && v <= last {
			return nil, false
		}
		values[i], last = v, v
	}
	if uint(len(packed)) != (r.pos+7)/8 {
		return nil, false
	}
	for r.pos%8 != 0 {
		if r.bit() != 0 {
			return nil, false
		}
	}
	return values, true
}
