package issuance_test

import (
	"encoding/binary"
	"encoding/json"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
	"github.com/kangma/kangma/issuance"
	"github.com/kangma/kangma/store"
)

// fill stores people who hold one paper code each, without signing them.
func (d *desk) fill(n int) []kangma.PersonID {
	d.t.Helper()
	ctx, ids := d.t.Context(), make([]kangma.PersonID, n)
	var batch []kangma.Dossier
	for i := range ids {
		ids[i] = kangma.NewPersonID()
		batch = append(batch, kangma.Dossier{Person: ids[i], Version: 1, Registered: d.now().Add(-24 * time.Hour), Sealed: kangma.SealedIdentity{DataKey: []byte{1}}})
		var id codegen.CodeID
		binary.BigEndian.PutUint64(id[:], uint64(i))
		data, err := json.Marshal([]issuance.HeldCode{{ID: id, Kind: codegen.Paper, Issued: d.now(), Until: d.now().AddDate(0, 6, 0)}})
		if err != nil {
			d.t.Fatal(err)
		}
		if err := d.records.Put(ctx, store.Record{Kind: "codes", ID: ids[i].String(), Version: 1, Data: data}); err != nil {
			d.t.Fatal(err)
		}
		if len(batch) == 500 || i == n-1 {
			if err := d.dossiers.Update(ctx, store.Mark{}, batch...); err != nil {
				d.t.Fatal(err)
			}
			batch = batch[:0]
		}
	}
	return ids
}
