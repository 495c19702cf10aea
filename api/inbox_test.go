package api_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/api"
	"github.com/kangma/kangma/checkpoint/inbox"
)

type inboxPage struct {
	Items []inboxItem
	Next  string
}

type inboxItem struct {
	ID, Kind, Status, Name, Phone, Account, Decision, Community string
	District, Entry                                             string
	Tail                                                        string `json:"id_tail"`
	Infant                                                      bool
}

// official makes an account of an organisation that looks after these divisions and logs in.
func (w *town) official(name string, divisions ...string) string {
	w.t.Helper()
	body := map[string]any{"role": "official", "organisation": name, "password": "long enough", "divisions": divisions}
	w.want(w.call("PUT", "/v1/accounts/"+name, w.staff(api.Admin), body), 200, "")
	var login struct{ Token string }
	w.want(w.call("POST", "/v1/sessions", "", map[string]string{"username": name, "password": "long enough"}), 200, "").into(w.t, &login)
	return login.Token
}

// inboxOf reads all pages of an inbox.
func (w *town) inboxOf(token, query string) (all []inboxItem) {
	w.t.Helper()
	for after := ""; ; {
		var page inboxPage
		w.want(w.call("GET", "/v1/inbox?"+query+"&after="+after, token, nil), 200, "").into(w.t, &page)
		all = append(all, page.Items...)
		if after = page.Next; after == "" {
			return all
		}
	}
}

func TestAnInboxShowsWhatBelongsToItsDivisionsAndEachItemOnce(t *testing.T) {
	w := newTown(t)
	p := w.resident("340")
	pid, _ := kangma.ParsePersonID(p.id)
	var ids []string
	for i, d := range []kangma.Division{441502000, 441521101, 441521101, 441521000, 441581000} {
		it := inbox.Item{Kind: inbox.Arrival, Event: kangma.NewEventID(w.now().Add(time.Duration(i) * time.Second)), At: w.now(), Gate: "post-1", District: d, Person: pid, Decision: "pass"}
		for range 2 { // a retry
			if err := inbox.Put(t.Context(), w.registry, it); err != nil {
				t.Fatal(err)
			}
		}
		ids = append(ids, it.Event.String())
	}
	city, county, town := w.official("city", "441500"), w.official("county", "441521"), w.official("town", "441521101", "441581")
	nested := w.official("nested", "441521", "441521101", "441521")
	for token, want := range map[string][]string{city: ids, county: ids[1:4], town: {ids[1], ids[2], ids[4]}, nested: ids[1:4], w.staff(api.Official): ids} {
		for _, limit := range []int{1, 2, 50} {
			var got []string
			for _, it := range w.inboxOf(token, fmt.Sprintf("limit=%d", limit)) {
				got = append(got, it.ID)
				if it.Name != "欧**试" || it.Phone != "138****0340" || strings.Contains(it.Name, "测试") {
					t.Errorf("in a list: %+v", it)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("limit %d: got %d items %v, want %v", limit, len(got), got, want)
			}
		}
	}
	w.want(w.call("GET", "/v1/inbox?division=441502", county, nil), 403, "scope")
	w.want(w.call("GET", "/v1/inbox?division=449999", city, nil), 422, "unknown_division")
	w.want(w.call("GET", "/v1/inbox?after=9.x", city, nil), 422, "cursor")
	w.want(w.call("GET", "/v1/inbox/"+ids[0], county, nil), 404, "no_inbox_item")
	w.want(w.call("POST", "/v1/inbox/"+ids[0]+"/acknowledge", county, nil), 404, "no_inbox_item")
	w.want(w.call("POST", "/v1/inbox/nonsense/acknowledge", county, nil), 422, "bad_id")
}

func TestAnItemIsAcknowledgedByWhoWasFirstAndTheReaderIsSeen(t *testing.T) {
	w := newTown(t)
	p := w.resident("341")
	pid, _ := kangma.ParsePersonID(p.id)
	it := inbox.Item{Kind: inbox.Arrival, Event: kangma.NewEventID(w.now()), At: w.now(), Gate: "post-1", District: 441521101, Person: pid, Decision: "home-isolate"}
	if err := inbox.Put(t.Context(), w.registry, it); err != nil {
		t.Fatal(err)
	}
	town, county := w.official("town", "441521101"), w.official("county", "441521")
	path := "/v1/inbox/" + it.Event.String()
	var got inboxItem
	w.want(w.call("GET", path, town, nil), 200, "").into(t, &got)
	if got.Name != "欧阳测试" || got.Phone != p.phone || got.Status != "new" {
		t.Errorf("read: %+v", got)
	}
	for _, token := range []string{town, county, town} {
		w.want(w.call("POST", path+"/acknowledge", token, nil), 200, "").into(t, &got)
		if got.Status != "acknowledged" || got.Account != "town" {
			t.Errorf("acknowledged: %+v", got)
		}
	}
	if err := inbox.Put(t.Context(), w.registry, it); err != nil { // the post sends it again
		t.Fatal(err)
	}
	if n := len(w.inboxOf(county, "status=new")); n != 0 {
		t.Errorf("%d items are new again", n)
	}
	if n := len(w.inboxOf(county, "status=acknowledged")); n != 1 {
		t.Errorf("%d acknowledged", n)
	}
	var out struct {
		Accesses []struct{ Account, Purpose string }
	}
	deadline := time.Now().Add(30 * time.Second)
	for len(out.Accesses) < 4 && time.Now().Before(deadline) {
		time.Sleep(20 * time.Millisecond)
		w.want(w.call("GET", "/v1/me/accesses", p.token, nil), 200, "").into(t, &out)
	}
	if len(out.Accesses) != 4 || out.Accesses[0].Purpose != "inbox" {
		t.Errorf("accesses: %+v", out)
	}
}
