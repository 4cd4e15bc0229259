package billing

import (
	"slices"
	"strconv"
)

// Count is what was counted for one license, from the evidence to the seats that are
// billed, with the steps between.
type Count struct {
	Present   bool // the SKU or subscription is there
	Purchased int
	Assigned  int
	Grace     int // of Purchased, in the grace period
	Trial     int // of Purchased, on trial
	Seats     int // counted on the link's basis
	Billed    int // after included and minimum
	Steps     []Reason
}

func (c *Count) step(code string, parts ...string) { c.Steps = append(c.Steps, reason(code, parts...)) }

// reason makes a Reason of a code and pairs of part name and value.
func reason(code string, parts ...string) Reason {
	r := Reason{Code: code}
	if len(parts) > 0 {
		r.Parts = make(map[string]string)
	}
	for pair := range slices.Chunk(parts, 2) {
		r.Parts[pair[0]] = pair[1]
	}
	return r
}

// CountSeats counts a license in complete evidence (section 2 of the billing rules).
// The Code is "" or trial_mixed.
func CountSeats(e Evidence, ref LicenseRef, o Options) (Count, Code) {
	var c Count
	var code Code
	if ref.Subscription != "" {
		c = countSubscription(e, ref, o)
	} else {
		c, code = countSKU(e, ref.SKU, o)
	}
	c.Billed = max(0, c.Seats-o.Included)
	if o.Included > 0 {
		c.step("included", "n", strconv.Itoa(o.Included), "left", strconv.Itoa(c.Billed))
	}
	if c.Present && o.Minimum > c.Billed {
		c.Billed = o.Minimum
		c.step("minimum", "n", strconv.Itoa(o.Minimum))
	}
	return c, code
}

func countSKU(e Evidence, id SKUID, o Options) (c Count, code Code) {
	for _, s := range e.SKUs {
		if s.ID != id {
			continue
		}
		c.Present = true
		c.Purchased += s.Enabled + s.Warning
		c.Grace += s.Warning
		c.Assigned += s.Consumed
	}
	if !c.Present {
		c.step("gone")
		return c, ""
	}
	graceTrial := 0
	for _, s := range e.Subscriptions {
		if s.SKU == id && s.Trial && (s.Status == SubscriptionEnabled || s.Status == SubscriptionWarning) {
			c.Trial += s.Seats
			if s.Status == SubscriptionWarning {
				graceTrial += s.Seats
			}
		}
	}
	if o.Basis == Assigned {
		c.Seats = c.Assigned
		c.step("assigned", "n", strconv.Itoa(c.Assigned))
		if c.Trial > 0 && o.BillTrials == Unset {
			return c, TrialMixed
		}
		if c.Trial > 0 && o.BillTrials == Off {
			c.lessTrials(c.Trial)
		}
		return c, ""
	}
	c.Seats = c.Purchased
	c.step("purchased", "n", strconv.Itoa(c.Purchased))
	trial := c.Trial
	if c.Grace > 0 && !o.BillGrace {
		c.Seats -= c.Grace
		trial -= graceTrial
		c.step("without_grace", "n", strconv.Itoa(c.Grace))
	} else if c.Grace > 0 {
		c.step("with_grace", "n", strconv.Itoa(c.Grace))
	}
	if trial > 0 && o.BillTrials != On {
		c.lessTrials(trial)
	}
	return c, ""
}

func (c *Count) lessTrials(n int) {
	c.Seats = max(0, c.Seats-n)
	c.step("without_trials", "n", strconv.Itoa(n))
}

func countSubscription(e Evidence, ref LicenseRef, o Options) (c Count) {
	for _, s := range e.Subscriptions {
		if s.ID != ref.Subscription || s.Status == SubscriptionDeleted {
			continue
		}
		c.Present = true
		switch {
		case s.Status == SubscriptionEnabled:
			c.Purchased = s.Seats
		case s.Status == SubscriptionWarning:
			c.Purchased, c.Grace = s.Seats, s.Seats
		}
		c.Seats = c.Purchased
		c.step("subscription", "n", strconv.Itoa(c.Purchased), "status", string(s.Status))
		if c.Grace > 0 && !o.BillGrace {
			c.Seats = 0
			c.step("without_grace", "n", strconv.Itoa(c.Grace))
		}
		if s.Trial {
			c.Trial = c.Purchased
			if o.BillTrials != On && c.Seats > 0 {
				c.lessTrials(c.Seats)
			}
		}
	}
	if !c.Present {
		c.step("gone")
	}
	return c
}

// Unassigned is how many purchased seats nobody holds, never below 0.
func (c Count) Unassigned() int { return max(0, c.Purchased-c.Assigned) }
