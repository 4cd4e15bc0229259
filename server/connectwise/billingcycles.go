package connectwise

import (
	"context"
	"fmt"
	"time"

	"trueup/server/billing"
)

type billingCycle struct {
	ID             ident `json:"id"`
	Name           text  `json:"name"`
	BillingOptions text  `json:"billingOptions"`
}

func (w billingCycle) key() int { return int(w.ID) }

// cyclesKept is how long billing cycles are kept: an MSP edits them hardly ever, but
// a cycle that changed must not be billed by its old length for long.
const cyclesKept = time.Hour

// BillingCycles reads what each billing cycle means, by its id. A cycle with billing
// options that ConnectWise doesn't document is one that isn't billed by (0).
//
// Vendor page: GET /finance/billingCycles.
func (c *Client) BillingCycles(ctx context.Context) (map[int]billing.Cycle, error) {
	cycles := map[int]billing.Cycle{}
	r := rows{route: "/finance/billingCycles", fields: "id,name,billingOptions"}
	err := list(ctx, c, r, func(w billingCycle) error {
		cycle, known := billing.CycleOf(string(w.BillingOptions))
		if !known {
			c.log.WarnContext(ctx, "billing cycle not known", "id", int(w.ID), "billing_options", plain(w.BillingOptions, 40))
		}
		cycles[int(w.ID)] = cycle
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list billing cycles: %w", err)
	}
	return cycles, nil
}

// cycle is the meaning of a billing cycle, from what is kept. One that isn't known,
// or knowledge that is old, is read anew; two that read at once do no harm.
func (c *Client) cycle(ctx context.Context, id int) (billing.Cycle, error) {
	c.cyclesMu.Lock()
	kept, known := c.cycles[id]
	fresh := c.now().Sub(c.cyclesReadAt) < cyclesKept
	c.cyclesMu.Unlock()
	if known && fresh {
		return kept, nil
	}
	cycles, err := c.BillingCycles(ctx)
	if err != nil {
		return 0, err
	}
	if _, known := cycles[id]; !known {
		cycles[id] = 0 // deleted meanwhile, or not to be seen: not billed by, and not asked for again
	}
	c.cyclesMu.Lock()
	defer c.cyclesMu.Unlock()
	c.cycles, c.cyclesReadAt = cycles, c.now()
	return cycles[id], nil
}
