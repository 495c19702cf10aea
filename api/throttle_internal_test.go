package api

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// enterLater asks to enter from a goroutine of its own and says who was let in, in order.
func enterLater(t *throttle, c class, order chan<- class) {
	go func() {
		if _, ok := t.enter(context.Background(), c); ok {
			order <- c
		}
	}()
	synctest.Wait()
}

func TestTheFirstClassIsLetInFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := newThrottle(8, time.Now)
		for range 8 {
			if _, ok := th.enter(t.Context(), forGates); !ok {
				t.Fatal("there was room")
			}
		}
		order := make(chan class, 10)
		for _, c := range []class{forOffices, forFeeds, forResults, forResidents, forGates, forResidents} {
			enterLater(th, c, order)
		}
		for range 8 {
			th.leave()
			synctest.Wait()
		}
		want := []class{forGates, forResidents, forResidents, forResults, forFeeds, forOffices}
		for i, w := range want {
			synctest.Wait()
			if got := <-order; got != w {
				t.Errorf("place %d: class %d, want %d", i, got, w)
			}
			th.leave()
		}
		if th.running != 0 {
			t.Errorf("%d still inside", th.running)
		}
	})
}

func TestTheLaterClassesLeaveRoomForTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := newThrottle(20, time.Now)
		order := make(chan class, 100)
		for range 100 {
			enterLater(th, forOffices, order)
		}
		if got := len(order); got != 5 {
			t.Errorf("%d office requests inside, want a quarter of 20", got)
		}
		for range 12 {
			enterLater(th, forResidents, order)
		}
		if got := len(order); got != 17 {
			t.Errorf("%d inside, want all 12 residents besides", got)
		}
		if _, ok := th.enter(t.Context(), forGates); !ok {
			t.Error("a gate was refused while there was room")
		}
		time.Sleep(maxWait) // those in the queues give up
		synctest.Wait()
	})
}

func TestWhoIsRefusedGetsAPlaceThatMovesAsFastAsOthersAreServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := newThrottle(4, time.Now)
		th.pace.perSecond = 100
		for range 4 {
			th.enter(t.Context(), forGates)
		}
		order := make(chan class, 40)
		for range th.most(forGates) {
			enterLater(th, forGates, order) // the queue is full now
		}
		var waits [12]int
		for range 950 {
			after, ok := th.enter(t.Context(), forGates)
			if ok || after < 1 || after > 10 {
				t.Fatalf("after %d, %v", after, ok)
			}
			waits[after]++
		}
		for s := 1; s <= 10; s++ { // 95 of 100 a second are promised to them
			if waits[s] < 94 || waits[s] > 96 {
				t.Errorf("%d clients in second %d, want 95", waits[s], s)
			}
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if after, _ := th.enter(t.Context(), forGates); after < 1 || after > 6 {
			t.Errorf("five seconds later: after %d, want 6 or less", after)
		}
	})
}

func TestNobodyWaitsInTheQueueForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := newThrottle(int(classes), time.Now)
		for range classes {
			th.enter(t.Context(), forGates)
		}
		start := time.Now()
		if after, ok := th.enter(t.Context(), forGates); ok || after == 0 || time.Since(start) != maxWait {
			t.Errorf("after %d, %v, waited %v", after, ok, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		if after, ok := th.enter(ctx, forGates); ok || after != 0 {
			t.Errorf("a client that went away: after %d, %v", after, ok)
		}
		if th.queues[forGates].Len() != 0 {
			t.Error("somebody is left in the queue")
		}
	})
}

func TestPressureIsOverASecondAfterTheLastRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := newThrottle(4, time.Now)
		if th.pressed() {
			t.Error("pressed before anybody came")
		}
		for range 4 {
			th.enter(t.Context(), forGates)
		}
		th.enter(t.Context(), forGates)
		if !th.pressed() {
			t.Error("not pressed after a refusal")
		}
		time.Sleep(time.Second)
		if th.pressed() {
			t.Error("still pressed")
		}
	})
}

func TestThePaceIsThatOfBusyTimes(t *testing.T) {
	start := time.Unix(0, 0)
	p := pace{perSecond: 2000}
	serve := func(perSecond int, d time.Duration, busy bool) {
		for i := range int(float64(perSecond) * d.Seconds()) {
			p.busy = p.busy || busy
			p.done(start.Add(time.Duration(i) * time.Second / time.Duration(perSecond)))
		}
		start = start.Add(d)
	}
	serve(100, 10*time.Second, false)
	if p.perSecond != 2000 {
		t.Errorf("a quiet time changed the pace to %.0f", p.perSecond)
	}
	serve(500, 10*time.Second, true)
	if p.perSecond < 450 || p.perSecond > 550 {
		t.Errorf("the pace is %.0f, want 500", p.perSecond)
	}
}

func TestClassesOfRequests(t *testing.T) {
	for path, want := range map[string]class{
		"/v1/scans": forGates, "/v1/scans/sync": forGates, "/v1/gates/g1/bundle": forGates, "/v1/vehicle-entries/1/inspection": forGates,
		"/v1/me": forResidents, "/v1/me/code": forResidents, "/v1/me/credentials": forResidents, "/v1/sessions": forResidents, "/v1/residents": forResidents,
		"/resident": forResidents, "/v1/status-list": forResidents, "/v1/evidence": forResults, "/v1/analytics/passages-by-hour": forOffices, "/v1/accounts/a": forOffices, "/v1/ocr/id-card": forOffices, "/v1/meadow": forOffices,
	} {
		r, _ := http.NewRequest("GET", "http://x"+path, nil)
		if got, free := classOf(r); got != want || free {
			t.Errorf("%s: class %d, free %v", path, got, free)
		}
	}
	r, _ := http.NewRequest("GET", "http://x/metrics", nil)
	if _, free := classOf(r); !free {
		t.Error("metrics are not free")
	}
}

func TestTheCannedAnswerIsAProblem(t *testing.T) {
	var p Problem
	if err := json.Unmarshal([]byte(cannedBody), &p); err != nil || p.Status != 503 || p.Code != "overloaded" || p.Detail == "" {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestWhoWasHeardTooLateIsToldToComeAgainThoughThereIsRoom(t *testing.T) {
	th := newThrottle(8, time.Now)
	if after, ok := th.enterUnless(true, forResidents); ok || after < 1 {
		t.Errorf("late: %d %v", after, ok)
	}
	if _, ok := th.enterUnless(false, forResidents); !ok || th.running != 1 || th.refused[forResidents] != 1 {
		t.Errorf("in time: %v, %d inside, %d refused", ok, th.running, th.refused[forResidents])
	}
}

// TestAScanThatWaitsForTheDiskKeepsNobodyOut: it gives its place back, but not without bound: then the disk is what is too slow.
func TestAScanThatWaitsForTheDiskKeepsNobodyOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := newThrottle(4, time.Now)
		most := th.most(forGates)
		for i := range most {
			if _, ok := th.enter(t.Context(), forGates); !ok || !th.park() {
				t.Fatalf("number %d was kept out by those who wait for the disk", i)
			}
		}
		if !th.busy() {
			t.Error("so many are inside, and the background may work")
		}
		for range 4 {
			if _, ok := th.enter(t.Context(), forGates); !ok || th.park() {
				t.Fatal("beyond the bound they keep their places")
			}
		}
		order := make(chan class, 2)
		enterLater(th, forGates, order)
		if len(order) != 0 {
			t.Fatal("let in while all places were held")
		}
		th.leaveParked()
		if !th.park() { // one of the four, now that there is room
			t.Fatal("there was room to wait for the disk")
		}
		synctest.Wait()
		if len(order) != 1 {
			t.Error("a place was given back and nobody was let in")
		}
		for range most {
			th.leaveParked()
		}
		for range 4 {
			th.leave()
		}
		if th.running != 0 || th.parked != 0 {
			t.Errorf("%d inside, %d parked", th.running, th.parked)
		}
	})
}
