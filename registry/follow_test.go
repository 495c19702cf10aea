package registry_test

import (
	"context"
	"testing"
	"time"

	"github.com/kangma/kangma/registry"
)

func TestNodesThatPublishAtOnceAgreeInTheEnd(t *testing.T) {
	w := open(t, t.TempDir())
	defer w.close(t)
	other := w.second(t, "other")
	defer func() {
		if err := other.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	ctx := t.Context()
	areas := func(s *registry.Service) string { _, v, _ := s.InForce(); return v }
	for i, at := range []string{"2022-08-08 11", "2022-08-09 11", "2022-08-10 11", "2022-08-11 11"} {
		s := []*registry.Service{w.Service, other}[i%2]
		if _, err := s.PublishAreas(ctx, list(at, "城区/甲小区")); err != nil {
			t.Fatal(err)
		}
	}
	alone := open(t, t.TempDir()) // what one node would have made of them
	defer alone.close(t)
	publish := func(lists ...string) string {
		t.Helper()
		for _, at := range lists {
			if _, err := alone.PublishAreas(ctx, list(at, "城区/甲小区")); err != nil {
				t.Fatal(err)
			}
		}
		return areas(alone.Service)
	}
	want := publish("2022-08-08 11", "2022-08-09 11", "2022-08-10 11", "2022-08-11 11")
	eventually(t, "both nodes have all four lists", func() bool { return areas(w.Service) == want && areas(other) == want })

	recs, err := w.db.Records().Get(ctx, "area-list", listID(t, alone, "2022-08-11 11"))
	if err != nil {
		t.Fatal(err)
	}
	if err := other.WithdrawAreas(ctx, recs.ID); err != nil {
		t.Fatal(err)
	}
	if err := alone.WithdrawAreas(ctx, recs.ID); err != nil {
		t.Fatal(err)
	}
	want = areas(alone.Service)
	eventually(t, "both nodes forgot the last list", func() bool { return areas(w.Service) == want && areas(other) == want })
}

// listID finds the id a list is kept under.
func listID(t *testing.T, w *town, at string) string {
	t.Helper()
	_, held, err := w.ProposeAreas(t.Context(), anna, time.Time{}, list(at, "城区/甲小区")) // it is there: nothing changes
	if err != nil || held != nil {
		t.Fatalf("%+v %v", held, err)
	}
	parsed, err := w.PublishAreas(t.Context(), list(at, "城区/甲小区"))
	if err != nil {
		t.Fatal(err)
	}
	return parsed[0].At.UTC().Format("2006010215") + "-" + parsed[0].Digest()[:16]
}
