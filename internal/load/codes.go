package load

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/kangma/kangma"
)

// A code lives 90 s, so codes for scans are drawn from the server itself and drawn anew in this time.
const codeRound = 60 * time.Second

const drawers = 8

func client() *http.Client {
	return &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: drawers, DisableCompression: true}}
}

// drawCodes draws every code once; progress is told how many are there.
func (s *town) drawCodes(ctx context.Context, progress func(done, all int)) error {
	c := client()
	defer c.CloseIdleConnections()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next, done atomic.Int64
	var wg sync.WaitGroup
	for range drawers {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(s.codes); i = int(next.Add(1)) - 1 {
				if err := s.draw(ctx, c, i); err != nil {
					cancel(err)
					return
				}
				progress(int(done.Add(1)), len(s.codes))
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

func (s *town) draw(ctx context.Context, c *http.Client, i int) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.plan.Target+"/v1/me/code", nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+string(s.token(i)))
	res, err := c.Do(req)
	if err != nil {
		return kangma.E(kangma.Unavailable, "target", "the target does not answer").Because(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return err
	}
	var v struct{ Code string }
	if err := json.Unmarshal(raw, &v); err != nil || res.StatusCode != http.StatusOK || v.Code == "" {
		return kangma.E(kangma.Invalid, "population", fmt.Sprintf("the target gave no code for person %d (status %d): is it serving the prepared data folder?", i, res.StatusCode))
	}
	s.codes[i].Store(&v.Code)
	return nil
}

// refreshCodes draws the codes anew, evenly, until ctx ends. One that cannot be had stays as it is and is drawn in the
// next round.
func (s *town) refreshCodes(ctx context.Context) {
	c := client()
	defer c.CloseIdleConnections()
	pace := rate.NewLimiter(rate.Limit(float64(len(s.codes))/codeRound.Seconds()), drawers)
	var next atomic.Uint64
	var wg sync.WaitGroup
	for range drawers {
		wg.Go(func() {
			for pace.Wait(ctx) == nil {
				_ = s.draw(ctx, c, int((next.Add(1)-1)%uint64(len(s.codes)))) // see above
			}
		})
	}
	wg.Wait()
}
