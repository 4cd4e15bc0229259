package microsoftsim

import (
	"fmt"
	"slices"
	"strings"
)

// SetTrouble makes something wrong with a tenant from the simulated day on; TroubleNone ends it.
func (s *Sim) SetTrouble(tenant string, trouble Trouble) error {
	if !trouble.known() {
		return fmt.Errorf("trouble %q is not known", trouble)
	}
	return s.changeTenant(tenant, func(t *Tenant) error {
		kept := slices.DeleteFunc(t.Troubles, func(step TroubleStep) bool { return step.Day >= s.day })
		t.Troubles = append(kept, TroubleStep{s.day, trouble})
		return nil
	})
}

// AddTrouble makes something wrong with a tenant from a day on, until the next step of its history.
func (s *Sim) AddTrouble(tenant string, day Day, trouble Trouble) error {
	if !trouble.known() {
		return fmt.Errorf("trouble %q is not known", trouble)
	}
	return s.changeTenant(tenant, func(t *Tenant) error {
		t.Troubles = slices.DeleteFunc(t.Troubles, func(step TroubleStep) bool { return step.Day == day })
		at := slices.IndexFunc(t.Troubles, func(step TroubleStep) bool { return step.Day > day })
		if at < 0 {
			at = len(t.Troubles)
		}
		t.Troubles = slices.Insert(t.Troubles, at, TroubleStep{day, trouble})
		return nil
	})
}

// EndPartnership takes a customer off its partner's lists from a day on.
func (s *Sim) EndPartnership(tenant string, day Day) error {
	return s.changeTenant(tenant, func(t *Tenant) error {
		if t.Partnership == nil {
			return fmt.Errorf("tenant %s has no partner", tenant)
		}
		t.Partnership.Until = day
		return nil
	})
}

// SetConsent grants an app in a tenant, in place of what it had there.
func (s *Sim) SetConsent(tenant string, c Consent) error {
	return s.changeTenant(tenant, func(t *Tenant) error {
		t.setConsent(c)
		return nil
	})
}

func (t *Tenant) setConsent(c Consent) {
	if old := t.consent(c.AppID); old != nil {
		*old = c
		return
	}
	t.Consents = append(t.Consents, c)
}

// RemoveConsent removes an app from a tenant: the next token is refused with 7000229 (app-only) or 65001 (a user's).
func (s *Sim) RemoveConsent(tenant, appID string) error {
	return s.changeTenant(tenant, func(t *Tenant) error {
		t.Consents = slices.DeleteFunc(t.Consents, func(c Consent) bool { return strings.EqualFold(c.AppID, appID) })
		return nil
	})
}

func (t *Tenant) consent(appID string) *Consent {
	for n := range t.Consents {
		if strings.EqualFold(t.Consents[n].AppID, appID) {
			return &t.Consents[n]
		}
	}
	return nil
}

// SetPartnership changes what ties a tenant to a partner; nil unties it.
func (s *Sim) SetPartnership(tenant string, p *Partnership) error {
	return s.changeTenant(tenant, func(t *Tenant) error {
		t.Partnership = p
		return nil
	})
}

// ExpireTokens makes Graph and Partner Center refuse (401) the access tokens that a tenant has issued so far.
func (s *Sim) ExpireTokens(tenant string) error {
	return s.changeTenant(tenant, func(t *Tenant) error {
		t.generation++
		return nil
	})
}

// RevokeSessions makes the refresh tokens of an account unusable (AADSTS50173), as an administrator's "revoke sessions" does.
func (s *Sim) RevokeSessions(upn string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, grant := range s.refresh {
		if strings.EqualFold(grant.upn, upn) {
			grant.revoked = true
		}
	}
}

// SetSeats sets a subscription's totalLicenses from a day on, until the next step of its history.
func (s *Sim) SetSeats(tenant, subscription string, day Day, seats int) error {
	return s.changeSubscription(tenant, subscription, func(sub *Subscription) error {
		if seats < 0 {
			return fmt.Errorf("%d seats are less than none", seats)
		}
		sub.Seats = withSeats(sub.Seats, SeatStep{day, seats})
		return nil
	})
}

// SetStatus sets a subscription's status from a day on, until the next step of its history.
func (s *Sim) SetStatus(tenant, subscription string, day Day, status string) error {
	return s.changeSubscription(tenant, subscription, func(sub *Subscription) error {
		sub.Status = withStatus(sub.Status, StatusStep{day, status})
		return nil
	})
}

// AddSKU gives a tenant a SKU; one that it has takes the subscriptions.
func (s *Sim) AddSKU(tenant string, sku *SKU) error {
	return s.changeTenant(tenant, func(t *Tenant) error {
		if old := t.sku(sku.ID); old != nil {
			old.Subscriptions = append(old.Subscriptions, sku.Subscriptions...)
			return t.completeSKU(old)
		}
		if err := t.completeSKU(sku); err != nil {
			return err
		}
		t.SKUs = append(t.SKUs, sku)
		return nil
	})
}

// SetAssigned sets how many made-up people hold a SKU from a day on.
func (s *Sim) SetAssigned(tenant, sku string, day Day, people int) error {
	return s.changeTenant(tenant, func(t *Tenant) error {
		of := t.sku(sku)
		if of == nil {
			return fmt.Errorf("tenant %s has no sku %s", tenant, sku)
		}
		of.Assigned = withSeats(of.Assigned, SeatStep{day, people})
		return nil
	})
}

// Assign gives a stored user a SKU from a day on.
func (s *Sim) Assign(tenant, upn, skuID string, day Day) error {
	return s.changeUser(tenant, upn, func(u *User) {
		u.Licenses = append(u.Licenses, Assignment{SKUID: skuID, From: day})
	})
}

// Unassign takes a SKU from a stored user from a day on.
func (s *Sim) Unassign(tenant, upn, skuID string, day Day) error {
	return s.changeUser(tenant, upn, func(u *User) {
		for n := range u.Licenses {
			if u.Licenses[n].SKUID == skuID && u.Licenses[n].on(day) {
				u.Licenses[n].Until = day
			}
		}
	})
}

// AddUser stores a user in a tenant.
func (s *Sim) AddUser(tenant string, u *User) error {
	return s.changeTenant(tenant, func(t *Tenant) error {
		if u.ID == "" {
			u.ID = ID("user", t.ID, u.UPN)
		}
		t.Users = append(t.Users, u)
		return nil
	})
}

func (s *Sim) changeUser(tenant, upn string, change func(*User)) error {
	return s.changeTenant(tenant, func(t *Tenant) error {
		for _, u := range t.Users {
			if strings.EqualFold(u.UPN, upn) {
				change(u)
				return nil
			}
		}
		return fmt.Errorf("tenant %s has no user %s", tenant, upn)
	})
}

func (s *Sim) changeSubscription(tenant, subscription string, change func(*Subscription) error) error {
	return s.changeTenant(tenant, func(t *Tenant) error {
		for _, sku := range t.SKUs {
			for _, sub := range sku.Subscriptions {
				if sub.ID == subscription || sub.CommerceID == subscription {
					if err := change(sub); err != nil {
						return err
					}
					return t.completeSKU(sku)
				}
			}
		}
		return fmt.Errorf("tenant %s has no subscription %s", tenant, subscription)
	})
}

// sku finds a SKU of the tenant by id or part number.
func (t *Tenant) sku(name string) *SKU {
	for _, sku := range t.SKUs {
		if strings.EqualFold(sku.ID, name) || strings.EqualFold(sku.PartNumber, name) {
			return sku
		}
	}
	return nil
}
