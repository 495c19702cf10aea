package load

import "container/heap"

// kind is what one request asks for.
type kind uint8

const (
	show kind = iota
	scan
)

// ticket is one client's errand: it is due at a moment that the server cannot change.
type ticket struct {
	due     int64 // of this attempt, ns since the start
	first   int64 // of the first attempt
	n       uint64
	step    int32
	refused uint16
	resent  bool // it was lost with a kept connection and sent once more
	kind    kind
}

// queue is a ring of tickets that wait for a connection, first come first served.
type queue struct {
	ring       []ticket
	head, size int
}

func (q *queue) push(t ticket) {
	if q.size == len(q.ring) {
		next := make([]ticket, max(64, 2*len(q.ring)))
		for i := range q.size {
			next[i] = q.ring[(q.head+i)%len(q.ring)]
		}
		q.ring, q.head = next, 0
	}
	q.ring[(q.head+q.size)%len(q.ring)] = t
	q.size++
}

func (q *queue) peek() *ticket { return &q.ring[q.head] }

func (q *queue) pop() ticket {
	t := q.ring[q.head]
	q.head = (q.head + 1) % len(q.ring)
	q.size--
	return t
}

// retries are the tickets that were told to come again, by when.
type retries []ticket

func (r retries) Len() int           { return len(r) }
func (r retries) Less(i, j int) bool { return r[i].due < r[j].due }
func (r retries) Swap(i, j int)      { r[i], r[j] = r[j], r[i] }

// Push is that of container/heap.
func (r *retries) Push(t any) { *r = append(*r, t.(ticket)) }

// Pop is that of container/heap.
func (r *retries) Pop() any {
	last := (*r)[len(*r)-1]
	*r = (*r)[:len(*r)-1]
	return last
}

func (r *retries) add(t ticket) { heap.Push(r, t) }

func (r *retries) next() ticket { return heap.Pop(r).(ticket) }
