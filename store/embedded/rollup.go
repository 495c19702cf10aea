package embedded

import (
	"encoding/binary"
	"maps"
	"slices"
)

// A rollup is how many passages of each cell one hour has: pairs of varints, the step from the cell code before and the
// count, codes rising, and the checksum of a row. Some three bytes a pair, so a question over weeks reads a few megabytes.

func hourKey(hour int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(hour)) }

// eachCount calls f with every cell code and count of a rollup.
func eachCount(hour int64, row any, f func(code int64, n uint64)) error {
	b, err := openRow(hourKey(hour), row)
	if err != nil {
		return err
	}
	code := int64(0)
	for len(b) > 0 {
		step, i := binary.Uvarint(b)
		if i <= 0 || step == 0 || step > 1<<40 {
			return errDamaged
		}
		n, j := binary.Uvarint(b[i:])
		if j <= 0 || n == 0 {
			return errDamaged
		}
		code += int64(step)
		f(code, n)
		b = b[i+j:]
	}
	return nil
}

// mergeCounts adds counts to a rollup; row is nil where the hour had none.
func mergeCounts(hour int64, row any, add map[int64]uint64) ([]byte, error) {
	sum := maps.Clone(add)
	if row != nil {
		if err := eachCount(hour, row, func(code int64, n uint64) { sum[code] += n }); err != nil {
			return nil, err
		}
	}
	out, before := make([]byte, 0, 4*len(sum)+4), int64(0)
	for _, code := range slices.Sorted(maps.Keys(sum)) {
		out = binary.AppendUvarint(out, uint64(code-before))
		out = binary.AppendUvarint(out, sum[code])
		before = code
	}
	return sealRow(hourKey(hour), out), nil
}
