package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

// A register is one person's dossier as the checker sees it: the version and who wrote it.
type register struct {
	version uint64
	by      string
}

// call is one operation on one person. A read has no next.
type call struct {
	person int
	next   *register
}

// registers is the model of one person's dossier: a read gives what is there, an update succeeds if and only if its
// version is the next one.
var registers = porcupine.Model{
	Init: func() any { return register{} },
	Partition: func(history []porcupine.Operation) (parts [][]porcupine.Operation) {
		of := map[int][]porcupine.Operation{}
		for _, op := range history {
			p := op.Input.(call).person
			of[p] = append(of[p], op)
		}
		for _, ops := range of {
			parts = append(parts, ops)
		}
		return parts
	},
	Step: func(state, input, output any) (bool, any) {
		now, next := state.(register), input.(call).next
		if next == nil {
			return output.(register) == now, now
		}
		won := next.version == now.version+1
		if won {
			now = *next
		}
		return output.(bool) == won, now
	},
	DescribeOperation: func(input, output any) string {
		if next := input.(call).next; next != nil {
			return fmt.Sprintf("update to %v: %v", *next, output)
		}
		return fmt.Sprintf("read: %v", output)
	},
}

// Linear runs clients that read and update the same few people through the given stores (several of them: several
// processes on one backend) and says whether every person's operations are linearizable. It takes a seed for who calls
// what; the order in which the calls meet is the machine's.
func Linear(seed uint64, stores ...store.Dossiers) error {
	const clients, people, calls = 12, 3, 60
	r := rand.New(rand.NewPCG(seed, 1))
	ids := make([]kangma.PersonID, people)
	for i := range ids {
		ids[i] = RandomPerson(r, -1)
	}
	start := time.Now()
	histories, faults := make([][]porcupine.Operation, clients), make([]error, clients)
	var wg sync.WaitGroup
	for c := range clients {
		seed := r.Uint64()
		wg.Go(func() {
			s, seen, turn := stores[c%len(stores)], make([]uint64, people), seed
			for i := range calls {
				turn = turn*6364136223846793005 + 1442695040888963407
				in := call{person: int(turn>>33) % people}
				if turn>>50&1 == 1 {
					in.next = &register{version: seen[in.person] + 1, by: strconv.Itoa(c) + "/" + strconv.Itoa(i)}
				}
				op := porcupine.Operation{ClientId: c, Input: in, Call: int64(time.Since(start))}
				var err error
				op.Output, err = in.do(s, ids[in.person])
				faults[c] = errors.Join(faults[c], err)
				op.Return = int64(time.Since(start))
				if got, ok := op.Output.(register); ok {
					seen[in.person] = got.version
				}
				histories[c] = append(histories[c], op)
			}
		})
	}
	wg.Wait()
	var all []porcupine.Operation
	for _, h := range histories {
		all = append(all, h...)
	}
	if result, info := porcupine.CheckOperationsVerbose(registers, all, time.Minute); result != porcupine.Ok {
		faults = append(faults, fmt.Errorf("the history of %d operations is not linearizable: %v (%d partial orders)", len(all), result, len(info.PartialLinearizations())))
	}
	return errors.Join(faults...)
}

func (in call) do(s store.Dossiers, id kangma.PersonID) (any, error) {
	ctx := context.Background()
	if in.next != nil {
		err := s.Update(ctx, store.Mark{}, kangma.Dossier{Person: id, Version: in.next.version, Home: kangma.Place{Community: in.next.by}})
		if errors.Is(err, kangma.Conflict) {
			return false, nil
		}
		return err == nil, err
	}
	d, err := s.Get(ctx, id)
	if errors.Is(err, kangma.NotFound) {
		err = nil
	}
	return register{d.Version, d.Home.Community}, err
}
