package connectwisesim

import (
	"errors"
	"fmt"
)

// ErrNoRecord says that a record that was to be edited isn't there.
var ErrNoRecord = errors.New("no such record")

// The Edit, Create and Delete methods are what a person does in Manage: the record shows who, callbacks go out, and nothing is checked but the
// record's existence. edit changes a copy; ids, stamps and what invoices remember are not its to change.

// EditAddition changes a line by hand. Errors: ErrNoRecord.
func (s *Sim) EditAddition(id int, by string, edit func(*Addition)) error {
	s.mu.Lock()
	old := s.additions.rows[id]
	if old == nil {
		s.mu.Unlock()
		return fmt.Errorf("edit addition %d: %w", id, ErrNoRecord)
	}
	row := *old
	edit(&row)
	row.ID, row.AgreementID, row.InvoicedThrough = old.ID, old.AgreementID, old.InvoicedThrough
	row.Stamp = s.stamp(old.Stamp, by)
	s.putAddition(&row)
	events := s.additionEvents(row.AgreementID, by)
	s.mu.Unlock()
	s.send(events)
	return nil
}

// CreateAddition makes a line by hand, with the defaults and the at-once invoice that it would have over the API, and returns its id. Errors:
// ErrNoRecord for an agreement or product that isn't there.
func (s *Sim) CreateAddition(by string, l Addition) (int, error) {
	s.mu.Lock()
	if s.agreements.rows[l.AgreementID] == nil || s.products.rows[l.ProductID] == nil {
		s.mu.Unlock()
		return 0, fmt.Errorf("create addition on agreement %d of product %d: %w", l.AgreementID, l.ProductID, ErrNoRecord)
	}
	l.ID, l.InvoicedThrough, l.Stamp = s.additions.next(), 0, Stamp{}
	if l.BillCustomer == "" {
		l.BillCustomer = "Billable"
	}
	s.defaults(&l, nil)
	made := s.commitNew(&l, by)
	s.mu.Unlock()
	s.send(made.after)
	return l.ID, nil
}

// DeleteAddition deletes a line by hand. Errors: ErrNoRecord.
func (s *Sim) DeleteAddition(id int, by string) error {
	s.mu.Lock()
	row := s.additions.rows[id]
	if row == nil {
		s.mu.Unlock()
		return fmt.Errorf("delete addition %d: %w", id, ErrNoRecord)
	}
	s.dropAddition(row)
	events := s.additionEvents(row.AgreementID, by)
	s.mu.Unlock()
	s.send(events)
	return nil
}

// EditAgreement changes an agreement by hand. Errors: ErrNoRecord.
func (s *Sim) EditAgreement(id int, by string, edit func(*Agreement)) error {
	s.mu.Lock()
	old := s.agreements.rows[id]
	if old == nil {
		s.mu.Unlock()
		return fmt.Errorf("edit agreement %d: %w", id, ErrNoRecord)
	}
	row := *old
	edit(&row)
	row.ID, row.Stamp = old.ID, s.stamp(old.Stamp, by)
	s.putAgreement(&row)
	events := s.agreementEvents(&row, "updated", by)
	s.mu.Unlock()
	s.send(events)
	return nil
}

// DeleteAgreement deletes an agreement by hand with its lines; invoices stay. Errors: ErrNoRecord.
func (s *Sim) DeleteAgreement(id int, by string) error {
	s.mu.Lock()
	row := s.agreements.rows[id]
	if row == nil {
		s.mu.Unlock()
		return fmt.Errorf("delete agreement %d: %w", id, ErrNoRecord)
	}
	s.dropAgreement(row)
	events := s.agreementEvents(row, "deleted", by)
	s.mu.Unlock()
	s.send(events)
	return nil
}

// EditCompany changes a company by hand. Errors: ErrNoRecord.
func (s *Sim) EditCompany(id int, by string, edit func(*Company)) error {
	s.mu.Lock()
	old := s.companies.rows[id]
	if old == nil {
		s.mu.Unlock()
		return fmt.Errorf("edit company %d: %w", id, ErrNoRecord)
	}
	row := *old
	edit(&row)
	row.ID, row.Stamp = old.ID, s.stamp(old.Stamp, by)
	s.putCompany(&row)
	events := s.companyEvents(&row, "updated", by)
	s.mu.Unlock()
	s.send(events)
	return nil
}

// EditProduct changes a catalog item by hand; additions keep their prices. Errors: ErrNoRecord.
func (s *Sim) EditProduct(id int, by string, edit func(*Product)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.products.rows[id]
	if old == nil {
		return fmt.Errorf("edit product %d: %w", id, ErrNoRecord)
	}
	row := *old
	edit(&row)
	row.ID, row.Stamp = old.ID, s.stamp(old.Stamp, by)
	s.putProduct(&row)
	return nil
}

// Addition is a line as it stands; false when it isn't there.
func (s *Sim) Addition(id int) (Addition, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if l := s.additions.rows[id]; l != nil {
		return *l, true
	}
	return Addition{}, false
}

// Additions are the lines of an agreement as they stand, in the order of their ids.
func (s *Sim) Additions(agreementID int) []Addition {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := []Addition{}
	for _, id := range s.additionsByParent[agreementID] {
		out = append(out, *s.additions.rows[id])
	}
	return out
}

// Agreement is an agreement as it stands; false when it isn't there.
func (s *Sim) Agreement(id int) (Agreement, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if a := s.agreements.rows[id]; a != nil {
		return *a, true
	}
	return Agreement{}, false
}

// Callbacks are the registered callbacks as they stand.
func (s *Sim) Callbacks() []Callback {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := []Callback{}
	for _, id := range s.callbacks.ids {
		out = append(out, *s.callbacks.rows[id])
	}
	return out
}
