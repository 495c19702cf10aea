package checkpoint

import (
	"testing"
	"time"

	"github.com/kangma/kangma"
)

func TestAPassageIsAtTheMomentOfItsRecentEvent(t *testing.T) {
	now := time.Date(2022, 8, 11, 4, 0, 0, 0, time.UTC)
	for what, c := range map[string]struct {
		event kangma.EventID
		want  time.Time
	}{
		"now":                         {kangma.NewEventID(now), now},
		"a retry of a minute ago":     {kangma.NewEventID(now.Add(-time.Minute)), now.Add(-time.Minute)},
		"the oldest retry":            {kangma.NewEventID(now.Add(-retryFor)), now.Add(-retryFor)},
		"too old for a retry":         {kangma.NewEventID(now.Add(-retryFor - time.Millisecond)), now},
		"a device clock ahead":        {kangma.NewEventID(now.Add(time.Millisecond)), now},
		"an id that carries no time":  {kangma.EventID(kangma.NewPersonID()), now},
		"a zero id":                   {kangma.EventID{}, now},
		"midnight stays its own date": {kangma.NewEventID(now.Add(-time.Second)), now.Add(-time.Second)},
	} {
		if got := momentOf(c.event, now); !got.Equal(c.want) {
			t.Errorf("%s: got %v, want %v", what, got, c.want)
		}
	}
}
