package checkpoint

import (
	"context"
	"time"

	"github.com/kangma/kangma"
)

// MayAct says whether one person is the guardian of another at a moment, with consent that lasts. An error means that it
// could not be told; then nobody acts for anybody.
type MayAct func(ctx context.Context, guardian, dependent kangma.PersonID, at time.Time) (bool, error)
