package nn

// block is how many outputs a layer's kernel makes at least at a time.
const block = 16

// padded copies a matrix of cols columns with zeros behind every row up to a multiple of block.
func padded(m []float32, cols int) []float32 {
	wide := (cols + block - 1) / block * block
	out := make([]float32, len(m)/cols*wide)
	for r := 0; r*cols < len(m); r++ {
		copy(out[r*wide:], m[r*cols:(r+1)*cols])
	}
	return out
}

// inputs are those of a layer's inputs that are not nothing: where their weights begin, and what they are.
type inputs struct {
	at []int
	f  []float32
}

// choose takes the values of v that are further from zero than least; a row of weights has cols columns.
func (x *inputs) choose(v []float32, least float32, cols int) {
	at, f := x.at[:cap(x.at)][:len(v)], x.f[:cap(x.f)][:len(v)]
	n := 0
	for i, a := range v { // each is written and perhaps written over: cheaper than a branch that nobody can foresee
		at[n], f[n] = i*cols, a
		if max(a, -a) > least {
			n++
		}
	}
	x.at, x.f = at[:n], f[:n]
}

// sum adds the weights of every input, times the input, to dst. w has len(dst) columns, a multiple of block; the places in x
// lie within it.
func (x *inputs) sum(dst, w []float32) {
	if len(x.at) == 0 {
		return
	}
	if !wide || len(dst)%block != 0 {
		for k, i := range x.at {
			axpy(dst, w[i:i+len(dst)], x.f[k])
		}
		return
	}
	last := 0
	for _, i := range x.at {
		last = max(last, i)
	}
	_ = w[last : last+len(dst)] // the kernels check nothing
	o := 0
	for ; o+64 <= len(dst); o += 64 {
		accumulate64(&dst[o], &w[o], &x.at[0], &x.f[0], len(x.at))
	}
	for ; o < len(dst); o += block {
		accumulate16(&dst[o], &w[o], &x.at[0], &x.f[0], len(x.at))
	}
}
