package store

import (
	"errors"
	"fmt"
	"time"

	"github.com/lib/pq"

	"trueup/server/billing"
)

// What a caller can decide upon, by errors.Is; see there.
var (
	ErrNotFound = billing.ErrNotFound
	ErrConflict = billing.ErrConflict
	ErrStale    = billing.ErrStale
	ErrInvalid  = billing.ErrInvalid
)

// LeasedError says that a customer is being synced by another process.
type LeasedError struct {
	Owner string
	Until time.Time // the database's clock
}

// Error names the process that holds the lease.
func (e *LeasedError) Error() string {
	return fmt.Sprintf("being synced by %s until %s", e.Owner, e.Until.UTC().Format(time.RFC3339))
}

// refine makes the database's refusal of a row into ErrConflict or ErrInvalid and
// names the constraint; other errors pass unchanged.
func refine(err error) error {
	var p *pq.Error
	if !errors.As(err, &p) {
		return err
	}
	switch p.Code.Class() {
	case "23": // integrity constraint violation
		if p.Code.Name() == "check_violation" || p.Code.Name() == "not_null_violation" {
			return fmt.Errorf("%w: %s refuses it", ErrInvalid, p.Constraint)
		}
		return fmt.Errorf("%w: %s refuses it", ErrConflict, p.Constraint)
	case "22": // data exception
		return fmt.Errorf("%w: %s", ErrInvalid, p.Message)
	}
	return err
}
