package microsoftsim

import (
	"fmt"
	"slices"
)

// Units are the seats of a SKU (or of one subscription) on a day, by status, as prepaidUnits sums them.
type Units struct {
	Enabled   int `json:"enabled"`
	Warning   int `json:"warning"`
	Suspended int `json:"suspended"`
	LockedOut int `json:"lockedOut"`
}

// SeatDay is what was true of a SKU, or of one subscription, from a day on, until the next SeatDay.
type SeatDay struct {
	Day      Day   `json:"day"`
	Present  bool  `json:"present"` // some subscription is in the answers
	Seats    int   `json:"seats"`   // enabled + warning
	Trial    int   `json:"trial"`   // of Seats, those of trial subscriptions
	Units    Units `json:"units"`
	Assigned int   `json:"assigned"` // consumedUnits; 0 when asked for one subscription
}

// SeatHistory is the truth about a SKU of a tenant: the days on which something changed, in order, each with what held from it
// on. subscription is an id of either kind, or empty for all of the SKU. Steps in the future are included.
func (s *Sim) SeatHistory(tenant, sku, subscription string) ([]SeatDay, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	t := s.tenantByName(tenant)
	if t == nil {
		return nil, fmt.Errorf("tenant %s is not there", tenant)
	}
	of := t.sku(sku)
	if of == nil {
		return nil, fmt.Errorf("tenant %s has no sku %s", tenant, sku)
	}
	subs := of.Subscriptions
	if subscription != "" {
		subs = slices.DeleteFunc(slices.Clone(subs), func(sub *Subscription) bool {
			return sub.ID != subscription && sub.CommerceID != subscription
		})
		if len(subs) == 0 {
			return nil, fmt.Errorf("sku %s of tenant %s has no subscription %s", sku, tenant, subscription)
		}
	}
	days := changeDays(subs)
	if subscription == "" {
		days = append(days, t.assignmentDays(of)...)
	}
	slices.Sort(days)
	history := []SeatDay{}
	for _, day := range slices.Compact(days) {
		now := seatDay(subs, day)
		if subscription == "" && now.Present {
			now.Assigned = t.consumed(of, day)
		}
		if n := len(history); n == 0 || now.differs(history[n-1]) {
			history = append(history, now)
		}
	}
	return history, nil
}

func (d SeatDay) differs(from SeatDay) bool {
	from.Day = d.Day
	return d != from
}

// changeDays are the days on which a subscription may have changed.
func changeDays(subs []*Subscription) []Day {
	var days []Day
	for _, sub := range subs {
		days = append(days, sub.Created)
		for _, step := range sub.Seats {
			days = append(days, step.Day)
		}
		for _, step := range sub.Status {
			days = append(days, step.Day)
		}
	}
	return days
}

func (t *Tenant) assignmentDays(sku *SKU) []Day {
	var days []Day
	for _, step := range sku.Assigned {
		days = append(days, step.Day)
	}
	for _, user := range t.Users {
		for _, a := range user.Licenses {
			if a.SKUID != sku.ID {
				continue
			}
			for _, day := range []Day{a.From, a.Until, user.Created, user.Deleted} {
				if day != 0 {
					days = append(days, day)
				}
			}
		}
	}
	return days
}

func seatDay(subs []*Subscription, day Day) SeatDay {
	out := SeatDay{Day: day}
	for _, sub := range subs {
		status := sub.statusOn(day)
		if status == StatusGone {
			continue
		}
		out.Present = true
		seats := seatsOn(sub.Seats, day)
		switch status {
		case StatusEnabled:
			out.Units.Enabled += seats
		case StatusWarning:
			out.Units.Warning += seats
		case StatusSuspended:
			out.Units.Suspended += seats
		case StatusLockedOut:
			out.Units.LockedOut += seats
		}
		if sub.Trial && (status == StatusEnabled || status == StatusWarning) {
			out.Trial += seats
		}
	}
	out.Seats = out.Units.Enabled + out.Units.Warning
	return out
}

// consumed is the SKU's consumedUnits: who holds it, also more than there are seats.
func (t *Tenant) consumed(sku *SKU, day Day) int {
	if sku.AppliesTo != "User" {
		return 0
	}
	n := seatsOn(sku.Assigned, day)
	for _, user := range t.Users {
		if user.there(day) && user.holds(sku.ID, day) {
			n++
		}
	}
	return n
}

// peopleOn is how many made-up users the tenant has on a day, and how many of them hold something.
func (t *Tenant) peopleOn(day Day) (all, licensed int) {
	for _, sku := range t.SKUs {
		if sku.AppliesTo == "User" && seatDay(sku.Subscriptions, day).Present {
			licensed = max(licensed, seatsOn(sku.Assigned, day))
		}
	}
	return max(t.People, licensed), licensed
}
